package dataplane

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	logsapi "storefront/lab/api/logs"
	wafapi "storefront/lab/api/wafv2"
	"storefront/lab/balancer"
	"storefront/lab/firewall"
	"storefront/lab/metrics"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wafv2"
)

// Firewalls runs the web ACLs that AWS WAF declares in front of load balancers: it inspects, measures as "AWS WAF metrics and dimensions" lists it, keeps samples
// and delivers logs.
type Firewalls struct {
	WAF     *wafv2.Service
	Engine  *firewall.Engine
	Metrics *metrics.Store
	Logs    LogEvents
	Region  region.Region
	Now     func() time.Time
	Log     *slog.Logger

	mu    sync.Mutex
	acls  map[string]*runningACL // by ARN
	walls map[string]*wall       // by load balancer
	names sync.Map               // of wafMetric to metrics.Name

	queue   chan logLine
	dropped atomic.Int64 // log lines that did not fit in the queue
}

// Bounds of what is kept of requests: samples by rule, see GetSampledRequests, and log lines between two deliveries.
const (
	samplesKept  = 100
	samplesKeep  = 3 * time.Hour
	logQueue     = 8192
	deliverEvery = time.Second
)

// runningACL is a web ACL that inspects.
type runningACL struct {
	current atomic.Pointer[inspecting]

	mu      sync.Mutex
	samples map[string]*sampling // by metric name
}

type inspecting struct {
	wafv2.Attached
	inspector *firewall.Inspector
	err       error // why there is none
}

// sampling is the latest requests that a rule matched, and how many there were.
type sampling struct {
	requests   []wafapi.SampledHTTPRequest
	population int64
}

// wall is a web ACL in front of one load balancer: a balancer.Firewall.
type wall struct {
	firewalls *Firewalls
	source    string // how logs name the load balancer
	acl       *runningACL
}

// NewFirewalls makes firewalls that wait for Run to deliver their logs.
func NewFirewalls(f *Firewalls) *Firewalls {
	f.acls, f.walls, f.queue = map[string]*runningACL{}, map[string]*wall{}, make(chan logLine, logQueue)
	return f
}

