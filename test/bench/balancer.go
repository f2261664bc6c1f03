//go:build linux

package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

const keepAliveFigure = "load balancer's share of nginx's throughput, keep-alive upstream"

// leastShare is how much of nginx's throughput the load balancer has to reach.
const leastShare = 0.5

// balancer runs the load balancer's benchmark beside nginx.
func (b *bench) balancer(ctx context.Context) error {
	var missing []string
	for _, program := range []string{"nginx", "wrk"} {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, program)
		}
	}
	if len(missing) > 0 {
		packages := strings.Join(missing, " ")
		note := fmt.Sprintf("the load balancer beside nginx, since %s is not installed: `apt-get install --no-install-recommends %s`", strings.Join(missing, " and "), packages)
		b.run.Missing = append(b.run.Missing, note)
		b.say("left out: %s", note)
		return nil
	}
	out, _, err := b.timed(ctx, b.root, nil, "go", "test", "-run", "^$", "-bench", "BesideNginx", "-benchtime", "1x", "-count", "1", "./lab/balancer")
	if err != nil {
		return err
	}
	figures, err := balancerFigures(metrics(out))
	b.run.Figures = append(b.run.Figures, figures...)
	return err
}

var benchmarkLine = regexp.MustCompile(`(?m)^Benchmark\S+\s+\d+\s+(.*)$`)

// metrics reads what the benchmarks in an output of `go test` reported, by unit.
func metrics(out string) map[string]float64 {
	all := map[string]float64{}
	for _, line := range benchmarkLine.FindAllStringSubmatch(out, -1) {
		fields := strings.Fields(line[1])
		for i := 0; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				all[fields[i+1]] = value
			}
		}
	}
	return all
}

// balancerFigures are those of the balancer and of nginx, each way that nginx can be set up. In brackets is what a latency has more than the
// upstream's alone.
func balancerFigures(m map[string]float64) ([]figure, error) {
	const upstream = "upstream-alone"
	wanted := []string{"of-nginx-default", "of-nginx-keepalive"}
	for _, name := range []string{"balancer", "nginx-default", "nginx-keepalive", upstream} {
		wanted = append(wanted, name+"-req/s", name+"-p50-µs", name+"-p99-µs")
	}
	for _, unit := range wanted {
		if m[unit] <= 0 {
			return nil, fmt.Errorf("the load balancer's benchmark does not report %s", unit)
		}
	}
	contender := func(what, name string) figure {
		return figure{What: what, Measured: fmt.Sprintf("%.0f requests/s; p50 %.0f µs (%+.0f), p99 %.0f µs (%+.0f)", m[name+"-req/s"],
			m[name+"-p50-µs"], m[name+"-p50-µs"]-m[upstream+"-p50-µs"], m[name+"-p99-µs"], m[name+"-p99-µs"]-m[upstream+"-p99-µs"])}
	}
	share := func(what, name string) figure {
		s := m["of-"+name]
		return figure{What: what, Measured: fmt.Sprintf("%.2f", s), Target: fmt.Sprintf("≥ %.2f", leastShare), Met: s >= leastShare}
	}
	return []figure{
		contender("load balancer", "balancer"),
		contender("nginx, its default upstream", "nginx-default"),
		contender("nginx, keep-alive upstream", "nginx-keepalive"),
		share("load balancer's share of nginx's throughput, default upstream", "nginx-default"),
		share(keepAliveFigure, "nginx-keepalive"),
	}, nil
}
