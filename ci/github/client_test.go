package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// item is an issue, a pull request or a comment of the repository below.
type item struct {
	ID          int64          `json:"id"`
	Number      int            `json:"number,omitempty"`
	Title       string         `json:"title,omitempty"`
	Body        string         `json:"body"`
	State       string         `json:"state,omitempty"`
	User        map[string]any `json:"user"`
	PullRequest *struct{}      `json:"pull_request,omitempty"`
	on          int            // of a comment
}

// repository is the part of GitHub's API that the client calls. It pages, and counts what changes it.
type repository struct {
	t        *testing.T
	mu       sync.Mutex
	issues   []*item
	comments []*item
	changes  int
}

func serve(t *testing.T) (*repository, *Client) {
	r := &repository{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /repos/o/r/issues", func(w http.ResponseWriter, q *http.Request) {
		page(w, q, r.issues, func(i *item) bool { return i.State == q.FormValue("state") })
	})
	mux.HandleFunc("POST /repos/o/r/issues", func(w http.ResponseWriter, q *http.Request) {
		r.issues = append(r.issues, r.take(w, q, &item{Number: len(r.issues) + 1, State: "open"}))
	})
	mux.HandleFunc("PATCH /repos/o/r/issues/{number}", func(w http.ResponseWriter, q *http.Request) {
		n, _ := strconv.Atoi(q.PathValue("number"))
		r.take(w, q, r.issues[n-1])
	})
	mux.HandleFunc("GET /repos/o/r/issues/{number}/comments", func(w http.ResponseWriter, q *http.Request) {
		n, _ := strconv.Atoi(q.PathValue("number"))
		page(w, q, r.comments, func(i *item) bool { return i.on == n })
	})
	mux.HandleFunc("POST /repos/o/r/issues/{number}/comments", func(w http.ResponseWriter, q *http.Request) {
		n, _ := strconv.Atoi(q.PathValue("number"))
		r.comments = append(r.comments, r.take(w, q, &item{on: n, ID: int64(len(r.comments) + 1)}))
	})
	mux.HandleFunc("PATCH /repos/o/r/issues/comments/{id}", func(w http.ResponseWriter, q *http.Request) {
		id, _ := strconv.Atoi(q.PathValue("id"))
		r.take(w, q, r.comments[id-1])
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if q.Header.Get("Authorization") != "Bearer secret" {
			http.Error(w, `{"message":"Bad credentials"}`, http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, q)
	}))
	t.Cleanup(server.Close)
	return r, &Client{URL: server.URL, Repository: "o/r", Token: "secret", Author: "github-actions[bot]"}
}

// take reads a change into an item, as the author of the token.
func (r *repository) take(w http.ResponseWriter, q *http.Request, i *item) *item {
	if err := json.NewDecoder(q.Body).Decode(i); err != nil {
		r.t.Error(err)
	}
	i.User = map[string]any{"login": "github-actions[bot]"}
	r.changes++
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(i)
	return i
}

func page(w http.ResponseWriter, q *http.Request, items []*item, want func(*item) bool) {
	per, _ := strconv.Atoi(q.FormValue("per_page"))
	n, _ := strconv.Atoi(q.FormValue("page"))
	some := []*item{}
	for _, i := range items {
		if want(i) {
			some = append(some, i)
		}
	}
	begin := min((n-1)*per, len(some))
	_ = json.NewEncoder(w).Encode(some[begin:min(begin+per, len(some))])
}

const marker = "<!-- storefront preview dev -->"

func TestComment(t *testing.T) {
	r, c := serve(t)
	// A page full of what others wrote comes first; one of them begins as ours do.
	for i := range 150 {
		r.comments = append(r.comments, &item{ID: int64(i + 1), on: 7, Body: marker + "\nmine", User: map[string]any{"login": "somebody"}})
	}
	for _, body := range []string{marker + "\none", marker + "\none", marker + "\ntwo"} {
		if err := c.Comment(t.Context(), 7, body); err != nil {
			t.Fatal(err)
		}
		if len(r.comments) != 151 || r.comments[150].Body != body {
			t.Fatalf("%d comments, the last %q; want one of ours, %q", len(r.comments), r.comments[len(r.comments)-1].Body, body)
		}
	}
	if r.changes != 2 {
		t.Errorf("%d changes: the second time there was nothing to change", r.changes)
	}
	if err := c.Comment(t.Context(), 7, "<!-- storefront preview prod -->\n"); err != nil || len(r.comments) != 152 {
		t.Errorf("another stack's comment: %v, %d comments", err, len(r.comments))
	}
}

func TestIssue(t *testing.T) {
	r, c := serve(t)
	const marker = "<!-- storefront drift prod -->"
	r.issues = []*item{
		{Number: 1, State: "open", Body: marker, User: map[string]any{"login": "github-actions[bot]"}, PullRequest: &struct{}{}},
		{Number: 2, State: "open", Body: marker, User: map[string]any{"login": "somebody"}},
	}
	if err := c.Close(t.Context(), marker, "none"); err != nil || r.changes != 0 {
		t.Fatalf("closing where nothing is open: %v, %d changes", err, r.changes)
	}
	for _, body := range []string{marker + "\none", marker + "\none", marker + "\ntwo"} {
		if err := c.Open(t.Context(), "Drift", body); err != nil {
			t.Fatal(err)
		}
		if len(r.issues) != 3 || r.issues[2].Body != body || r.issues[2].Title != "Drift" {
			t.Fatalf("%d issues, the last %+v; want one of ours, %q", len(r.issues), r.issues[len(r.issues)-1], body)
		}
	}
	for range 2 {
		if err := c.Close(t.Context(), marker, "none"); err != nil {
			t.Fatal(err)
		}
	}
	if r.issues[2].State != "closed" || len(r.comments) != 1 || r.comments[0].on != 3 || r.comments[0].Body != "none" {
		t.Errorf("after closing: %+v, comments %v", r.issues[2], r.comments)
	}
	if err := c.Open(t.Context(), "Drift", marker); err != nil || len(r.issues) != 4 || r.issues[3].State != "open" {
		t.Errorf("drift again: %v, %d issues; want a new one", err, len(r.issues))
	}
	if r.issues[0].Body != marker || r.issues[1].State != "open" {
		t.Error("what others wrote was changed")
	}
}

func TestRefusals(t *testing.T) {
	_, c := serve(t)
	c.Token = "wrong"
	if err := c.Comment(t.Context(), 1, marker); !errors.Is(err, ErrAnswer) || !strings.Contains(fmt.Sprint(err), "Bad credentials") || strings.Contains(fmt.Sprint(err), "wrong") {
		t.Errorf("a wrong token: %v", err)
	}
	for name, change := range map[string]func(*Client){
		"no token":      func(c *Client) { c.Token = "" },
		"no repository": func(c *Client) { c.Repository = "storefront" },
		"a longer path": func(c *Client) { c.Repository = "o/r/../x" },
		"no URL":        func(c *Client) { c.URL = "api" },
	} {
		c := Client{URL: "https://api.github.com", Repository: "o/r", Token: "x"}
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		change(&c)
		if err := c.Check(); err == nil {
			t.Errorf("%s: nothing was said", name)
		}
	}
}
