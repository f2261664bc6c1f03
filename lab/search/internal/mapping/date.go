package mapping

import (
	"math"
	"strconv"
	"strings"
	"time"

	"storefront/lab/search/internal/refusal"
)

// DefaultFormat is how dates are written when a field says nothing.
const DefaultFormat = "strict_date_optional_time||epoch_millis"

// layouts returns the layouts of Go for a format of Elasticsearch; none for a format that is not served.
func layouts(format string) []string {
	switch strings.TrimPrefix(format, "strict_") {
	case "date_optional_time", "date_optional_time_nanos":
		return []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02T15", "2006-01-02", "2006-01", "2006"}
	case "date":
		return []string{"2006-01-02"}
	case "date_time", "date_time_no_millis":
		return []string{time.RFC3339Nano}
	}
	switch format {
	case "epoch_millis", "epoch_second":
		return []string{format}
	case "yyyy-MM-dd HH:mm:ss":
		return []string{"2006-01-02 15:04:05"}
	case "yyyy-MM-dd":
		return []string{"2006-01-02"}
	case "yyyy/MM/dd":
		return []string{"2006/01/02"}
	case "yyyy/MM/dd HH:mm:ss":
		return []string{"2006/01/02 15:04:05"}
	}
	return nil
}

func checkFormat(path, format string) error {
	if format == "" {
		return nil
	}
	for f := range strings.SplitSeq(format, "||") {
		if layouts(f) == nil {
			return refusal.Mapping("failed to parse mapping of field [%s]: Invalid format: [%s]: Unknown pattern, or one that is not served", path, f)
		}
	}
	return nil
}

// ParseDate reads a date in one of the formats, as milliseconds since the epoch.
func ParseDate(text, format string) (float64, bool) {
	if format == "" {
		format = DefaultFormat
	}
	for f := range strings.SplitSeq(format, "||") {
		for _, layout := range layouts(f) {
			if at, ok := parseLayout(text, layout); ok {
				return at, true
			}
		}
	}
	return 0, false
}

func parseLayout(text, layout string) (float64, bool) {
	scale := 1.0
	switch layout {
	case "epoch_second":
		scale = 1000
		fallthrough
	case "epoch_millis":
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(n) || math.Abs(n*scale) > 1<<53 {
			return 0, false
		}
		return math.Floor(n * scale), true
	}
	at, err := time.Parse(layout, text)
	if err != nil {
		return 0, false
	}
	return float64(at.UnixMilli()), true
}

// FormatDate writes a date as Elasticsearch does in an answer.
func FormatDate(millis float64) string {
	return time.UnixMilli(int64(millis)).UTC().Format("2006-01-02T15:04:05.000Z")
}

// DateMath reads a date with arithmetic, as "now-7d/d" or "2026-01-01||+1M": milliseconds since the epoch. Rounding goes down, or up to
// the unit's last millisecond.
func DateMath(text, format string, now time.Time, up bool) (float64, bool) {
	rest, at := "", now.UTC()
	if after, ok := strings.CutPrefix(text, "now"); ok {
		rest = after
	} else {
		anchor := text
		if i := strings.LastIndex(text, "||"); i >= 0 {
			anchor, rest = text[:i], text[i+2:]
		}
		millis, ok := ParseDate(anchor, format)
		if !ok {
			return 0, false
		}
		at = time.UnixMilli(int64(millis)).UTC()
		if up {
			at = last(at, anchor)
		}
	}
	for rest != "" {
		op := rest[0]
		digits := 1
		for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
			digits++
		}
		if digits == len(rest) || !strings.ContainsRune("+-/", rune(op)) || op == '/' && digits > 1 || digits > 6 {
			return 0, false
		}
		n := 1
		if digits > 1 {
			n, _ = strconv.Atoi(rest[1:digits])
		}
		if op == '-' {
			n = -n
		}
		var ok bool
		if op == '/' {
			if at, ok = Floor(at, rest[digits]); ok && up {
				at, _ = shift(at, 1, rest[digits])
				at = at.Add(-time.Millisecond)
			}
		} else {
			at, ok = shift(at, n, rest[digits])
		}
		if !ok {
			return 0, false
		}
		rest = rest[digits+1:]
	}
	return float64(at.UnixMilli()), true
}

// last is the last millisecond of a date that is written without a time, as 2026-01-31, 2026-01 or 2026.
func last(at time.Time, text string) time.Time {
	unit := map[int]byte{len("2006-01-02"): 'd', len("2006-01"): 'M', len("2006"): 'y'}[len(text)]
	if unit == 0 || strings.ContainsAny(text, "T:") || len(text) > 4 && !strings.ContainsAny(text, "-/") {
		return at
	}
	end, _ := shift(at, 1, unit)
	return end.Add(-time.Millisecond)
}

func shift(at time.Time, n int, unit byte) (time.Time, bool) {
	switch unit {
	case 'y':
		return at.AddDate(n, 0, 0), true
	case 'M':
		return at.AddDate(0, n, 0), true
	case 'w':
		return at.AddDate(0, 0, 7*n), true
	case 'd':
		return at.AddDate(0, 0, n), true
	case 'h', 'H':
		return at.Add(time.Duration(n) * time.Hour), true
	case 'm':
		return at.Add(time.Duration(n) * time.Minute), true
	case 's':
		return at.Add(time.Duration(n) * time.Second), true
	}
	return at, false
}

// Floor takes a time down to the beginning of its unit: y, q, M, w (from Monday), d, h, m or s.
func Floor(at time.Time, unit byte) (time.Time, bool) {
	y, m, d := at.Date()
	switch unit {
	case 'y':
		return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC), true
	case 'q':
		return time.Date(y, m-(m-1)%3, 1, 0, 0, 0, 0, time.UTC), true
	case 'M':
		return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC), true
	case 'w':
		return time.Date(y, m, d-(int(at.Weekday())+6)%7, 0, 0, 0, 0, time.UTC), true
	case 'd':
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), true
	case 'h', 'H':
		return at.Truncate(time.Hour), true
	case 'm':
		return at.Truncate(time.Minute), true
	case 's':
		return at.Truncate(time.Second), true
	}
	return at, false
}
