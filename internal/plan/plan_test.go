package plan

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"storefront/internal/golden"
)

func text(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Both kinds of file were recorded in the lab, of one stack whose network, queue and database port were changed, and cut down.
func TestReports(t *testing.T) {
	for _, name := range []string{"preview", "saved"} {
		p, err := Read(text(t, name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		golden.Written(t, "testdata/"+name+".txt", p.WriteText)
		golden.Written(t, "testdata/"+name+".md", func(w io.Writer) error { return p.WriteMarkdown(w, 12) })
		golden.Written(t, "testdata/"+name+".out.json", p.WriteJSON)
	}
	versioned, err := Read(append(append([]byte(`{"version":1,"plan":`), text(t, "saved.json")...), '}'))
	if err != nil || len(versioned.Changes) == 0 {
		t.Errorf("a plan with a version: %v", err)
	}
}

// The events were recorded in the lab after somebody had changed tags and a queue and removed a rule with the AWS CLI.
func TestRefresh(t *testing.T) {
	r, err := Refresh(bytes.NewReader(text(t, "refresh.jsonl")))
	if err != nil {
		t.Fatal(err)
	}
	golden.Written(t, "testdata/refresh.txt", r.WriteText)
	if len(r.Has["aws:sqs/queue:Queue"]) < 5 {
		t.Errorf("properties of queues: %v", r.Has["aws:sqs/queue:Queue"])
	}
}

// Differences of what is as the state has it are none, as they were reported of a web ACL in the lab after an update that had failed behind its refresh. Those of a secret stay, for
// the events do not tell its value.
func TestRefreshFindsNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		old, new, diff string
		want           int
	}{
		"as it was":         {`{"rules":[{"name":"a"},{"name":"b"}]}`, `{"rules":[{"name":"a"},{"name":"b"}]}`, `"rules[1].name":{"diffKind":"delete"},"rules[0]":{"diffKind":"update"}`, 0},
		"another":           {`{"rules":[{"name":"a"},{"name":"b"}]}`, `{"rules":[{"name":"a"}]}`, `"rules[1].name":{"diffKind":"delete"}`, 1},
		"beside another":    {`{"rules":["a"],"size":1}`, `{"rules":["a"],"size":2}`, `"rules[0]":{"diffKind":"update"},"size":{"diffKind":"update"}`, 1},
		"a secret":          {`{"token":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270"}}`, `{"token":{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270"}}`, `"token":{"diffKind":"update"}`, 1},
		"no output of that": {`{}`, `{}`, `"size":{"diffKind":"update"}`, 1},
	} {
		r, err := Refresh(strings.NewReader(`{"resOutputsEvent":{"metadata":{"op":"update","urn":"urn:pulumi:s::p::a:b:C::n","type":"a:b:C","old":{"outputs":` + tt.old + `},"new":{"outputs":` + tt.new +
			`},"detailedDiff":{` + tt.diff + `}}}}` + "\n"))
		if err != nil || len(r.Changes) != min(1, tt.want) || r.Unchanged != 1-len(r.Changes) {
			t.Errorf("%s: got %+v, %v", name, r, err)
			continue
		}
		if len(r.Changes) > 0 && len(r.Changes[0].Properties) != tt.want {
			t.Errorf("%s: got %+v", name, r.Changes[0].Properties)
		}
	}
}

func TestNoChanges(t *testing.T) {
	p, err := Read([]byte(`{"steps":[],"changeSummary":{"same":7}}`))
	if err != nil || len(p.Changes) != 0 || p.Summary() != "no changes, 7 unchanged" {
		t.Errorf("got %v, %v", p, err)
	}
}

func TestProperties(t *testing.T) {
	const secret = `{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","plaintext":"\"hunter2\""}`
	for name, tt := range map[string]struct{ old, new, diff, want string }{
		"a secret":                {`{"p":` + secret + `}`, `{"p":` + secret + `}`, `"p":{"kind":"update"}`, "p: [secret] -> [secret]"},
		"within a secret":         {`{"p":` + secret + `}`, `{"p":` + secret + `}`, `"p.key":{"kind":"update"}`, "p.key: [secret] -> [secret]"},
		"a secret in a list":      {`{"p":[]}`, `{"p":[` + secret + `]}`, `"p":{"kind":"update"}`, `p: [] -> ["[secret]"]`},
		"not known yet":           {`{"p":1}`, `{"p":"04da6b54-80e4-46f7-96ec-b56ff0331ba9"}`, `"p.a":{"kind":"update"}`, "p.a: none -> [unknown]"},
		"added":                   {`{}`, `{"p":{"a b":true}}`, `"p[\"a b\"]":{"kind":"add"}`, `p["a b"]: none -> true`},
		"removed":                 {`{"p":[1,2]}`, `{"p":[1]}`, `"p[1]":{"kind":"delete"}`, "p[1]: 2 -> none"},
		"what holds a difference": {`{"p":{"q":1}}`, `{"p":{"q":2}}`, `"p":{"kind":"update-replace"},"p.q":{"kind":"update"}`, "p.q: 1 -> 2 (forces the replacement)"},
		"all tags":                {`{"tags":{"a":"x"}}`, `{"tags":{"a":"y"}}`, `"tags.a":{"kind":"update"},"tagsAll.a":{"kind":"update"}`, `tags.a: "x" -> "y"`},
		"a default tag":           {`{"tagsAll":{"a":"x"}}`, `{"tagsAll":{}}`, `"tagsAll.a":{"kind":"delete"}`, `tagsAll.a: "x" -> none`},
		"a document":              {`{"p":"{\"a\":[{\"b\":1}],\"c\":2}"}`, `{"p":"{\"a\":[{\"b\":3}],\"c\":2}"}`, `"p":{"kind":"update"}`, "p.a[0].b: 1 -> 3"},
		"a document's order":      {`{"p":"{\"a\":1, \"b\":2}"}`, `{"p":"{\"b\":2,\"a\":1}"}`, `"p":{"kind":"update"}`, `p: "{\"a\":1, \"b\":2}" -> "{\"b\":2,\"a\":1}"`},
		"into a document":         {`{"p":"[{\"q\":1}]"}`, `{"p":"[{\"q\":2}]"}`, `"p[0].q":{"kind":"update"}`, "p[0].q: 1 -> 2"},
		"an element of a set":     {`{"p":[{"q":1,"r":2}]}`, `{"p":[{"q":1,"r":3}]}`, `"p[0].q":{"kind":"update"},"p[0].r":{"kind":"update"}`, "p[0].r: 2 -> 3"},
		"nothing to see":          {`{"p":1}`, `{"p":1}`, `"p":{"kind":"update"}`, "p: 1 -> 1"},
		"a file":                  {`{"p":{"4dabf18193072939515e22adb298388d":"c44067f5952c0a294b673a41bacd8c17","hash":"aa"}}`, `{"p":{"4dabf18193072939515e22adb298388d":"c44067f5952c0a294b673a41bacd8c17","hash":"bb"}}`, `"p":{"kind":"update"}`, `p: "file aa" -> "file bb"`},
	} {
		digest := `{"changeSummary":{"update":1},"steps":[{"op":"update","urn":"urn:pulumi:s::p::a:b:C::n","oldState":{"outputs":` + tt.old + `},"newState":{"inputs":` + tt.new + `},"detailedDiff":{` + tt.diff + `}}]}`
		p, err := Read([]byte(digest))
		if err != nil || len(p.Changes) != 1 || len(p.Changes[0].Properties) != 1 {
			t.Errorf("%s: got %+v, %v", name, p, err)
			continue
		}
		if got := p.Changes[0].Properties[0].String(); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for name, file := range map[string]string{
		"no JSON":       "x",
		"another JSON":  `{"deployment":{}}`,
		"a new step":    `{"changeSummary":{},"steps":[{"op":"paint","urn":"u"}]}`,
		"a broken plan": `{"resourcePlans":{"u":{"steps":["paint"]}}}`,
	} {
		if p, err := Read([]byte(file)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v, %v", name, p, err)
		}
	}
	if _, err := Read([]byte(`{"diagnostics":[{"message":"error: cannot delete it: protected\n","severity":"error"}]}`)); err == nil || !strings.Contains(err.Error(), "failed: cannot delete it: protected") {
		t.Errorf("a preview that failed: %v", err)
	}
	if _, err := Refresh(strings.NewReader("")); !errors.Is(err, ErrNothing) {
		t.Errorf("a stack that is not there: %v", err)
	}
	for _, log := range []string{"x\n", `{"resOutputsEvent":{"metadata":{"op":"paint"}}}` + "\n"} {
		if _, err := Refresh(strings.NewReader(log)); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", log, err)
		}
	}
	if _, err := Refresh(strings.NewReader(`{"diagnosticEvent":{"message":"denied","severity":"error"}}`)); err == nil || !strings.Contains(err.Error(), "denied") {
		t.Errorf("a refresh that failed: %v", err)
	}
}

// Nothing that a name or a value holds ends the block of code that it is shown in.
func TestFence(t *testing.T) {
	if got, want := Fence("diff", []string{"a ```` b"}), "`````diff\na ```` b\n`````"; got != want {
		t.Errorf("got %s", got)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"preview.json", "saved.json"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"changeSummary":{},"steps":[{"op":"update","urn":"u","detailedDiff":{"a[0].b":{"kind":"add"},"a":{"kind":"delete-replace"}},"oldState":{"outputs":{"a":[{"b":null}]}}}]}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		if p, err := Read(file); err == nil {
			for _, write := range []func(io.Writer) error{p.WriteText, p.WriteJSON, func(w io.Writer) error { return p.WriteMarkdown(w, 1) }} {
				if err := write(io.Discard); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

func FuzzRefresh(f *testing.F) {
	b, err := os.ReadFile(filepath.Join("testdata", "refresh.jsonl"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, log []byte) {
		if r, err := Refresh(bytes.NewReader(log)); err == nil {
			if err := r.WriteText(io.Discard); err != nil {
				t.Error(err)
			}
		}
	})
}
