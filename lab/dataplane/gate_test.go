package dataplane_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	s3sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	stssdk "github.com/aws/aws-sdk-go-v2/service/sts"

	ec2api "storefront/lab/api/ec2"
	s3api "storefront/lab/api/s3"
	stsapi "storefront/lab/api/sts"
	"storefront/lab/dataplane"
	"storefront/lab/ec2"
	"storefront/lab/network"
	"storefront/lab/region"
	"storefront/lab/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
	"storefront/lab/wire/wiretest"
)

// gateRegion is a region whose services are reached through the gate alone.
type gateRegion struct {
	*testRegion
	server http.Handler

	mu       sync.Mutex
	from, at netip.Addr // who made the last request, and the address it was made to
	through  wire.Endpoint
}

func newGateRegion(t *testing.T) *gateRegion {
	t.Helper()
	r := &gateRegion{testRegion: newTestRegion(t, time.Now)}
	objects := must(s3.New(s3.Options{Store: r.store, Dir: filepath.Join(r.dir, "objects"), Region: region.Default()}))(t)
	r.server = wire.NewServer(wire.Options{Services: []*wire.Service{stsapi.New(r.sts), s3api.New(objects)}, Region: wiretest.Region, Logger: r.log, Authorize: r.note,
		Credentials: wiretest.Keys{wiretest.AccessKeyID: {Secret: wiretest.SecretKey, Identity: wiretest.Caller()}}})
	r.connect()
	r.background(&dataplane.Gate{Store: r.store, EC2: r.ec2, Net: r.net, Endpoints: r.endpoints, Handler: r, Log: r.log,
		TLS: r.authority.TLSConfig(func(name string) bool { _, ok := r.endpoints.Service(name); return ok })})
	return r
}

// ServeHTTP notes where a request comes from and passes it on.
func (r *gateRegion) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	at, _ := request.Context().Value(http.LocalAddrContextKey).(net.Addr)
	r.mu.Lock()
	r.from, r.at = netip.MustParseAddrPort(request.RemoteAddr).Addr(), netip.MustParseAddrPort(at.String()).Addr()
	r.mu.Unlock()
	r.server.ServeHTTP(w, request)
}

// note notes the VPC endpoint that a request came through.
func (r *gateRegion) note(ctx context.Context, _ wire.Identity, _, _ string, _ any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.through = wire.OriginOf(ctx).Endpoint
	return nil
}

// came checks which VPC endpoint the last request came through.
func (r *gateRegion) came(want wire.Endpoint) {
	r.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.through != want {
		r.Errorf("the request came through %v, want %v", r.through, want)
	}
}

// last returns who made the last request and the address it was made to.
func (r *gateRegion) last() (from, at string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.from.String(), r.at.String()
}

// client is the configuration of SDK clients that run in a subnet, ask the resolver there and trust the lab's authority.
func (r *gateRegion) client(subnet string) aws.Config {
	r.Helper()
	var eni ec2.Interface
	if err := r.store.Update(func(tx *state.Tx) (err error) {
		eni, err = r.ec2.CreateManagedInterface(tx, ec2.ManagedInterface{Subnet: subnet, RequesterID: "test"})
		return err
	}); err != nil {
		r.Fatal(err)
	}
	place := network.InInterface(eni.ID)
	eventually(r.T, "the client's interface is there", func() bool { _, err := r.net.Path(place); return err == nil })
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, protocol, _ string) (net.Conn, error) {
		return r.net.Dial(ctx, place, protocol, "10.0.0.2:53")
	}}
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: r.authority.Pool()},
		DialContext: func(ctx context.Context, protocol, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			addresses, err := resolver.LookupHost(ctx, host)
			if err != nil {
				return nil, err
			}
			return r.net.Dial(ctx, place, protocol, net.JoinHostPort(addresses[0], port))
		},
	}
	c := wiretest.Config("", wiretest.AccessKeyID, wiretest.SecretKey, "")
	c.BaseEndpoint, c.HTTPClient = nil, wiretest.Client(transport)
	return c
}

// identify asks who the caller is; it gives up after a moment, as what is not let through gets no answer.
func identify(t *testing.T, c aws.Config) error {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := stssdk.NewFromConfig(c).GetCallerIdentity(ctx, &stssdk.GetCallerIdentityInput{})
	return err
}

// answers waits until a client gets an answer, and checks at which address.
func (r *gateRegion) answers(c aws.Config, want string) {
	r.Helper()
	var err error
	eventually(r.T, "the service answers", func() bool { err = identify(r.T, c); return err == nil })
	if _, at := r.last(); at != want {
		r.Errorf("the service was reached at %s, want %s", at, want)
	}
}

// mainTable returns the main route table of a VPC.
func (r *gateRegion) mainTable(vpc string) string {
	r.Helper()
	filters := []ec2api.Filter{{Name: new("vpc-id"), Values: []string{vpc}}, {Name: new("association.main"), Values: []string{"true"}}}
	return *must(r.ec2.DescribeRouteTables(r.Context(), &ec2api.DescribeRouteTablesInput{Filters: filters}))(r.T).RouteTables[0].RouteTableId
}

