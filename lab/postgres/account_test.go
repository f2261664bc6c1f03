package postgres_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The daemon may be root of the machine, an ordinary user, or an ordinary user who is root of a user namespace. What it does with servers must work
// as each of them; tests run as one, and this one takes the others' places.
func TestEveryKindOfUser(t *testing.T) {
	const inner = "^TestADeadDaemonsServersAreEndedAndTheirDataRecovered$"
	if os.Geteuid() != 0 {
		t.Run("root of a user namespace", func(t *testing.T) { rerun(t, inner, nil, "unshare", "-Urm") })
		return
	}
	nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
	t.Run("ordinary user", func(t *testing.T) { rerun(t, inner, nobody, "env") })
	t.Run("root of a user namespace", func(t *testing.T) { rerun(t, inner, nobody, "unshare", "-Urm") })
	t.Run("root with a private directory", func(t *testing.T) {
		private := t.TempDir()
		if err := os.Chmod(private, 0o700); err != nil {
			t.Fatal(err)
		}
		rerun(t, inner, nil, "env", "TMPDIR="+private)
	})
}

// rerun runs tests of this program again, through a command that changes who they run as.
func rerun(t *testing.T, tests string, as *syscall.Credential, command ...string) {
	t.Helper()
	t.Parallel()
	program := filepath.Join(publicDir(t), "postgres.test")
	copyProgram(t, program)
	cmd := exec.CommandContext(t.Context(), command[0], append(command[1:], program, "-test.v", "-test.run", tests)...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil && strings.Contains(string(out), "unshare:"):
		t.Skipf("user namespaces are not to be had here: %s", out)
	case err != nil, !strings.Contains(string(out), "--- PASS"):
		t.Errorf("%v\n%s", err, out)
	}
}

// copyProgram copies this program by another one: while this one had the file open to write it, whatever else it started then would keep it open, and
// nobody could run it (text file busy).
func copyProgram(t *testing.T, to string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "--", self, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
