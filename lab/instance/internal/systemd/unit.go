// Package systemd does for a machine of the lab what systemd does for Amazon Linux 2023: it reads service units, runs and supervises them, and answers
// what systemctl asks. Where a key cannot be honoured, the journal says so; what would change the outcome silently is refused.
package systemd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/unit"
)

// ErrNotFound says that no unit file has the name.
var ErrNotFound = errors.New("not found")

// unitPaths are the directories of unit files, the first match wins (systemd.unit(5)).
var unitPaths = [...]string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"}

// Unit is a parsed service unit.
type Unit struct {
	Name        string // "shop.service"
	Path        string // the unit file
	Description string
	After       []string
	Requires    []string // Requires= and BindsTo=
	Wants       []string
	WantedBy    []string
	Conditions  []string // paths of ConditionPathExists=, "!" first negates

	Type              string // "simple", "exec", "oneshot" or "notify"
	StartPre          []Command
	Start             []Command
	StartPost         []Command
	Stop              []Command
	StopPost          []Command
	ReloadCommands    []Command
	Environment       []string // NAME=value
	EnvironmentFiles  []string // a "-" first lets the file be absent
	User, Group       string
	DynamicUser       bool
	WorkingDirectory  string
	Umask             int
	RemainAfterExit   bool
	Restart           string // "no", "always", "on-failure", ...
	RestartDelay      time.Duration
	StartLimit        int // starts in StartLimitInterval; 0 is no limit
	StartInterval     time.Duration
	KillSignal        syscall.Signal
	StartTimeout      time.Duration // 0 waits for ever
	StopTimeout       time.Duration // 0 waits for ever
	Limits            map[string]Limit
	RuntimeDirectory  []string
	StateDirectory    []string
	LogsDirectory     []string
	CacheDirectory    []string
	ConfigDirectory   []string
	NoNewPrivileges   bool
	Ambient           []string // names of capabilities: "CAP_NET_BIND_SERVICE"
	Stdout, Stderr    string   // "journal", "null", "append:/path", "file:/path"
	Identifier        string
	SuccessStatus     []int
	Ignored           []string // keys that are known and cannot be honoured here
	Unknown           []string // keys that systemd would not know either, or that this package does not
	instance, escaped string   // of a template's unit: what follows the @
}

// Limit is a soft and a hard resource limit.
type Limit struct{ Soft, Hard uint64 }

// Canonical returns the full name of a unit: "shop" is "shop.service".
func Canonical(name string) string {
	if strings.Contains(filepath.Base(name), ".") {
		return filepath.Base(name)
	}
	return filepath.Base(name) + ".service"
}

// Load reads the unit of a canonical name, with its drop-ins, from the machine's unit directories. The error wraps ErrNotFound when there is none.
func Load(name string) (*Unit, error) {
	if !strings.HasSuffix(name, ".service") {
		return nil, fmt.Errorf("unit %s: the lab runs services only (.service)", name)
	}
	path, err := find(name)
	if err != nil {
		return nil, err
	}
	options, err := read(path)
	if err != nil {
		return nil, err
	}
	for _, dir := range unitPaths {
		dropIns, _ := filepath.Glob(filepath.Join(dir, name+".d", "*.conf"))
		for _, p := range dropIns {
			more, err := read(p)
			if err != nil {
				return nil, err
			}
			options = append(options, more...)
		}
	}
	return Parse(name, path, options)
}

