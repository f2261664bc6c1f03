package debian_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"storefront/toolchain/internal/debian"
)

// machine makes a root directory with the given programs.
func machine(t *testing.T, uid int, programs ...string) debian.Host {
	t.Helper()
	h := debian.Host{OS: "linux", Root: t.TempDir(), Path: []string{"/usr/bin"}, UID: &uid}
	install(t, h, programs...)
	return h
}

func install(t *testing.T, h debian.Host, programs ...string) {
	t.Helper()
	for _, p := range programs {
		path := filepath.Join(h.Root, p)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func postgres(release string) []string {
	dir := "/usr/lib/postgresql/" + release + "/bin/"
	return []string{dir + "postgres", dir + "pg_basebackup"}
}

var rest = []string{"/usr/bin/redis-server", "/usr/sbin/nft", "/usr/bin/ip"}

func never(t *testing.T) func(context.Context, []string) error {
	return func(_ context.Context, packages []string) error {
		t.Errorf("%v would be installed", packages)
		return nil
	}
}

func TestCompleteMachine(t *testing.T) {
	h := machine(t, 1000, append(rest, append(postgres("13"), postgres("16")...)...)...)
	if err := h.Check(t.Context(), never(t)); err != nil {
		t.Error(err)
	}
}

func TestUserIsToldTheCommand(t *testing.T) {
	h := machine(t, 1000, append(postgres("13"), "/usr/bin/apt-get", "/usr/bin/ip")...)
	err := h.Check(t.Context(), never(t))
	want := "sudo apt-get install --yes --no-install-recommends postgresql redis-server nftables"
	if !errors.Is(err, debian.ErrManual) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error is %v", err)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Error("the message has more than one line")
	}
}

func TestRootInstalls(t *testing.T) {
	h := machine(t, 0, append(rest, "/usr/bin/apt-get")...)
	var got []string
	err := h.Check(t.Context(), func(_ context.Context, packages []string) error {
		got = packages
		install(t, h, postgres("15")...)
		return nil
	})
	if err != nil || !slices.Equal(got, []string{"postgresql"}) {
		t.Errorf("installed %v, %v", got, err)
	}
}

func TestTooOldAfterInstall(t *testing.T) {
	h := machine(t, 0, append(rest, "/usr/bin/apt-get")...)
	err := h.Check(t.Context(), func(context.Context, []string) error {
		install(t, h, postgres("13")...)
		return nil
	})
	if !errors.Is(err, debian.ErrManual) {
		t.Errorf("error is %v", err)
	}
}

func TestOtherSystems(t *testing.T) {
	for _, h := range []debian.Host{{OS: "darwin"}, machine(t, 0)} {
		if err := h.Check(t.Context(), never(t)); !errors.Is(err, debian.ErrManual) {
			t.Errorf("error is %v", err)
		}
	}
}
