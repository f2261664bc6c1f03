package dataplane_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	apiec2 "storefront/lab/api/ec2"
	apiiam "storefront/lab/api/iam"
	apios "storefront/lab/api/opensearch"
	"storefront/lab/authority"
	"storefront/lab/authorization"
	"storefront/lab/dataplane"
	"storefront/lab/dns"
	"storefront/lab/ec2"
	"storefront/lab/elasticsearch"
	"storefront/lab/iam"
	"storefront/lab/kms"
	"storefront/lab/logs"
	"storefront/lab/metrics"
	"storefront/lab/network"
	"storefront/lab/network/networktest"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/sts"
	"storefront/lab/wire"
	"storefront/lab/wire/wiretest"
)

// searchLab is a region with a network, in which search domains run and a client sits.
type searchLab struct {
	*testRegion
	search    *elasticsearch.Service
	domains   *dataplane.Domains
	wire      *wire.Server
	subnets   []string
	client    string // network interface
	master    string // ARN of the role that is the master user
	transport *http.Transport
}

// session is the access key of a session of a role.
func session(role string) wire.Credential {
	return wire.Credential{Secret: "secret of " + role, SessionToken: "token of " + role,
		Identity: wire.Identity{Account: "000000000000", ARN: "arn:aws:sts::000000000000:assumed-role/" + role + "/i-1"}}
}

func newSearchLab(t *testing.T) *searchLab {
	t.Helper()
	dir, r := t.TempDir(), region.Default()
	store, err := state.Open(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	l := &searchLab{testRegion: &testRegion{T: t, dir: dir, now: time.Now, store: store, net: networktest.Open(t), log: slog.New(slog.NewTextHandler(t.Output(), nil))}}
	if l.authority, err = authority.Open(dir); err != nil {
		t.Fatal(err)
	}
	l.iam = iam.New(store, r, time.Now)
	l.ec2 = ec2.New(ec2.Config{Store: store, Region: r, Now: time.Now, Profile: func(*state.Tx, string) (ec2.Profile, bool) { return ec2.Profile{}, false }})
	l.search = elasticsearch.New(elasticsearch.Config{Store: store, Region: r, Now: time.Now, Network: l.ec2, Roles: l.iam, Keys: kms.New(store, r, time.Now), Logs: logs.New(logs.Config{Store: store, Region: r, Now: time.Now})})
	l.wire = wire.NewServer(wire.Options{Region: r.Name, Logger: l.log, Credentials: wiretest.Keys{"master": session("master"), "reader": session("reader"), "other": session("other")}})
	names := dns.SourceFunc(func(string, string, uint16) ([]dns.Record, bool) { return nil, false })
	l.background(&dataplane.Network{Store: store, EC2: l.ec2, Net: l.net, Names: names, Log: l.log})
	l.prepare()
	return l
}

// prepare makes the roles, and a VPC of three subnets with a client in the first.
func (l *searchLab) prepare() {
	l.Helper()
	must(l.iam.CreateServiceLinkedRole(l.Context(), &apiiam.CreateServiceLinkedRoleInput{AWSServiceName: new("es.amazonaws.com")}))(l.T)
	for _, name := range []string{"master", "reader", "other"} {
		l.profile(name, "ec2.amazonaws.com")
	}
	l.master = "arn:aws:iam::000000000000:role/master"
	l.vpc = l.newVPC()
	for i, zone := range region.Default().Zones() {
		out := must(l.ec2.CreateSubnet(l.Context(), &apiec2.CreateSubnetInput{VpcId: &l.vpc, AvailabilityZone: &zone.Name, CidrBlock: new(fmt.Sprintf("10.0.%d.0/24", i))}))(l.T)
		l.subnets = append(l.subnets, *out.Subnet.SubnetId)
	}
	err := l.store.Update(func(tx *state.Tx) error {
		eni, err := l.ec2.CreateManagedInterface(tx, ec2.ManagedInterface{Subnet: l.subnets[0], Description: "client", RequesterID: "test"})
		l.client = eni.ID
		return err
	})
	if err != nil {
		l.Fatal(err)
	}
}

// run runs the domains with their data below a directory, until the test ends or stop is called.
func (l *searchLab) run(dir string) (stop func()) {
	judge := authorization.New(authorization.Config{Store: l.store, Region: region.Default(), Identities: l.iam, Sessions: sts.New(l.store, region.Default(), l.iam, time.Now), Now: time.Now})
	l.domains = &dataplane.Domains{Store: l.store, Search: l.search, Net: l.net, Authority: l.authority, Authenticate: l.wire.Authenticate, Metrics: metrics.New(time.Now, time.Hour),
		Judge: judge.Judge, Account: region.Default().Account, Dir: filepath.Join(l.dir, dir), Replacement: 100 * time.Millisecond, Log: l.log}
	l.transport = &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: l.authority.Pool()},
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			host, port, _ := net.SplitHostPort(address)
			return l.dial(ctx, host, port)
		},
	}
	l.Cleanup(l.transport.CloseIdleConnections)
	return l.background(l.domains)
}

