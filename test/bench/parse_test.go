//go:build linux

package main

import (
	"maps"
	"runtime"
	"strings"
	"testing"
)

func TestUnchanged(t *testing.T) {
	for out, want := range map[string]bool{
		"Resources:\n    98 unchanged\n\nDuration: 3s\n":               true,
		"Resources:\n    98 unchanged\n":                               true,
		"Resources:\n    + 98 created\n\nDuration: 3s\n":               false,
		"Resources:\n    ~ 1 updated\n    97 unchanged\n\n":            false,
		"Resources:\n    97 unchanged\n    ~ 1 to update\n":            false,
		"shop: http://127.0.0.1:1\n":                                   false,
		"stack: lab\nResources:\n    98 unchanged\n\nshop: http://x\n": true,
	} {
		if got := unchanged(out); got != want {
			t.Errorf("unchanged(%q) = %t", out, got)
		}
	}
}

func TestPlanned(t *testing.T) {
	for out, want := range map[string]int{"Resources:\n    + 512 to create\n": 512, "Resources:\n    512 unchanged\n": 0, "": 0} {
		if got := planned(out); got != want {
			t.Errorf("planned(%q) = %d, want %d", out, got, want)
		}
	}
}

func TestExports(t *testing.T) {
	got := exports("export AWS_REGION=us-east-1\nexport AWS_ENDPOINT_URL=http://127.0.0.1:4566/?a=b\n")
	want := map[string]string{"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566/?a=b"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCPUModel(t *testing.T) {
	if got := cpuModel("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n\nprocessor\t: 1\nmodel name\t: Some CPU @ 2 GHz\n"); got != "Some CPU @ 2 GHz" {
		t.Errorf("got %q", got)
	}
	if got := cpuModel("processor\t: 0\nBogoMIPS\t: 50\n"); got != runtime.GOARCH {
		t.Errorf("without a name: got %q", got)
	}
}

const goTest = `goos: linux
BenchmarkBesideNginx-2   	       1	36147863398 ns/op	     30000 balancer-req/s	       90.50 balancer-p50-µs	      200 balancer-p99-µs	     20000 nginx-default-req/s	      120 nginx-default-p50-µs	      300 nginx-default-p99-µs	     50000 nginx-keepalive-req/s	       70 nginx-keepalive-p50-µs	       90 nginx-keepalive-p99-µs	    100000 upstream-alone-req/s	       30 upstream-alone-p50-µs	       50 upstream-alone-p99-µs	         1.500 of-nginx-default	         0.6000 of-nginx-keepalive
--- BENCH: BenchmarkBesideNginx-2
    bench_test.go:51: balancer            30000 req/s
PASS
`

func TestBalancerFigures(t *testing.T) {
	figures, err := balancerFigures(metrics(goTest))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"30000 requests/s; p50 90 µs (+60), p99 200 µs (+150)", "20000 requests/s; p50 120 µs (+90), p99 300 µs (+250)",
		"50000 requests/s; p50 70 µs (+40), p99 90 µs (+40)", "1.50", "0.60",
	}
	for i, f := range figures {
		if f.Measured != want[i] || f.Target != "" && !f.Met {
			t.Errorf("%s: got %q (met: %t), want %q", f.What, f.Measured, f.Met, want[i])
		}
	}
	slow, err := balancerFigures(metrics(strings.Replace(goTest, "0.6000 of", "0.4999 of", 1)))
	if err != nil || slow[4].Met || !slow[3].Met {
		t.Errorf("under half of nginx: got %+v, %v", slow[3:], err)
	}
	if _, err := balancerFigures(metrics(strings.Replace(goTest, "upstream-alone-p99-µs", "x", 1))); err == nil || !strings.Contains(err.Error(), "upstream-alone-p99-µs") {
		t.Errorf("a metric that is not there: got %v", err)
	}
}
