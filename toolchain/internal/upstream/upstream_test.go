package upstream

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func put(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, root, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// provider is a module of the provider's shape: all wanted services, one that they need, one that nobody needs.
func provider(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"website/page.md":                      "x",
		"internal/service/needed/a.go":         "package needed\n",
		"internal/service/unwanted/a.go":       "package unwanted\n",
		"internal/service/ec2/b.go":            "package ec2\n\nimport _ \"x/internal/service/needed\"\n\nvar _ = c.EC2Client(ctx)\n",
		"internal/service/ec2/b_test.go":       "package ec2\n\nimport _ \"x/internal/service/unwanted\"\n",
		"internal/service/ec2/testdata/c.json": "{}",
		clientList: "package conns\n\nimport (\n\t\"context\"\n\n\t\"sdk/ec2\"\n\tgone_sdk \"sdk/gone\"\n)\n\n" +
			"func (c *AWSClient) EC2Client(ctx context.Context) *ec2.Client {\n\treturn nil\n}\n\n" +
			"func (c *AWSClient) GoneClient(ctx context.Context) *gone_sdk.Client {\n\treturn nil\n}\n",
	}
	list := "package provider\n\nimport (\n\t\"x/internal/service/unwanted\"\n"
	entries := "\t\tunwanted.ServicePackage(ctx),\n"
	for _, name := range Services() {
		files["internal/service/"+name+"/a.go"] = "package " + name + "\n"
		list += "\t\"x/internal/service/" + name + "\"\n"
		entries += "\t\t" + name + ".ServicePackage(ctx),\n"
	}
	files[serviceList] = list + ")\n\nvar _ = []any{\n" + entries + "}\n"
	put(t, root, files)
	return root
}

func TestTrim(t *testing.T) {
	from, to := provider(t), t.TempDir()
	if err := trim(from, to); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"internal/service/ec2/b.go":            true,
		"internal/service/needed/a.go":         true,
		"internal/service/unwanted/a.go":       false,
		"internal/service/ec2/b_test.go":       false,
		"internal/service/ec2/testdata/c.json": false,
		"website/page.md":                      false,
	} {
		if _, err := os.Stat(filepath.Join(to, name)); (err == nil) != want {
			t.Errorf("%s is there: %t, want %t", name, err == nil, want)
		}
	}
	if text := read(t, to, serviceList); strings.Contains(text, "unwanted") || !strings.Contains(text, "\t\tec2.ServicePackage(ctx),") {
		t.Errorf("service list:\n%s", text)
	}
	clients := read(t, to, clientList)
	for text, want := range map[string]bool{"EC2Client": true, `"sdk/ec2"`: true, "GoneClient": false, "sdk/gone": false} {
		if strings.Contains(clients, text) != want {
			t.Errorf("%s is there: %t in\n%s", text, !want, clients)
		}
	}
}

func TestTrimNoticesChanges(t *testing.T) {
	from := provider(t)
	put(t, from, map[string]string{serviceList: "package provider\n"})
	if err := trim(from, t.TempDir()); err == nil || !strings.Contains(err.Error(), "upstream has changed") {
		t.Errorf("error is %v", err)
	}
}

const waiter = "package retry\n\nfunc f() {\n\tnotfoundTick := 0\n\tselect {\n\tcase <-time.After(conf.Delay):\n\t}\n\tselect {\n\tcase <-time.After(wait):\n\t}\n}\n"

func TestScaleWaits(t *testing.T) {
	sdk, provider := t.TempDir(), t.TempDir()
	put(t, sdk, map[string]string{"helper/retry/state.go": waiter})
	put(t, provider, map[string]string{
		"internal/service/s3/only.go": "package s3\n\nimport (\n\t\"time\"\n)\n\nfunc f() { time.Sleep(pause) }\n",
		"internal/service/s3/more.go": "package s3\n\nimport (\n\t\"time\"\n)\n\nfunc g() { time.Sleep(5 * time.Second) }\n",
	})
	if err := scaleWaits(sdk, provider); err != nil {
		t.Fatal(err)
	}
	if text := read(t, sdk, "helper/retry/state.go"); strings.Count(text, "time.After(waiting.pause(") != 2 || !strings.Contains(text, "defer waiting.end()\n\tnotfoundTick") {
		t.Errorf("waiter:\n%s", text)
	}
	for name, wantsTime := range map[string]bool{"only": false, "more": true} {
		text := read(t, provider, "internal/service/s3/"+name+".go")
		if strings.Contains(text, "time.Sleep") || strings.Contains(text, "\t\"time\"\n") != wantsTime {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

func TestScaleWaitsNoticesChanges(t *testing.T) {
	sdk, provider := t.TempDir(), t.TempDir()
	put(t, sdk, map[string]string{"helper/retry/state.go": waiter + waiter})
	put(t, provider, map[string]string{"internal/service/s3/a.go": "package s3\n"})
	if err := scaleWaits(sdk, provider); err == nil || !strings.Contains(err.Error(), "upstream has changed") {
		t.Errorf("two waiters: %v", err)
	}
	put(t, sdk, map[string]string{"helper/retry/state.go": waiter})
	if err := scaleWaits(sdk, provider); err == nil || !strings.Contains(err.Error(), "upstream has changed") {
		t.Errorf("no sleep: %v", err)
	}
}

func TestLimitNesting(t *testing.T) {
	const file = "internal/service/wafv2/consts.go"
	const consts = "const (\n\truleGroupRootStatementSchemaLevel = 3\n\twebACLRootStatementSchemaLevel    = 3\n)\n"
	provider := t.TempDir()
	put(t, provider, map[string]string{file: consts})
	if err := limitNesting(provider); err != nil {
		t.Fatal(err)
	}
	if got, want := read(t, provider, file), strings.ReplaceAll(consts, "3", "2"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err := limitNesting(provider); err == nil || !strings.Contains(err.Error(), "upstream has changed") {
		t.Errorf("other levels: %v", err)
	}
}
