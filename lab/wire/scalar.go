package wire

import (
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// The timestamp formats of the models.
const (
	iso8601       = "iso8601"
	rfc822        = "rfc822"
	unixTimestamp = "unixTimestamp"
)

var timeType = reflect.TypeFor[time.Time]()

func isBlob(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// isScalar tells whether values of t are written as one text.
func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Int64, reflect.Float64:
		return true
	}
	return t == timeType || isBlob(t)
}

// setScalar parses text into v, in the form that XML, forms, headers and URIs have in common.
func setScalar(v reflect.Value, text, timestampFormat string) error {
	v = settable(v)
	switch {
	case v.Type() == timeType:
		t, err := parseTime(text, timestampFormat)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(t))
		return nil
	case isBlob(v.Type()):
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return fmt.Errorf("%q is not base64", text)
		}
		v.SetBytes(data)
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return fmt.Errorf("%q is not a boolean", text)
		}
		v.SetBool(b)
	case reflect.Int64:
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not an integer", text)
		}
		v.SetInt(n)
	case reflect.Float64:
		f, err := parseFloat(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		v.SetFloat(f)
	default:
		return fmt.Errorf("a value of type %s cannot be text", v.Type())
	}
	return nil
}

// formatScalar is the text of v.
func formatScalar(v reflect.Value, timestampFormat string) string {
	v = reflect.Indirect(v)
	if t, ok := v.Interface().(time.Time); ok {
		return formatTime(t, timestampFormat)
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return formatFloat(v.Float())
	case reflect.Slice:
		return base64.StdEncoding.EncodeToString(v.Bytes())
	}
	return v.String()
}

func parseFloat(text string) (float64, error) {
	switch text {
	case "NaN":
		return math.NaN(), nil
	case "Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	}
	return strconv.ParseFloat(text, 64)
}

func formatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func parseTime(text, format string) (time.Time, error) {
	text = strings.TrimSpace(text)
	switch format {
	case rfc822:
		if t, err := http.ParseTime(text); err == nil {
			return t.UTC(), nil
		}
	case unixTimestamp:
		if f, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(f) < 1e12 {
			return unixTime(f), nil
		}
	default:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z", time.DateOnly} {
			if t, err := time.Parse(layout, text); err == nil {
				return t.UTC(), nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a timestamp of the format %s", text, format)
}

func formatTime(t time.Time, format string) string {
	t = t.UTC()
	switch format {
	case rfc822:
		return t.Format(http.TimeFormat)
	case unixTimestamp:
		return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

// unixTime is the time of seconds since 1970, to the millisecond.
func unixTime(seconds float64) time.Time {
	return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
}
