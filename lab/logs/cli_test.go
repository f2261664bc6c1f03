package logs_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	iamapi "storefront/lab/api/iam"
	api "storefront/lab/api/logs"
	"storefront/lab/iam"
	lab "storefront/lab/logs"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

// TestCommandLine reads the answers of the JSON and the query protocol with another client than the SDK for Go.
func TestCommandLine(t *testing.T) {
	store := wiretest.Must(state.Open(filepath.Join(t.TempDir(), "state")))
	t.Cleanup(func() { _ = store.Close() })
	s := wiretest.New(t, api.New(lab.New(lab.Config{Store: store, Region: region.Default(), Now: time.Now})), iamapi.New(iam.New(store, region.Default(), time.Now)))
	for _, tc := range []struct{ args, want string }{
		{"logs create-log-group --log-group-name g", ""},
		{"logs describe-log-groups --query logGroups[0].arn", "arn:aws:logs:us-east-1:000000000000:log-group:g:*"},
		{"iam create-user --user-name ann --query User.Arn", "arn:aws:iam::000000000000:user/ann"},
	} {
		got, err := wiretest.CommandLine(t, "aws", s.URL, append(strings.Fields(tc.args), "--output", "text")...)
		if err != nil || got != tc.want {
			t.Errorf("%s: got %q, %v, want %q", tc.args, got, err, tc.want)
		}
	}
}
