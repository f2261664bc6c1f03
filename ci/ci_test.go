package ci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"storefront/internal/drift"
	"storefront/internal/golden"
	"storefront/internal/plan"
)

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const (
	preview = "../internal/plan/testdata/preview.json"
	cost    = "**Cost: 275.65 a month, 12.30 more**\n\n| block | dollars a month |\n|---|---:|\n| network | 36.67 |\n"
	checks  = `[{"row":1,"block":"ALB","meaning":"HTTPS","outcome":"failed","problems":[{"resource":"storefront-dev-http","detail":"serves HTTP: set ` + "```" + `storefront:certificateArn"}]},
		{"row":2,"block":"ALB","meaning":"TLS 1.2","outcome":"excepted","problems":[{"resource":"x","detail":"y"}]},{"row":3,"block":"VPC","meaning":"flow logs","outcome":"met"}]`
)

// programs makes a directory of programs that answer what a test wants.
func programs(t *testing.T, scripts map[string]string) *Job {
	t.Helper()
	bin := t.TempDir()
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return &Job{Bin: bin, Stack: "dev", Profile: "dev", Note: "Commit 1234567.", Out: filepath.Join(t.TempDir(), "report"), Log: io.Discard}
}

// answers is a stack that has a preview and a state, a cost and a scoreboard with a row that failed.
func answers(t *testing.T) map[string]string {
	t.Helper()
	file, err := filepath.Abs(preview)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"stack": `case "$3" in
preview) [ "$4" = -save ] && cp ` + file + ` "$5" ;;
export) echo '{"deployment":{}}' ;;
*) exit 2 ;;
esac`,
		"cost":  `[ "$1 $2 $3 $5" = "-profile dev -base -markdown" ] && [ -s "$4" ] && [ -s "$6" ] || exit 2; cat <<'EOF'` + "\n" + cost + "EOF\nexit 1\n",
		"check": `[ "$*" = "-profile dev -json" ] || exit 2; cat <<'EOF'` + "\n" + checks + "\nEOF\nexit 1\n",
	}
}

func TestPreview(t *testing.T) {
	j := programs(t, answers(t))
	p, err := j.Preview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !p.Failed() {
		t.Error("a failed row does not fail the preview")
	}
	golden.Compare(t, "testdata/preview.md", read(t, filepath.Join(j.Out, "report.md")))
	if got := read(t, filepath.Join(j.Out, "cost.md")); got != cost {
		t.Errorf("cost.md: %s", got)
	}
	var checked []Check
	if err := json.Unmarshal([]byte(read(t, filepath.Join(j.Out, "checks.json"))), &checked); err != nil || len(checked) != 3 {
		t.Errorf("checks.json: %v, %v", checked, err)
	}
	var kept plan.Plan
	if err := json.Unmarshal([]byte(read(t, filepath.Join(j.Out, "preview.json"))), &kept); err != nil || len(kept.Changes) != len(p.Plan.Changes) {
		t.Errorf("preview.json: %d changes, %v", len(kept.Changes), err)
	}
}

func TestPreviewOfTheLab(t *testing.T) {
	scripts := answers(t)
	scripts["cost"], scripts["check"] = "echo no price table >&2\nexit 2\n", "exit 9"
	j := programs(t, scripts)
	j.Profile = "lab"
	p, err := j.Preview(t.Context())
	if err != nil || p.Failed() {
		t.Fatalf("failed: %v, %v", p, err)
	}
	report := read(t, filepath.Join(j.Out, "report.md"))
	for _, want := range []string{"No estimate: no price table", "Nothing was checked: the scoreboard is about dev and prod."} {
		if !strings.Contains(report, want) {
			t.Errorf("the report does not say %q:\n%s", want, report)
		}
	}
}

func TestPreviewFails(t *testing.T) {
	scripts := answers(t)
	scripts["stack"] = "echo 'stack: the preview failed: ```cannot delete it: protected' >&2\nexit 1\n"
	j := programs(t, scripts)
	p, err := j.Preview(t.Context())
	if err != nil || !p.Failed() {
		t.Fatalf("failed: %v, %v", p, err)
	}
	golden.Compare(t, "testdata/failed.md", read(t, filepath.Join(j.Out, "report.md")))

	scripts["check"] = "echo an exception excuses nothing >&2\nexit 2\n"
	if p, err := programs(t, scripts).Preview(t.Context()); err == nil || !strings.Contains(err.Error(), "excuses nothing") {
		t.Errorf("a scoreboard without a result: %v, %v", p, err)
	}
	delete(scripts, "stack")
	if p, err := programs(t, scripts).Preview(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no program: %v, %v", p, err)
	}
}

