package s3

import (
	"fmt"
	"time"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Tables. Versions are keyed so that keys come in order and the newest version of each first.
var (
	buckets  = state.NewTable[bucket]("s3.bucket")
	versions = state.NewTable[version]("s3.version") // bucket, 0, key, 0, inverted sequence
	uploads  = state.NewTable[upload]("s3.upload")   // bucket, 0, key, 0, upload ID
	parts    = state.NewTable[part]("s3.part")       // upload ID, "/", part number in five digits
)

// bucket is a bucket with its configurations. A nil one is not set.
type bucket struct {
	Name         string
	Created      time.Time
	Versioning   string // "", "Enabled", "Suspended"
	MFADelete    *string
	Encryption   *api.ServerSideEncryptionConfiguration
	PublicAccess *api.PublicAccessBlockConfiguration
	Ownership    *api.OwnershipControls
	ACL          []api.Grant
	Policy       string
	Lifecycle    []api.LifecycleRule
	LifecycleMin string // TransitionDefaultMinimumObjectSize
	Logging      *api.LoggingEnabled
	Tags         []api.Tag
	CORS         []api.CORSRule
	EventBridge  *api.EventBridgeConfiguration
	Accelerate   *string
	Payer        string
	ObjectLock   *api.ObjectLockConfiguration
	Replication  *api.ReplicationConfiguration
	Analytics    map[string]api.AnalyticsConfiguration
	Metrics      map[string]api.MetricsConfiguration
	Inventory    map[string]api.InventoryConfiguration
	Reports      map[string]reports // of inventories, by the ID of the configuration
	Tiering      map[string]api.IntelligentTieringConfiguration
}

// nullVersion is the ID of versions written while versioning is not enabled.
const nullVersion = "null"

// version is one version of an object, or a delete marker.
type version struct {
	Bucket, Key  string
	ID           string
	Sequence     uint64 // global order of writing
	DeleteMarker bool
	Modified     time.Time
	Size         int64
	ETag         string // with its quotes
	Segments     []segment
	Multipart    bool
	Checksum     checksum
	Headers      headers
	Tags         []api.Tag
	Encryption   encryption
	ACL          []api.Grant
	StorageClass string
	Retention    *api.ObjectLockRetention
	LegalHold    string
	Replication  string // status; "" when no rule selects the version
}

// headers are what a client stores with an object to get back with it.
type headers struct {
	ContentType, ContentEncoding, ContentLanguage, ContentDisposition, CacheControl, WebsiteRedirect string
	Expires                                                                                          *time.Time
	Metadata                                                                                         map[string]string
}

// segment is a file that holds a stretch of an object's content: the whole, or one part of a multipart upload.
type segment struct {
	Body      string // name in bodies
	Size      int64  // of the content
	SealedKey []byte // data key under KMS; nil when the file is the content itself
	Number    int64  // of the part, from 1
	Checksum  checksum
}

// upload is a multipart upload in progress.
type upload struct {
	Bucket, Key, ID string
	Initiated       time.Time
	Template        version // what the finished object gets besides its content
	Algorithm       string  // of checksums; "" is none
	ChecksumType    string
}

// part is one uploaded part.
type part struct {
	Number   int64
	ETag     string
	MD5      []byte
	Modified time.Time
	Segment  segment
}

func versionPrefix(bucketName, key string) string { return bucketName + "\x00" + key + "\x00" }

func (v version) tableKey() string {
	return versionPrefix(v.Bucket, v.Key) + fmt.Sprintf("%016x", ^v.Sequence)
}

func (u upload) tableKey() string { return versionPrefix(u.Bucket, u.Key) + u.ID }

func partKey(uploadID string, number int64) string { return fmt.Sprintf("%s/%05d", uploadID, number) }

func getBucket(tx *state.Tx, name string) (bucket, error) {
	b, ok, err := buckets.Get(tx, name)
	if err == nil && !ok {
		err = &wire.Error{Status: 404, Code: "NoSuchBucket", Message: "The specified bucket does not exist", Fields: map[string]string{"BucketName": name}}
	}
	return b, err
}

// latest returns the newest version of a key, which may be a delete marker.
func latest(tx *state.Tx, bucketName, key string) (version, bool) {
	for _, v := range versions.WithPrefix(tx, versionPrefix(bucketName, key)) {
		return v, true
	}
	return version{}, false
}

// byID returns a version of a key.
func byID(tx *state.Tx, bucketName, key, id string) (version, bool) {
	for _, v := range versions.WithPrefix(tx, versionPrefix(bucketName, key)) {
		if v.ID == id {
			return v, true
		}
	}
	return version{}, false
}

// find returns the version that a read means, or S3's error for one that cannot be read.
func find(tx *state.Tx, bucketName, key string, id *string) (version, error) {
	if id != nil {
		v, ok := byID(tx, bucketName, key, *id)
		switch {
		case !ok:
			return v, &wire.Error{Status: 404, Code: "NoSuchVersion", Message: "The specified version does not exist.", Fields: map[string]string{"Key": key, "VersionId": *id}}
		case v.DeleteMarker:
			return v, &wire.Error{Status: 405, Code: "MethodNotAllowed", Message: "The specified method is not allowed against this resource.",
				Fields: map[string]string{"ResourceType": "DeleteMarker", "x-amz-delete-marker": "true", "x-amz-version-id": v.ID}}
		}
		return v, nil
	}
	v, ok := latest(tx, bucketName, key)
	if ok && !v.DeleteMarker {
		return v, nil
	}
	err := &wire.Error{Status: 404, Code: "NoSuchKey", Message: "The specified key does not exist.", Fields: map[string]string{"Key": key}}
	if ok {
		err.Fields["x-amz-delete-marker"], err.Fields["x-amz-version-id"] = "true", v.ID
	}
	return v, err
}

// versionID is the ID to show: nothing in a bucket that was never versioned.
func (b bucket) versionID(v version) *string {
	if b.Versioning == "" {
		return nil
	}
	return new(v.ID)
}
