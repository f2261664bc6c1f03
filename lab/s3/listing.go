package s3

import (
	"net/url"
	"strings"

	"storefront/lab/state"
)

// listing walks the keys of a bucket in order, as all of S3's lists do: with a prefix, keys rolled up at a delimiter, in pages.
type listing struct {
	prefix, delimiter string
	after             string // keys and common prefixes up to this one were listed before
	limit             int
}

// page is what one listing found. Items and common prefixes together are at most the limit.
type page struct {
	items     []version
	prefixes  []string
	truncated bool
	last      string // the last key or common prefix on the page
}

func (p *page) full(limit int) bool { return len(p.items)+len(p.prefixes) >= limit }

// run lists the current objects.
func (l listing) run(tx *state.Tx, bucketName string) page {
	var p page
	if l.limit == 0 {
		return p
	}
	seen := ""
	first := true
	for _, v := range versions.WithPrefix(tx, bucketName+"\x00"+l.prefix) {
		if !first && v.Key == seen { // an older version
			continue
		}
		first, seen = false, v.Key
		if v.DeleteMarker {
			continue
		}
		if !l.add(&p, v) {
			break
		}
	}
	return p
}

// add puts a version or its common prefix on the page. It returns false when the page was full before.
func (l listing) add(p *page, v version) bool {
	rolled := l.commonPrefix(v.Key)
	switch {
	case v.Key <= l.after, rolled != "" && rolled == l.after:
		return true
	case rolled != "" && len(p.prefixes) > 0 && p.prefixes[len(p.prefixes)-1] == rolled:
		return true
	case p.full(l.limit):
		p.truncated = true
		return false
	case rolled != "":
		p.prefixes, p.last = append(p.prefixes, rolled), rolled
	default:
		p.items, p.last = append(p.items, v), v.Key
	}
	return true
}

// commonPrefix is the key up to and with the first delimiter after the prefix, or "".
func (l listing) commonPrefix(key string) string {
	if l.delimiter == "" {
		return ""
	}
	if i := strings.Index(key[len(l.prefix):], l.delimiter); i >= 0 {
		return key[:len(l.prefix)+i+len(l.delimiter)]
	}
	return ""
}

// limitOf reads max-keys and its kin: 1000 at most, and by default.
func limitOf(name string, n *int64) (int, error) {
	switch {
	case n == nil:
		return 1000, nil
	case *n < 0:
		return 0, invalidArgument(name, "Argument "+name+" must be an integer between 0 and 2147483647")
	}
	return int(min(*n, 1000)), nil
}

// encoder encodes keys for answers when the client asked for encoding-type=url, since XML cannot hold every character.
func encoder(encodingType *string) func(string) *string {
	if encodingType == nil {
		return func(s string) *string { return &s }
	}
	return func(s string) *string {
		return new(strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(s)))
	}
}
