package s3

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"storefront/lab/wire"
)

// readCondition is the conditional headers of a read, or of a copy's source.
type readCondition struct {
	ifMatch, ifNoneMatch               *string
	ifModifiedSince, ifUnmodifiedSince *time.Time
}

// check applies RFC 9110's precedence: the entity tags win over the times.
func (c readCondition) check(v version) error {
	switch {
	case c.ifMatch != nil && !etagMatches(*c.ifMatch, v.ETag):
		return preconditionFailed("If-Match")
	case c.ifMatch == nil && c.ifUnmodifiedSince != nil && v.Modified.After(*c.ifUnmodifiedSince):
		return preconditionFailed("If-Unmodified-Since")
	case c.ifNoneMatch != nil && etagMatches(*c.ifNoneMatch, v.ETag),
		c.ifNoneMatch == nil && c.ifModifiedSince != nil && !v.Modified.After(*c.ifModifiedSince):
		return &wire.Error{Status: 304, Code: "NotModified", Message: "Not Modified", Fields: map[string]string{"ETag": v.ETag}}
	}
	return nil
}

// checkCopy is check for the source of a copy, where 304 has no meaning.
func (c readCondition) checkCopy(v version) error {
	err := c.check(v)
	if e, ok := err.(*wire.Error); ok && e.Status == 304 {
		return preconditionFailed("x-amz-copy-source-If-None-Match")
	}
	return err
}

// span is a stretch of an object.
type span struct{ offset, length int64 }

// header is the Content-Range of a span.
func (s span) header(size int64) *string {
	return new(fmt.Sprintf("bytes %d-%d/%d", s.offset, s.offset+s.length-1, size))
}

// parseRange reads a Range header. Like S3 it ignores one that is not understood, or names several ranges.
func parseRange(header string, size int64) (r span, partial bool, err error) {
	whole := span{0, size}
	spec, ok := strings.CutPrefix(strings.TrimSpace(header), "bytes=")
	from, to, dash := strings.Cut(spec, "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return whole, false, nil
	}
	first, errFirst := strconv.ParseInt(from, 10, 64)
	last, errLast := strconv.ParseInt(to, 10, 64)
	switch {
	case from == "" && errLast == nil && last >= 0: // the last bytes
		if last == 0 || size == 0 {
			return r, false, invalidRange(header, size)
		}
		last = min(last, size)
		return span{size - last, last}, true, nil
	case errFirst != nil || first < 0 || to != "" && (errLast != nil || last < first):
		return whole, false, nil
	case first >= size:
		return r, false, invalidRange(header, size)
	case to == "" || last >= size:
		last = size - 1
	}
	return span{first, last - first + 1}, true, nil
}

func invalidRange(header string, size int64) error {
	return &wire.Error{Status: 416, Code: "InvalidRange", Message: "The requested range is not satisfiable",
		Fields: map[string]string{"RangeRequested": header, "ActualObjectSize": strconv.FormatInt(size, 10)}}
}

// selectSpan returns the stretch that a read asks for by range or by part number.
func selectSpan(v version, header *string, partNumber *int64) (r span, partial bool, err error) {
	if partNumber == nil {
		return parseRange(wire.Value(header), v.Size)
	}
	if header != nil {
		return r, false, invalidRequest("Cannot specify both Range header and partNumber query parameter")
	}
	if *partNumber < 1 || *partNumber > int64(len(v.Segments)) {
		return r, false, &wire.Error{Status: 416, Code: "InvalidPartNumber", Message: "The requested partnumber is not satisfiable",
			Fields: map[string]string{"PartNumberRequested": strconv.FormatInt(*partNumber, 10), "ActualPartCount": strconv.Itoa(len(v.Segments))}}
	}
	for _, seg := range v.Segments[:*partNumber-1] {
		r.offset += seg.Size
	}
	r.length = v.Segments[*partNumber-1].Size
	return r, v.Multipart && r.length > 0, nil
}