// dial connects from the client to the first address that answers of those that a host name leads to.
func (l *searchLab) dial(ctx context.Context, host, port string) (conn net.Conn, err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	var addresses []netip.Addr
	if err := l.store.View(func(tx *state.Tx) error { addresses, _ = l.domains.Resolve(tx, host); return nil }); err != nil {
		return nil, err
	}
	err = fmt.Errorf("no such host: %s", host)
	for _, a := range addresses {
		if conn, err = l.net.Dial(ctx, network.InInterface(l.client), "tcp", net.JoinHostPort(a.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// declare is the request for a domain of two nodes with fine-grained access control, open to the roles master and reader.
func (l *searchLab) declare() *apios.CreateDomainInput {
	return &apios.CreateDomainInput{
		DomainName: new("orders"), EngineVersion: new("Elasticsearch_7.10"),
		ClusterConfig:               &apios.ClusterConfig{InstanceType: new("t3.small.search"), InstanceCount: new(int64(2)), ZoneAwarenessEnabled: new(true)},
		EBSOptions:                  &apios.EBSOptions{EBSEnabled: new(true), VolumeSize: new(int64(10)), VolumeType: new("gp3")},
		EncryptionAtRestOptions:     &apios.EncryptionAtRestOptions{Enabled: new(true)},
		NodeToNodeEncryptionOptions: &apios.NodeToNodeEncryptionOptions{Enabled: new(true)},
		DomainEndpointOptions:       &apios.DomainEndpointOptions{EnforceHTTPS: new(true), TLSSecurityPolicy: new("Policy-Min-TLS-1-2-2019-07")},
		AdvancedSecurityOptions:     &apios.AdvancedSecurityOptionsInput{Enabled: new(true), MasterUserOptions: &apios.MasterUserOptions{MasterUserARN: &l.master}},
		AccessPolicies: new(`{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::000000000000:role/master","arn:aws:iam::000000000000:role/reader"]},"Action":"es:ESHttp*","Resource":"arn:aws:es:us-east-1:000000000000:domain/orders/*"},
			{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"es:ESHttpDelete","Resource":"arn:aws:es:us-east-1:000000000000:domain/orders/kept/*"}]}`),
		VPCOptions: &apios.VPCOptions{SubnetIds: l.subnets[:2]},
	}
}

// create makes a domain, runs it unless run was called, and waits until it is active. It returns the endpoint.
func (l *searchLab) create(in *apios.CreateDomainInput) string {
	l.Helper()
	if l.domains == nil {
		l.run("search")
	}
	must(l.search.CreateDomain(l.Context(), in))(l.T)
	return l.active()
}

func (l *searchLab) active() (host string) {
	l.Helper()
	eventually(l.T, "the domain is active", func() bool {
		d := must(l.search.DescribeDomain(l.Context(), &apios.DescribeDomainInput{DomainName: new("orders")}))(l.T).DomainStatus
		host = d.Endpoints["vpc"]
		return *d.DomainProcessingStatus == "Active"
	})
	return host
}

// answer is what a domain answered.
type answer struct {
	status int
	text   string
}

func (a answer) is(t *testing.T, status int, part string) {
	t.Helper()
	if a.status != status || !strings.Contains(a.text, part) {
		t.Errorf("got %d %s, want %d with %q", a.status, a.text, status, part)
	}
}

func (a answer) has(part string) bool { return strings.Contains(a.text, part) }

// send sends a request as a role, or unsigned for "". A scheme may precede the host.
func (l *searchLab) send(as, method, host, path, body string) (a answer, err error) {
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	r, err := http.NewRequestWithContext(l.Context(), method, host+path, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	r.Header.Set("Content-Type", "application/json")
	if as != "" {
		c, sum := session(as), sha256.Sum256([]byte(body))
		if err := v4.NewSigner().SignHTTP(l.Context(), aws.Credentials{AccessKeyID: as, SecretAccessKey: c.Secret, SessionToken: c.SessionToken}, r, hex.EncodeToString(sum[:]), "es", "us-east-1", time.Now()); err != nil {
			return a, err
		}
	}
	return l.do(r)
}

func (l *searchLab) do(r *http.Request) (a answer, err error) {
	response, err := (&http.Client{Transport: l.transport, Timeout: 10 * time.Second}).Do(r)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, string(b)}, err
}

// must sends a request that must be answered: again, as clients do, when a node that is lost takes the connection along.
func (l *searchLab) must(as, method, host, path, body string) answer {
	l.Helper()
	for range 3 {
		if a, err := l.send(as, method, host, path, body); err == nil {
			return a
		}
	}
	return must(l.send(as, method, host, path, body))(l.T)
}

// count counts the documents of an index.
func (l *searchLab) count(host, index string) int {
	l.Helper()
	l.must("master", "POST", host, "/"+index+"/_refresh", "").is(l.T, 200, "")
	a := l.must("master", "GET", host, "/"+index+"/_count", "")
	var out struct{ Count int }
	if err := json.NewDecoder(bytes.NewReader([]byte(a.text))).Decode(&out); err != nil || a.status != 200 {
		l.Fatalf("counting: %d %s", a.status, a.text)
	}
	return out.Count
}