// nat makes a public subnet with a NAT gateway, to which the VPC's other subnets lead, and returns its public address.
func (r *gateRegion) nat() string {
	r.Helper()
	ctx, t := r.Context(), r.T
	public := r.newSubnet(r.vpc, "10.0.1.0/24")
	gateway := must(r.ec2.CreateInternetGateway(ctx, &ec2api.CreateInternetGatewayInput{}))(t).InternetGateway.InternetGatewayId
	must(r.ec2.AttachInternetGateway(ctx, &ec2api.AttachInternetGatewayInput{InternetGatewayId: gateway, VpcId: &r.vpc}))(t)
	table := must(r.ec2.CreateRouteTable(ctx, &ec2api.CreateRouteTableInput{VpcId: &r.vpc}))(t).RouteTable.RouteTableId
	must(r.ec2.AssociateRouteTable(ctx, &ec2api.AssociateRouteTableInput{RouteTableId: table, SubnetId: &public}))(t)
	must(r.ec2.CreateRoute(ctx, &ec2api.CreateRouteInput{RouteTableId: table, DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: gateway}))(t)
	address := must(r.ec2.AllocateAddress(ctx, &ec2api.AllocateAddressInput{Domain: new("vpc")}))(t)
	nat := must(r.ec2.CreateNatGateway(ctx, &ec2api.CreateNatGatewayInput{SubnetId: &public, AllocationId: address.AllocationId}))(t).NatGateway.NatGatewayId
	must(r.ec2.CreateRoute(ctx, &ec2api.CreateRouteInput{RouteTableId: new(r.mainTable(r.vpc)), DestinationCidrBlock: new("0.0.0.0/0"), NatGatewayId: nat}))(t)
	return *address.PublicIp
}

func TestGateAtPublicAddresses(t *testing.T) {
	r := newGateRegion(t)
	inside := r.client(r.subnet)
	if err := identify(t, inside); err == nil {
		t.Error("a subnet without a way out reached a public service")
	}
	public := r.nat()
	r.answers(inside, "203.0.113.10")
	if from, _ := r.last(); from != public {
		t.Errorf("the request came from %s, want the NAT gateway's %s", from, public)
	}
	r.came(wire.Endpoint{})
	inside.Credentials = credentials.NewStaticCredentialsProvider(wiretest.AccessKeyID, "another secret", "")
	wiretest.Refused(t, identify(t, inside), "SignatureDoesNotMatch", "signature")
}

func TestGateThroughGatewayEndpoint(t *testing.T) {
	r := newGateRegion(t)
	inside := r.client(r.subnet)
	made := must(r.ec2.CreateVpcEndpoint(t.Context(), &ec2api.CreateVpcEndpointInput{VpcId: &r.vpc, ServiceName: new("com.amazonaws.us-east-1.s3"), RouteTableIds: []string{r.mainTable(r.vpc)}}))(t)
	client := s3sdk.NewFromConfig(inside)
	eventually(t, "a bucket is made", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client.CreateBucket(ctx, &s3sdk.CreateBucketInput{Bucket: new("shop-front")})
		return err == nil
	})
	must(client.PutObject(t.Context(), &s3sdk.PutObjectInput{Bucket: new("shop-front"), Key: new("a/b"), Body: strings.NewReader("content")}))(t)
	got := must(client.GetObject(t.Context(), &s3sdk.GetObjectInput{Bucket: new("shop-front"), Key: new("a/b")}))(t)
	defer func() { _ = got.Body.Close() }()
	if body, err := io.ReadAll(got.Body); err != nil || string(body) != "content" {
		t.Errorf("got %q, %v", body, err)
	}
	if _, at := r.last(); at != "203.0.113.12" {
		t.Errorf("the service was reached at %s", at)
	}
	r.came(wire.Endpoint{ID: *made.VpcEndpoint.VpcEndpointId, VPC: r.vpc})
	if err := identify(t, inside); err == nil {
		t.Error("another service is reached through the endpoint of S3")
	}
}

// endpoint makes an interface endpoint of STS and returns its ID and private address.
func (r *gateRegion) endpoint(vpc, subnet string) (id, address string) {
	r.Helper()
	made := must(r.ec2.CreateVpcEndpoint(r.Context(), &ec2api.CreateVpcEndpointInput{VpcId: &vpc, VpcEndpointType: new("Interface"),
		ServiceName: new("com.amazonaws.us-east-1.sts"), SubnetIds: []string{subnet}}))(r.T).VpcEndpoint
	if err := r.store.View(func(tx *state.Tx) error {
		eni, err := r.ec2.Interface(tx, made.NetworkInterfaceIds[0])
		address = eni.Address.String()
		return err
	}); err != nil {
		r.Fatal(err)
	}
	return *made.VpcEndpointId, address
}

// Endpoints are served in each VPC, also where VPCs use the same addresses, and again after they were deleted and made anew.
func TestGateAtInterfaceEndpoints(t *testing.T) {
	r := newGateRegion(t)
	twin := r.newVPC()
	twinSubnet := r.newSubnet(twin, "10.0.0.0/24")
	first, address := r.endpoint(r.vpc, r.subnet)
	_, same := r.endpoint(twin, twinSubnet)
	if same != address {
		t.Fatalf("the endpoints are at %s and %s, want the same address", address, same)
	}
	here, there := r.client(r.subnet), r.client(twinSubnet)
	r.answers(here, address)
	r.came(wire.Endpoint{ID: first, VPC: r.vpc})
	r.answers(there, address)
	named := here
	named.BaseEndpoint = new("https://" + first + ".sts.us-east-1.vpce.amazonaws.com")
	r.answers(named, address)
	wrong := here
	wrong.Credentials = credentials.NewStaticCredentialsProvider(wiretest.AccessKeyID, "another secret", "")
	wiretest.Refused(t, identify(t, wrong), "SignatureDoesNotMatch", "signature")

	must(r.ec2.DeleteVpcEndpoints(t.Context(), &ec2api.DeleteVpcEndpointsInput{VpcEndpointIds: []string{first}}))(t)
	eventually(t, "the deleted endpoint does not answer", func() bool { return identify(t, here) != nil })
	r.answers(there, address)
	_, again := r.endpoint(r.vpc, r.subnet)
	r.answers(here, again)
}