// A comment of GitHub has room for 65,536 characters, whatever a stack has.
func TestReportFits(t *testing.T) {
	p := &Preview{Stack: "dev", Plan: &plan.Plan{}}
	for i := range 500 {
		value := fmt.Sprint(i, strings.Repeat("a", 200))
		p.Plan.Changes = append(p.Plan.Changes, plan.Change{Type: "aws:sqs/queue:Queue", Name: value, Kind: plan.Update, Properties: []plan.Property{{Path: "name", Old: value, New: value + "b"}}})
	}
	var out bytes.Buffer
	if err := p.WriteMarkdown(&out); err != nil {
		t.Fatal(err)
	}
	if out.Len() > room || !strings.Contains(out.String(), "more lines") || !strings.Contains(out.String(), "### Checks") {
		t.Errorf("%d bytes; want at most %d, with all parts", out.Len(), room)
	}
}

// An issue has as much room as a comment, and as many resources may have drifted as there are.
func TestDriftFits(t *testing.T) {
	found := drift.Report{Looked: 600}
	for i := range 600 {
		value := fmt.Sprint(i, strings.Repeat("a", 120))
		found.Drifted = append(found.Drifted, plan.Change{Type: "aws:sqs/queue:Queue", Name: value, Kind: plan.Update, Properties: []plan.Property{{Path: "name", Old: value, New: value + "b"}}})
		found.Known = append(found.Known, drift.Match{URN: value, Property: plan.Property{Path: "tags.awsApplication"}, Reason: value})
	}
	file := filepath.Join(t.TempDir(), "answer")
	b, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	j := programs(t, map[string]string{"stack": "cat " + file + "\nexit 1\n"})
	if _, err := j.Drift(t.Context()); err != nil {
		t.Fatal(err)
	}
	report := read(t, filepath.Join(j.Out, "report.md"))
	if len(report) > room || strings.Count(report, "more lines") != 2 || !strings.Contains(report, "600 of 600 resources drifted") || !strings.HasSuffix(report, "Commit 1234567.\n") {
		t.Errorf("%d bytes; want at most %d, with all parts", len(report), room)
	}
}

// A run that ends without a result leaves none of an earlier one, which the next step would post.
func TestNothingStale(t *testing.T) {
	j := programs(t, map[string]string{"stack": "echo no credentials >&2; exit 2"})
	if err := os.MkdirAll(j.Out, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"report.md", "drift.json", "preview.json"} {
		if err := os.WriteFile(filepath.Join(j.Out, name), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := j.Drift(t.Context()); err == nil {
		t.Fatalf("got %v", r)
	}
	if left, err := os.ReadDir(j.Out); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestDrift(t *testing.T) {
	report := read(t, "../internal/drift/testdata/report.json")
	file := filepath.Join(t.TempDir(), "answer")
	if err := os.WriteFile(file, []byte(report), 0o600); err != nil {
		t.Fatal(err)
	}
	j := programs(t, map[string]string{"stack": `[ "$*" = "-stack dev -json drift" ] && cat ` + file + "\nexit 1\n"})
	r, err := j.Drift(t.Context())
	if err != nil || len(r.Drifted) != 2 {
		t.Fatalf("got %v, %v", r, err)
	}
	golden.Compare(t, "testdata/drift.md", read(t, filepath.Join(j.Out, "report.md")))
	if again, err := drift.Read([]byte(read(t, filepath.Join(j.Out, "drift.json")))); err != nil || len(again.Drifted) != 2 {
		t.Errorf("drift.json: %v, %v", again, err)
	}
	for name, script := range map[string]string{"a check that failed": "echo no credentials >&2; exit 2", "no report": "echo nothing"} {
		if r, err := programs(t, map[string]string{"stack": script}).Drift(t.Context()); err == nil {
			t.Errorf("%s: got %v", name, r)
		}
	}
}
