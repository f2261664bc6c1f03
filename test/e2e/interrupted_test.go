package e2e

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"storefront/lab/control"
	"storefront/test/small"
)

// interruption is an end of a deployment that nobody planned.
type interruption struct {
	name string
	at   int // resources in the lab: it has 23 in the end, and after an update 32
	end  func(*testing.T, *site, running)
}

// TestInterrupted ends deployments of the small stack at many points and in every way: the first one, and updates of a finished one. The next up makes of each what an
// undisturbed one makes, no more and no less. TestFaults does the same with the whole storefront, at two points.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	clone, wider := smallClone(t, 1), smallClone(t, 3)
	plain, widened := newSite(t), newSite(t)
	plain.root, widened.root = clone, wider
	made, madeWider := plain.counts(t), widened.counts(t)
	for _, i := range []interruption{
		{"InterruptedAtOnce", 1, interrupted}, {"InterruptedHalfway", 11, interrupted}, {"InterruptedLate", 17, interrupted}, {"TerminatedHalfway", 10, terminated},
		{"KilledAtOnce", 1, killed}, {"KilledHalfway", 9, killed}, {"KilledLate", 16, killed}, {"CommandKilled", 8, commandKilled}, {"EngineKilled", 12, engineKilled},
		{"LabKilled", 11, labKilled},
		{"UpdateInterrupted", 26, interrupted}, {"UpdateCommandKilled", 24, commandKilled}, {"UpdateLabKilled", 28, labKilled},
	} {
		t.Run(i.name, func(t *testing.T) {
			t.Parallel()
			s, want := newSite(t), made
			s.root = clone
			if i.at > total(want) {
				s.up(t)
				s.root, want = wider, madeWider
			}
			up := s.begin(t)
			up.awaitResources(t, s, i.at)
			i.end(t, s, up)
			s.converges(t, want)
		})
	}
	// A Pulumi that is killed in an update does not know what it made, and nobody may empty a region in which something is: the next up may meet it, and says before what to do then.
	t.Run("UpdateKilled", func(t *testing.T) {
		t.Parallel()
		s := newSite(t)
		s.root = clone
		s.up(t)
		s.root = wider
		up := s.begin(t)
		up.awaitResources(t, s, 27)
		up.killAll(t)
		if out, status, err := s.run(t.Context(), "", "stack", "up"); err != nil || status != 0 && !strings.Contains(out, "`make down` clears everything away") {
			t.Errorf("an up after a killed update: status %d, %v\n%s", status, err, out)
		}
		s.mustRun(t, "stack", "down")
		for _, dir := range []string{"lab", "state"} {
			if _, err := os.Stat(filepath.Join(s.dir, dir)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is left behind: %v", dir, err)
			}
		}
	})
}

// smallClone is a clone with the small stack of a size.
func smallClone(t *testing.T, size int) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	clone := filepath.Join(t.TempDir(), "clone")
	if err := errors.Join(small.Clone(t.Context(), root, clone), small.SetSize(clone, size)); err != nil {
		t.Fatal(err)
	}
	return clone
}

// counts deploys without being disturbed, and returns how many resources of each kind that makes.
func (s *site) counts(t *testing.T) map[string]int {
	t.Helper()
	s.up(t)
	return (&deployment{site: s}).status(t).Resources
}

func total(resources map[string]int) (n int) {
	for _, of := range resources {
		n += of
	}
	return n
}

// converges deploys again, and finds what an undisturbed deployment makes, nothing left to do, and nothing left behind by a destroy.
func (s *site) converges(t *testing.T, want map[string]int) {
	t.Helper()
	s.up(t)
	d := newDeployment(t, s)
	if got := d.status(t).Resources; !maps.Equal(got, want) {
		t.Errorf("the lab has %v, want %v", got, want)
	}
	previewIsEmpty(t, d)
	if left := s.descendants(t); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	destroyLeavesNothing(t, d)
}

// awaitResources returns as soon as the lab has so many resources.
func (r running) awaitResources(t *testing.T, s *site, n int) {
	t.Helper()
	lab, tick, deadline := control.NewClient(filepath.Join(s.dir, "lab")), time.NewTicker(2*time.Millisecond), time.After(2*time.Minute)
	defer tick.Stop()
	for has := 0; has < n; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d resources after two minutes, want %d", has, n)
		}
		if status, err := lab.Status(t.Context()); err == nil {
			has = total(status.Resources)
		}
	}
}

func interrupted(t *testing.T, s *site, up running) { signalled(t, s, up, os.Interrupt) }

func terminated(t *testing.T, s *site, up running) { signalled(t, s, up, syscall.SIGTERM) }

// signalled ends an up in order: nothing that it has begun is left half-made, and nobody works on when it has ended.
func signalled(t *testing.T, s *site, up running, sig os.Signal) {
	t.Helper()
	if err := up.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	if err := up.cmd.Wait(); up.cmd.ProcessState.ExitCode() != 130 {
		t.Fatalf("an up that got %s ended with %v, want status 130\n%s", sig, err, up.output(t))
	}
	if left := s.descendants(t); len(left) > 0 {
		t.Errorf("an up that got %s left processes: %v", sig, left)
	}
}

func killed(t *testing.T, _ *site, up running) { up.killAll(t) }

// commandKilled kills the command, whose Pulumi goes on: the next up waits for it.
func commandKilled(t *testing.T, _ *site, up running) {
	if err := up.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = up.cmd.Wait()
}

// engineKilled kills Pulumi, and leaves its plugins alone.
func engineKilled(t *testing.T, s *site, up running) {
	for pid, program := range s.workers(t) {
		if program == "pulumi" {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			failed(t, up)
			return
		}
	}
	t.Fatal("no pulumi works")
}

func labKilled(t *testing.T, s *site, up running) {
	kill(t, (&deployment{site: s}).status(t).PID)
	failed(t, up)
}

// failed waits for the end of an up that something was taken away from.
func failed(t *testing.T, up running) {
	t.Helper()
	begin := time.Now()
	if err := up.cmd.Wait(); err == nil {
		t.Errorf("up ended well:\n%s", up.output(t))
	}
	t.Logf("up ended %s later", time.Since(begin).Round(time.Millisecond))
}
