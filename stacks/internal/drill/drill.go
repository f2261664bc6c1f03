// Package drill proves that the backups of both stores can be restored: it dumps the shop's database and its search index into the backup bucket, loads what the bucket
// has into a new cluster and a new index, and compares row by row and document by document.
//
// The database is dumped and compared in one snapshot, so that orders may go on meanwhile. What the drill makes it takes away again; the dumps stay in the bucket, for as
// long as its lock says.
package drill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// ErrDiffers says that what was restored is not what was there.
var ErrDiffers = errors.New("the restored data differs")

// Config says what to drill on.
type Config struct {
	AWS       aws.Config
	PathStyle bool // of S3: buckets have no host names
	Cluster   string
	Database  string
	SecretARN string // of the database's login
	Authority string // PEM file of the authorities of database and domain
	SearchURL string
	// SearchAs signs the requests to the search domain, which lets in the role of the fleet that uses it, and no one else.
	SearchAs aws.CredentialsProvider
	Index    string
	Bucket   string
	// DatabaseVia and SearchVia reach the stores from here.
	DatabaseVia, SearchVia Tunnel
	Out                    io.Writer
}

// Run drills. The error is ErrDiffers when all went well but the data is not the same.
func Run(ctx context.Context, c Config) error {
	run := time.Now().UTC().Format("20060102-150405")
	store := bucket{client: s3.NewFromConfig(c.AWS, func(o *s3.Options) { o.UsePathStyle = c.PathStyle }), name: c.Bucket, prefix: "drill/" + run + "/"}
	return errors.Join(c.drillDatabase(ctx, store, run), c.drillIndex(ctx, store, run))
}

// step runs a part of the drill and tells how long it took.
func (c Config) step(what string, f func() error) error {
	begin := time.Now()
	if err := f(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	fmt.Fprintf(c.Out, "drill: %s (%s)\n", what, time.Since(begin).Round(10*time.Millisecond))
	return nil
}

// difference is the outcome of a comparison.
type difference struct{ same, missing, extra int }

func (d difference) err() error {
	if d.missing+d.extra > 0 {
		return ErrDiffers
	}
	return nil
}

// bucket is where dumps go.
type bucket struct {
	client       *s3.Client
	name, prefix string
}

// put stores a dump. The bucket encrypts, locks and copies it.
func (b bucket) put(ctx context.Context, name string, content []byte) error {
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.name, Key: aws.String(b.prefix + name), Body: bytes.NewReader(content)})
	if err != nil {
		return fmt.Errorf("storing %s in the bucket %s: %w", name, b.name, err)
	}
	return nil
}

func (b bucket) get(ctx context.Context, name string) ([]byte, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: aws.String(b.prefix + name)})
	if err != nil {
		return nil, fmt.Errorf("fetching %s from the bucket %s: %w", name, b.name, err)
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}
