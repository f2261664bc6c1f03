package e2e

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
)

// TestStorefront walks one deployment from nothing to nothing. Each step needs the ones before it, so the first failure ends the walk.
func TestStorefront(t *testing.T) {
	s := newSite(t)
	d := newDeployment(t, s)
	var running traces
	for _, step := range []struct {
		name string
		run  func(*testing.T, *deployment)
	}{
		{"Up", deploy},
		{"SecondPreviewIsEmpty", previewIsEmpty},
		{"SecondUpIsEmpty", upIsEmpty},
		{"RefreshIsEmpty", refreshIsEmpty},
		{"ServesTheCatalogue", servesTheCatalogue},
		{"ReachesEveryInstance", reachesEveryInstance},
		{"ReaderIsReadOnlyAndFollows", readerFollows},
		{"PermissionsAreUsed", permissionsAreUsed},
		{"NothingWasDenied", nothingWasDenied},
		{"KeysAreApart", keysAreApart},
		{"RoleStaysWithinItsRights", roleStaysWithinItsRights},
		{"WhoOpenedTheGroupIsTraced", groupOpenedIsTraced},
		{"DatabaseIsPrivate", databaseIsPrivate},
		{"PrivateInstanceNeedsARouteToS3", needsRoute},
		{"UnhealthyInstanceGetsNothing", unhealthyInstanceGetsNothing},
		{"KilledInstanceIsReplaced", killedInstanceIsReplaced},
		{"DriftIsReportedAndRepaired", driftIsRepaired},
		{"LabKilledAndStartedAgain", survivesKill},
		{"FirewallBlocksAttacks", firewallBlocks},
		{"FirewallManagerGuards", firewallManagerGuards},
		{"NothingWasRefused", nothingWasRefused},
		{"SecretsStayHidden", secretsStayHidden},
		{"RunsOnThisMachine", func(t *testing.T, d *deployment) { running = tracesOf(t, d.status(t).PID) }},
		{"LockedBackupsStay", lockedBackupsStay},
		{"DestroyLeavesTheLabEmpty", destroyLeavesNothing},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.run(t, d) }) {
			t.Fatal("the steps that follow need this one")
		}
	}
	s.mustRun(t, "lab", "down", "--forget")
	running.gone(t, s)
}

func deploy(t *testing.T, d *deployment) {
	result, err := d.stack.Up(t.Context(), optup.ConfigFile(d.config), optup.ProgressStreams(logWriter{t}))
	if err != nil {
		t.Fatalf("up: %v", err)
	}
	t.Logf("up took %s", took(result.Summary.StartTime, result.Summary.EndTime))
	d.readOutputs(t)
}

func previewIsEmpty(t *testing.T, d *deployment) {
	if _, err := d.stack.Preview(t.Context(), optpreview.ConfigFile(d.config), optpreview.ExpectNoChanges(), optpreview.Diff()); err != nil {
		t.Fatalf("a preview right after up wants changes: %v", err)
	}
}

func upIsEmpty(t *testing.T, d *deployment) {
	if _, err := d.stack.Up(t.Context(), optup.ConfigFile(d.config), optup.ExpectNoChanges()); err != nil {
		t.Fatalf("a second up makes changes: %v", err)
	}
}

func refreshIsEmpty(t *testing.T, d *deployment) {
	if _, err := d.stack.PreviewRefresh(t.Context(), optrefresh.ConfigFile(d.config), optrefresh.ExpectNoChanges()); err != nil {
		t.Fatalf("what the provider reads is not what it wrote: %v", err)
	}
}

func servesTheCatalogue(t *testing.T, d *deployment) {
	page := awaitProducts(t, d.url)
	if len(page.Items) != 20 {
		t.Fatalf("got %d products, want the 20 of the seeded catalogue", len(page.Items))
	}
	for _, field := range []string{"id", "name", "description", "price_cents", "currency", "stock"} {
		if _, ok := page.Items[0][field]; !ok {
			t.Errorf("a product has no %s: %v", field, page.Items[0])
		}
	}
}

// destroyLeavesNothing ends with a lab in which nothing is left of the stack, by the lab's own count.
func destroyLeavesNothing(t *testing.T, d *deployment) {
	if _, err := d.stack.Destroy(t.Context(), optdestroy.ConfigFile(d.config), optdestroy.ProgressStreams(logWriter{t})); err != nil {
		t.Fatalf("destroy: %v", err)
	}
	eventually(t, "wait until the lab is empty", time.Minute, func() error {
		s := d.status(t)
		maps.DeleteFunc(s.Resources, func(kind string, n int) bool { return d.leftovers[kind] == n })
		if len(s.Resources) > 0 || len(s.Databases) > 0 {
			return fmt.Errorf("left: %v, %v", s.Resources, s.Databases)
		}
		for _, i := range s.Instances {
			if i.State != "terminated" {
				return fmt.Errorf("instance %s is %s", i.ID, i.State)
			}
		}
		return nil
	})
	// The Automation API would remove the committed settings with the stack.
	d.mustRun(t, "pulumi", "stack", "rm", "--yes", "--preserve-config", d.name)
}

// nothingWasRefused proves that the lab serves every call that the provider, the instances and these tests make.
func nothingWasRefused(t *testing.T, d *deployment) {
	for _, u := range d.status(t).Unsupported {
		t.Errorf("the lab does not serve %s %s", u.Service, u.Operation)
	}
}

// logWriter shows Pulumi's progress in the test's log.
type logWriter struct{ t *testing.T }

func (w logWriter) Write(b []byte) (int, error) {
	if text := strings.TrimSpace(string(b)); text != "" {
		w.t.Log(text)
	}
	return len(b), nil
}

func took(start string, end *string) time.Duration {
	if end == nil {
		return 0
	}
	from, _ := time.Parse(time.RFC3339, start)
	to, _ := time.Parse(time.RFC3339, *end)
	return to.Sub(from)
}
