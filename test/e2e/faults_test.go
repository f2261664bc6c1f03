package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// TestFaults deploys with the commands that `make` runs, and interrupts them in every way. It ends with nothing left behind.
func TestFaults(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.mustRun(t, "stack", "down") // of what was never up

	// An interrupt lets Pulumi end what it does, and keep its state.
	up := s.startUp(t)
	if err := up.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := up.cmd.Wait(); up.cmd.ProcessState.ExitCode() != 130 {
		t.Fatalf("an interrupted up ended with %v, want status 130\n%s", err, up.output(t))
	}
	if left := s.descendants(t); len(left) > 0 {
		t.Errorf("an interrupted up left processes: %v", left)
	}

	// A kill does not.
	up = s.startUp(t)
	up.killAll(t)
	first := s.up(t)

	if again := s.up(t); again != first || !s.nothingToDo(t) {
		t.Errorf("a second up: the shop is at %s, want %s and nothing left to do", again, first)
	}
	d := &deployment{site: s}
	daemon := d.status(t).PID
	d.keepsSecrets(t)

	kill(t, daemon)
	if again := s.up(t); again != first || !s.nothingToDo(t) {
		t.Errorf("an up after the lab was killed: the shop is at %s, want %s and nothing left to do", again, first)
	}

	// The lab begins again from nothing, or dies: down clears everything away.
	before := tracesOf(t, d.status(t).PID)
	kill(t, d.status(t).PID)
	s.mustRun(t, "stack", "down")
	before.gone(t, s)
	if _, err := os.Stat(filepath.Join(s.dir, "state")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state's directory is left behind: %v", err)
	}
	s.mustRun(t, "stack", "down")
}

// TestDownAfterLoss takes away one of the two things that belong together: the lab's directory, or the stack's state.
func TestDownAfterLoss(t *testing.T) {
	t.Parallel()
	for _, lost := range []string{"lab", "state"} {
		t.Run(lost, func(t *testing.T) {
			s := newSite(t)
			up := s.startUp(t)
			up.killAll(t)
			s.mustRun(t, "lab", "down")
			if err := os.RemoveAll(filepath.Join(s.dir, lost)); err != nil {
				t.Fatal(err)
			}
			s.mustRun(t, "stack", "down")
			for _, dir := range []string{"lab", "state"} {
				if _, err := os.Stat(filepath.Join(s.dir, dir)); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s is left behind: %v", dir, err)
				}
			}
		})
	}
}

// ordinary is the user nobody, who owns nothing on the machine.
const ordinary = 65534

// TestWithoutRoot runs the whole chain as an ordinary user.
func TestWithoutRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user; every other test runs as this ordinary one")
	}
	t.Parallel()
	s := newSite(t)
	s.cloneFor(t, ordinary)
	s.user = &syscall.Credential{Uid: ordinary, Gid: ordinary}
	url := s.up(t)
	awaitProducts(t, url)
	d := &deployment{site: s}
	pid := d.status(t).PID
	if info, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err != nil || info.Sys().(*syscall.Stat_t).Uid != ordinary {
		t.Errorf("the lab does not run as the ordinary user: %v", err)
	}
	for _, i := range d.status(t).Instances {
		if out, status, err := d.exec(t.Context(), i.ID, "in", "cat; exit 7"); i.State == "running" && (err != nil || status != 7 || out != "in") {
			t.Errorf("exec on %s: %q, status %d, %v; want its input and status 7", i.ID, out, status, err)
		}
	}
	kill(t, pid)
	if again := s.up(t); again != url {
		t.Errorf("after the lab was killed the shop is at %s, want %s", again, url)
	}
	before := tracesOf(t, d.status(t).PID)
	s.mustRun(t, "stack", "down")
	before.gone(t, s)
}

// cloneFor copies what a deployment needs of the clone for another user, with the stack's program built: another user has no compiled packages.
func (s *site) cloneFor(t *testing.T, user int) {
	t.Helper()
	clone := filepath.Join(s.dir, "clone")
	script := `mkdir -p "$2/stacks" "$2/.pulumi" && cd "$1" && go build -ldflags '-s -w' -o "$2/program" ./stacks/storefront && cp -R bin Pulumi.yaml go.mod go.sum "$2" && cp -R stacks/storefront "$2/stacks" &&
		cp -R .pulumi/plugins "$2/.pulumi" && sed -i "s#^runtime: go#runtime: {name: go, options: {binary: $2/program}}#" "$2/Pulumi.yaml" && chown -R "$3:$3" "$4"`
	if out, err := exec.CommandContext(t.Context(), "/bin/bash", "-c", script, "bash", s.root, clone, strconv.Itoa(user), s.dir).CombinedOutput(); err != nil {
		t.Fatalf("copying the clone: %v\n%s", err, out)
	}
	s.root = clone
}

var (
	shopLine     = regexp.MustCompile(`(?m)^shop: (http://127\.0\.0\.1:\d+)$`)
	emptySummary = regexp.MustCompile(`Resources:\n +\d+ unchanged\s*$`)
)

