package dataplane

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"

	"storefront/lab/access"
	"storefront/lab/authorization"
	"storefront/lab/elasticsearch"
	"storefront/lab/wire"
)

// door stands before the nodes of a domain and lets in whom signature, access policy and fine-grained access control let in.
type door struct {
	*Domains
	domain elasticsearch.Domain
	policy *access.Document
	login  atomic.Pointer[[sha256.Size]byte] // of the name and password that were right last, so that the slow verifier need not judge each request
}

func newDoor(d *Domains, domain elasticsearch.Domain) (*door, error) {
	out := &door{Domains: d, domain: domain}
	if domain.Access == "" {
		return out, nil
	}
	policy, err := access.Parse(domain.Access)
	out.policy = &policy
	return out, err
}

// visitor is who sent a request.
type visitor struct {
	wire.Identity
	role           string // ARN of the session's role
	name, password string
	basic          bool
}

// principal is the ARN of the user, or of the session's role.
func (v visitor) principal() string {
	if v.role != "" {
		return v.role
	}
	return v.ARN
}

// serve passes a request on to next when it may.
func (d *door) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, d.domain.MaxBody))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		say(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("Request size exceeded %d bytes", d.domain.MaxBody))
		return
	}
	if err != nil {
		say(w, http.StatusBadRequest, "The request body could not be read")
		return
	}
	var v visitor
	if v.name, v.password, v.basic = r.BasicAuth(); !v.basic {
		if v.Identity, err = d.Authenticate(r, "es", body); err != nil {
			status, message := http.StatusInternalServerError, "Internal failure"
			if refusal, ok := errors.AsType[*wire.Error](err); ok {
				status, message = http.StatusForbidden, refusal.Message
			} else {
				d.Log.Error("authenticating a request to a search domain", "domain", d.domain.Name, "error", err)
			}
			say(w, status, message)
			return
		}
	}
	switch message, err := d.judge(r, &v); {
	case err != nil:
		d.Log.Error("judging a request to a search domain", "domain", d.domain.Name, "error", err)
		say(w, http.StatusInternalServerError, "Internal failure")
		return
	case message != "":
		say(w, http.StatusForbidden, message)
		return
	}
	if d.domain.Fine && !d.knows(w, r, v) {
		return
	}
	for _, credential := range []string{"Authorization", "X-Amz-Security-Token"} {
		r.Header.Del(credential)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	next.ServeHTTP(w, r)
}

// say answers in the form of the service in front of the engine.
func say(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"Message": message})
}

// judge decides by the access policy, and by those of who calls. It returns the message of a refusal.
func (d *door) judge(r *http.Request, v *visitor) (message string, err error) {
	ask := authorization.Ask{Action: "es:ESHttp" + r.Method[:1] + strings.ToLower(r.Method[1:]), Resource: d.domain.ARN + r.URL.Path,
		Context: map[string][]string{"aws:securetransport": {strconv.FormatBool(r.TLS != nil)}, "aws:useragent": {r.UserAgent()}}}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		ask.Context["aws:sourceip"] = []string{from.Addr().Unmap().String()}
	}
	decision, role, err := d.Judge(r.Context(), v.Identity, ask, d.policy)
	if v.role = role; err != nil || decision.Allowed {
		return "", err
	}
	return fmt.Sprintf("User: %s is not authorized to perform: %s %s", cmp.Or(v.ARN, "anonymous"), ask.Action, authorization.Reason(ask.Action, decision)), nil
}

// knows is fine-grained access control: the master user may do everything, and nobody else anything, since the lab keeps no other users and roles.
func (d *door) knows(w http.ResponseWriter, r *http.Request, v visitor) bool {
	switch {
	case v.basic && d.loggedIn(v.name, v.password):
	case v.ARN == "":
		w.Header().Set("WWW-Authenticate", `Basic realm="Authorization Required"`)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "Unauthorized")
		return false
	case !d.domain.Master(v.ARN) && !d.domain.Master(v.role):
		reason := fmt.Sprintf("no permissions for [%s] and User [name=%s, backend_roles=[%s], requestedTenant=null]", privilege(r), v.principal(), v.role)
		refuse(w, http.StatusForbidden, "security_exception", reason)
		return false
	}
	if path := r.URL.Path; strings.HasPrefix(path, "/_opendistro/_security") || strings.HasPrefix(path, "/_plugins/_security") {
		refuse(w, http.StatusBadRequest, "illegal_argument_exception", fmt.Sprintf("no handler found for uri [%s] and method [%s]: the lab keeps no users and roles but the master user", path, r.Method))
		return false
	}
	return true
}

// refuse answers in the form of the engine.
func refuse(w http.ResponseWriter, status int, kind, reason string) {
	cause := map[string]string{"type": kind, "reason": reason}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"root_cause": []any{cause}, "type": kind, "reason": reason}, "status": status})
}

// loggedIn tells whether a name and password are the master user's.
func (d *door) loggedIn(name, password string) bool {
	sum := sha256.Sum256([]byte(name + "\x00" + password))
	if known := d.login.Load(); known != nil && subtle.ConstantTimeCompare(known[:], sum[:]) == 1 {
		return true
	}
	if !d.domain.Login(name, password) {
		return false
	}
	d.login.Store(&sum)
	return true
}

// privilege names what a request asks of the engine, in the words of its permissions.
func privilege(r *http.Request) string {
	path, reads := r.URL.Path, r.Method == http.MethodGet || r.Method == http.MethodHead
	for _, p := range []struct{ part, name string }{
		{"/_bulk", "indices:data/write/bulk"}, {"/_search", "indices:data/read/search"}, {"/_count", "indices:data/read/search"}, {"/_mget", "indices:data/read/mget"},
		{"/_cluster/", "cluster:monitor/health"}, {"/_cat/", "cluster:monitor/state"}, {"/_refresh", "indices:admin/refresh"},
	} {
		if strings.Contains(path, p.part) {
			return p.name
		}
	}
	document := strings.Contains(path, "/_doc") || strings.Contains(path, "/_create") || strings.Contains(path, "/_update")
	switch {
	case path == "/":
		return "cluster:monitor/main"
	case document && reads:
		return "indices:data/read/get"
	case document && r.Method == http.MethodDelete:
		return "indices:data/write/delete"
	case document:
		return "indices:data/write/index"
	case reads:
		return "indices:admin/get"
	case r.Method == http.MethodDelete:
		return "indices:admin/delete"
	}
	return "indices:admin/create"
}
