package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"storefront/lab/authority"
	"storefront/lab/network"
	"storefront/lab/server"
)

// Errors that callers can act on.
var (
	ErrNoServer = errors.New("no Redis 7 or newer is installed; on Debian and Ubuntu: apt-get install redis-server") // from Open and Installed
	ErrName     = errors.New("not a name of lower-case letters, digits and hyphens with at most 63 characters")
)

const oldestMajor = 7

// Network is where nodes live. network.Network implements it.
type Network interface {
	Start(place network.Place, cmd *exec.Cmd) error
	Listen(place network.Place, network, address string) (net.Listener, error)
	Dial(ctx context.Context, place network.Place, network, address string) (net.Conn, error)
}

// Issuer signs server certificates. authority.Authority implements it.
type Issuer interface {
	Issue(names []string, addrs []netip.Addr) (authority.Pair, error)
	CertificatePEM() []byte
}

// Config says where an Engine keeps logs and snapshots and what it works with. All fields are required.
type Config struct {
	Dir     string // created when missing; no two engines may share it at a time
	Network Network
	Issuer  Issuer
	Log     *slog.Logger
}

// Engine runs nodes with one Redis installation. It is safe for concurrent use.
type Engine struct {
	config    Config
	program   string
	version   Version
	account   server.Account
	control   string // password of the engine's user that controls
	replicate string // password of the engine's user that replicates
}

// Version is a version of Redis: 7.0.15 is {7, 0, 15}.
type Version struct{ Major, Minor, Patch int }

// String formats the version as Redis does.
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Open finds the installed Redis, and ends every server that an earlier engine left running on the directory.
func Open(config Config) (*Engine, error) {
	dir, err := filepath.Abs(config.Dir)
	if err != nil {
		return nil, err
	}
	config.Dir = dir
	e := &Engine{config: config, control: rand.Text(), replicate: rand.Text()}
	if e.program, e.version, err = findServer(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o711); err != nil { // servers enter their own directories, and read none
		return nil, fmt.Errorf("making the directory of the caches: %w", err)
	}
	if err := Sweep(dir); err != nil {
		return nil, err
	}
	if e.account, err = server.ChooseAccount(dir, "redis", "nobody"); err != nil {
		return nil, err
	}
	return e, nil
}

// Version returns the version of the servers that the engine runs.
func (e *Engine) Version() Version { return e.version }

// LogPath returns the file that a node's log goes to. It is gone with Remove.
func (e *Engine) LogPath(node string) string { return filepath.Join(e.dir(node), "redis.log") }

func (e *Engine) dir(node string) string { return filepath.Join(e.config.Dir, node) }

// data is the directory in which a node's server works, and which it owns.
func (e *Engine) data(node string) string { return filepath.Join(e.dir(node), "data") }

// Remove deletes what a stopped node leaves: its log.
func (e *Engine) Remove(node string) error {
	if !namePattern.MatchString(node) {
		return fmt.Errorf("node %q: %w", node, ErrName)
	}
	return os.RemoveAll(e.dir(node))
}

// Installed returns nil, or ErrNoServer when the machine has no server that an Engine could run.
func Installed() error {
	_, _, err := findServer()
	return err
}

var (
	namePattern    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	versionPattern = regexp.MustCompile(`v=(\d+)\.(\d+)\.(\d+)`)
)

func findServer() (program string, v Version, err error) {
	if program, err = exec.LookPath("redis-server"); err != nil {
		return "", v, ErrNoServer
	}
	out, err := exec.Command(program, "--version").Output()
	if err != nil {
		return "", v, fmt.Errorf("%s --version: %w", program, err)
	}
	m := versionPattern.FindSubmatch(out)
	if m == nil {
		return "", v, ErrNoServer
	}
	for i, part := range []*int{&v.Major, &v.Minor, &v.Patch} {
		*part, _ = strconv.Atoi(string(m[i+1]))
	}
	if v.Major < oldestMajor {
		return "", v, ErrNoServer
	}
	return program, v, nil
}
