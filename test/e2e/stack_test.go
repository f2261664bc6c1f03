package e2e

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"storefront/stacks/storefront/outputs"
)

// deployment is a stack on a site, driven by the Automation API.
type deployment struct {
	*site
	name   string
	stack  auto.Stack
	config string // the stack's settings, with the site's endpoint
	out    outputs.Outputs
	url    string
	aws    aws.Config

	certificate *string           // ARN of the one that the shop has, if any
	trusted     *x509.CertPool    // by those who ask the shop
	transport   http.RoundTripper // of those who do; nil is the default
	leftovers   map[string]int    // what a test made outside the stack, by kind
}

// newDeployment starts the site's lab and makes the empty stack "lab".
func newDeployment(t *testing.T, s *site) *deployment { return newStack(t, s, "lab") }

// newStack is newDeployment for a stack that has settings of its name among the committed ones.
func newStack(t *testing.T, s *site, name string) *deployment {
	t.Helper()
	s.mustRun(t, "lab", "up")
	d := &deployment{site: s, name: name}
	env := d.environment(t)
	d.aws = aws.Config{Region: env["AWS_REGION"], BaseEndpoint: new(env["AWS_ENDPOINT_URL"]),
		Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], "")}
	d.config = d.settings(t, env["AWS_ENDPOINT_URL"])
	pulumi, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: s.root})
	if err != nil {
		t.Fatalf("bin/pulumi: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(s.dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.stack, err = auto.UpsertStackLocalSource(t.Context(), name, s.root, auto.Pulumi(pulumi), auto.EnvVars(env))
	if err != nil {
		t.Fatalf("making the stack: %v", err)
	}
	return d
}

// environment is what Pulumi needs to know, as `stack` tells it: the site's backend, and the lab's credentials without its endpoint, which is a setting of the stack.
func (d *deployment) environment(t *testing.T) map[string]string {
	t.Helper()
	temporary := filepath.Join(d.dir, "tmp") // Pulumi leaves the assets that it has read there
	if err := os.MkdirAll(temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"STOREFRONT_WAIT_SCALE": "0.01", "PULUMI_PARALLEL": "32", "TMPDIR": temporary, "PATH": filepath.Join(d.root, "bin") + ":" + os.Getenv("PATH")}
	for _, kv := range d.env() {
		if key, value, _ := strings.Cut(kv, "="); strings.HasPrefix(key, "PULUMI_") {
			env[key] = value
		}
	}
	for _, line := range strings.Split(d.mustRun(t, "lab", "env"), "\n") {
		if key, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "="); ok {
			env[key] = value
		}
	}
	return env
}

// settings are the committed ones of the stack, with the site's endpoint and no other change.
func (d *deployment) settings(t *testing.T, endpoint string) string {
	t.Helper()
	name := "Pulumi." + d.name + ".yaml"
	b, err := os.ReadFile(filepath.Join(d.root, "stacks", "storefront", name))
	if err != nil {
		t.Fatal(err)
	}
	if committed := []byte("http://127.0.0.1:4566"); bytes.Contains(b, committed) {
		b = bytes.Replace(b, committed, []byte(endpoint), 1)
	} else {
		b = append(b, "  storefront:endpoint: "+endpoint+"\n"...)
	}
	file := filepath.Join(d.dir, name)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// set adds a setting to those of the stack.
func (d *deployment) set(t *testing.T, key, value string) {
	t.Helper()
	b, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.Replace(b, []byte("config:\n"), []byte("config:\n  storefront:"+key+": "+value+"\n"), 1)
	if err := os.WriteFile(d.config, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// readOutputs takes over the outputs of the deployed stack.
func (d *deployment) readOutputs(t *testing.T) {
	t.Helper()
	all, err := d.stack.Outputs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	plain := map[string]any{}
	for name, o := range all {
		plain[name] = o.Value
	}
	b, err := json.Marshal(plain)
	if err != nil {
		t.Fatal(err)
	}
	if d.out, err = outputs.Decode(b); err != nil {
		t.Fatal(err)
	}
	d.url = strings.TrimSpace(d.mustRun(t, "lab", "url", d.out.LoadBalancerDNSName))
}

// exec runs a shell command inside an instance. What it is told on standard input appears in no process list.
func (d *deployment) exec(ctx context.Context, instance, stdin, command string) (out string, status int, err error) {
	return d.run(ctx, stdin, "lab", "exec", instance, "--", "/bin/bash", "-c", command)
}

// status is `lab status`.
func (d *deployment) status(t *testing.T) labStatus {
	t.Helper()
	var s labStatus
	if err := json.Unmarshal([]byte(d.mustRun(t, "lab", "status", "--json")), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

type labStatus struct {
	PID         int            `json:"pid"`
	MemoryBytes int64          `json:"memory_bytes"`
	Resources   map[string]int `json:"resources"`
	Instances   []struct {
		ID    string `json:"id"`
		State string `json:"state"`
	} `json:"instances"`
	Databases []struct {
		ID   string `json:"id"`
		Role string `json:"role"`
	} `json:"databases"`
	LoadBalancers []struct {
		URLs []string `json:"urls"`
	} `json:"load_balancers"`
	Unsupported []struct {
		Service   string `json:"service"`
		Operation string `json:"operation"`
	} `json:"unsupported"`
}
