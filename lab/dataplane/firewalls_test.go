package dataplane_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	logsapi "storefront/lab/api/logs"
	api "storefront/lab/api/wafv2"
	"storefront/lab/dataplane"
	"storefront/lab/firewall"
	"storefront/lab/logs"
	"storefront/lab/metrics"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wafv2"
)

// guardedRegion is a shopRegion whose load balancer can have a web ACL that logs to a log group.
type guardedRegion struct {
	*shopRegion
	waf   *wafv2.Service
	logs  *logs.Service
	walls *dataplane.Firewalls
	url   string
}

const wafGroup = "aws-waf-logs-shop"

func newGuardedRegion(t *testing.T) *guardedRegion {
	t.Helper()
	r := &guardedRegion{shopRegion: newShopRegion(t)}
	at := region.Default()
	r.logs = logs.New(logs.Config{Store: r.store, Region: at, Now: time.Now})
	must(r.logs.CreateLogGroup(t.Context(), &logsapi.CreateLogGroupInput{LogGroupName: new(wafGroup)}))(t)
	engine := firewall.New(time.Now)
	r.waf = wafv2.New(wafv2.Config{Store: r.store, Region: at, Now: time.Now, Engine: engine, LogGroup: r.logs.Group,
		Resource: func(_ *state.Tx, arn string) (bool, bool) { return true, arn == r.arn }})
	r.walls = dataplane.NewFirewalls(&dataplane.Firewalls{WAF: r.waf, Engine: engine, Metrics: metrics.New(time.Now, time.Hour), Logs: r.logs, Region: at, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	r.run.Firewall = r.walls.Of
	r.start(t)
	r.register(t, "10.0.0.10", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "served") })
	r.url = r.shopRegion.url(t)
	return r
}

func visible(metric string) *api.VisibilityConfig {
	return &api.VisibilityConfig{CloudWatchMetricsEnabled: new(true), SampledRequestsEnabled: new(true), MetricName: &metric}
}

// blocks is a rule that blocks requests whose path begins with a text.
func blocks(path string) []api.Rule {
	return []api.Rule{{Name: new("path"), Priority: new(int64(0)), Action: &api.RuleAction{Block: &api.BlockAction{}}, VisibilityConfig: visible("path"), Statement: &api.Statement{ByteMatchStatement: &api.ByteMatchStatement{
		SearchString: []byte(path), FieldToMatch: &api.FieldToMatch{UriPath: &api.UriPath{}}, PositionalConstraint: new("STARTS_WITH"), TextTransformations: []api.TextTransformation{{Priority: new(int64(0)), Type: new("NONE")}}}}}}
}

// guard puts a web ACL in front of the load balancer.
func (r *guardedRegion) guard(t *testing.T, path string) *api.WebACLSummary {
	t.Helper()
	acl := must(r.waf.CreateWebACL(t.Context(), &api.CreateWebACLInput{Name: new("shop"), Scope: new("REGIONAL"), DefaultAction: &api.DefaultAction{Allow: &api.AllowAction{}}, Rules: blocks(path), VisibilityConfig: visible("shop")}))(t).Summary
	must(r.waf.AssociateWebACL(t.Context(), &api.AssociateWebACLInput{WebACLArn: acl.ARN, ResourceArn: &r.arn}))(t)
	return acl
}

// answers waits until the load balancer answers a path with a status: a change reaches it on another goroutine.
func (r *guardedRegion) answers(t *testing.T, path string, status int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s is answered %d", path, status), func() bool { got, _ := fetch(t, r.url+path); return got == status })
}

// The web ACL that is associated with a load balancer is the one that inspects, in its newest version, for as long as it is associated.
func TestWebACLFollowsWhatIsDeclared(t *testing.T) {
	r := newGuardedRegion(t)
	r.answers(t, "/admin", http.StatusOK)
	acl := r.guard(t, "/admin")
	r.answers(t, "/admin", http.StatusForbidden)
	if status, body := fetch(t, r.url+"/"); status != http.StatusOK || body != "served" {
		t.Errorf("an ordinary request: %d %q", status, body)
	}
	must(r.waf.UpdateWebACL(t.Context(), &api.UpdateWebACLInput{Name: acl.Name, Id: acl.Id, Scope: new("REGIONAL"), LockToken: acl.LockToken, DefaultAction: &api.DefaultAction{Allow: &api.AllowAction{}}, Rules: blocks("/secret"), VisibilityConfig: visible("shop")}))(t)
	r.answers(t, "/secret", http.StatusForbidden)
	r.answers(t, "/admin", http.StatusOK)
	must(r.waf.DisassociateWebACL(t.Context(), &api.DisassociateWebACLInput{ResourceArn: &r.arn}))(t)
	r.answers(t, "/secret", http.StatusOK)
}

