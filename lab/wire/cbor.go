package wire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// cborProtocol is the value of the header Smithy-Protocol.
const (
	cborProtocol    = "rpc-v2-cbor"
	cborContentType = "application/cbor"
	cborTimestamp   = 1 // the tag of seconds since the epoch
)

// cborOperation reads the path of a request: /service/NAME/operation/NAME.
func cborOperation(path string) (service, operation string) {
	parts := strings.Split(path, "/")
	if len(parts) != 5 || parts[1] != "service" || parts[3] != "operation" {
		return "", ""
	}
	return parts[2], parts[4]
}

// cborCodec is Smithy RPC v2 CBOR.
type cborCodec struct{}

func (cborCodec) decode(_ *call, r *request, in reflect.Value) error {
	if len(r.content) == 0 {
		return nil
	}
	var document any
	mode, err := cbor.DecOptions{MaxNestedLevels: maxFormDepth, DefaultMapType: reflect.TypeFor[map[string]any]()}.DecMode()
	if err == nil {
		err = mode.Unmarshal(r.content, &document)
	}
	if err == nil {
		document, err = documentOf(document)
	}
	if err == nil {
		err = setJSON(in, document, "")
	}
	if err != nil {
		return Errorf(http.StatusBadRequest, "SerializationException", "%v", err)
	}
	return nil
}

// documentOf turns what CBOR holds into what a JSON document of the same meaning does.
func documentOf(v any) (any, error) {
	switch v := v.(type) {
	case nil, string, bool:
		return v, nil
	case uint64:
		return json.Number(strconv.FormatUint(v, 10)), nil
	case int64:
		return json.Number(strconv.FormatInt(v, 10)), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return formatFloat(v), nil
		}
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64)), nil
	case []byte:
		return base64.StdEncoding.EncodeToString(v), nil
	case time.Time:
		return json.Number(strconv.FormatFloat(float64(v.Round(time.Millisecond).UnixMilli())/1000, 'f', -1, 64)), nil
	case cbor.Tag:
		return documentOf(v.Content)
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			var err error
			if out[i], err = documentOf(element); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := map[string]any{}
		for key, element := range v {
			var err error
			if out[key], err = documentOf(element); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("a value of type %T has no place in a request", v)
}

func (cborCodec) encode(c *call, out reflect.Value) (*answer, error) {
	a := newAnswer(c.operation.status(), cborContentType)
	a.header.Set("Smithy-Protocol", cborProtocol)
	a.header.Set("X-Amzn-Requestid", c.requestID)
	return a, cbor.NewEncoder(&a.body).Encode(concise(out))
}

func (cborCodec) encodeError(c *call, e *Error) *answer {
	a := newAnswer(e.Status, cborContentType)
	a.header.Set("Smithy-Protocol", cborProtocol)
	a.header.Set("X-Amzn-Requestid", c.requestID)
	a.header.Set("X-Amzn-Query-Error", e.Code+";"+faultOf(e))
	body := map[string]string{"__type": e.Code, "message": e.Message}
	for name, value := range e.Fields {
		body[name] = value
	}
	_ = cbor.NewEncoder(&a.body).Encode(body) // a map of strings in memory: it cannot fail
	return a
}

// concise turns an output into maps and lists, without the members that are not set.
func concise(v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if t, ok := v.Interface().(time.Time); ok {
		return cbor.Tag{Number: cborTimestamp, Content: float64(t.UnixMilli()) / 1000}
	}
	switch {
	case v.Kind() == reflect.Struct:
		out := map[string]any{}
		for m := range members(v) {
			if m.isSet() {
				out[m.wireName()] = concise(m.value)
			}
		}
		return out
	case v.Kind() == reflect.Map:
		out := map[string]any{}
		for key, value := range v.Seq2() {
			out[key.String()] = concise(value)
		}
		return out
	case v.Kind() == reflect.Slice && !isBlob(v.Type()):
		out := make([]any, v.Len())
		for i := range out {
			out[i] = concise(v.Index(i))
		}
		return out
	}
	return v.Interface()
}
