package wiretest

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// DebianCLI is the AWS CLI that Debian 12 has, 2.9: it speaks the query protocol where newer ones speak JSON.
const DebianCLI = "/usr/bin/aws"

// CommandLine runs an AWS CLI ("aws", or DebianCLI) against the server at a URL, with the test key and nobody's configuration, and returns what it prints. Where it is not
// installed, the test is skipped.
func CommandLine(t testing.TB, program, url string, arguments ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("the AWS CLI is not installed: %v", err)
	}
	c := exec.CommandContext(t.Context(), path, append([]string{"--endpoint-url", url}, arguments...)...)
	// Some commands make clients besides their own: those find the server in the environment.
	c.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+url, "AWS_ACCESS_KEY_ID="+AccessKeyID, "AWS_SECRET_ACCESS_KEY="+SecretKey, "AWS_REGION="+Region, "AWS_DEFAULT_REGION="+Region,
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER=")
	out, err := c.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// CommandLineJSON returns what Debian's AWS CLI prints as JSON, nil when it prints nothing. The test ends when the command fails.
func CommandLineJSON(t testing.TB, url string, arguments ...string) (out map[string]any) {
	t.Helper()
	text, err := CommandLine(t, DebianCLI, url, append(arguments, "--output", "json")...)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &out)
	}
	if err != nil {
		t.Fatalf("%v: %v\n%s", arguments, err, text)
	}
	return out
}
