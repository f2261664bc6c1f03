package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"gopkg.in/yaml.v3"
)

// waitScale shrinks the provider's waits in the lab, whose resources are ready in moments. See docs/toolchain.md.
const waitScale = "0.01"

// parallel is how many resources Pulumi works on at once in the lab, where no request is throttled and most of a resource's time are pauses. Pulumi's own
// number goes by the machine's processors.
const parallel = "32"

// labPassphrase goes with the salt in Pulumi.lab.yaml, so that a deployment into the lab leaves the committed settings as they are.
const labPassphrase = "lab"

// interruptWithin is how long Pulumi gets to end an operation in order after Ctrl-C.
const interruptWithin = time.Minute

// endWithin is how long a deployment waits for the end of another one.
const endWithin = 2 * time.Minute

// workspace is one stack of a clone.
type workspace struct {
	root  string // of the clone
	stack string
	out   io.Writer
	flags
	env []string // of Pulumi; see open
	// config is the stack's settings file where it is not the committed one: with a lab on another port than the committed endpoint's, or settings for one run.
	config string
	lock   *os.File // of the clone's deployments
	first  bool     // the deployment finds an empty region, or made it one
}

func (w *workspace) isLab() bool { return w.stack == "lab" }

// stateDir holds the stack's state unless the user has a backend of their own (PULUMI_BACKEND_URL). STOREFRONT_STATE moves it, so that a test
// does not meet the deployment of the clone's owner.
func (w *workspace) stateDir() string {
	if dir := os.Getenv("STOREFRONT_STATE"); dir != "" {
		return dir
	}
	return filepath.Join(w.root, ".state")
}

func (w *workspace) bin(name string) string { return filepath.Join(w.root, "bin", name) }

