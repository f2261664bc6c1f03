package drift

import (
	"errors"
	"io"
	"os"
	"testing"

	"storefront/internal/golden"
	"storefront/internal/plan"
)

// refreshed is what package plan's tests read: a refresh of the lab after somebody's changes.
func refreshed(t *testing.T) *plan.Refreshed {
	t.Helper()
	log, err := os.Open("../plan/testdata/refresh.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	r, err := plan.Refresh(log)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCompare(t *testing.T) {
	list := []Known{
		{[]string{"aws:ec2/*"}, []string{"tags.Owner"}, "an auto-tagger writes it."},
		{[]string{"*"}, []string{"visibilityTimeoutSeconds"}, "operations tune it."},
		{[]string{"aws:rds/cluster:Cluster"}, []string{"engineVersion"}, "there is no database in this stack."},
		{[]string{"aws:sqs/queue:Queue"}, []string{"noSuchProperty.*"}, "queues have lost it."},
	}
	report := Compare(refreshed(t), list)
	golden.Written(t, "testdata/report.txt", report.WriteText)
	golden.Written(t, "testdata/report.md", func(w io.Writer) error { return report.WriteMarkdown(w, 12) })
	golden.Written(t, "testdata/report.json", report.WriteJSON)
}

func TestNoDrift(t *testing.T) {
	r := refreshed(t)
	r.Unchanged, r.Changes = 6, nil
	golden.Written(t, "testdata/none.txt", Compare(r, nil).WriteText)
}

func TestCovers(t *testing.T) {
	k := Known{[]string{"aws:ec2/*", "aws:sqs/queue:Queue"}, []string{"tags.a*", "rule[*].port", "policy"}, "because"}
	for change, want := range map[[2]string]bool{
		{"aws:ec2/vpc:Vpc", "tags.app"}:                   true,
		{"aws:ec2/vpc:Vpc", "tags.Name"}:                  false,
		{"aws:ec2/vpc:Vpc", "tags"}:                       false, // all tags are more than the one
		{"aws:ec2/vpc:Vpc", "policy.Statement[0].Effect"}: true,
		{"aws:ec2/vpc:Vpc", "policyDocument"}:             false,
		{"aws:sqs/queue:Queue", "policy"}:                 true,
		{"aws:sqs/queuePolicy:QueuePolicy", "policy"}:     false,
	} {
		if got := k.covers(change[0], change[1]); got != want {
			t.Errorf("%v: %v, want %v", change, got, want)
		}
	}
}

func TestLists(t *testing.T) {
	if list, err := Committed(); err != nil || len(list) == 0 {
		t.Errorf("the committed list: %v, %v", list, err)
	}
	for name, text := range map[string]string{
		"no reason":     "- types: ['*']\n  properties: [tags.x]\n",
		"no properties": "- types: ['*']\n  reason: because\n",
		"no types":      "- properties: [x]\n  reason: because\n",
		"a bad pattern": "- types: ['[']\n  properties: [x]\n  reason: because\n",
		"another key":   "- types: ['*']\n  properties: [x]\n  reason: because\n  until: 2030\n",
		"no YAML":       "\t",
	} {
		if list, err := parse([]byte(text)); !errors.Is(err, ErrKnown) {
			t.Errorf("%s: got %v, %v", name, list, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(committed, "aws:ec2/vpc:Vpc", "tags.app")
	f.Add([]byte("- types: ['*']\n  properties: ['rule[*].port', 'a\\*']\n  reason: because\n"), "aws:sqs/queue:Queue", "rule[0].port")
	f.Fuzz(func(t *testing.T, text []byte, kind, property string) {
		list, err := parse(text)
		if err != nil && !errors.Is(err, ErrKnown) {
			t.Error(err)
		}
		for _, k := range list {
			k.covers(kind, property)
		}
	})
}
