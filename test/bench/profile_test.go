//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const urnOf = "urn:pulumi:lab::p::c:C$aws:x/%s:T::%s"

// traced writes the trace of a deployment: a took 2 s with 1 s of pauses, b needs it and took 1 s, c took 2.5 s on its own, all of it pauses.
func traced(t *testing.T) (file, export string) {
	t.Helper()
	var lines []string
	n := 0
	span := func(parent, name string, begin, end float64, tags string) string {
		n++
		lines = append(lines, fmt.Sprintf(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"spanId":"%d","parentSpanId":"%s","name":"%s","startTimeUnixNano":"%.0f","endTimeUnixNano":"%.0f","attributes":[%s]}]}]}]}`, n, parent, name, begin*1e9, end*1e9, tags))
		return fmt.Sprint(n)
	}
	tag := func(key, value string) string {
		return fmt.Sprintf(`{"key":"%s","value":{"stringValue":%q}}`, key, value)
	}
	span("", "pulumi", 10, 16, "")
	span("1", "pulumirpc.LanguageRuntime/Run", 10.5, 15.5, "")
	span("1", "pulumirpc.ResourceMonitor/RegisterResource", 12, 13, "")
	span("1", "pulumirpc.ResourceMonitor/RegisterResource", 11, 13, "")
	for name, at := range map[string][3]float64{"a": {11, 13, 1}, "b": {13.5, 14.5, 0}, "c": {11, 13.5, 2.5}} {
		urn := fmt.Sprintf(urnOf, name, name)
		server := span("1", "/pulumirpc.ResourceProvider/Create", at[0], at[1], tag("Msg", `{"gRPC request":"urn:\"`+urn+`\" properties"}`))
		create := span(server, "sdkv2.Create", at[0], at[1], tag("urn", urn))
		span(create, "wait", at[0], at[1], tag("made", fmt.Sprintf("%.0f", at[2]*1e9)))
	}
	file = filepath.Join(t.TempDir(), "trace")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, fmt.Sprintf(`{"deployment":{"resources":[{"urn":"`+urnOf+`","dependencies":["`+urnOf+`","urn:of:a:component"]}]}}`, "b", "b", "a", "a")
}

func TestProfile(t *testing.T) {
	file, export := traced(t)
	p, err := readProfile(file, export)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.floor(); got != 2500*time.Millisecond {
		t.Errorf("floor %s, want c's pauses", got)
	}
	got := p.phases(time.Unix(9, 0), time.Unix(17, 0), 3*time.Second).markdown() + p.critical("The critical path of it").markdown() + p.costliest().markdown()
	for _, want := range []string{
		"stack selected | 1 s |", "language host | 500 ms |", "first resource | 500 ms |", "| resources | 3.5 s |", "state written | 1.5 s |", "first page | 1 s |",
		"all of it | 8 s |", "| 3 resources, as if one were made after the other | 5.5 s |", "waiters | 3.5 s |",
		"| aws:x/a:T a | 1 s | 2 s | 1 s |\n| aws:x/b:T b | 3.5 s | 1 s | 0.00 ms |\n", "| aws:x/c:T | 1 | 2.5 s | 2.5 s |\n| aws:x/a:T | 1 | 2 s | 1 s |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

func TestProfileOfSomethingElse(t *testing.T) {
	for text, want := range map[string]string{"": "no deployment", "{}\n": "no deployment", "{\n": "the trace"} {
		file := filepath.Join(t.TempDir(), "trace")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readProfile(file, "{}"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
