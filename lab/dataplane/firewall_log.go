package dataplane

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	wafapi "storefront/lab/api/wafv2"
	"storefront/lab/firewall"
	"storefront/lab/wire"
)

// logLine is an entry on its way to a log group.
type logLine struct {
	group, stream, text string
	at                  time.Time
}

// wafRecord is an entry, field by field as in "Log fields" of AWS WAF.
type wafRecord struct {
	Timestamp                   int64           `json:"timestamp"`
	FormatVersion               int             `json:"formatVersion"`
	WebACLID                    string          `json:"webaclId"`
	TerminatingRuleID           string          `json:"terminatingRuleId"`
	TerminatingRuleType         string          `json:"terminatingRuleType"`
	Action                      string          `json:"action"`
	TerminatingRuleMatchDetails []matchDetail   `json:"terminatingRuleMatchDetails"`
	SourceName                  string          `json:"httpSourceName"`
	SourceID                    string          `json:"httpSourceId"`
	RuleGroupList               []groupRecord   `json:"ruleGroupList"`
	RateBasedRuleList           []any           `json:"rateBasedRuleList"`
	NonTerminatingMatchingRules []matchedRecord `json:"nonTerminatingMatchingRules"`
	RequestHeadersInserted      []headerRecord  `json:"requestHeadersInserted"`
	ResponseCodeSent            *int            `json:"responseCodeSent"`
	Request                     requestRecord   `json:"httpRequest"`
	Labels                      []labelRecord   `json:"labels,omitempty"`
}

type matchDetail struct {
	Condition string   `json:"conditionType"`
	Location  string   `json:"location"`
	Data      []string `json:"matchedData"`
}

type matchedRecord struct {
	RuleID           string        `json:"ruleId"`
	Action           string        `json:"action"`
	OverriddenAction string        `json:"overriddenAction,omitempty"`
	Details          []matchDetail `json:"ruleMatchDetails"`
}

type groupRecord struct {
	ID             string          `json:"ruleGroupId"`
	Terminating    *matchedRecord  `json:"terminatingRule"`
	NonTerminating []matchedRecord `json:"nonTerminatingMatchingRules"`
	Excluded       []any           `json:"excludedRules"`
}

type headerRecord struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type labelRecord struct {
	Name string `json:"name"`
}

type requestRecord struct {
	ClientIP    string         `json:"clientIp"`
	Country     string         `json:"country"`
	Headers     []headerRecord `json:"headers"`
	URI         string         `json:"uri"`
	Args        string         `json:"args"`
	HTTPVersion string         `json:"httpVersion"`
	HTTPMethod  string         `json:"httpMethod"`
	RequestID   string         `json:"requestId"`
}

const redacted = "REDACTED"

// wanted applies a logging filter: the first filter that a request meets decides.
func wanted(f *wafapi.LoggingFilter, v firewall.Verdict) bool {
	if f == nil {
		return true
	}
	for _, filter := range f.Filters {
		meets := func(c wafapi.Condition) bool {
			if c.LabelNameCondition != nil {
				return slices.Contains(v.Labels, wire.Value(c.LabelNameCondition.LabelName))
			}
			if c.ActionCondition == nil {
				return false
			}
			action := wire.Value(c.ActionCondition.Action)
			return v.Action == action || action == "COUNT" && len(v.Counted) > 0
		}
		all := !slices.ContainsFunc(filter.Conditions, func(c wafapi.Condition) bool { return !meets(c) })
		if all || wire.Value(filter.Requirement) == "MEETS_ANY" && slices.ContainsFunc(filter.Conditions, meets) {
			return wire.Value(filter.Behavior) == "KEEP"
		}
	}
	return wire.Value(f.DefaultBehavior) == "KEEP"
}

