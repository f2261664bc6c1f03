package s3

import (
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// column is one of an inventory list, from "Amazon S3 Inventory list".
type column struct {
	name      string
	optional  bool // only in lists whose configuration asks for it
	versioned bool // only in lists of all versions
	content   bool // empty for delete markers
	value     func(row) string
}

// row is a version in a list.
type row struct {
	bucket
	version
	latest bool
}

const inventoryTime = "2006-01-02T15:04:05.000Z"

// columns are all columns in their order; owner is who owns every object.
func columns(owner string) []column {
	always := func(name string, value func(row) string) column { return column{name: name, value: value} }
	versioned := func(name string, value func(row) string) column {
		return column{name: name, versioned: true, value: value}
	}
	optional := func(name string, value func(row) string) column {
		return column{name: name, optional: true, content: name != "LastModifiedDate", value: value}
	}
	return []column{
		always("Bucket", func(r row) string { return r.version.Bucket }),
		always("Key", func(r row) string { return strings.ReplaceAll(url.QueryEscape(r.Key), "%2F", "/") }),
		versioned("VersionId", func(r row) string { return wire.Value(r.versionID(r.version)) }),
		versioned("IsLatest", func(r row) string { return strconv.FormatBool(r.latest) }),
		versioned("IsDeleteMarker", func(r row) string { return strconv.FormatBool(r.DeleteMarker) }),
		optional("Size", func(r row) string { return strconv.FormatInt(r.Size, 10) }),
		optional("LastModifiedDate", func(r row) string { return r.Modified.UTC().Format(inventoryTime) }),
		optional("ETag", func(r row) string { return strings.Trim(r.ETag, `"`) }),
		optional("StorageClass", func(r row) string { return r.StorageClass }),
		optional("IsMultipartUploaded", func(r row) string { return strconv.FormatBool(r.Multipart) }),
		optional("ReplicationStatus", func(r row) string { return r.version.Replication }),
		optional("EncryptionStatus", func(r row) string {
			if r.version.Encryption.Algorithm == sseKMS {
				return "SSE-KMS"
			}
			return "SSE-S3"
		}),
		optional("ObjectLockRetainUntilDate", func(r row) string {
			if r.Retention == nil || r.Retention.RetainUntilDate == nil {
				return ""
			}
			return r.Retention.RetainUntilDate.UTC().Format(inventoryTime)
		}),
		optional("ObjectLockMode", func(r row) string {
			if r.Retention == nil {
				return ""
			}
			return wire.Value(r.Retention.Mode)
		}),
		optional("ObjectLockLegalHoldStatus", func(r row) string {
			if r.LegalHold == api.ObjectLockLegalHoldStatusOn {
				return api.ObjectLockLegalHoldStatusOn
			}
			return api.ObjectLockLegalHoldStatusOff
		}),
		optional("IntelligentTieringAccessTier", func(row) string { return "" }), // nothing is moved between tiers
		optional("BucketKeyStatus", func(r row) string {
			if r.version.Encryption.BucketKey {
				return "ENABLED"
			}
			return "DISABLED"
		}),
		optional("ChecksumAlgorithm", func(r row) string { return r.Checksum.Algorithm }),
		optional("ObjectOwner", func(row) string { return owner }),
	}
}

// chosen are the columns of a configuration's lists.
func chosen(c api.InventoryConfiguration, owner string) []column {
	all := *c.IncludedObjectVersions == api.InventoryIncludedObjectVersionsAll
	return slices.DeleteFunc(columns(owner), func(one column) bool {
		return one.versioned && !all || one.optional && !slices.Contains(c.OptionalFields, one.name)
	})
}

// schema names columns.
func schema(list []column) (names []string) {
	for _, one := range list {
		names = append(names, one.name)
	}
	return names
}

// writeInventory writes the list of a bucket's versions, or of its objects, in the order of their keys. Every field is in quotes, as in AWS's lists.
func writeInventory(tx *state.Tx, out io.Writer, b bucket, c api.InventoryConfiguration, list []column) error {
	prefix := ""
	if c.Filter != nil {
		prefix = *c.Filter.Prefix
	}
	all, before := *c.IncludedObjectVersions == api.InventoryIncludedObjectVersionsAll, "\x00"
	for _, v := range versions.WithPrefix(tx, b.Name+"\x00"+prefix) {
		r := row{b, v, v.Key != before}
		if before = v.Key; !all && (!r.latest || v.DeleteMarker) {
			continue
		}
		fields := make([]string, len(list))
		for i, one := range list {
			if !one.content || !v.DeleteMarker {
				fields[i] = one.value(r)
			}
			fields[i] = `"` + strings.ReplaceAll(fields[i], `"`, `""`) + `"`
		}
		if _, err := io.WriteString(out, strings.Join(fields, ",")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
