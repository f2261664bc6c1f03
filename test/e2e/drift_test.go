package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
)

// driftIsRepaired changes what is deployed with SDK calls, as a person at a console would: a rule of a security group is gone, and every block has another setting. The report
// names all of it, and one up repairs it.
func driftIsRepaired(t *testing.T, d *deployment) {
	d.hasNoDrift(t, "before the changes")
	d.tag(t)
	changed := d.changeBlocks(t)
	d.closeDoor(t)
	out, status, err := d.run(t.Context(), "", "stack", "drift")
	if err != nil || status != 1 || !strings.Contains(out, "securityGroupIngressRule") {
		t.Fatalf("drift after the changes: status %d, %v\n%s\nwant status 1 and the rule named", status, err, out)
	}
	if want := `tags.Owner: none -> "somebody"`; !strings.Contains(out, "changed: aws:ec2/vpc:Vpc") || !strings.Contains(out, want) || !strings.Contains(out, "known: aws:ec2/vpc:Vpc") {
		t.Errorf("drift of a tag:\n%s\nwant %s and the tag that is known", out, want)
	}
	for resource, properties := range changed {
		for _, property := range properties {
			if !reported(out, resource, property) {
				t.Errorf("the report does not tell that %s of %s was changed:\n%s", property, resource, out)
			}
		}
	}
	if _, err := d.stack.Up(t.Context(), optup.ConfigFile(d.config), optup.Refresh()); err != nil {
		t.Fatalf("repairing: %v", err)
	}
	awaitProducts(t, d.url)
	d.hasNoDrift(t, "after the repair")
}

func (d *deployment) hasNoDrift(t *testing.T, when string) {
	t.Helper()
	if out, status, err := d.run(t.Context(), "", "stack", "drift"); err != nil || status != 0 {
		t.Fatalf("drift %s: status %d, %v\n%s", when, status, err, out)
	}
}

// closeDoor removes the rule by which customers come in.
func (d *deployment) closeDoor(t *testing.T) {
	t.Helper()
	api := ec2.NewFromConfig(d.aws)
	rules, err := api.DescribeSecurityGroupRules(t.Context(), &ec2.DescribeSecurityGroupRulesInput{Filters: []types.Filter{{Name: new("group-id"), Values: []string{d.out.LoadBalancerSecurityGroup}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules.SecurityGroupRules {
		if !*r.IsEgress {
			if _, err := api.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: r.GroupId, SecurityGroupRuleIds: []string{*r.SecurityGroupRuleId}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	eventually(t, "wait until the shop is out of reach", 30*time.Second, func() error {
		c := client()
		c.Timeout = 2 * time.Second
		if _, err := servedBy(t.Context(), c, d.url+"/products"); err == nil {
			return fmt.Errorf("the shop still answers without its ingress rule")
		}
		return nil
	})
}

// tag adds two tags to the VPC: one is drift, the other one, AppRegistry's, is on the list of what is known.
func (d *deployment) tag(t *testing.T) {
	t.Helper()
	api := ec2.NewFromConfig(d.aws)
	if _, err := api.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{d.out.VpcID}, Tags: []types.Tag{{Key: new("Owner"), Value: new("somebody")}, {Key: new("awsApplication"), Value: new("arn")}}}); err != nil {
		t.Fatal(err)
	}
}

// planIsKept deploys a plan that was made without a look at the drift of a tag: as it is, nothing happens, and a deployment that does look is refused,
// because repairing is not in the plan.
func (d *deployment) planIsKept(t *testing.T) {
	d.tag(t)
	file := filepath.Join(t.TempDir(), "plan.json")
	if out := d.mustRun(t, "stack", "preview", "-plan", file, "-markdown"); !strings.HasPrefix(out, "**no changes, ") {
		t.Errorf("the preview without a refresh:\n%s", out)
	}
	if out := d.mustRun(t, "stack", "show", file); !strings.HasPrefix(out, "no changes, ") {
		t.Errorf("the plan:\n%s", out)
	}
	d.mustRun(t, "stack", "up", "-plan", file)
	if out, status, err := d.run(t.Context(), "", "stack", "up", "-plan", file, "-refresh"); err != nil || status != 1 || !strings.Contains(out, "not allowed by the plan") {
		t.Errorf("a deployment that is not the plan: status %d, %v\n%s\nwant status 1", status, err, out)
	}
}

func artifactKey(t *testing.T, d *deployment) string {
	t.Helper()
	out, err := s3.NewFromConfig(d.aws, func(o *s3.Options) { o.UsePathStyle = true }).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &d.out.ArtifactBucket})
	if err != nil || len(out.Contents) == 0 {
		t.Fatalf("listing the artifacts: %v, %v", out, err)
	}
	return *out.Contents[0].Key
}
