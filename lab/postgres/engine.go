package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"storefront/lab/authority"
	"storefront/lab/network"
	"storefront/lab/server"
)

// ErrNoServer is returned by Open when the machine has no PostgreSQL 15 or newer.
var ErrNoServer = errors.New("no PostgreSQL 15 or newer is installed; on Debian and Ubuntu: apt-get install postgresql")

const oldestMajor = 15

// Starter starts a command inside a place of the region's network. network.Network implements it.
type Starter interface {
	Start(place network.Place, cmd *exec.Cmd) error
}

// Issuer signs server certificates. authority.Authority implements it.
type Issuer interface {
	Issue(names []string, addrs []netip.Addr) (authority.Pair, error)
	CertificatePEM() []byte
}

// Config says where an Engine keeps its data and what it works with. All fields are required.
type Config struct {
	Dir     string // created when missing; no two engines may share it at a time
	Starter Starter
	Issuer  Issuer
	Log     *slog.Logger
}

// Engine runs clusters with one PostgreSQL installation. It is safe for concurrent use.
type Engine struct {
	config     Config
	bin        string // directory of the server's programs
	libraries  string // directory of the server's libraries
	version    Version
	account    account
	parameters map[string]Parameter

	template sync.Mutex // guards the creation of the template

	mu       sync.Mutex
	clusters map[string]*Cluster
}

// Version is a version of PostgreSQL: 15.18 is {15, 18}.
type Version struct{ Major, Minor int }

// String formats the version as PostgreSQL does.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// Open finds the newest installed PostgreSQL, and ends every server that an earlier engine left running on the directory.
func Open(config Config) (*Engine, error) {
	dir, err := filepath.Abs(config.Dir)
	if err != nil {
		return nil, err
	}
	config.Dir = dir
	e := &Engine{config: config, clusters: map[string]*Cluster{}}
	if e.bin, e.version, err = findServer(); err != nil {
		return nil, err
	}
	clusters := filepath.Join(dir, "clusters")
	if err := os.MkdirAll(clusters, 0o711); err != nil {
		return nil, fmt.Errorf("making the directory of the databases: %w", err)
	}
	if err := endProcesses(dir); err != nil {
		return nil, fmt.Errorf("ending the database servers of an earlier run: %w", err)
	}
	if e.account.Account, err = server.ChooseAccount(clusters, "postgres", "nobody"); err != nil {
		return nil, err
	}
	if err := e.account.Own(clusters); err != nil {
		return nil, err
	}
	out, err := e.command(context.Background(), "pg_config", "--pkglibdir").Output()
	if err != nil {
		return nil, fmt.Errorf("asking PostgreSQL %s where its libraries are: %w", e.version, err)
	}
	e.libraries = strings.TrimSpace(string(out))
	if e.parameters, err = e.readParameters(); err != nil {
		return nil, err
	}
	return e, nil
}

// Version returns the version of the servers that the engine runs.
func (e *Engine) Version() Version { return e.version }

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)\.(\d+)`)

// Installed returns nil, or ErrNoServer when the machine has no server that an Engine could run.
func Installed() error {
	_, _, err := findServer()
	return err
}

// findServer returns the programs of the newest installation, looking where Debian keeps them and in PATH.
func findServer() (bin string, newest Version, err error) {
	candidates, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if path, err := exec.LookPath("postgres"); err == nil {
		candidates = append(candidates, filepath.Dir(path))
	}
	for _, dir := range candidates {
		out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
		if err != nil {
			continue // a directory without a server
		}
		m := versionPattern.FindSubmatch(out)
		if m == nil {
			continue // a beta or a fork
		}
		var v Version
		v.Major, _ = strconv.Atoi(string(m[1]))
		v.Minor, _ = strconv.Atoi(string(m[2]))
		if v.Major >= oldestMajor && (v.Major > newest.Major || v.Major == newest.Major && v.Minor > newest.Minor) {
			bin, newest = dir, v
		}
	}
	if bin == "" {
		return "", Version{}, ErrNoServer
	}
	return bin, newest, nil
}

// command makes a command that runs one of PostgreSQL's programs, or a program of the system, as the servers' user.
func (e *Engine) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	if path := filepath.Join(e.bin, program); fileExists(path) {
		program = path
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = []string{"PATH=" + e.bin + ":/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.Dir = e.config.Dir
	cmd.SysProcAttr = e.account.Attributes()
	return cmd
}

// run runs a command to its end. Its error output becomes part of the error.
func run(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Prepare makes the template that new clusters are copied from, so that the first cluster need not wait for it. It takes a second or two
// once per lab directory and PostgreSQL version.
func (e *Engine) Prepare(ctx context.Context) error {
	_, err := e.templateDir(ctx)
	return err
}

func (e *Engine) templateDir(ctx context.Context) (string, error) {
	e.template.Lock()
	defer e.template.Unlock()
	dir := filepath.Join(e.config.Dir, "clusters", ".template-"+e.version.String())
	if fileExists(dir) {
		return dir, nil
	}
	half := dir + ".half" // a crash leaves this name, which the next attempt removes
	if err := e.remove(ctx, half); err != nil {
		return "", err
	}
	initdb := e.command(ctx, "initdb", "--pgdata", half, "--username", superuser, "--auth", "reject", "--encoding", "UTF8", "--locale", "C.UTF-8",
		"--wal-segsize", "4", "--no-sync", "--no-instructions")
	if err := run(initdb); err != nil {
		return "", fmt.Errorf("making the template of the databases: %w", err)
	}
	if err := os.Rename(half, dir); err != nil {
		return "", err
	}
	return dir, nil
}

// remove deletes a directory of the servers. A missing one is no error.
func (e *Engine) remove(ctx context.Context, dir string) error {
	return run(e.command(ctx, "rm", "-rf", "--", dir))
}

// copyTree copies a directory of the servers to a place that does not exist yet, sharing the blocks where the file system can.
func (e *Engine) copyTree(ctx context.Context, from, to string) error {
	return run(e.command(ctx, "cp", "-a", "--reflink=auto", "--", from, to))
}

func fileExists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
