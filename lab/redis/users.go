package redis

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ErrRules is returned for rules of an access control list that Redis does not accept.
var ErrRules = errors.New("access rules not accepted")

// The engine's own users. Customers' user names cannot begin with a dot.
const (
	controller = ".control"
	replicator = ".replicate"
)

// User is a customer's user.
type User struct {
	Name  string
	Rules []string // of Redis's access control lists, "on" and the passwords' digests ("#<sha256>") or "nopass" among them
}

// restricted are the commands that ElastiCache keeps for itself ("Supported and restricted Valkey and Redis OSS commands").
var restricted = []string{"-acl|setuser", "-acl|deluser", "-acl|load", "-acl|save", "-bgrewriteaof", "-bgsave", "-config", "-debug", "-failover", "-migrate", "-module",
	"-psync", "-replconf", "-replicaof", "-save", "-shutdown", "-slaveof", "-sync"}

// rules is everything that a user may do, to be applied to a user without any rule.
func (u User) rules() []string { return slices.Concat(u.Rules, restricted) }

// Digest is how a password is kept: its SHA-256 in hexadecimal digits, as Redis keeps it.
func Digest(password string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(password))) }

// withDefault turns the default user off unless it is among the users: Redis has it from the start, and lets it do everything.
func withDefault(users []User) []User {
	if slices.ContainsFunc(users, func(u User) bool { return u.Name == "default" }) {
		return users
	}
	return append([]User{{Name: "default", Rules: []string{"off"}}}, users...)
}

var refusal = regexp.MustCompile(`(?m)(?:Error loading ACL rule .*?: |^Error in user declaration '.*?': )(.*)$`)

// CheckRules asks Redis whether it accepts rules. It fails with ErrRules and says what is wrong with them.
func (e *Engine) CheckRules(ctx context.Context, rules []string) error {
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o733); err != nil { // for the server's user to make its socket there
		return err
	}
	// The server loads users, and then ends, as it finds no data in what it is told to load: it never serves.
	var b bytes.Buffer
	b.WriteString("user check")
	for _, r := range rules {
		b.WriteString(" " + quote(r))
	}
	fmt.Fprintf(&b, "\nport 0\nunixsocket %s\ndir /proc/self\ndbfilename stat\n", quote(filepath.Join(dir, "s")))
	cmd := exec.CommandContext(ctx, e.program, "-")
	cmd.Dir, cmd.Env, cmd.SysProcAttr, cmd.Stdin = e.config.Dir, []string{}, e.account.Attributes(), &b
	out, err := cmd.CombinedOutput()
	if m := refusal.FindSubmatch(out); m != nil {
		return fmt.Errorf("%w: %s", ErrRules, strings.TrimSpace(string(m[1])))
	}
	if !bytes.Contains(out, []byte("loading the DB")) {
		return fmt.Errorf("asking Redis about access rules: %w: %s", err, out)
	}
	return nil
}
