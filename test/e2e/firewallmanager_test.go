package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/fms"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
)

// firewallManagerGuards makes the account the administrator of Firewall Manager, which it is not at first: the next up makes the policies, and they watch over what
// the stack does not know. The policies stay until the stack is destroyed.
func firewallManagerGuards(t *testing.T, d *deployment) {
	without, err := d.stack.Preview(t.Context(), optpreview.ConfigFile(d.config))
	if err != nil || !strings.Contains(without.StdOut, "warning: this account does not administer AWS Firewall Manager") {
		t.Fatalf("a stack without Firewall Manager has to say so: %v\n%s", err, without.StdOut)
	}
	api := fms.NewFromConfig(d.aws)
	who, err := sts.NewFromConfig(d.aws).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.AssociateAdminAccount(t.Context(), &fms.AssociateAdminAccountInput{AdminAccount: who.Account}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.stack.Up(t.Context(), optup.ConfigFile(d.config)); err != nil {
		t.Fatalf("up with an administrator: %v", err)
	}
	previewIsEmpty(t, d)
	refreshIsEmpty(t, d)
	policies, err := api.ListPolicies(t.Context(), &fms.ListPoliciesInput{})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]*string{}
	for _, p := range policies.PolicyList {
		ids[strings.TrimPrefix(*p.PolicyName, "storefront-lab-guard-")] = p.PolicyId
	}
	if got := sortedKeys(ids); !slices.Equal(got, []string{"content-audit", "usage-audit", "web-acl"}) {
		t.Fatalf("policies %v", got)
	}
	d.newBalancerIsGuarded(t)
	d.openGroupIsReported(t, api, *who.Account, ids["content-audit"])
}

// newBalancerIsGuarded makes a load balancer that the stack knows nothing of: it gets the web ACL of Firewall Manager, and the stack's own keeps its own.
func (d *deployment) newBalancerIsGuarded(t *testing.T) {
	t.Helper()
	api, waf := elb.NewFromConfig(d.aws), wafv2.NewFromConfig(d.aws)
	var subnets []string
	for _, id := range d.out.Subnets["public"] {
		subnets = append(subnets, id)
	}
	made, err := api.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: new("by-hand"), Subnets: subnets, SecurityGroups: []string{d.out.LoadBalancerSecurityGroup},
		Tags: []elbtypes.Tag{{Key: new("Project"), Value: new("storefront")}}})
	if err != nil {
		t.Fatal(err)
	}
	arn := made.LoadBalancers[0].LoadBalancerArn
	eventually(t, "wait until the new load balancer has a web ACL", 30*time.Second, func() error {
		out, err := waf.GetWebACLForResource(t.Context(), &wafv2.GetWebACLForResourceInput{ResourceArn: arn})
		if err == nil && (out.WebACL == nil || !strings.HasPrefix(*out.WebACL.Name, "FMManagedWebACLV2-storefront-lab-guard-web-acl-")) {
			err = fmt.Errorf("it has %+v", out.WebACL)
		}
		return err
	})
	if own, err := waf.GetWebACLForResource(t.Context(), &wafv2.GetWebACLForResourceInput{ResourceArn: &d.out.LoadBalancerARN}); err != nil || *own.WebACL.ARN != d.out.WebACLARN {
		t.Errorf("the stack's load balancer has %+v, %v", own, err)
	}
	if _, err := api.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: arn}); err != nil {
		t.Error(err)
	}
}

// openGroupIsReported makes a security group that lets anyone reach SSH: Firewall Manager reports it, and nothing of the stack.
func (d *deployment) openGroupIsReported(t *testing.T, api *fms.Client, account string, policy *string) {
	t.Helper()
	groups := ec2.NewFromConfig(d.aws)
	made, err := groups.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: new("by-hand"), Description: new("open"), VpcId: &d.out.VpcID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := groups.AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: made.GroupId,
		IpPermissions: []ec2types.IpPermission{{IpProtocol: new("tcp"), FromPort: new(int32(22)), ToPort: new(int32(22)), IpRanges: []ec2types.IpRange{{CidrIp: new("0.0.0.0/0")}}}}}); err != nil {
		t.Fatal(err)
	}
	out, err := api.GetComplianceDetail(t.Context(), &fms.GetComplianceDetailInput{PolicyId: policy, MemberAccount: &account})
	if err != nil {
		t.Fatal(err)
	}
	if v := out.PolicyComplianceDetail.Violators; len(v) != 1 || *v[0].ResourceId != *made.GroupId {
		t.Errorf("reported are %+v, want %s alone", v, *made.GroupId)
	}
	if _, err := groups.DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: made.GroupId}); err != nil {
		t.Error(err)
	}
}
