package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// model is an AWS API model (api-2.json) with its documentation (docs-2.json).
type model struct {
	Metadata   metadata              `json:"metadata"`
	Operations map[string]*operation `json:"operations"`
	Shapes     map[string]*shape     `json:"shapes"`
	docs       docs
}

type metadata struct {
	APIVersion   string    `json:"apiVersion"`
	QueryToo     *struct{} `json:"awsQueryCompatible"` // the service answers the query protocol too
	JSONVersion  string    `json:"jsonVersion"`
	Protocol     string    `json:"protocol"`
	ServiceID    string    `json:"serviceId"`
	TargetPrefix string    `json:"targetPrefix"`
	XMLNamespace string    `json:"xmlNamespace"`
}

type operation struct {
	Name string `json:"name"`
	HTTP struct {
		Method       string `json:"method"`
		RequestURI   string `json:"requestUri"`
		ResponseCode int    `json:"responseCode"`
	} `json:"http"`
	Input  *ref `json:"input"`
	Output *ref `json:"output"`
}

// ref is a use of a shape: a member, a list's element, a map's key or value, an operation's input or output.
type ref struct {
	Shape string `json:"shape"`
	traits
	QueryName     string `json:"queryName"`
	XMLName       string `json:"xmlName"` // in the query protocol of a service whose model is about JSON
	JSONValue     bool   `json:"jsonvalue"`
	ResultWrapper string `json:"resultWrapper"`
	Payload       string `json:"payload"` // of an input or output; the test vectors have it here
}

// traits may stand on a shape or on a use of it; the use wins.
type traits struct {
	Location         string        `json:"location"`
	LocationName     string        `json:"locationName"`
	Flattened        bool          `json:"flattened"`
	Streaming        bool          `json:"streaming"`
	TimestampFormat  string        `json:"timestampFormat"`
	XMLAttribute     bool          `json:"xmlAttribute"`
	XMLNamespace     *xmlNamespace `json:"xmlNamespace"`
	IdempotencyToken bool          `json:"idempotencyToken"`
	Sensitive        bool          `json:"sensitive"`
}

// over returns the traits of a use of a shape that has the traits s.
func (t traits) over(s traits) traits {
	t.Location = first(t.Location, s.Location)
	t.LocationName = first(t.LocationName, s.LocationName)
	t.TimestampFormat = first(t.TimestampFormat, s.TimestampFormat)
	t.Flattened = t.Flattened || s.Flattened
	t.Streaming = t.Streaming || s.Streaming
	t.XMLAttribute = t.XMLAttribute || s.XMLAttribute
	t.IdempotencyToken = t.IdempotencyToken || s.IdempotencyToken
	t.Sensitive = t.Sensitive || s.Sensitive
	if t.XMLNamespace == nil {
		t.XMLNamespace = s.XMLNamespace
	}
	return t
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// xmlNamespace is written in models as an object or as the bare URI.
type xmlNamespace struct{ Prefix, URI string }

func (n *xmlNamespace) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &n.URI) == nil {
		return nil
	}
	type object xmlNamespace
	return json.Unmarshal(data, (*object)(n))
}

type shape struct {
	Type string `json:"type"`
	traits
	Members     map[string]*ref `json:"members"`
	Member      *ref            `json:"member"`
	Key         *ref            `json:"key"`
	Value       *ref            `json:"value"`
	Required    []string        `json:"required"`
	Enum        []string        `json:"enum"`
	Min         *json.Number    `json:"min"`
	Max         *json.Number    `json:"max"`
	Payload     string          `json:"payload"`
	EventStream bool            `json:"eventstream"`
}

// refs returns every use of a shape inside s.
func (s *shape) refs() []*ref {
	var all []*ref
	for _, name := range sortedKeys(s.Members) {
		all = append(all, s.Members[name])
	}
	for _, r := range []*ref{s.Member, s.Key, s.Value} {
		if r != nil {
			all = append(all, r)
		}
	}
	return all
}

type docs struct {
	Operations map[string]string `json:"operations"`
	Shapes     map[string]struct {
		Base string `json:"base"`
	} `json:"shapes"`
}

// loadModel reads the only version of a service's model.
func loadModel(dir string) (*model, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*", "api-2.json"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("%s: want exactly one version of the model, found %d", dir, len(found))
	}
	m := new(model)
	if err := readJSON(found[0], m); err != nil {
		return nil, err
	}
	return m, readJSON(filepath.Join(filepath.Dir(found[0]), "docs-2.json"), &m.docs)
}

// supplement adds what AWS published after the models that the lab pins: operations, shapes, and members of known shapes; and what it left out of a model when
// the service went from the query protocol to JSON: the names in XML, and their namespace; or went on to others: its name there. The file has the form of
// api-2.json and need not exist.
func (m *model) supplement(path string) error {
	var more model
	if err := readJSON(path, &more); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	m.Metadata.XMLNamespace = first(more.Metadata.XMLNamespace, m.Metadata.XMLNamespace)
	m.Metadata.TargetPrefix = first(more.Metadata.TargetPrefix, m.Metadata.TargetPrefix)
	maps.Copy(m.Operations, more.Operations)
	for name, s := range more.Shapes {
		if known := m.Shapes[name]; known != nil && s.Type == "" {
			maps.Copy(known.Members, s.Members)
			for _, part := range []struct{ known, more **ref }{{&known.Member, &s.Member}, {&known.Key, &s.Key}, {&known.Value, &s.Value}} {
				if *part.more != nil {
					*part.known = *part.more
				}
			}
			known.Enum = append(known.Enum, s.Enum...)
		} else {
			m.Shapes[name] = s
		}
	}
	return nil
}

func readJSON(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

var (
	tag         = regexp.MustCompile(`<[^>]*>`)
	space       = regexp.MustCompile(`\s+`)
	sentenceEnd = regexp.MustCompile(`[.:](\s|$)`)
)

// sentence is the first sentence of an HTML text, or "".
func sentence(text string) string {
	text = html.UnescapeString(tag.ReplaceAllString(text, " "))
	text = strings.TrimSpace(space.ReplaceAllString(text, " "))
	text = strings.NewReplacer(" .", ".", " ,", ",", "e.g. ", "for example ", "i.e. ", "that is ").Replace(text)
	if end := sentenceEnd.FindStringIndex(text); end != nil {
		text = text[:end[0]] + "."
	}
	return text
}
