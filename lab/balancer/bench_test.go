package balancer_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"storefront/lab/balancer"
)

// BenchmarkBesideNginx drives the balancer and Debian's nginx with wrk in front of the same upstream (another nginx), in turns and in the same
// run, with nginx's default upstream settings (a connection per request) and with upstream keep-alive. It reports requests per second over 32
// connections, and the latency of one request at a time over one, so that it is the proxy's own and not that of waiting for a core.
//
//	go test -run '^$' -bench BesideNginx -benchtime 1x ./lab/balancer
//
// `make bench` reads the metrics.
func BenchmarkBesideNginx(b *testing.B) {
	for _, program := range []string{"nginx", "wrk"} {
		if _, err := exec.LookPath(program); err != nil {
			b.Skip(program + " is not installed")
		}
	}
	ports := freePorts(b, 3)
	upstream, plain, keepalive := ports[0], ports[1], ports[2]
	nginx(b, fmt.Sprintf(nginxServers, upstream, upstream, plain, upstream, upstream, keepalive))
	g := group(target("127.0.0.1:" + strconv.Itoa(upstream)))
	g.HealthCheck.Path, g.HealthCheck.Interval = "/", time.Minute
	_, url := start(b, config(g), balancer.Options{})
	contenders := []struct{ name, url string }{
		{"balancer", url + "/"},
		{"nginx-default", fmt.Sprintf("http://127.0.0.1:%d/", plain)},
		{"nginx-keepalive", fmt.Sprintf("http://127.0.0.1:%d/", keepalive)},
		{"upstream-alone", fmt.Sprintf("http://127.0.0.1:%d/", upstream)},
	}
	best, shares := map[string]measured{}, map[string][]float64{}
	for range 3 * b.N {
		var own float64 // the balancer's rate of this round
		for _, c := range contenders {
			m := wrk(b, c.url, 32, 3*time.Second)
			alone := wrk(b, c.url, 1, time.Second)
			m.p50, m.p99 = alone.p50, alone.p99
			if c.name == "balancer" {
				own = m.rate
			}
			shares[c.name] = append(shares[c.name], own/m.rate)
			if before, ok := best[c.name]; ok {
				m = measured{rate: max(m.rate, before.rate), p50: min(m.p50, before.p50), p99: min(m.p99, before.p99)}
			}
			best[c.name] = m
		}
	}
	for _, c := range contenders {
		m := best[c.name]
		b.Logf("%-16s %8.0f req/s  p50 %4.0f µs  p99 %4.0f µs", c.name, m.rate, m.p50, m.p99)
		b.ReportMetric(m.rate, c.name+"-req/s")
		b.ReportMetric(m.p50, c.name+"-p50-µs")
		b.ReportMetric(m.p99, c.name+"-p99-µs")
	}
	for _, name := range []string{"nginx-default", "nginx-keepalive"} { // the median of the rounds, so that one disturbed turn does not decide
		slices.Sort(shares[name])
		b.ReportMetric(shares[name][len(shares[name])/2], "of-"+name)
	}
}

const nginxServers = `
server { listen 127.0.0.1:%d; location / { return 200 "0123456789012345678901234567890123456789012345678901234567890123\n"; } }
upstream default_%d { server 127.0.0.1:%[1]d; }
server { listen 127.0.0.1:%[3]d; location / { proxy_pass http://default_%[1]d; } }
upstream keep_%[4]d { server 127.0.0.1:%[1]d; keepalive 64; }
server { listen 127.0.0.1:%[6]d; location / { proxy_pass http://keep_%[1]d; proxy_http_version 1.1; proxy_set_header Connection ""; } }
`

// nginx runs nginx with Debian's main settings in a directory of its own.
func nginx(b *testing.B, servers string) {
	b.Helper()
	dir := b.TempDir()
	settings := fmt.Sprintf(`worker_processes auto; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 768; }
http { sendfile on; tcp_nopush on; types_hash_max_size 2048; default_type text/plain; access_log off; keepalive_requests 1000000;
client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
%[2]s }`, dir, servers)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		b.Fatal(err)
	}
	server := exec.CommandContext(b.Context(), "nginx", "-p", dir, "-c", file, "-e", filepath.Join(dir, "error.log"), "-g", "daemon off;")
	server.Stderr = os.Stderr
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) }
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
	})
	eventually(b, "nginx runs", func() bool { _, err := os.Stat(filepath.Join(dir, "pid")); return err == nil })
}

// measured is requests per second, and latencies in microseconds.
type measured struct{ rate, p50, p99 float64 }

var wrkOutput = regexp.MustCompile(`(?s)50%\s+([\d.]+)(us|ms|s).*99%\s+([\d.]+)(us|ms|s).*Requests/sec:\s+([\d.]+)`)

func wrk(b *testing.B, url string, connections int, d time.Duration) measured {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), "wrk", "-t1", fmt.Sprintf("-c%d", connections), "-d"+d.String(), "--latency", url).CombinedOutput()
	if err != nil {
		b.Fatalf("wrk: %v\n%s", err, out)
	}
	m := wrkOutput.FindStringSubmatch(string(out))
	if m == nil {
		b.Fatalf("wrk printed no result:\n%s", out)
	}
	if regexp.MustCompile(`Non-2xx|Socket errors`).Match(out) {
		b.Fatalf("requests failed:\n%s", out)
	}
	rate, _ := strconv.ParseFloat(m[5], 64)
	return measured{rate: rate, p50: microseconds(b, m[1]+m[2]), p99: microseconds(b, m[3]+m[4])}
}

func microseconds(b *testing.B, s string) float64 {
	b.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		b.Fatal(err)
	}
	return d.Seconds() * 1e6
}