// An IP set is part of the web ACLs that refer to it: a changed one inspects without a change of theirs.
func TestIPSetIsFollowed(t *testing.T) {
	r := newGuardedRegion(t)
	set := must(r.waf.CreateIPSet(t.Context(), &api.CreateIPSetInput{Name: new("blocked"), Scope: new("REGIONAL"), IPAddressVersion: new("IPV4"), Addresses: []string{}}))(t).Summary
	acl := r.guard(t, "/admin")
	listed := []api.Rule{{Name: new("listed"), Priority: new(int64(0)), Action: &api.RuleAction{Block: &api.BlockAction{}}, VisibilityConfig: visible("listed"),
		Statement: &api.Statement{IPSetReferenceStatement: &api.IPSetReferenceStatement{ARN: set.ARN}}}}
	must(r.waf.UpdateWebACL(t.Context(), &api.UpdateWebACLInput{Name: acl.Name, Id: acl.Id, Scope: new("REGIONAL"), LockToken: acl.LockToken, DefaultAction: &api.DefaultAction{Allow: &api.AllowAction{}}, Rules: listed, VisibilityConfig: visible("shop")}))(t)
	r.answers(t, "/admin", http.StatusOK)
	must(r.waf.UpdateIPSet(t.Context(), &api.UpdateIPSetInput{Name: set.Name, Id: set.Id, Scope: new("REGIONAL"), LockToken: set.LockToken, Addresses: []string{"127.0.0.0/8"}}))(t)
	r.answers(t, "/", http.StatusForbidden)
}

// Each request is counted, sampled and logged once it was decided, without what the logging configuration hides; what is queued when the daemon ends is delivered.
func TestInspectedRequestsAreToldOf(t *testing.T) {
	r := newGuardedRegion(t)
	acl := r.guard(t, "/admin")
	must(r.waf.PutLoggingConfiguration(t.Context(), &api.PutLoggingConfigurationInput{LoggingConfiguration: &api.LoggingConfiguration{ResourceArn: acl.ARN, LogDestinationConfigs: []string{r.groupARN(t)},
		RedactedFields: []api.FieldToMatch{{SingleHeader: &api.SingleHeader{Name: new("authorization")}}}}}))(t)
	r.answers(t, "/admin", http.StatusForbidden)
	ctx, end := context.WithCancel(t.Context())
	delivered := make(chan error, 1)
	go func() { delivered <- r.walls.Run(ctx) }()
	request := must(http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/admin?page=7", nil))(t)
	request.Header.Set("Authorization", "Bearer hush")
	request.Header.Set("X-Plain", "shown")
	var entry string
	eventually(t, "the request is in the log", func() bool {
		must(http.DefaultClient.Do(request))(t).Body.Close()
		entry = r.logged(t, "page=7")
		return entry != ""
	})
	end()
	if err := <-delivered; err != nil {
		t.Error(err)
	}
	var got struct {
		WebACLID, Action, TerminatingRuleID, HTTPSourceName string
		HTTPRequest                                         struct {
			ClientIP, URI, Args string
			Headers             []struct{ Name, Value string }
		}
	}
	if err := json.Unmarshal([]byte(entry), &got); err != nil {
		t.Fatal(err)
	}
	if got.WebACLID != *acl.ARN || got.Action != "BLOCK" || got.TerminatingRuleID != "path" || got.HTTPSourceName != "ALB" || got.HTTPRequest.URI != "/admin" || got.HTTPRequest.Args != "page=7" || got.HTTPRequest.ClientIP != "127.0.0.1" {
		t.Errorf("logged %s", entry)
	}
	if strings.Contains(entry, "hush") || !strings.Contains(entry, `"REDACTED"`) || !strings.Contains(entry, `"shown"`) {
		t.Errorf("logged %s", entry)
	}
	blocked := metrics.Name{Namespace: "AWS/WAFV2", Metric: "BlockedRequests", Unit: "Count", Dimensions: metrics.By("WebACL", "shop", "Rule", "path", "Region", region.Default().Name)}
	if len(r.walls.Metrics.Between(blocked, time.Now().Add(-time.Minute), time.Now().Add(time.Minute), time.Minute)) == 0 {
		t.Error("no blocked request was counted")
	}
	samples, population := r.walls.Sampled(*acl.ARN, "path", time.Now().Add(-time.Minute), time.Now().Add(time.Minute), 10)
	if len(samples) == 0 || population < int64(len(samples)) || *samples[0].Action != "BLOCK" || *samples[0].Request.URI != "/admin?page=7" {
		t.Errorf("sampled %d of %d: %+v", len(samples), population, samples)
	}
}

func (r *guardedRegion) groupARN(t *testing.T) string {
	t.Helper()
	return *must(r.logs.DescribeLogGroups(t.Context(), &logsapi.DescribeLogGroupsInput{LogGroupNamePrefix: new(wafGroup)}))(t).LogGroups[0].Arn
}

// logged returns the first entry of the web ACL's log that has a text.
func (r *guardedRegion) logged(t *testing.T, text string) string {
	t.Helper()
	for _, e := range must(r.logs.FilterLogEvents(t.Context(), &logsapi.FilterLogEventsInput{LogGroupName: new(wafGroup)}))(t).Events {
		if strings.Contains(*e.Message, text) {
			return *e.Message
		}
	}
	return ""
}
