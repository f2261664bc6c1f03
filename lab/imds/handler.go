package imds

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// versions are the dates under which the service answers; every version shows the same here.
var versions = [...]string{"1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01", "2009-04-04", "2011-01-01",
	"2011-05-01", "2012-01-12", "2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19", "2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24",
	"2019-10-01", "2020-10-27", "2021-01-03", "2021-03-23", "2021-07-15", "2022-09-24", "2024-04-11", "latest"}

// Handler is the metadata service of one instance.
type Handler struct {
	source   Source
	instance string
	now      func() time.Time
	key      []byte // signs the tokens
}

// New returns the metadata service of an instance. now is the clock that tokens expire by.
func New(source Source, instanceID string, now func() time.Time) *Handler {
	h := &Handler{source: source, instance: instanceID, now: now, key: make([]byte, 32)}
	rand.Read(h.key) // never fails
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "EC2ws")
	m, err := h.source.Metadata(h.instance)
	switch {
	case err != nil:
		refuse(w, http.StatusInternalServerError)
		return
	case m.EndpointDisabled:
		refuse(w, http.StatusForbidden)
		return
	}
	version, path, err := cut(r.URL.Path)
	if err != nil {
		refuse(w, http.StatusNotFound)
		return
	}
	token := path == "api/token"
	switch {
	case token && version == "latest" && r.Method == http.MethodPut:
		h.issue(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "OPTIONS, GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed)
	case !h.authorized(w, r, m):
		refuse(w, http.StatusUnauthorized)
	case token:
		w.Header().Set("Allow", "OPTIONS, PUT")
		refuse(w, http.StatusMethodNotAllowed)
	case version == "":
		text(w, strings.Join(versions[:], "\n"))
	default:
		h.answer(w, r, m, path)
	}
}

// authorized checks the token of a request. A token that is not valid is refused even where none is needed.
func (h *Handler) authorized(w http.ResponseWriter, r *http.Request, m Metadata) bool {
	token := r.Header.Get(tokenHeader)
	if token == "" {
		return !m.TokensRequired
	}
	left := h.remaining(token)
	w.Header().Set(ttlHeader, strconv.Itoa(int(left/time.Second)))
	return left > 0
}

// cut splits a request's path into the version and the rest. The root has neither.
func cut(path string) (version, rest string, err error) {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return "", "", nil
	}
	version, rest, _ = strings.Cut(path, "/")
	if !slices.Contains(versions[:], version) {
		return "", "", fmt.Errorf("there is no version %q", version)
	}
	return version, rest, nil
}

// answer answers for a path below the version: a value, or the list of what is below a directory.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, m Metadata, path string) {
	if role, ok := strings.CutPrefix(path, "meta-data/iam/security-credentials/"); ok && role != "" {
		h.credentials(w, r, m, role)
		return
	}
	if path == "user-data" {
		if m.UserData == nil {
			refuse(w, http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(m.UserData)
		return
	}
	tree := m.tree()
	if value, ok := tree[path]; ok {
		text(w, value)
		return
	}
	entries := list(tree, strings.TrimSuffix(path, "/"))
	if len(entries) == 0 {
		refuse(w, http.StatusNotFound)
		return
	}
	text(w, strings.Join(entries, "\n"))
}

// list returns the entries of a directory, those that are directories with a slash. The empty path is the version's own directory.
func list(tree map[string]string, directory string) []string {
	prefix := directory + "/"
	if directory == "" {
		// What is below a version is shown without slashes.
		return []string{"dynamic", "meta-data", "user-data"}
	}
	var entries []string
	for path := range tree {
		rest, ok := strings.CutPrefix(path, prefix)
		if !ok {
			continue
		}
		if name, _, deeper := strings.Cut(rest, "/"); deeper {
			rest = name + "/"
		}
		entries = append(entries, rest)
	}
	slices.Sort(entries)
	return slices.Compact(entries)
}

func text(w http.ResponseWriter, value string) {
	w.Header().Set("Content-Type", "text/plain")
	w.Write([]byte(value))
}

// refuse answers with a status and the page that the service shows for it.
func refuse(w http.ResponseWriter, status int) {
	title := fmt.Sprintf("%d - %s", status, http.StatusText(status))
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>%s</title>
 </head>
 <body>
  <h1>%s</h1>
 </body>
</html>
`, title, title)
}