// Of returns what inspects the requests of a load balancer, nil when nothing does. name is the balancer's, such as "app/web/50dc6c495c0c9188".
func (f *Firewalls) Of(tx *state.Tx, loadBalancer, name string) balancer.Firewall {
	attached, ok, err := f.WAF.ACLOf(tx, loadBalancer)
	if err != nil {
		f.Log.Error("reading the web ACL of a load balancer", "load balancer", name, "error", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !ok {
		delete(f.walls, loadBalancer)
		return nil
	}
	acl := f.acls[attached.ARN]
	if acl == nil {
		acl = &runningACL{samples: map[string]*sampling{}}
		f.acls[attached.ARN] = acl
	}
	f.update(acl, attached)
	w := f.walls[loadBalancer]
	if w == nil || w.acl != acl {
		w = &wall{firewalls: f, source: f.Region.Account + "-" + name, acl: acl}
		f.walls[loadBalancer] = w
	}
	return w
}

// update compiles a web ACL that has changed.
func (f *Firewalls) update(acl *runningACL, attached wafv2.Attached) {
	old := acl.current.Load()
	if old != nil && old.Version == attached.Version && old.err == nil {
		acl.current.Store(&inspecting{attached, old.inspector, nil}) // the logging may have changed
		return
	}
	var previous *firewall.Inspector
	if old != nil {
		previous = old.inspector
	}
	inspector, err := f.Engine.Compile(attached.ACL, previous)
	if err != nil {
		f.Log.Error("compiling a web ACL", "web ACL", attached.Name, "error", err)
	}
	acl.current.Store(&inspecting{attached, inspector, err})
}

// Inspect implements balancer.Firewall.
func (w *wall) Inspect(r *http.Request, client netip.Addr, body []byte, more bool) (*balancer.Refusal, error) {
	current := w.acl.current.Load()
	if current.err != nil {
		return nil, current.err
	}
	v := current.inspector.Inspect(&firewall.Request{Request: r, Client: client, Body: body, More: more})
	if current.Metrics {
		w.firewalls.measure(current, v)
	}
	if current.Sampling {
		w.acl.sample(current, r, client, v, w.firewalls.Now())
	}
	if current.Logging != nil && wanted(current.Logging.LoggingFilter, v) {
		w.firewalls.enqueue(current, w.source, r, client, v)
	}
	if v.Refusal != nil {
		return &balancer.Refusal{Status: v.Refusal.Status, Header: v.Refusal.Header, ContentType: v.Refusal.ContentType, Body: v.Refusal.Body}, nil
	}
	for name, value := range v.Insert {
		r.Header.Set(name, value)
	}
	return nil, nil
}

// wafMetric names a metric of a rule of a web ACL.
type wafMetric struct{ metric, acl, rule string }

func (f *Firewalls) measure(current *inspecting, v firewall.Verdict) {
	for _, m := range v.Counted {
		f.count("CountedRequests", current.Metric, m.Metric)
	}
	metric, rule := "AllowedRequests", v.Metric
	if v.Action == "BLOCK" {
		metric = "BlockedRequests"
	}
	if rule == firewall.DefaultAction {
		rule = current.Metric
	}
	f.count(metric, current.Metric, rule)
	f.count(metric, current.Metric, "ALL")
}

func (f *Firewalls) count(metric, acl, rule string) {
	key := wafMetric{metric, acl, rule}
	name, ok := f.names.Load(key)
	if !ok {
		name = metrics.Name{Namespace: "AWS/WAFV2", Metric: metric, Unit: "Count", Dimensions: metrics.By("WebACL", acl, "Rule", rule, "Region", f.Region.Name)}
		f.names.Store(key, name)
	}
	f.Metrics.Add(name.(metrics.Name), 1)
}

// sample keeps a request for the rules that it matched.
func (a *runningACL) sample(current *inspecting, r *http.Request, client netip.Addr, v firewall.Verdict, now time.Time) {
	s := wafapi.SampledHTTPRequest{Timestamp: &now, Weight: new(int64(1)), Action: &v.Action, Request: &wafapi.HTTPRequest{
		ClientIP: new(client.String()), Country: new("-"), HTTPVersion: &r.Proto, Method: &r.Method, URI: new(r.URL.RequestURI()), Headers: sampledHeaders(r)}}
	if v.Refusal != nil {
		s.ResponseCodeSent = new(int64(v.Refusal.Status))
	}
	for _, l := range v.Labels {
		s.Labels = append(s.Labels, wafapi.Label{Name: &l})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	last := v.Match
	if last.Rule == firewall.DefaultAction {
		last.Metric = current.Metric
	}
	for _, m := range append(slices.Clone(v.Counted), last) {
		one := s
		one.Action = new(m.Action)
		if m.Inner != "" {
			one.RuleNameWithinRuleGroup = new(m.Group + "#" + m.Inner)
		}
		if m.Overridden != "" {
			one.OverriddenAction = new(m.Overridden)
		}
		kept := a.samples[m.Metric]
		if kept == nil {
			kept = &sampling{}
			a.samples[m.Metric] = kept
		}
		kept.population++
		kept.requests = append(kept.requests, one)
		if len(kept.requests) >= 2*samplesKept {
			kept.requests = slices.Clone(kept.requests[samplesKept:])
		}
	}
}

func sampledHeaders(r *http.Request) []wafapi.HTTPHeader {
	list := []wafapi.HTTPHeader{{Name: new("Host"), Value: new(r.Host)}}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[name] {
			list = append(list, wafapi.HTTPHeader{Name: new(name), Value: new(v)})
		}
	}
	return list
}

// Sampled implements wafv2.Config.Sampled: the latest first.
func (f *Firewalls) Sampled(arn, metric string, from, to time.Time, most int) (list []wafapi.SampledHTTPRequest, population int64) {
	acl := f.running(arn)
	if acl == nil {
		return nil, 0
	}
	acl.mu.Lock()
	defer acl.mu.Unlock()
	kept := acl.samples[metric]
	if kept == nil {
		return nil, 0
	}
	oldest := f.Now().Add(-samplesKeep)
	for _, s := range slices.Backward(kept.requests) {
		if at := *s.Timestamp; at.Before(from) || at.After(to) || at.Before(oldest) || len(list) == most {
			continue
		}
		list = append(list, s)
	}
	return list, kept.population
}

// Limited implements wafv2.Config.Limited.
func (f *Firewalls) Limited(arn, rule string) []string {
	acl := f.running(arn)
	if acl == nil || acl.current.Load().inspector == nil {
		return nil
	}
	clients, _ := acl.current.Load().inspector.Limited(rule)
	return clients
}

func (f *Firewalls) running(arn string) *runningACL {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.acls[arn]
}

// Run delivers logs until ctx ends, and what is left then.
func (f *Firewalls) Run(ctx context.Context) error {
	err := loop(ctx, ticks(ctx, deliverEvery), f.Log, f.deliver)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), deliverEvery)
	defer cancel()
	return errors.Join(err, f.deliver(last))
}

// deliver writes what was queued, by log group and stream.
func (f *Firewalls) deliver(ctx context.Context) error {
	if n := f.dropped.Swap(0); n > 0 {
		f.Log.Warn("web ACL logs came faster than they could be delivered", "dropped", n)
	}
	type target struct{ group, stream string }
	batches := map[target][]logsapi.InputLogEvent{}
	for range len(f.queue) {
		l := <-f.queue
		t := target{l.group, l.stream}
		batches[t] = append(batches[t], logsapi.InputLogEvent{Timestamp: new(l.at.UnixMilli()), Message: new(l.text)})
	}
	for t, events := range batches {
		slices.SortStableFunc(events, func(a, b logsapi.InputLogEvent) int { return cmp.Compare(*a.Timestamp, *b.Timestamp) })
		for chunk := range slices.Chunk(events, 100) { // below a mebibyte: request heads are bounded by 64 KiB, and mostly far smaller
			if err := f.put(ctx, t.group, t.stream, chunk); err != nil { // best effort, as on AWS
				f.Log.Warn("delivering the log of a web ACL", "group", t.group, "error", err)
			}
		}
	}
	return nil
}

func (f *Firewalls) put(ctx context.Context, group, stream string, events []logsapi.InputLogEvent) error {
	in := &logsapi.PutLogEventsInput{LogGroupName: &group, LogStreamName: &stream, LogEvents: events}
	_, err := f.Logs.PutLogEvents(ctx, in)
	if err == nil {
		return nil
	}
	if _, failed := f.Logs.CreateLogStream(ctx, &logsapi.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &stream}); failed != nil {
		return errors.Join(err, failed)
	}
	_, err = f.Logs.PutLogEvents(ctx, in)
	return err
}
