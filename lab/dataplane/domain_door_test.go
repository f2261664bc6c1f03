package dataplane_test

import (
	"net/http"
	"strings"
	"testing"

	apios "storefront/lab/api/opensearch"
)

// Who may do what: signature, access policy, fine-grained access control, in this order.
func TestTheDoorOfADomain(t *testing.T) {
	l := newSearchLab(t)
	host := l.create(l.declare())
	l.must("master", "PUT", host, "/orders/_doc/1", `{"name":"lamp"}`).is(t, 201, `"created"`)
	l.must("master", "GET", host, "/", "").is(t, 200, `"number":"7.10`)
	l.must("master", "GET", host, "/orders/_search?q=name:lamp", "").is(t, 200, `"hits"`)
	l.must("master", "PUT", host, "/orders/_doc/a%2Fb%20c", `{}`).is(t, 201, `"_id":"a/b c"`)
	l.must("master", "GET", host, "/ord*/_search", "").is(t, 200, `"hits"`)
	for _, c := range []struct {
		as, method, path string
		status           int
		part             string
	}{
		{"", "GET", "/", 403, `User: anonymous is not authorized to perform: es:ESHttpGet because no resource-based policy allows the es:ESHttpGet action`},
		{"other", "POST", "/orders/_search", 403, `User: arn:aws:sts::000000000000:assumed-role/other/i-1 is not authorized to perform: es:ESHttpPost because no identity-based policy allows the es:ESHttpPost action`},
		{"master", "DELETE", "/kept/_doc/1", 403, `with an explicit deny in a resource-based policy`},
		{"reader", "POST", "/orders/_search", 403, `no permissions for [indices:data/read/search] and User [name=arn:aws:iam::000000000000:role/reader, backend_roles=[arn:aws:iam::000000000000:role/reader]`},
		{"reader", "PUT", "/orders/_doc/2", 403, `security_exception`},
		{"master", "GET", "/_opendistro/_security/api/roles", 400, "no handler found"},
	} {
		l.must(c.as, c.method, host, c.path, "").is(t, c.status, c.part)
	}
	l.must("master", "GET", "http://"+host, "/", "").is(t, 403, "HTTPS only")
	l.must("master", "POST", host, "/_bulk", strings.Repeat("x", 10<<20+1)).is(t, 413, "Request size exceeded 10485760 bytes")

	forged, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+host+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	forged.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=master/20260101/us-east-1/es/aws4_request, SignedHeaders=host;x-amz-date, Signature=00")
	forged.Header.Set("X-Amz-Date", "20260101T000000Z")
	if a := must(l.do(forged))(t); a.status != 403 {
		t.Errorf("a forged request: got %d %s, want 403", a.status, a.text)
	}
	if n := l.count(host, "orders"); n != 2 {
		t.Errorf("got %d documents, want the two that were let in", n)
	}
}

// With the internal user database the master user logs in by name and password, and signatures open nothing more than the access policy.
func TestTheInternalMasterUser(t *testing.T) {
	l := newSearchLab(t)
	in := l.declare()
	in.AdvancedSecurityOptions.InternalUserDatabaseEnabled = new(true)
	in.AdvancedSecurityOptions.MasterUserOptions = &apios.MasterUserOptions{MasterUserName: new("keeper"), MasterUserPassword: new("L0ng-enough!")}
	in.AccessPolicies = new(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"es:ESHttp*","Resource":"*"}]}`)
	host := l.create(in)
	for _, c := range []struct {
		name, password string
		status         int
	}{{"keeper", "L0ng-enough!", 200}, {"keeper", "L0ng-enough!", 200}, {"keeper", "wrong", 401}, {"someone", "L0ng-enough!", 401}, {"", "", 401}} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+host+"/_cluster/health", nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.name != "" {
			r.SetBasicAuth(c.name, c.password)
		}
		if a := must(l.do(r))(t); a.status != c.status {
			t.Errorf("%q with %q: got %d %s, want %d", c.name, c.password, a.status, a.text, c.status)
		}
	}
	l.must("master", "GET", host, "/", "").is(t, 403, "no permissions for [cluster:monitor/main]")
}

// Without fine-grained access control the access policy alone decides; a changed one counts at once.
func TestAnAccessPolicyThatChanges(t *testing.T) {
	l := newSearchLab(t)
	in := l.declare()
	in.AdvancedSecurityOptions = nil
	in.DomainEndpointOptions = nil
	in.EngineVersion = new("OpenSearch_2.17")
	host := l.create(in)
	l.must("reader", "GET", host, "/", "").is(t, 200, `"distribution":"opensearch"`)
	l.must("reader", "PUT", "http://"+host, "/orders/_doc/1", `{}`).is(t, 201, "")
	must(l.search.UpdateDomainConfig(t.Context(), &apios.UpdateDomainConfigInput{DomainName: new("orders"), AccessPolicies: new(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/reader"},"Action":["es:ESHttpGet","es:ESHttpHead"],"Resource":"*"}]}`)}))(t)
	l.active()
	l.must("reader", "GET", host, "/orders/_doc/1", "").is(t, 200, `"found":true`)
	l.must("reader", "PUT", host, "/orders/_doc/1", `{}`).is(t, 403, "es:ESHttpPut")
}
