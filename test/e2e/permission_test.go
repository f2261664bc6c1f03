package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"storefront/lab/access"
	"storefront/lab/control"
)

// unusedHere are actions that the instances' roles have and need, and that this walk does not see them use, with the reason.
var unusedHere = map[string]string{
	"ssm:UpdateInstanceInformation":          "Session Manager's agent does not run in the lab's image",
	"ssmmessages:CreateControlChannel":       "Session Manager's agent does not run in the lab's image",
	"ssmmessages:CreateDataChannel":          "Session Manager's agent does not run in the lab's image",
	"ssmmessages:OpenControlChannel":         "Session Manager's agent does not run in the lab's image",
	"ssmmessages:OpenDataChannel":            "Session Manager's agent does not run in the lab's image",
	"autoscaling:CompleteLifecycleAction":    "by an instance that leaves",
	"elasticloadbalancing:DeregisterTargets": "by an instance that leaves",
	"sqs:GetQueueAttributes":                 "by the readiness check, when somebody asks it",
	"sqs:ChangeMessageVisibility":            "for an order that takes long, or fails",
	"es:ESHttpDelete":                        "for the index's owner",
	"es:ESHttpGet":                           "by the readiness check, when somebody asks it",
	"es:ESHttpHead":                          "for the index's owner",
	"es:ESHttpPatch":                         "for the index's owner",
}

// nothingWasDenied proves that the policies of the stack allow everything that the provider, the instances and the steps before did.
func nothingWasDenied(t *testing.T, d *deployment) {
	for _, x := range d.permissions(t).Denied {
		t.Errorf("%s was denied %s on %s, %d times", x.Principal, x.Action, x.Resource, x.Count)
	}
}

// roleStaysWithinItsRights takes the credentials of a server's role, as who breaks into the server would, and tries what they are not for. Each refusal names who, what and
// why, and lab status shows it.
func roleStaysWithinItsRights(t *testing.T, d *deployment) {
	thief := d.aws
	thief.Credentials = d.serverRole(t, d.out.AutoScalingGroup)
	who, err := sts.NewFromConfig(thief).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	dumps := "arn:aws:s3:::" + d.out.BackupBucket
	for _, c := range []struct {
		action, resource string
		call             func() error
	}{
		{"iam:CreateUser", d.out.FleetRoleARN[:strings.Index(d.out.FleetRoleARN, ":role/")] + ":user/thief", func() error {
			_, err := iam.NewFromConfig(thief).CreateUser(t.Context(), &iam.CreateUserInput{UserName: new("thief")})
			return err
		}},
		{"s3:ListBucket", dumps, func() error {
			_, err := s3.NewFromConfig(thief, func(o *s3.Options) { o.UsePathStyle = true }).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &d.out.BackupBucket})
			return err
		}},
		{"cloudtrail:StopLogging", d.out.AuditTrailARN, func() error {
			_, err := cloudtrail.NewFromConfig(thief).StopLogging(t.Context(), &cloudtrail.StopLoggingInput{Name: &d.out.AuditTrailARN})
			return err
		}},
	} {
		err := c.call()
		want := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action", *who.Arn, c.action, c.resource, c.action)
		if e, ok := errors.AsType[smithy.APIError](err); !ok || !strings.HasPrefix(e.ErrorCode(), "AccessDenied") || e.ErrorMessage() != want {
			t.Errorf("%s: %v, want AccessDenied with %q", c.action, err, want)
		}
		if !slices.ContainsFunc(d.permissions(t).Denied, func(x control.Denied) bool {
			return x.Principal == *who.Arn && x.Action == c.action && x.Resource == c.resource
		}) {
			t.Errorf("lab status does not tell that %s was denied %s", *who.Arn, c.action)
		}
	}
	if text := d.mustRun(t, "lab", "status"); !strings.Contains(text, "denied") || !strings.Contains(text, *who.Arn) {
		t.Errorf("lab status shows no denied calls:\n%s", text)
	}
}

// permissionsAreUsed places an order and then walks every action that the instances' roles are allowed: each was used, or has a reason to be there.
func permissionsAreUsed(t *testing.T, d *deployment) {
	place(t, d)
	roles := d.instanceRoles(t)
	if len(roles) < 2 {
		t.Fatalf("the stack has the instance roles %v, want those of both fleets", roles)
	}
	eventually(t, "wait until the order has gone through", time.Minute, func() error {
		used := d.permissions(t).Used
		for _, action := range []string{"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "es:ESHttpPost", "kms:Decrypt", "kms:GenerateDataKey", "s3:GetObject", "secretsmanager:GetSecretValue"} {
			if !slices.ContainsFunc(used, func(u control.Used) bool { return u.Action == action && strings.Contains(u.Principal, ":role/") }) {
				return fmt.Errorf("no role used %s", action)
			}
		}
		return nil
	})
	used := d.permissions(t).Used
	for name, arn := range roles {
		for _, action := range d.allowed(t, name) {
			if slices.ContainsFunc(used, func(u control.Used) bool {
				return u.Principal == arn && access.Like(strings.ToLower(action), strings.ToLower(u.Action))
			}) {
				continue
			}
			if reason, known := unusedHere[action]; known {
				t.Logf("%s may %s and did not: %s", name, action, reason)
			} else {
				t.Errorf("%s may %s and never did: take it away, or say here why it needs it", name, action)
			}
		}
	}
}

// place places an order, as a customer does.
func place(t *testing.T, d *deployment) {
	t.Helper()
	page := awaitProducts(t, d.url)
	body := fmt.Sprintf(`{"items":[{"product_id":%q,"quantity":1}]}`, page.Items[0]["id"])
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/orders", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "permissions")
	resp, err := client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("placing an order: %s", resp.Status)
	}
}

// permissions is what `lab status` tells of permissions.
func (d *deployment) permissions(t *testing.T) (s control.Status) {
	t.Helper()
	if err := json.Unmarshal([]byte(d.mustRun(t, "lab", "status", "--json")), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// instanceRoles returns the ARNs of the roles that instances run as, by name.
func (d *deployment) instanceRoles(t *testing.T) map[string]string {
	t.Helper()
	out, err := iam.NewFromConfig(d.aws).ListInstanceProfiles(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]string{}
	for _, p := range out.InstanceProfiles {
		for _, r := range p.Roles {
			roles[*r.RoleName] = *r.Arn
		}
	}
	return roles
}

// allowed lists the actions that a role's policies allow.
func (d *deployment) allowed(t *testing.T, role string) (actions []string) {
	t.Helper()
	c := iam.NewFromConfig(d.aws)
	attached, err := c.ListAttachedRolePolicies(t.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: &role})
	if err != nil || len(attached.AttachedPolicies) > 0 {
		t.Fatalf("%s has the managed policies %v, %v; the components write policies of their own", role, attached, err)
	}
	names, err := c.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: &role})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names.PolicyNames {
		p, err := c.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
		if err != nil {
			t.Fatal(err)
		}
		text, err := url.QueryUnescape(*p.PolicyDocument)
		if err != nil {
			t.Fatal(err)
		}
		document, err := access.Parse(text)
		if err != nil {
			t.Fatalf("%s of %s: %v", name, role, err)
		}
		for _, s := range document.Statement {
			if len(s.NotAction) > 0 || len(s.NotResource) > 0 {
				t.Errorf("%s of %s allows all but what it names", name, role)
			}
			if s.Effect == "Allow" {
				actions = append(actions, s.Action...)
			}
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}
