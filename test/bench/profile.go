//go:build linux

package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// profile is what a trace of Pulumi says about a deployment.
type profile struct {
	begin, end        time.Time // of Pulumi
	run, first, done  time.Time // the program is asked for; it declares its first resource; the last resource is made
	made              map[string]*creation
	checked, creating time.Duration // of all resources, one after another
}

// creation is a resource that was made.
type creation struct {
	urn        string
	begin, end time.Time
	paused     time.Duration // by the provider's waiters, which look, pause, and look again
	needs      []string
}

// span is one of a trace, as OpenTelemetry writes it in JSON.
type span struct {
	ID     string `json:"spanId"`
	Parent string `json:"parentSpanId"`
	Name   string `json:"name"`
	Begin  int64  `json:"startTimeUnixNano,string"`
	End    int64  `json:"endTimeUnixNano,string"`
	Tags   []struct {
		Key   string `json:"key"`
		Value struct {
			Text string `json:"stringValue"`
		} `json:"value"`
	} `json:"attributes"`
}

func (s span) tag(key string) string {
	for _, t := range s.Tags {
		if t.Key == key {
			return t.Value.Text
		}
	}
	return ""
}

func (s span) took() time.Duration { return time.Duration(s.End - s.Begin) }

// spans reads a trace: a batch of spans on each line.
func spans(trace io.Reader) (map[string]span, error) {
	all := map[string]span{}
	for lines := bufio.NewReader(trace); ; {
		line, err := lines.ReadBytes('\n')
		if len(line) > 1 {
			var batch struct {
				Resources []struct {
					Scopes []struct {
						Spans []span `json:"spans"`
					} `json:"scopeSpans"`
				} `json:"resourceSpans"`
			}
			if err := json.Unmarshal(line, &batch); err != nil {
				return nil, fmt.Errorf("the trace: %w", err)
			}
			for _, r := range batch.Resources {
				for _, scope := range r.Scopes {
					for _, s := range scope.Spans {
						all[s.ID] = s
					}
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
	}
}

// requestOf finds the resource in what the bridge's server tells of a request.
var requestOf = regexp.MustCompile(`^\{"gRPC request":"urn:\\"(urn:pulumi:[^"\\]+)\\"`)

// readProfile reads a deployment's trace, and its dependencies out of the state that it left.
func readProfile(trace, export string) (*profile, error) {
	f, err := os.Open(trace)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := spans(f)
	if err != nil {
		return nil, err
	}
	p := &profile{made: map[string]*creation{}}
	for _, s := range all {
		p.take(s)
	}
	for _, s := range all {
		if s.Name == "wait" {
			p.pause(all, s)
		}
	}
	if p.begin.IsZero() || p.run.IsZero() || p.first.IsZero() || len(p.made) == 0 {
		return nil, errors.New("the trace tells of no deployment: Pulumi names its spans otherwise")
	}
	var state struct {
		Deployment apitype.DeploymentV3 `json:"deployment"`
	}
	if err := json.Unmarshal([]byte(export), &state); err != nil {
		return nil, fmt.Errorf("the stack's state: %w", err)
	}
	for _, r := range state.Deployment.Resources {
		if c := p.made[string(r.URN)]; c != nil {
			for _, urn := range r.Dependencies {
				c.needs = append(c.needs, string(urn))
			}
		}
	}
	return p, nil
}

// take notes what a span says of the whole deployment, or of a resource.
func (p *profile) take(s span) {
	begin, end := time.Unix(0, s.Begin), time.Unix(0, s.End)
	switch s.Name {
	case "pulumi":
		p.begin, p.end = begin, end
	case "pulumirpc.LanguageRuntime/Run":
		p.run = begin
	case "pulumirpc.ResourceMonitor/RegisterResource":
		if p.first.IsZero() || begin.Before(p.first) {
			p.first = begin
		}
	case "pulumirpc.ResourceProvider/Check":
		p.checked += s.took()
	case "/pulumirpc.ResourceProvider/Create":
		if m := requestOf.FindStringSubmatch(s.tag("Msg")); m != nil {
			p.creation(m[1]).begin, p.creation(m[1]).end = begin, end
			p.creating += s.took()
		}
		if end.After(p.done) {
			p.done = end
		}
	}
}

func (p *profile) creation(urn string) *creation {
	if p.made[urn] == nil {
		p.made[urn] = &creation{urn: urn}
	}
	return p.made[urn]
}

// pause charges a waiter's pauses to the resource that it waits for.
func (p *profile) pause(all map[string]span, s span) {
	var made time.Duration
	if _, err := fmt.Sscan(s.tag("made"), (*int64)(&made)); err != nil {
		return
	}
	for up, ok := all[s.Parent]; ok; up, ok = all[up.Parent] {
		if urn := up.tag("urn"); urn != "" && up.Name == "sdkv2.Create" {
			p.creation(urn).paused += made
			return
		}
	}
}

// path are the resources that the end of the deployment had to wait for, each for the next one.
func (p *profile) path() (path []*creation) {
	latest := func(among []string) (last *creation) {
		for _, urn := range among {
			if c := p.made[urn]; c != nil && (last == nil || c.end.After(last.end)) {
				last = c
			}
		}
		return last
	}
	var all []string
	for urn := range p.made {
		all = append(all, urn)
	}
	for c := latest(all); c != nil; c = latest(c.needs) {
		path = append(path, c)
	}
	slices.Reverse(path)
	return path
}

// floor is the longest sum of pauses of resources that need each other: no deployment with this provider takes less.
func (p *profile) floor() time.Duration {
	known := map[string]time.Duration{}
	var upTo func(urn string) time.Duration
	upTo = func(urn string) time.Duration {
		c := p.made[urn]
		if c == nil {
			return 0
		}
		if d, ok := known[urn]; ok {
			return d
		}
		var before time.Duration
		for _, need := range c.needs {
			before = max(before, upTo(need))
		}
		known[urn] = before + c.paused
		return known[urn]
	}
	var longest time.Duration
	for urn := range p.made {
		longest = max(longest, upTo(urn))
	}
	return longest
}

// phases tells what a command that began and ended then spent its time on.
func (p *profile) phases(begin, end time.Time, processor time.Duration) table {
	t := table{Title: "Where `make up` spends its time", Columns: []string{"phase", "took"}}
	at := begin
	for _, phase := range []struct {
		what  string
		until time.Time
	}{
		{"tools and programs looked at, the lab started, the stack selected", p.begin},
		{"Pulumi starts, with its language host", p.run},
		{"the stack's program looked at and started, the plugin loaded, up to the first resource", p.first},
		{"resources", p.done},
		{"outputs, and the state written", p.end},
		{"the shop's URL, instance refreshes, and the first page", end},
	} {
		t.Rows = append(t.Rows, []string{phase.what, seconds(phase.until.Sub(at))})
		at = phase.until
	}
	var paused time.Duration
	for _, c := range p.made {
		paused += c.paused
	}
	t.Rows = append(t.Rows, []string{"all of it", seconds(end.Sub(begin))},
		[]string{"processor time of the command with Pulumi, program and plugin, without the lab", seconds(processor)},
		[]string{fmt.Sprintf("%d resources, as if one were made after the other", len(p.made)), seconds(p.creating)},
		[]string{"of that, pauses of the provider's waiters", seconds(paused)},
		[]string{"inputs checked, one after the other", seconds(p.checked)})
	return t
}

// critical shows the path, with what each resource waited for before it and what its waiters paused.
func (p *profile) critical(title string) table {
	t := table{Title: title, Columns: []string{"resource", "from", "took", "of that, pauses"}}
	for _, c := range p.path() {
		t.Rows = append(t.Rows, []string{c.name(), seconds(c.begin.Sub(p.begin)), seconds(c.end.Sub(c.begin)), seconds(c.paused)})
	}
	return t
}

// costliest are the types of resources that took the longest in all.
func (p *profile) costliest() table {
	type sum struct {
		kind         string
		n            int
		took, paused time.Duration
	}
	sums := map[string]*sum{}
	for _, c := range p.made {
		s := sums[c.kind()]
		if s == nil {
			s = &sum{kind: c.kind()}
			sums[c.kind()] = s
		}
		s.n, s.took, s.paused = s.n+1, s.took+c.end.Sub(c.begin), s.paused+c.paused
	}
	var order []*sum
	for _, s := range sums {
		order = append(order, s)
	}
	slices.SortFunc(order, func(a, b *sum) int { return cmp.Or(cmp.Compare(b.took, a.took), cmp.Compare(a.kind, b.kind)) })
	t := table{Title: "The costliest types of resources", Columns: []string{"type", "resources", "took in all", "of that, pauses"}}
	for _, s := range order[:min(8, len(order))] {
		t.Rows = append(t.Rows, []string{s.kind, fmt.Sprint(s.n), seconds(s.took), seconds(s.paused)})
	}
	return t
}

// kind is the resource's own type, without those of the components that it is in.
func (c *creation) kind() string {
	parts := strings.Split(c.urn, "::")
	return parts[2][strings.LastIndex(parts[2], "$")+1:]
}

func (c *creation) name() string { return c.kind() + " " + c.urn[strings.LastIndex(c.urn, "::")+2:] }
