package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/fsutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// options are the `runtime.options` of Pulumi.yaml that a Go program may have.
type options struct {
	binary      string // a program built beforehand; nothing is compiled
	buildTarget string // where to leave the compiled program, for users who want to keep it
}

func optionsOf(info *pulumirpc.ProgramInfo) (options, error) {
	var o options
	for name, value := range info.GetOptions().AsMap() {
		text, isText := value.(string)
		var target *string
		switch name {
		case "binary":
			target = &o.binary
		case "buildTarget":
			target = &o.buildTarget
		default:
			continue // options of other hosts and newer versions are theirs
		}
		if !isText {
			return o, fmt.Errorf("Pulumi.yaml: runtime.options.%s must be a string, not %T", name, value)
		}
		*target = text
	}
	if o.binary != "" && o.buildTarget != "" {
		return o, errors.New("Pulumi.yaml: runtime.options.binary and buildTarget exclude each other")
	}
	return o, nil
}

// compileError is what the compiler said, without the Go tool's framing, so that the engine shows it once.
type compileError struct{ said string }

func (e compileError) Error() string { return "the program does not compile:\n" + e.said }

// executable is a program that is ready to start. Release must be called once the process has started or will not.
type executable struct {
	path    string
	release func()
}

// prepare finds or builds the program that info names.
func prepare(ctx context.Context, info *pulumirpc.ProgramInfo) (executable, error) {
	keep := func() {}
	opts, err := optionsOf(info)
	if err != nil {
		return executable{}, err
	}
	if opts.binary != "" {
		path, err := findBinary(opts.binary, info)
		return executable{path, keep}, err
	}
	source := filepath.Join(info.GetProgramDirectory(), info.GetEntryPoint())
	if opts.buildTarget != "" {
		target := opts.buildTarget
		if !filepath.IsAbs(target) {
			target = filepath.Join(info.GetRootDirectory(), target)
		}
		return executable{target, keep}, compile(ctx, source, target)
	}
	return buildCached(ctx, source)
}

// findBinary resolves `options.binary`: absolute, beside Pulumi.yaml, or on PATH.
func findBinary(name string, info *pulumirpc.ProgramInfo) (string, error) {
	for _, path := range []string{name, filepath.Join(info.GetRootDirectory(), name)} {
		if !filepath.IsAbs(path) {
			continue
		}
		if stat, err := os.Stat(path); err == nil && stat.Mode().IsRegular() {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("Pulumi.yaml: runtime.options.binary %q is neither in %s nor on PATH: %w",
			name, info.GetRootDirectory(), err)
	}
	return path, nil
}

// buildCached compiles source to a fixed place per source directory: the Go tool then skips even linking when nothing
// has changed. The caller gets a link of its own, since another run may rebuild the program at any time.
func buildCached(ctx context.Context, source string) (executable, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return executable{}, fmt.Errorf("find a place for the compiled program: %w", err)
	}
	sum := sha256.Sum256([]byte(source))
	dir := filepath.Join(cache, "storefront", "programs", hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return executable{}, fmt.Errorf("make room for the compiled program: %w", err)
	}
	lock := fsutil.NewFileMutex(filepath.Join(dir, "lock"))
	if err := lock.Lock(); err != nil {
		return executable{}, fmt.Errorf("lock %s: %w", dir, err)
	}
	defer lock.Unlock() //nolint:errcheck // the lock ends with the process at the latest

	program := filepath.Join(dir, "program")
	if err := compile(ctx, source, program); err != nil {
		return executable{}, err
	}
	own, err := os.MkdirTemp(dir, "run-")
	if err != nil {
		return executable{}, fmt.Errorf("make a copy of the program: %w", err)
	}
	e := executable{path: filepath.Join(own, "program"), release: func() { os.RemoveAll(own) }}
	if err := os.Link(program, e.path); err != nil {
		e.release()
		return executable{}, fmt.Errorf("make a copy of the program: %w", err)
	}
	return e, nil
}

// compile builds the main package in source into target.
func compile(ctx context.Context, source, target string) error {
	var said bytes.Buffer
	err := runGo(ctx, source, &said, &said, "build", "-o", target, ".")
	if err == nil {
		return nil
	}
	if ctx.Err() != nil || said.Len() == 0 {
		return err
	}
	var lines []string
	for line := range strings.Lines(said.String()) {
		if !strings.HasPrefix(line, "# ") { // names the package once more
			lines = append(lines, line)
		}
	}
	return compileError{strings.TrimSpace(strings.Join(lines, ""))}
}