// find returns the path of a unit file, or of the template's it is an instance of.
func find(name string) (string, error) {
	names := []string{name}
	if prefix, _, ok := strings.Cut(name, "@"); ok {
		names = append(names, prefix+"@.service")
	}
	for _, n := range names {
		for _, dir := range unitPaths {
			path := filepath.Join(dir, n)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("Unit %s %w.", name, ErrNotFound)
}

// read reads the options of a unit file.
func read(path string) ([]*unit.UnitOption, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading a unit: %w", err)
	}
	defer file.Close()
	return Options(path, file)
}

// Options splits the text of a unit file into its options.
func Options(path string, text io.Reader) ([]*unit.UnitOption, error) {
	options, err := unit.DeserializeOptions(text)
	if err != nil {
		return nil, fmt.Errorf("reading unit %s: %w", path, err)
	}
	return options, nil
}

// Parse makes a Unit of options; a key that is wrong fails with its name.
func Parse(name, path string, options []*unit.UnitOption) (*Unit, error) {
	u := &Unit{
		Name: name, Path: path, Type: "", Restart: "no", RestartDelay: 100 * time.Millisecond, StartLimit: 5, StartInterval: 10 * time.Second,
		KillSignal: syscall.SIGTERM, StartTimeout: 90 * time.Second, StopTimeout: 90 * time.Second, Limits: map[string]Limit{}, Umask: 0o022,
		Stdout: "journal", Stderr: "inherit",
	}
	if _, rest, ok := strings.Cut(name, "@"); ok {
		u.escaped = strings.TrimSuffix(rest, ".service")
		u.instance = strings.ReplaceAll(u.escaped, "-", "/")
	}
	for _, o := range options {
		if err := u.set(o.Section, o.Name, u.specifiers(o.Value)); err != nil {
			return nil, fmt.Errorf("%s: %s=%s: %w", path, o.Name, o.Value, err)
		}
	}
	return u, u.check()
}

// check settles the defaults that depend on other keys, and refuses what could not run.
func (u *Unit) check() error {
	if u.Type == "" {
		u.Type = "simple"
		if len(u.Start) == 0 {
			u.Type = "oneshot"
		}
	}
	switch {
	case !slices.Contains([]string{"simple", "exec", "oneshot", "notify"}, u.Type):
		return fmt.Errorf("%s: Type=%s is not supported by the lab; use simple, exec, oneshot or notify", u.Path, u.Type)
	case len(u.Start) == 0 && len(u.Stop) == 0:
		return fmt.Errorf("%s: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.", u.Path)
	case len(u.Start) != 1 && u.Type != "oneshot":
		return fmt.Errorf("%s: Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.", u.Path)
	case u.Type == "oneshot" && (u.Restart == "always" || u.Restart == "on-success"):
		return fmt.Errorf("%s: Service has Restart= set to either always or on-success, which isn't allowed for Type=oneshot services. Refusing.", u.Path)
	}
	if u.Type == "oneshot" && u.StartTimeout == 90*time.Second {
		u.StartTimeout = 0 // systemd.service(5): disabled by default for oneshot
	}
	return nil
}

// specifiers replaces the % specifiers of systemd.unit(5) that do not depend on what the lab does not have.
func (u *Unit) specifiers(value string) string {
	if !strings.Contains(value, "%") {
		return value
	}
	host, _ := os.Hostname()
	prefix := unitPrefix(u.Name)
	return strings.NewReplacer("%%", "%", "%n", u.Name, "%N", strings.TrimSuffix(u.Name, ".service"), "%p", prefix, "%i", u.escaped, "%I", u.instance,
		"%H", host, "%t", "/run", "%S", "/var/lib", "%L", "/var/log", "%C", "/var/cache", "%E", "/etc", "%T", "/tmp", "%h", "/root").Replace(value)
}

// enabledLinks returns the links that enable a unit.
func (u *Unit) enabledLinks() []string {
	links := make([]string, 0, len(u.WantedBy))
	for _, target := range u.WantedBy {
		links = append(links, filepath.Join(unitPaths[0], target+".wants", u.Name))
	}
	return links
}

// Enabled returns the names of the services that start at boot.
func Enabled() ([]string, error) {
	links, err := filepath.Glob(filepath.Join(unitPaths[0], "*.wants", "*.service"))
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(links))
	for _, l := range links {
		names = append(names, filepath.Base(l))
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// enable links a unit into the targets that want it and tells what it linked.
func (u *Unit) enable() (string, error) {
	if len(u.WantedBy) == 0 {
		return "", fmt.Errorf("the unit file %s has no installation config (WantedBy= in its [Install] section), so that it cannot be enabled", u.Path)
	}
	var said strings.Builder
	for _, link := range u.enabledLinks() {
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			return said.String(), fmt.Errorf("enabling %s: %w", u.Name, err)
		}
		switch err := os.Symlink(u.Path, link); {
		case errors.Is(err, fs.ErrExist):
		case err != nil:
			return said.String(), fmt.Errorf("enabling %s: %w", u.Name, err)
		default:
			fmt.Fprintf(&said, "Created symlink %s → %s.\n", link, u.Path)
		}
	}
	return said.String(), nil
}

// disable removes all links that start a unit at boot.
func disable(name string) (string, error) {
	links, err := filepath.Glob(filepath.Join(unitPaths[0], "*.wants", name))
	var said strings.Builder
	for _, link := range links {
		err = errors.Join(err, os.Remove(link))
		fmt.Fprintf(&said, "Removed %q.\n", link)
	}
	return said.String(), err
}
