package s3

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"storefront/lab/access"
	api "storefront/lab/api/s3"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// inventoryPace is how often Run looks at the clock. Reports are due in days.
const inventoryPace = time.Minute

// reports is how far the reports of one inventory configuration are.
type reports struct {
	Due     time.Time // of the next one
	Problem string    // why the last one was not delivered, "" when it was
}

// PutBucketInventoryConfiguration implements the operation of that name. The first report is delivered at once (AWS: within 48 hours), the next ones at midnight UTC, weekly
// ones on Sundays. Reports in ORC and Parquet, of ACLs, and to buckets of other accounts are refused.
func (s *Service) PutBucketInventoryConfiguration(ctx context.Context, in *api.PutBucketInventoryConfigurationInput) (*api.PutBucketInventoryConfigurationOutput, error) {
	c := in.InventoryConfiguration
	to := c.Destination.S3BucketDestination
	switch {
	case *to.Format != api.InventoryFormatCsv:
		return nil, notImplemented("inventories in the format " + *to.Format)
	case wire.Or(to.AccountId, s.region.Account) != s.region.Account:
		return nil, notImplemented("inventories in buckets of another account")
	case !strings.HasPrefix(*to.Bucket, "arn:"+region.Partition+":s3:::"):
		return nil, invalidArgument("Bucket", "Invalid bucket ARN")
	case to.Encryption != nil && (to.Encryption.SSEKMS != nil) == (to.Encryption.SSES3 != nil):
		return nil, malformedXML("an Encryption has one of SSE-S3 and SSE-KMS")
	}
	for _, f := range c.OptionalFields {
		if !slices.ContainsFunc(columns(""), func(c column) bool { return c.optional && c.name == f }) {
			return nil, notImplemented("the inventory field " + f)
		}
	}
	err := putNamed(ctx, s, in.Bucket, in.ExpectedBucketOwner, in.Id, c.Id, c, inventoryOf)
	if err == nil {
		err = s.change(ctx, in.Bucket, nil, func(b *bucket) error {
			delete(b.Reports, *in.Id)
			return nil
		})
	}
	return &api.PutBucketInventoryConfigurationOutput{}, err
}

// takeInventories delivers reports when they are due, until ctx ends.
func (s *Service) takeInventories(ctx context.Context) error {
	tick := time.NewTicker(inventoryPace)
	defer tick.Stop()
	for changed := s.store.Watch(ctx, "s3.bucket"); ; {
		if err := s.TakeInventories(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("taking inventories of S3 buckets: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-tick.C:
		}
	}
}

// TakeInventories delivers the reports that are due. One that cannot be delivered, because policies do not let S3 write it or its bucket is gone, is logged and left out until
// the next is due or the configuration is put again.
func (s *Service) TakeInventories(ctx context.Context) error {
	now := s.now().UTC()
	type task struct{ bucket, id string }
	var due []task
	err := s.store.View(func(tx *state.Tx) error {
		for name, b := range buckets.All(tx) {
			for _, id := range slices.Sorted(maps.Keys(b.Inventory)) {
				if *b.Inventory[id].IsEnabled && !now.Before(b.Reports[id].Due) {
					due = append(due, task{name, id})
				}
			}
		}
		return nil
	})
	for _, t := range due {
		if err != nil || ctx.Err() != nil {
			break
		}
		problem := ""
		if refused := s.takeInventory(ctx, t.bucket, t.id, now); refused != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			problem = refused.Error()
			s.log.Warn("an S3 inventory was not delivered", "bucket", t.bucket, "inventory", t.id, "error", refused)
		}
		err = s.store.Update(func(tx *state.Tx) error {
			b, ok, err := buckets.Get(tx, t.bucket)
			if err != nil || !ok {
				return err
			}
			c, ok := b.Inventory[t.id]
			if !ok {
				return nil
			}
			if b.Reports == nil {
				b.Reports = map[string]reports{}
			}
			b.Reports[t.id] = reports{Due: nextReport(now, *c.Schedule.Frequency), Problem: problem}
			return buckets.Put(tx, b.Name, b)
		})
	}
	return err
}

// nextReport is the midnight, of a Sunday for weekly reports, after a time.
func nextReport(now time.Time, frequency string) time.Time {
	next := now.Truncate(24*time.Hour).AddDate(0, 0, 1)
	if frequency == api.InventoryFrequencyWeekly {
		next = next.AddDate(0, 0, (7-int(next.Weekday()))%7)
	}
	return next
}

// manifest describes a report: "Inventory manifest".
type manifest struct {
	SourceBucket      string         `json:"sourceBucket"`
	DestinationBucket string         `json:"destinationBucket"`
	Version           string         `json:"version"`
	CreationTimestamp string         `json:"creationTimestamp"`
	FileFormat        string         `json:"fileFormat"`
	FileSchema        string         `json:"fileSchema"`
	Files             []manifestFile `json:"files"`
}

