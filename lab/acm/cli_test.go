package acm_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"storefront/lab/wire/wiretest"
)

// TestCommandLine: AWS's command line, with the files that people have.
func TestCommandLine(t *testing.T) {
	program, err := exec.LookPath("/usr/bin/aws")
	if err != nil {
		t.Skip("AWS's command line is not installed")
	}
	h := start(t)
	run := func(arguments ...string) (out map[string]any) {
		t.Helper()
		c := exec.CommandContext(t.Context(), program, append([]string{"--endpoint-url", h.server.URL, "--output", "json", "acm"}, arguments...)...)
		c.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+wiretest.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+wiretest.SecretKey, "AWS_REGION="+wiretest.Region, "AWS_CONFIG_FILE=/dev/null",
			"AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER=")
		text, err := c.CombinedOutput()
		if err == nil && len(text) > 0 {
			err = json.Unmarshal(text, &out)
		}
		if err != nil {
			t.Fatalf("%v: %v\n%s", arguments, err, text)
		}
		return out
	}
	body, private, _ := issuer{}.issue(t, rsa2048(), nil, "shop.example.com")
	write := func(name string, data []byte) string {
		file := filepath.Join(h.dir, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return "fileb://" + file
	}
	arn := run("import-certificate", "--certificate", write("cert.pem", body), "--private-key", write("key.pem", private))["CertificateArn"].(string)
	list, _ := run("list-certificates", "--certificate-statuses", "ISSUED")["CertificateSummaryList"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["CertificateArn"] != arn {
		t.Errorf("listed %v", list)
	}
	if got := run("get-certificate", "--certificate-arn", arn)["Certificate"]; got != string(body) {
		t.Errorf("got %v", got)
	}
	run("delete-certificate", "--certificate-arn", arn)
}
