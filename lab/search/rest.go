package search

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"storefront/lab/search/internal/refusal"
)

const maxBody = 100 << 20 // http.max_content_length

// call is one request on its way through a node.
type call struct {
	*Cluster
	ctx    context.Context
	node   string
	method string
	uri    string
	path   map[string]string // what stands in the path's places
	params url.Values
	body   []byte
}

// answer is what a request is answered: JSON, or text when there is some.
type answer struct {
	status int
	body   any
	text   string
}

func ok(body any) (answer, error) { return answer{status: http.StatusOK, body: body}, nil }

func acknowledged() (answer, error) { return ok(map[string]any{"acknowledged": true}) }

// Handler is the REST API as a node serves it. While the node is stopped its connections break.
func (c *Cluster) Handler(nodeID string) http.Handler {
	table := routes()
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !c.lives(nodeID) {
			panic(http.ErrAbortHandler) // no answer: the connection breaks
		}
		r := &call{Cluster: c, ctx: req.Context(), node: nodeID, method: req.Method, uri: req.URL.RequestURI(), params: req.URL.Query()}
		a, err := r.serve(table, w, req)
		if err != nil {
			a = r.failed(err)
		}
		r.send(w, a)
	})
}

func (r *call) serve(table []route, w http.ResponseWriter, req *http.Request) (answer, error) {
	to, err := r.find(table, req.URL.EscapedPath())
	if err != nil {
		return answer{}, err
	}
	if err := r.checkParameters(to, req.URL.Path); err != nil {
		return answer{}, err
	}
	if r.body, err = read(w, req); err != nil {
		return answer{}, err
	}
	if len(r.body) > 0 {
		kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
		if err != nil || kind != "application/json" && kind != "application/x-ndjson" && kind != "text/plain" {
			return answer{status: http.StatusNotAcceptable, body: map[string]any{"status": http.StatusNotAcceptable,
				"error": fmt.Sprintf("Content-Type header [%s] is not supported", req.Header.Get("Content-Type"))}}, nil
		}
	}
	return to.handle(r)
}

// checkParameters refuses what the operation does not take, and what it takes on AWS but not here.
func (r *call) checkParameters(to *route, path string) error {
	for name := range r.params {
		if !slices.Contains(to.params, name) && !slices.Contains([]string{"pretty", "human", "error_trace"}, name) {
			return refusal.Argument("request [%s] contains unrecognized parameter: [%s]", path, name)
		}
	}
	for _, name := range []string{"flat_settings", "typed_keys", "include_defaults", "include_type_name", "preserve_existing", "error_trace", "human"} {
		on, err := r.flag(name, false)
		if err != nil {
			return err
		}
		if on {
			return refusal.Argument("[%s] is not served", name)
		}
	}
	if a := r.params.Get("wait_for_active_shards"); a != "" && a != "0" && a != "1" {
		return refusal.Argument("[wait_for_active_shards] of [%s] is not served: 0 or 1", a)
	}
	if b := r.params.Get("bytes"); b != "" && b != "b" {
		return refusal.Argument("[bytes] of [%s] is not served: b", b)
	}
	return nil
}

func read(w http.ResponseWriter, req *http.Request) ([]byte, error) {
	var from io.Reader = http.MaxBytesReader(w, req.Body, maxBody)
	if req.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(from)
		if err != nil {
			return nil, refusal.Argument("the body is not gzip, as its Content-Encoding says")
		}
		from = io.LimitReader(z, maxBody+1)
	}
	body, err := io.ReadAll(from)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge || len(body) > maxBody {
		return nil, refusal.New(http.StatusRequestEntityTooLarge, "content_too_long_exception", "the body is larger than %d bytes", maxBody)
	}
	if err != nil {
		return nil, refusal.Argument("the body cannot be read: %v", err)
	}
	return body, nil
}

// failed is the answer of a request that was refused.
func (r *call) failed(err error) answer {
	if errors.Is(err, errNoHandler) {
		return answer{status: http.StatusBadRequest, body: map[string]any{"error": err.Error(), "status": http.StatusBadRequest}}
	}
	e, refused := errors.AsType[*refusal.Error](err)
	if !refused {
		r.config.Log.Error("a request failed", "method", r.method, "uri", r.uri, "error", err)
		e = refusal.From(err)
	}
	body, root := e.Body(), e
	if e.Root != nil {
		root = e.Root
	}
	first := root.Body()
	delete(first, "caused_by")
	body["root_cause"] = []any{first}
	return answer{status: e.Status, body: map[string]any{"error": body, "status": e.Status}}
}

func (r *call) send(w http.ResponseWriter, a answer) {
	var text []byte
	if a.body == nil {
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		text = []byte(a.text)
	} else {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if _, pretty := r.params["pretty"]; pretty {
			enc.SetIndent("", "  ")
		}
		if err := enc.Encode(a.body); err != nil {
			r.config.Log.Error("an answer cannot be written", "uri", r.uri, "error", err)
			a.status, text = http.StatusInternalServerError, []byte(`{"error":"internal error","status":500}`)
		} else {
			text = b.Bytes()
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(a.status)
	if r.method != http.MethodHead {
		_, _ = w.Write(text) // the client may be gone
	}
}

// flag reads a parameter that is true or false; there without a value it is true.
func (r *call) flag(name string, otherwise bool) (bool, error) {
	if !r.params.Has(name) {
		return otherwise, nil
	}
	switch v := r.params.Get(name); v {
	case "true", "":
		return true, nil
	case "false":
		return false, nil
	default:
		return false, refusal.Argument("Failed to parse value [%s] as only [true] or [false] are allowed.", v)
	}
}

// number reads a parameter that is a whole number.
func (r *call) number(name string, otherwise int) (int, error) {
	if !r.params.Has(name) {
		return otherwise, nil
	}
	n, err := strconv.Atoi(r.params.Get(name))
	if err != nil {
		return 0, refusal.Argument("Failed to parse int parameter [%s] with value [%s]", name, r.params.Get(name))
	}
	return n, nil
}

// members reads the body as an object that may have these members and no others.
func (r *call) members(names ...string) (map[string]json.RawMessage, error) {
	return object(r.body, names...)
}

func object(text []byte, names ...string) (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(text)) == 0 {
		return out, nil
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, refusal.Parsing("the body must be one JSON object: %v", err)
	}
	for name := range out {
		if !slices.Contains(names, name) {
			return nil, refusal.Parsing("unknown key [%s] in the body: it takes %s", name, strings.Join(names, ", "))
		}
	}
	return out, nil
}
