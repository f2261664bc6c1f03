package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// project is a module with one program, and a cache of compiled programs of its own.
type project struct {
	dir, cache string
	host       *host
	out        *bytes.Buffer
}

func newProject(t *testing.T, program string) *project {
	t.Helper()
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	p := &project{dir: t.TempDir(), cache: t.TempDir(), out: &bytes.Buffer{}}
	t.Setenv("GOCACHE", strings.TrimSpace(string(goCache)))
	t.Setenv("XDG_CACHE_HOME", p.cache)
	p.write(t, "go.mod", "module project\n\ngo 1.26\n")
	p.write(t, "program/main.go", "package main\n\n"+program)
	p.host = newHost(t.Context(), "engine:1")
	p.host.stdout, p.host.stderr = p.out, io.Discard
	t.Cleanup(p.host.cancel)
	return p
}

func (p *project) write(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (p *project) info(options map[string]any) *pulumirpc.ProgramInfo {
	s, err := structpb.NewStruct(options)
	if err != nil {
		panic(err)
	}
	return &pulumirpc.ProgramInfo{
		RootDirectory: p.dir, ProgramDirectory: filepath.Join(p.dir, "program"), EntryPoint: ".", Options: s,
	}
}

func (p *project) run(t *testing.T, options map[string]any) *pulumirpc.RunResponse {
	t.Helper()
	response, err := p.host.Run(t.Context(), &pulumirpc.RunRequest{
		Info: p.info(options), Pwd: p.dir, Args: []string{"one", "two"}, Project: "shop", Stack: "lab",
		Organization: "organization", DryRun: true, Parallel: 8, MonitorAddress: "monitor:1",
		Config: map[string]string{"shop:a": `"quoted"`},
	})
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// left returns what runs have left in the cache beside the compiled program and its lock.
func (p *project) left(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(p.cache, "storefront/programs/*/run-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

const printsAll = `import ("fmt"; "os"; "sort"; "strings")

func main() {
	dir, _ := os.Getwd()
	fmt.Println(dir, os.Args[1:])
	env := os.Environ()
	sort.Strings(env)
	for _, e := range env {
		if strings.HasPrefix(e, "PULUMI_") { fmt.Println(e) }
	}
}
`

func TestRunTellsTheProgramItsStack(t *testing.T) {
	p := newProject(t, printsAll)
	if r := p.run(t, nil); r.Error != "" || r.Bail {
		t.Fatal(r)
	}
	for _, want := range []string{
		p.dir + " [one two]", "PULUMI_CONFIG={\"shop:a\":\"\\\"quoted\\\"\"}", "PULUMI_CONFIG_SECRET_KEYS=[]",
		"PULUMI_DRY_RUN=true", "PULUMI_ENGINE=engine:1", "PULUMI_MONITOR=monitor:1", "PULUMI_ORGANIZATION=organization",
		"PULUMI_PARALLEL=8", "PULUMI_PROJECT=shop", "PULUMI_ROOT_DIRECTORY=" + p.dir, "PULUMI_STACK=lab",
	} {
		if !strings.Contains(p.out.String(), want+"\n") {
			t.Errorf("no %s in\n%s", want, p.out)
		}
	}
	if left := p.left(t); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUnchangedProgramIsNotLinkedAgain(t *testing.T) {
	p := newProject(t, "func main() {}\n")
	linked := func() os.FileInfo {
		if r := p.run(t, nil); r.Error != "" {
			t.Fatal(r.Error)
		}
		found, _ := filepath.Glob(filepath.Join(p.cache, "storefront/programs/*/program"))
		if len(found) != 1 {
			t.Fatalf("compiled programs: %v", found)
		}
		stat, err := os.Stat(found[0])
		if err != nil {
			t.Fatal(err)
		}
		return stat
	}
	if first, second := linked(), linked(); !os.SameFile(first, second) {
		t.Error("linked again")
	}
}

func TestHowProgramsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		program, want string
		bail          bool
	}{
		"success":      {"func main() {}\n", "", false},
		"logged error": {"import \"os\"\n\nfunc main() { os.Exit(32) }\n", "", true},
		"failure":      {"import \"os\"\n\nfunc main() { os.Exit(3) }\n", "the program ended with exit status 3", false},
		"no compile":   {"func main() { nothing() }\n", "the program does not compile:\n./main.go:3:15: undefined: nothing", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProject(t, c.program)
			if r := p.run(t, nil); r.Error != c.want || r.Bail != c.bail {
				t.Errorf("error %q, bail %t", r.Error, r.Bail)
			}
			if p.out.Len() != 0 {
				t.Errorf("said %q too", p.out)
			}
		})
	}
}

// notifier closes ready when something is written to it.
type notifier struct{ ready chan struct{} }

func (n notifier) Write(b []byte) (int, error) {
	close(n.ready)
	return len(b), nil
}

func TestCancelEndsTheProgram(t *testing.T) {
	p := newProject(t, "import (\"fmt\"; \"time\")\n\nfunc main() { fmt.Print(1); time.Sleep(time.Hour) }\n")
	ready := make(chan struct{})
	p.host.stdout = notifier{ready}
	go func() {
		<-ready
		if _, err := p.host.Cancel(context.Background(), &emptypb.Empty{}); err != nil {
			t.Error(err)
		}
	}()
	start := time.Now()
	if r := p.run(t, nil); r.Error != "the program was cancelled" {
		t.Errorf("error is %q", r.Error)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("took %s", took)
	}
	if left := p.left(t); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOptions(t *testing.T) {
	p := newProject(t, "import \"fmt\"\n\nfunc main() { fmt.Print(\"ran\") }\n")
	if r := p.run(t, map[string]any{"buildTarget": "kept"}); r.Error != "" {
		t.Fatal(r.Error)
	}
	p.write(t, "program/main.go", "package main\n\nthis is not Go\n")
	if r := p.run(t, map[string]any{"binary": "./kept"}); r.Error != "" {
		t.Fatal(r.Error)
	}
	if p.out.String() != "ranran" {
		t.Errorf("said %q", p.out)
	}
	for _, c := range []struct {
		options map[string]any
		want    string
	}{
		{map[string]any{"binary": "./none"}, "neither in"},
		{map[string]any{"binary": true}, "must be a string"},
		{map[string]any{"binary": "a", "buildTarget": "b"}, "exclude each other"},
	} {
		if r := p.run(t, c.options); !strings.Contains(r.Error, c.want) {
			t.Errorf("%v: error is %q", c.options, r.Error)
		}
	}
}

func TestRequiredPackages(t *testing.T) {
	p := newProject(t, "import _ \"example.com/sdk/go/thing\"\n\nfunc main() {}\n")
	p.write(t, "go.mod", "module project\n\ngo 1.26\n\nrequire (\n\texample.com/sdk v1.2.3\n\texample.com/plain v1.0.0\n)\n\n"+
		"replace example.com/sdk => ./sdk\n\nreplace example.com/plain => ./plain\n")
	p.write(t, "sdk/go.mod", "module example.com/sdk\n")
	p.write(t, "sdk/go/thing/thing.go", "package thing\n")
	p.write(t, "sdk/go/thing/pulumi-plugin.json", `{"resource":true,"name":"thing","version":"9.8.7"}`)
	p.write(t, "plain/go.mod", "module example.com/plain\n")
	r, err := p.host.GetRequiredPackages(t.Context(), &pulumirpc.GetRequiredPackagesRequest{Info: p.info(nil)})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Packages) != 1 || r.Packages[0].Name != "thing" || r.Packages[0].Version != "9.8.7" || r.Packages[0].Kind != "resource" {
		t.Errorf("packages are %v", r.Packages)
	}
	d, err := p.host.GetProgramDependencies(t.Context(), &pulumirpc.GetProgramDependenciesRequest{Info: p.info(nil)})
	if err != nil || len(d.Dependencies) != 2 {
		t.Errorf("dependencies are %v, %v", d, err)
	}
}

func TestAbout(t *testing.T) {
	r, err := newHost(t.Context(), "").About(t.Context(), &pulumirpc.AboutRequest{})
	if err != nil || !strings.HasPrefix(r.Version, "go1.") || !filepath.IsAbs(r.Executable) {
		t.Errorf("%v, %v", r, err)
	}
}