// up is `make up`. It returns the shop's URL.
func (s *site) up(t *testing.T) string {
	t.Helper()
	out := s.mustRun(t, "stack", "up")
	m := shopLine.FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("up does not tell the shop's URL:\n%s", out)
	}
	return m[1]
}

// nothingToDo reports whether `make preview` finds everything unchanged.
func (s *site) nothingToDo(t *testing.T) bool {
	t.Helper()
	out := s.mustRun(t, "stack", "preview")
	if emptySummary.MatchString(out) {
		return true
	}
	t.Logf("preview:\n%s", out)
	return false
}

// running is an up that works. It prints to a file: Pulumi must not be hindered by the end of who reads.
type running struct {
	cmd *exec.Cmd
	out string
}

func (r running) output(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(r.out)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// begin begins an up.
func (s *site) begin(t *testing.T) running {
	t.Helper()
	r := running{cmd: exec.CommandContext(t.Context(), filepath.Join(s.root, "bin", "stack"), "up"), out: filepath.Join(s.dir, "up.log")}
	out, err := os.Create(r.out)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	r.cmd.Dir, r.cmd.Env, r.cmd.Stdout, r.cmd.Stderr = s.root, s.env(), out, out
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// startUp begins an up, and returns when it makes resources.
func (s *site) startUp(t *testing.T) running {
	t.Helper()
	r := s.begin(t)
	d, had := &deployment{site: s}, -1
	eventually(t, "wait for the first resources", 2*time.Minute, func() error {
		if _, status, err := s.run(t.Context(), "", "lab", "status"); err != nil || status != 0 {
			return fmt.Errorf("no lab yet: status %d, %v", status, err)
		}
		has := 0
		for _, n := range d.status(t).Resources {
			has += n
		}
		if had < 0 {
			had = has
		}
		if has == had {
			return fmt.Errorf("%d resources, as at the start", has)
		}
		return nil
	})
	return r
}

// killAll kills the up, and Pulumi with its process group, at once.
func (r running) killAll(t *testing.T) {
	t.Helper()
	// Any of the command's threads may have started Pulumi, and each knows its own children alone.
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", r.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var children []byte
	for _, thread := range threads {
		if b, err := os.ReadFile(thread); err == nil {
			children = append(append(children, b...), ' ')
		}
	}
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, child := range strings.Fields(string(children)) {
		if group, err := strconv.Atoi(child); err == nil {
			_ = syscall.Kill(-group, syscall.SIGKILL)
		}
	}
	_ = r.cmd.Wait()
}

// descendants lists the programs of Pulumi and its plugins that work on the site's state.
func (s *site) descendants(t *testing.T) []string {
	t.Helper()
	return slices.Sorted(maps.Values(s.workers(t)))
}

// workers are the processes of Pulumi and its plugins that work on the site's state, with the names of their programs.
func (s *site) workers(t *testing.T) map[int]string {
	t.Helper()
	found := map[int]string{}
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		program, _ := os.Readlink(filepath.Join(filepath.Dir(f), "exe"))
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte("STOREFRONT_STATE="+filepath.Join(s.dir, "state"))) && strings.Contains(program, "pulumi") {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f))); err == nil {
				found[pid] = filepath.Base(program)
			}
		}
	}
	return found
}

// keepsSecrets looks for the operator's key and what the secrets hold (the database's password, the cache's token, the orders' key) in the lab's log and in every command line of the machine.
func (d *deployment) keepsSecrets(t *testing.T) {
	t.Helper()
	env := d.environment(t)
	api := secretsmanager.New(secretsmanager.Options{Region: env["AWS_REGION"], BaseEndpoint: new(env["AWS_ENDPOINT_URL"]),
		Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], "")})
	secrets := []string{env["AWS_SECRET_ACCESS_KEY"]}
	list, err := api.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
	if err != nil || len(list.SecretList) == 0 {
		t.Fatalf("listing the secrets: %v, %v", list, err)
	}
	for _, entry := range list.SecretList {
		v, err := api.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: entry.ARN})
		if err != nil {
			t.Fatal(err)
		}
		held := regexp.MustCompile(`"(?:password|token|key)":\s*"([^"\\]{8,})`).FindStringSubmatch(aws.ToString(v.SecretString))
		if held == nil {
			t.Fatalf("the secret %s has neither password nor token nor key", *entry.Name)
		}
		secrets = append(secrets, held[1])
	}
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	states, err := filepath.Glob(filepath.Join(d.dir, "state", ".pulumi", "stacks", "*", "*.json"))
	if err != nil || len(states) == 0 {
		t.Fatalf("the stack's state: %v, %v", states, err)
	}
	for _, file := range append(append(files, states...), filepath.Join(d.dir, "lab", "lab.log")) {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // a process that ended
		}
		for _, secret := range secrets {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s tells a secret", file)
			}
		}
	}
}