// open prepares the environment of Pulumi and takes the clone's lock until the returned function is called. For the lab it starts the lab first.
func (w *workspace) open(ctx context.Context) (release func(), err error) {
	if _, err := os.Stat(w.bin("pulumi")); err != nil {
		return nil, errors.New("bin/pulumi is missing; `make tools` installs it")
	}
	if err := w.hasSettings(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(w.stateDir(), 0o700); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(w.stateDir(), "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	w.lock = lock
	release = func() { _ = lock.Close() }
	if err := w.takeLock(ctx); err != nil {
		release()
		return nil, err
	}
	if err := w.prepare(ctx); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// openQuietly is open for what prints one result: what happens on the way goes to standard error.
func (w *workspace) openQuietly(ctx context.Context) (release func(), err error) {
	result := w.out
	w.out = os.Stderr
	defer func() { w.out = result }()
	return w.open(ctx)
}

// takeLock waits for the clone's lock, and ends the plugins that a killed deployment left.
func (w *workspace) takeLock(ctx context.Context) error {
	deadline := time.Now().Add(endWithin)
	for waiting := false; syscall.Flock(int(w.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil; waiting = true {
		if !waiting {
			fmt.Fprintln(w.out, "stack: the last deployment has not ended yet; waiting for its end")
		}
		endOrphans(w.lock.Name())
		if time.Now().After(deadline) {
			return errors.New("another deployment runs in this clone; try again when it has ended")
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (w *workspace) prepare(ctx context.Context) error {
	passphrase, err := w.passphrase()
	if err != nil {
		return err
	}
	w.env = append(os.Environ(), "PATH="+filepath.Join(w.root, "bin")+":"+os.Getenv("PATH"), "PULUMI_SKIP_UPDATE_CHECK=true")
	// Pulumi leaves copies of what it uploads in the directory of temporary files, under names that are the same for every user of the machine.
	temporary := filepath.Join(w.stateDir(), "tmp")
	if err := os.MkdirAll(temporary, 0o700); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	w.env = append(w.env, "TMPDIR="+temporary)
	w.setDefault("PULUMI_HOME", filepath.Join(w.root, ".pulumi"))
	w.setDefault("PULUMI_BACKEND_URL", "file://"+w.stateDir())
	if w.isLab() {
		w.env = append(w.env, "PULUMI_CONFIG_PASSPHRASE="+labPassphrase)
	} else if os.Getenv("PULUMI_CONFIG_PASSPHRASE_FILE") == "" {
		w.setDefault("PULUMI_CONFIG_PASSPHRASE", passphrase)
	}
	if w.isLab() {
		if err := w.startLab(ctx); err != nil {
			return err
		}
	}
	if err := w.dropCutAttributes(); err != nil {
		return err
	}
	if err := w.selectStack(ctx); err != nil {
		return err
	}
	if err := w.clearStaleLocks(ctx); err != nil || !w.isLab() {
		return err
	}
	return w.matchRegion(ctx)
}

// settingsFile is the committed one of a stack.
func (w *workspace) settingsFile(stack string) string {
	return filepath.Join(w.root, "stacks", "storefront", "Pulumi."+stack+".yaml")
}

// hasSettings refuses a stack that nobody has described: Pulumi would make it, and a settings file with nothing but a salt. Of a broken file Pulumi does not tell the name.
func (w *workspace) hasSettings() error {
	text, err := os.ReadFile(w.settingsFile(w.stack))
	if err == nil {
		if err := yaml.Unmarshal(text, &map[string]any{}); err != nil {
			return fmt.Errorf("stacks/storefront/Pulumi.%s.yaml: %w", w.stack, err)
		}
	}
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	files, err := filepath.Glob(w.settingsFile("*"))
	if err != nil {
		return err
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml"))
	}
	return fmt.Errorf("%w: there is no stack %q, for there is no stacks/storefront/Pulumi.%s.yaml; there are %s", errUsage, w.stack, w.stack, strings.Join(names, ", "))
}

func (w *workspace) selectStack(ctx context.Context) error {
	return quiet(w.pulumi(ctx, "stack", "select", "--create", w.stack))
}

func (w *workspace) setDefault(key, value string) {
	if _, set := os.LookupEnv(key); !set {
		w.env = append(w.env, key+"="+value)
	}
}

// passphrase encrypts the secrets in the state. It is drawn once and kept beside the state, for its owner alone.
func (w *workspace) passphrase() (string, error) {
	file := filepath.Join(w.stateDir(), "passphrase")
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		b = []byte(rand.Text())
		err = os.WriteFile(file, b, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("passphrase of the state: %w", err)
	}
	return string(b), nil
}

// clearStaleLocks removes the locks that a killed Pulumi left in the clone's own state: the clone's lock, which we hold, says that no other one runs.
func (w *workspace) clearStaleLocks(ctx context.Context) error {
	locks, err := filepath.Glob(filepath.Join(w.stateDir(), ".pulumi", "locks", "organization", "*", w.stack, "*.json"))
	if err != nil || len(locks) == 0 {
		return err
	}
	fmt.Fprintln(w.out, "stack: the last deployment was interrupted; going on from where it stopped")
	return quiet(w.pulumi(ctx, "cancel", "--yes", w.stack))
}

// pulumi prepares a call of the CLI. An interrupt reaches it once, so that it ends what it is doing and keeps its state. It inherits the clone's
// lock: when this program is killed, the lock lasts until Pulumi and its plugins have ended too.
func (w *workspace) pulumi(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, w.bin("pulumi"), args...)
	c.Dir, c.Env = w.root, slices.Clip(w.env)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = interruptWithin
	c.ExtraFiles = []*os.File{w.lock}
	return c
}

// operate prepares an operation on the stack.
func (w *workspace) operate(ctx context.Context, args ...string) *exec.Cmd {
	args = append(args, "--stack", w.stack)
	if w.config != "" {
		args = append(args, "--config-file", w.config)
	}
	return w.pulumi(ctx, args...)
}

// show runs an operation with Pulumi's own display.
func (w *workspace) show(c *exec.Cmd) error {
	c.Stdout, c.Stderr = w.out, os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("pulumi %s: %w", c.Args[1], err)
	}
	return nil
}

// labStatus is the part of `lab status --json` that is used here.
type labStatus struct {
	ID        string         `json:"id"`
	Resources map[string]int `json:"resources"`
}

// startLab starts the lab and takes over its credentials.
func (w *workspace) startLab(ctx context.Context) error {
	start := exec.CommandContext(ctx, w.bin("lab"), "up")
	start.Stdout, start.Stderr = w.out, os.Stderr
	if err := start.Run(); err != nil {
		return fmt.Errorf("starting the lab: %w", err)
	}
	out, err := exec.CommandContext(ctx, w.bin("lab"), "env").Output()
	if err != nil {
		return fmt.Errorf("asking the lab for its credentials: %w", err)
	}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		// The endpoint is a setting of the stack, not of the environment: the program must work with what it is given.
		key, value, _ := strings.Cut(strings.TrimPrefix(s.Text(), "export "), "=")
		if key != "AWS_ENDPOINT_URL" {
			w.env = append(w.env, key+"="+value)
		} else if err := w.useSettings(value); err != nil {
			return err
		}
	}
	w.setDefault("STOREFRONT_WAIT_SCALE", waitScale)
	w.setDefault("PULUMI_PARALLEL", parallel)
	return nil
}

// useSettings makes the stack's settings name the lab's endpoint and have those of this run, in a copy when the committed file differs.
func (w *workspace) useSettings(endpoint string) error {
	committed := w.settingsFile(w.stack)
	b, err := os.ReadFile(committed)
	if err != nil {
		return fmt.Errorf("settings of the stack: %w", err)
	}
	changed := string(b)
	for _, s := range append([]setting{{"endpoint", endpoint}}, w.set...) {
		changed = s.in(changed)
	}
	if changed == string(b) {
		return nil
	}
	w.config = filepath.Join(w.stateDir(), filepath.Base(committed))
	if err := os.WriteFile(w.config, []byte(changed), 0o600); err != nil {
		return fmt.Errorf("settings of the stack: %w", err)
	}
	return nil
}

// in returns a settings file in which the setting has its value.
func (s setting) in(file string) string {
	line := "  storefront:" + s.key + ": " + s.value
	if has := regexp.MustCompile(`(?m)^ *storefront:` + s.key + `:.*$`); has.MatchString(file) {
		return has.ReplaceAllLiteralString(file, line)
	}
	return strings.Replace(file, "config:\n", "config:\n"+line+"\n", 1)
}

// matchRegion drops the state of a stack whose region was reset: nothing of it exists any more.
func (w *workspace) matchRegion(ctx context.Context) error {
	lab, err := regionOf(ctx, w.bin("lab"))
	if err != nil {
		return err
	}
	known, err := os.ReadFile(w.regionFile())
	if err == nil && string(known) == lab.ID {
		return nil
	}
	if err == nil {
		fmt.Fprintln(w.out, "stack: the lab was reset since the last deployment; its old state is dropped")
		if err := errors.Join(w.dropState(ctx), w.selectStack(ctx)); err != nil {
			return err
		}
	}
	if err := w.noteFirst(len(lab.Resources) == 0); err != nil {
		return err
	}
	if err := os.Remove(w.unknownFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("noting the region: %w", err)
	}
	return os.WriteFile(w.regionFile(), []byte(lab.ID), 0o600)
}

func regionOf(ctx context.Context, program string) (labStatus, error) {
	var lab labStatus
	out, err := exec.CommandContext(ctx, program, "status", "--json").Output()
	if err != nil {
		return lab, fmt.Errorf("asking the lab which region it is: %w", err)
	}
	if err := json.Unmarshal(out, &lab); err != nil {
		return lab, fmt.Errorf("reading the lab's status: %w", err)
	}
	return lab, nil
}

// regionFile names the region that the stack's state is about.
func (w *workspace) regionFile() string { return filepath.Join(w.stateDir(), "region") }

// dropState forgets the stack, whatever is in its state.
func (w *workspace) dropState(ctx context.Context) error {
	return quiet(w.pulumi(ctx, "stack", "rm", "--force", "--yes", "--preserve-config", w.stack))
}
