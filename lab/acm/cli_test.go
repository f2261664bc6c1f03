package acm_test

import (
	"os"
	"path/filepath"
	"testing"

	"storefront/lab/wire/wiretest"
)

// TestCommandLine: AWS's command line, with the files that people have.
func TestCommandLine(t *testing.T) {
	h := start(t)
	run := func(arguments ...string) map[string]any {
		t.Helper()
		return wiretest.CommandLineJSON(t, h.server.URL, append([]string{"acm"}, arguments...)...)
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
