package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
)

// suite is one entry of a protocol test file: a small model with cases.
type suite struct {
	Description string            `json:"description"`
	Metadata    metadata          `json:"metadata"`
	Shapes      map[string]*shape `json:"shapes"`
	Cases       []vector          `json:"cases"`
}

type vector struct {
	Given      operation       `json:"given"`
	Params     json.RawMessage `json:"params"` // of an input
	Result     json.RawMessage `json:"result"` // of an output
	Serialized message         `json:"serialized"`
	Response   message         `json:"response"`
}

type message struct {
	Method     string            `json:"method"`
	URI        string            `json:"uri"`
	Host       string            `json:"host"`
	StatusCode int               `json:"status_code"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
}

// generateVectors writes one file per direction: the types of all suites and the list of cases.
func generateVectors(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, direction := range []string{"input", "output"} {
		var declarations, cases bytes.Buffer
		for _, protocol := range []string{"ec2", "json", "query", "rest-json", "rest-xml"} {
			var suites []suite
			if err := readJSON(filepath.Join(dir, direction, protocol+".json"), &suites); err != nil {
				return nil, err
			}
			for i, s := range suites {
				prefix := fmt.Sprintf("%s%s%d", protocols[protocol], exported(direction), i+1)
				if err := writeSuite(&declarations, &cases, direction, prefix, s); err != nil {
					return nil, fmt.Errorf("%s: %w", prefix, err)
				}
			}
		}
		list := exported(direction) + "s"
		out, err := source("vectors", "", fmt.Sprintf("// %s returns the %s vectors of all protocols.\nfunc %s() []Case {\n\treturn []Case{\n%s\t}\n}\n%s",
			list, direction, list, cases.String(), declarations.String()))
		if err != nil {
			return nil, err
		}
		files[direction+".gen.go"] = out
	}
	return files, nil
}

func writeSuite(declarations, cases *bytes.Buffer, direction, prefix string, s suite) error {
	t := types{shapes: s.Shapes, prefix: prefix}
	nested := map[string]bool{}
	for i, c := range s.Cases {
		use, params, msg := c.Given.Input, c.Params, c.Serialized
		if direction == "output" {
			use, params, msg = c.Given.Output, c.Result, c.Response
		}
		name, top := fmt.Sprintf("%sCase%d", prefix, i+1), &shape{}
		wrapper := ""
		if use != nil {
			if err := t.reach(use, nested); err != nil {
				return err
			}
			top, wrapper = s.Shapes[use.Shape], use.ResultWrapper
		}
		t.structure(declarations, name, s.Description, top, use)
		fmt.Fprintf(cases, "\t\t{Name: %q, Protocol: %q, JSONVersion: %q, TargetPrefix: %q, APIVersion: %q, XMLNamespace: %q, ResultWrapper: %q,\n",
			strings.TrimSpace(prefix+" "+s.Description), s.Metadata.Protocol, s.Metadata.JSONVersion, s.Metadata.TargetPrefix,
			s.Metadata.APIVersion, s.Metadata.XMLNamespace, wrapper)
		fmt.Fprintf(cases, "\t\t\tOperation: %q, Method: %q, Path: %q, New: func() any { return new(%s) }, Params: %q,\n",
			c.Given.Name, c.Given.HTTP.Method, c.Given.HTTP.RequestURI, name, compact(params))
		fmt.Fprintf(cases, "\t\t\tMessage: Message{Method: %q, URI: %q, Host: %q, Status: %d, Headers: %#v, Body: %q}},\n",
			msg.Method, msg.URI, msg.Host, msg.StatusCode, msg.Headers, msg.Body)
	}
	t.declare(declarations, nested)
	return nil
}

func compact(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "{}"
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}
