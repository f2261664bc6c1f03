package administration_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"storefront/stacks/internal/administration"
)

// What is not "no administrator" is an error: going on without would delete what is there.
func TestFirewallManager(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	for name, tt := range map[string]struct {
		status        int
		answer        string
		administers   bool
		failure, wire string
	}{
		"administrator": {200, `{"PolicyList":[]}`, true, "", "/fms/aws4_request"},
		"nobody":        {400, `{"__type":"AccessDeniedException","Message":"No default admin could be found for account 123456789012"}`, false, "", ""},
		"another":       {400, `{"__type":"AccessDeniedException","Message":"The account 123456789012 is not currently delegated by AWS FM."}`, false, "", ""},
		"permission":    {400, `{"__type":"AccessDeniedException","Message":"User: x is not authorized to perform: fms:ListPolicies"}`, false, "fms:ListPolicies", ""},
		"outage":        {500, `{"__type":"InternalErrorException"}`, false, "firewallManager=off", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Amz-Target") != "AWSFMS_20180101.ListPolicies" || !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1"+tt.wire) {
					t.Errorf("asked %s with %s", r.Header.Get("X-Amz-Target"), r.Header.Get("Authorization"))
				}
				w.Header().Set("Content-Type", "application/x-amz-json-1.1")
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.answer))
			}))
			defer s.Close()
			got, err := administration.FirewallManager(t.Context(), "eu-west-1", s.URL)
			if got != tt.administers || (err != nil) != (tt.failure != "") || err != nil && !strings.Contains(err.Error(), tt.failure) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}
