package firewall

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/types"
	lru "github.com/hashicorp/golang-lru/v2"
)

// setup makes the core rule set only report, at paranoia level 1: what to do about a match is the web ACL's business.
const setup = `SecRuleEngine DetectionOnly
SecRequestBodyAccess Off
SecAuditEngine Off
SecAction "id:900990,phase:1,pass,t:none,nolog,setvar:tx.crs_setup_version=4250"
Include @owasp_crs/REQUEST-901-INITIALIZATION.conf
`

// ruleset is some files of the core rule set, ready to run.
type ruleset struct {
	waf  coraza.WAF
	seen *lru.Cache[[sha256.Size]byte, []hit] // what was found in requests without a body: most are alike, and looking costs most of a millisecond
}

// seenMost is how many different requests without a body are remembered.
const seenMost = 4096

// hit is a critical rule of the core rule set that a request matched, and the part of the request that did.
type hit struct {
	id   int
	part string // URIPATH, QUERYARGUMENTS, BODY, COOKIE or HEADER
	data string
}

// rulesets are those loaded so far, by their files.
type rulesets struct {
	mu sync.Mutex
	by map[string]*ruleset
}

// ruleset loads files of the core rule set, once. It is nil for none.
func (e *Engine) ruleset(files []string) (*ruleset, error) {
	if len(files) == 0 {
		return nil, nil
	}
	files = slices.Compact(slices.Sorted(slices.Values(files)))
	key := strings.Join(files, " ")
	e.cache.mu.Lock()
	defer e.cache.mu.Unlock()
	if known, ok := e.cache.by[key]; ok {
		return known, nil
	}
	directives := setup
	for _, f := range files {
		directives += "Include @owasp_crs/" + f + ".conf\n"
	}
	waf, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(coreruleset.FS).WithDirectives(directives))
	if err != nil {
		return nil, fmt.Errorf("loading the core rule set: %w", err)
	}
	if e.cache.by == nil {
		e.cache.by = map[string]*ruleset{}
	}
	seen, err := lru.New[[sha256.Size]byte, []hit](seenMost)
	if err != nil {
		return nil, err
	}
	e.cache.by[key] = &ruleset{waf, seen}
	return e.cache.by[key], nil
}

// find returns what the core rule set finds in a request. Nothing that it looks at depends on the client's address.
func (s *ruleset) find(e *evaluation) []hit {
	if len(e.Body) > 0 {
		return s.run(e)
	}
	key := e.fingerprint()
	if hits, ok := s.seen.Get(key); ok {
		return hits
	}
	hits := s.run(e)
	s.seen.Add(key, hits)
	return hits
}

// fingerprint is the same for requests that are alike in all that is inspected.
func (e *evaluation) fingerprint() (sum [sha256.Size]byte) {
	h := sha256.New()
	add := func(s string) {
		var size [8]byte
		binary.LittleEndian.PutUint64(size[:], uint64(len(s)))
		h.Write(size[:])
		_, _ = io.WriteString(h, s)
	}
	for _, s := range []string{e.Method, e.URL.RequestURI(), e.Proto, e.Host} {
		add(s)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Header)) {
		add(name)
		for _, v := range e.Header[name] {
			add(v)
		}
		add("")
	}
	h.Sum(sum[:0])
	return sum
}

// run lets the core rule set look at a request.
func (s *ruleset) run(e *evaluation) []hit {
	tx := s.waf.NewTransaction()
	defer func() { _ = tx.Close() }() // it frees buffers
	client := e.Client
	if !client.IsValid() {
		client = netip.IPv4Unspecified()
	}
	tx.ProcessConnection(client.String(), 0, "", 0)
	tx.ProcessURI(e.URL.RequestURI(), e.Method, e.Proto)
	tx.AddRequestHeader("Host", e.Host)
	tx.SetServerName(e.Host)
	for name, values := range e.Header {
		for _, v := range values {
			tx.AddRequestHeader(name, v)
		}
	}
	tx.ProcessRequestHeaders()
	for _, a := range e.bodyFields() {
		tx.AddPostRequestArgument(a.name, a.value)
	}
	if _, err := tx.ProcessRequestBody(); err != nil {
		return nil // bodies are not read by it, so there is none
	}
	var hits []hit
	for _, m := range tx.MatchedRules() {
		if m.Rule().Severity() != types.RuleSeverityCritical {
			continue
		}
		for _, d := range m.MatchedDatas() {
			if part, ok := e.partOfVariable(d.Variable().Name(), d.Key()); ok {
				hits = append(hits, hit{m.Rule().ID(), part, d.Value()})
			}
		}
	}
	return hits
}

// partOfVariable is the part of a request that a variable of the core rule set comes from. ARGS are those of the query and of the body.
func (e *evaluation) partOfVariable(name, key string) (part string, ok bool) {
	_, inQuery := e.arguments()[key]
	switch {
	case (name == "ARGS" || name == "ARGS_NAMES") && !inQuery && len(e.Body) > 0:
		return "BODY", true
	case name == "ARGS_POST", name == "ARGS_POST_NAMES", strings.HasPrefix(name, "REQUEST_BODY"):
		return "BODY", true
	case strings.HasPrefix(name, "ARGS"), name == "QUERY_STRING":
		return "QUERYARGUMENTS", true
	case strings.HasPrefix(name, "REQUEST_COOKIES"):
		return "COOKIE", true
	case strings.HasPrefix(name, "REQUEST_HEADERS"):
		return "HEADER", true
	case strings.HasPrefix(name, "REQUEST_URI"), name == "REQUEST_FILENAME", name == "REQUEST_BASENAME", name == "REQUEST_LINE":
		return "URIPATH", true
	}
	return "", false
}