type manifestFile struct {
	Key         string `json:"key"`
	Size        int    `json:"size"`
	MD5checksum string `json:"MD5checksum"`
}

// takeInventory writes one report, under the keys of "Locating your inventory list": the list, then what describes it, so that who finds a manifest finds its list.
func (s *Service) takeInventory(ctx context.Context, name, id string, now time.Time) error {
	var b bucket
	var columns []column
	var list bytes.Buffer
	zipped := gzip.NewWriter(&list)
	err := s.store.View(func(tx *state.Tx) (err error) {
		if b, err = getBucket(tx, name); err != nil {
			return err
		}
		columns = chosen(b.Inventory[id], *s.owner().ID)
		return writeInventory(tx, zipped, b, b.Inventory[id], columns)
	})
	if err != nil {
		return err
	}
	if err := zipped.Close(); err != nil {
		return err
	}
	c := b.Inventory[id]
	to := c.Destination.S3BucketDestination
	folder := name + "/" + id + "/"
	if p := wire.Value(to.Prefix); p != "" {
		folder = strings.TrimSuffix(p, "/") + "/" + folder
	}
	data := manifestFile{Key: folder + "data/" + uuid.NewString() + ".csv.gz", Size: list.Len(), MD5checksum: md5Of(list.Bytes())}
	description, err := json.MarshalIndent(manifest{name, *to.Bucket, "2016-11-30", strconv.FormatInt(now.UnixMilli(), 10), *to.Format, strings.Join(schema(columns), ", "), []manifestFile{data}}, "", "  ")
	if err != nil {
		return err
	}
	link := "s3://" + bucketOfARN(*to.Bucket) + "/" + data.Key
	begun := folder + now.Format("2006-01-02T15-04Z") + "/"
	for _, file := range []struct {
		key     string
		content []byte
	}{
		{data.Key, list.Bytes()},
		{folder + "hive/dt=" + now.Format("2006-01-02-15-04") + "/symlink.txt", []byte(link)},
		{begun + "manifest.json", description},
		{begun + "manifest.checksum", []byte(md5Of(description))},
	} {
		if err := s.putReport(ctx, b, to, file.key, file.content); err != nil {
			return err
		}
	}
	return nil
}

func md5Of(content []byte) string {
	sum := md5.Sum(content)
	return hex.EncodeToString(sum[:])
}

// putReport writes a file of a report as S3 itself, when the policies of the bucket and of the key let it: "Granting permissions for S3 Inventory and S3 analytics", "Granting
// Amazon S3 permission to use your customer managed key for encryption".
func (s *Service) putReport(ctx context.Context, source bucket, to *api.InventoryS3BucketDestination, key string, content []byte) error {
	in := &api.PutObjectInput{Bucket: new(bucketOfARN(*to.Bucket)), Key: &key, ACL: new("bucket-owner-full-control"), Body: io.NopCloser(bytes.NewReader(content)), ContentLength: new(int64(len(content)))}
	act := access.Act{Service: principal, Source: arnOf(source.Name), Action: "s3:PutObject", Resource: arnOf(*in.Bucket) + "/" + key, Context: map[string][]string{"s3:x-amz-acl": {*in.ACL}}}
	if e := to.Encryption; e != nil {
		in.ServerSideEncryption = new(sseS3)
		if e.SSEKMS != nil {
			in.ServerSideEncryption, in.SSEKMSKeyId = new(sseKMS), e.SSEKMS.KeyId
			act.Context["s3:x-amz-server-side-encryption-aws-kms-key-id"] = []string{*e.SSEKMS.KeyId}
		}
		act.Context["s3:x-amz-server-side-encryption"] = []string{*in.ServerSideEncryption}
	}
	err := s.store.View(func(tx *state.Tx) error {
		if _, err := getBucket(tx, *in.Bucket); err != nil {
			return err
		}
		if err := s.may(tx, act); err != nil {
			return err
		}
		e, err := s.writing(tx, *in.Bucket, sseRequest{Algorithm: in.ServerSideEncryption, KeyID: in.SSEKMSKeyId})
		if err != nil || e.Algorithm != sseKMS {
			return err
		}
		act.Action, act.Resource, act.Context, act.Encryption = "kms:GenerateDataKey", e.KeyARN, nil, e.keyContext(*in.Bucket, key)
		return s.may(tx, act)
	})
	if err != nil {
		return err
	}
	_, err = s.PutObject(wire.WithCaller(ctx, wire.Identity{Account: s.region.Account, Service: principal}), in)
	return err
}