// enqueue makes the log entry of a request. It does not wait: a request must not for its log.
func (f *Firewalls) enqueue(current *inspecting, source string, r *http.Request, client netip.Addr, v firewall.Verdict) {
	now := f.Now()
	rec := wafRecord{Timestamp: now.UnixMilli(), FormatVersion: 1, WebACLID: current.ARN, TerminatingRuleID: v.Rule, TerminatingRuleType: v.Kind, Action: v.Action,
		TerminatingRuleMatchDetails: details(v.Match), SourceName: "ALB", SourceID: source, RuleGroupList: groupRecords(v), RateBasedRuleList: []any{},
		NonTerminatingMatchingRules: []matchedRecord{}, Request: request(r, client, current.Logging.RedactedFields)}
	for _, m := range v.Counted {
		if m.Group == "" {
			rec.NonTerminatingMatchingRules = append(rec.NonTerminatingMatchingRules, matchedRecord{RuleID: m.Rule, Action: m.Action, Details: details(m)})
		}
	}
	for name, value := range v.Insert {
		rec.RequestHeadersInserted = append(rec.RequestHeadersInserted, headerRecord{name, value})
	}
	for _, l := range v.Labels {
		rec.Labels = append(rec.Labels, labelRecord{l})
	}
	if v.Refusal != nil && v.Refusal.Status != http.StatusForbidden {
		rec.ResponseCodeSent = &v.Refusal.Status
	}
	text, err := json.Marshal(rec)
	if err != nil { // a record of texts and numbers always has a form
		f.Log.Error("encoding the log of a web ACL", "error", err)
		return
	}
	group := strings.TrimSuffix(strings.TrimPrefix(current.Logging.LogDestinationConfigs[0], f.Region.ARN("logs", "log-group:")), ":*")
	select {
	case f.queue <- logLine{group, fmt.Sprintf("%s_%s_0", f.Region.Name, current.Name), string(text), now}:
	default:
		f.dropped.Add(1)
	}
}

func details(m firewall.Match) []matchDetail {
	list := []matchDetail{}
	for _, d := range m.Details {
		list = append(list, matchDetail{d.Condition, d.Location, []string{d.Data}})
	}
	return list
}

// groupRecords gathers what matched inside rule groups, by group.
func groupRecords(v firewall.Verdict) []groupRecord {
	list := []groupRecord{}
	of := func(id string) *groupRecord {
		i := slices.IndexFunc(list, func(g groupRecord) bool { return g.ID == id })
		if i < 0 {
			list, i = append(list, groupRecord{ID: id, NonTerminating: []matchedRecord{}}), len(list)
		}
		return &list[i]
	}
	for _, m := range v.Counted {
		if m.Group != "" {
			g := of(m.Group)
			g.NonTerminating = append(g.NonTerminating, matchedRecord{m.Inner, m.Action, m.Overridden, details(m)})
		}
	}
	if v.Group != "" {
		of(v.Group).Terminating = &matchedRecord{RuleID: v.Inner, Action: v.Match.Action, Details: details(v.Match)}
	}
	return list
}

// request is what a log tells of a request. Redacted fields are replaced, the matched data of rules is not: AWS does the same.
func request(r *http.Request, client netip.Addr, redact []wafapi.FieldToMatch) requestRecord {
	rec := requestRecord{ClientIP: client.String(), Country: "-", URI: r.URL.EscapedPath(), Args: r.URL.RawQuery, HTTPVersion: r.Proto, HTTPMethod: r.Method, RequestID: r.Header.Get("X-Amzn-Trace-Id")}
	hidden := map[string]bool{}
	for _, f := range redact {
		switch {
		case f.SingleHeader != nil:
			hidden[strings.ToLower(wire.Value(f.SingleHeader.Name))] = true
		case f.UriPath != nil:
			rec.URI = redacted
		case f.QueryString != nil:
			rec.Args = redacted
		case f.Method != nil:
			rec.HTTPMethod = redacted
		}
	}
	add := func(name, value string) {
		if hidden[strings.ToLower(name)] {
			value = redacted
		}
		rec.Headers = append(rec.Headers, headerRecord{name, value})
	}
	add("Host", r.Host)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			add(name, value)
		}
	}
	return rec
}
