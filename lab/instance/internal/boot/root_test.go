package boot

import (
	"os"
	"testing"
)

// Every user may enter the root directory, and root alone its home, whatever was made first. A map's order once decided, and one server in twenty never served.
func TestModesOfADisk(t *testing.T) {
	for range 100 {
		d := disk{dir: t.TempDir()}
		if err := d.prepare(); err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]os.FileMode{d.root(): 0o755, d.root("opt"): 0o755, d.root("root"): 0o550} {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != want {
				t.Fatalf("%s has the mode %o, want %o", path, got, want)
			}
		}
	}
}
