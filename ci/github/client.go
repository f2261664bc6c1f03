// Package github posts what continuous integration finds: one comment on a pull request and one issue, each found again by the marker that
// its text begins with. Doing it twice is doing it once.
package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrAnswer says that GitHub refused; the text is its reason.
var ErrAnswer = errors.New("GitHub refused")

// Client talks to one repository ("REST API, version 2022-11-28").
type Client struct {
	URL        string // of the API: https://api.github.com, or GITHUB_API_URL
	Repository string // OWNER/NAME
	Token      string
	// Author is the login that the token posts as. What others wrote is left alone, whatever it begins with.
	Author string
}

// thing is a comment or an issue.
type thing struct {
	ID     int64  `json:"id"`
	Number int    `json:"number"`
	Body   string `json:"body"`
	User   struct {
		Login string `json:"login"`
	} `json:"user"`
	PullRequest *struct{} `json:"pull_request"` // which the list of issues has too
}

// Comment makes body, whose first line is its marker, a comment on an issue or a pull request, or brings the comment with that marker up to date.
func (c *Client) Comment(ctx context.Context, number int, body string) error {
	old, err := c.find(ctx, fmt.Sprintf("issues/%d/comments", number), body)
	switch {
	case err != nil:
		return fmt.Errorf("looking for the comment on #%d: %w", number, err)
	case old == nil:
		return c.call(ctx, http.MethodPost, fmt.Sprintf("issues/%d/comments", number), map[string]any{"body": body}, nil)
	case old.Body == body:
		return nil
	}
	return c.call(ctx, http.MethodPatch, fmt.Sprintf("issues/comments/%d", old.ID), map[string]any{"body": body}, nil)
}

// Open makes body, whose first line is its marker, an issue, or brings the open issue with that marker up to date.
func (c *Client) Open(ctx context.Context, title, body string) error {
	old, err := c.find(ctx, "issues?state=open", body)
	switch {
	case err != nil:
		return fmt.Errorf("looking for the issue: %w", err)
	case old == nil:
		return c.call(ctx, http.MethodPost, "issues", map[string]any{"title": title, "body": body}, nil)
	case old.Body == body:
		return nil
	}
	return c.call(ctx, http.MethodPatch, fmt.Sprintf("issues/%d", old.Number), map[string]any{"title": title, "body": body}, nil)
}

// Close closes the open issue whose first line is a marker, with a comment. Without such an issue there is nothing to do.
func (c *Client) Close(ctx context.Context, marker, comment string) error {
	old, err := c.find(ctx, "issues?state=open", marker)
	if err != nil {
		return fmt.Errorf("looking for the issue: %w", err)
	}
	if old == nil {
		return nil
	}
	if err := c.call(ctx, http.MethodPost, fmt.Sprintf("issues/%d/comments", old.Number), map[string]any{"body": comment}, nil); err != nil {
		return err
	}
	return c.call(ctx, http.MethodPatch, fmt.Sprintf("issues/%d", old.Number), map[string]any{"state": "closed", "state_reason": "completed"}, nil)
}

// perPage is the most that GitHub gives.
const perPage = 100

// find returns the first thing of a list that the author began with the first line of body, or nil.
func (c *Client) find(ctx context.Context, list, body string) (*thing, error) {
	marker, _, _ := strings.Cut(body, "\n")
	separator := "?"
	if strings.Contains(list, "?") {
		separator = "&"
	}
	for page := 1; ; page++ {
		var things []thing
		if err := c.call(ctx, http.MethodGet, fmt.Sprintf("%s%sper_page=%d&page=%d", list, separator, perPage, page), nil, &things); err != nil {
			return nil, err
		}
		for _, t := range things {
			first, _, _ := strings.Cut(strings.ReplaceAll(t.Body, "\r\n", "\n"), "\n")
			if first == marker && t.User.Login == c.Author && t.PullRequest == nil {
				return &t, nil
			}
		}
		if len(things) < perPage {
			return nil, nil
		}
	}
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("%s/repos/%s/%s", strings.TrimSuffix(c.URL, "/"), c.Repository, path), body)
	if err != nil {
		return err
	}
	r.Header = http.Header{"Accept": {"application/vnd.github+json"}, "Authorization": {"Bearer " + c.Token}, "Content-Type": {"application/json"}, "X-Github-Api-Version": {"2022-11-28"}}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 32<<20))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%w: %s %s: %s: %s", ErrAnswer, method, path, resp.Status, answer[:min(len(answer), 500)])
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// Check says what of a client is missing.
func (c *Client) Check() error {
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" {
		return fmt.Errorf("the API's URL %q is none", c.URL)
	}
	if owner, name, ok := strings.Cut(c.Repository, "/"); !ok || owner == "" || name == "" || strings.ContainsAny(name, "/?#") {
		return fmt.Errorf("the repository %q is not OWNER/NAME", c.Repository)
	}
	if c.Token == "" {
		return errors.New("there is no token")
	}
	return nil
}
