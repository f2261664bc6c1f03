package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hub is a GitHub that has no comments and no issues but one about drift, and remembers what is done to it.
func hub(t *testing.T) (env func(string) string, done func() []string) {
	t.Helper()
	var calls []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			calls = append(calls, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/repos/o/r/"))
		}
		list := []any{}
		if r.URL.Path == "/repos/o/r/issues" && r.Method == http.MethodGet {
			list = append(list, map[string]any{"number": 3, "body": "<!-- storefront drift prod -->\nold", "user": map[string]any{"login": "github-actions[bot]"}})
		}
		_ = json.NewEncoder(w).Encode(list)
	}))
	t.Cleanup(server.Close)
	variables := map[string]string{"GITHUB_API_URL": server.URL, "GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "x"}
	return func(name string) string { return variables[name] }, func() []string {
		all := calls
		calls = nil
		return all
	}
}

func TestPosting(t *testing.T) {
	env, done := hub(t)
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("report.md", "<!-- storefront drift prod -->\nnew")
	const drifted = `{"drifted": [{"urn": "u", "type": "t", "name": "n", "kind": "delete", "properties": []}], "known": [], "stale": [], "looked": 7}`
	for _, step := range []struct {
		args  []string
		drift string
		want  []string
	}{
		{[]string{"comment", "-number", "7"}, "", []string{"POST issues/7/comments"}},
		{[]string{"issue", "-stack", "prod"}, drifted, []string{"PATCH issues/3"}},
		{[]string{"issue", "-stack", "dev"}, `{"drifted": [], "known": [], "stale": [], "looked": 7}`, nil},
		{[]string{"issue", "-stack", "prod"}, `{"drifted": [], "known": [], "stale": [], "looked": 7}`, []string{"POST issues/3/comments", "PATCH issues/3"}},
	} {
		write("drift.json", step.drift)
		if err := run(t.Context(), append(step.args, "-out", dir), &bytes.Buffer{}, env); err != nil {
			t.Errorf("%v: %v", step.args, err)
		}
		if got := done(); !slices.Equal(got, step.want) {
			t.Errorf("%v: did %q, want %q", step.args, got, step.want)
		}
	}
}

func TestStatus(t *testing.T) {
	env, done := hub(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "want a command"}, {[]string{"fly"}, `"fly" is no command`}, {[]string{"comment"}, "-number"}, {[]string{"drift", "now"}, "too much"}, {[]string{"drift", "-fast"}, "-fast"},
		{[]string{"issue", "-out", t.TempDir()}, "drift.json"}, {[]string{"comment", "-number", "7", "-out", t.TempDir()}, "report.md"},
	} {
		err := run(t.Context(), tt.args, &bytes.Buffer{}, env)
		if err == nil || !strings.Contains(err.Error(), tt.want) || status(t.Context(), err) != 2 {
			t.Errorf("%v: %v", tt.args, err)
		}
	}
	for want, err := range map[int]error{0: flag.ErrHelp, 1: fmt.Errorf("dev: %w", errFailed), 2: fs.ErrNotExist} {
		if got := status(t.Context(), err); got != want {
			t.Errorf("%v: status %d, want %d", err, got, want)
		}
	}
	if calls := done(); len(calls) > 0 || errors.Is(run(t.Context(), []string{"issue", "-h"}, &bytes.Buffer{}, env), errFailed) {
		t.Errorf("GitHub was told %q", calls)
	}
}
