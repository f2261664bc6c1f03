package encryption

import (
	"slices"

	"storefront/components/internal/policy"
)

var (
	administer = policy.Strings{
		"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:DisableKeyRotation",
		"kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies",
		"kms:ListResourceTags", "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
		"kms:UpdateAlias", "kms:UpdateKeyDescription",
	}
	use     = policy.Strings{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"}
	carry   = policy.Strings{"kms:Decrypt", "kms:GenerateDataKey*"} // what a service that sends messages needs
	anyKey  = policy.Strings{"*"}                                   // in a key policy: this key
	viaName = "kms:ViaService"
)

// writer writes the policy of one key.
type writer struct {
	region, account, partition string
	policy.Document
}

func (w *writer) allow(sid string, who policy.Principal, actions policy.Strings, when policy.Conditions) {
	w.Document = append(w.Document, policy.Statement{Sid: sid, Principal: &who, Action: actions, Resource: anyKey, Condition: when})
}

// arn is an ARN of the account in the key's region.
func (w *writer) arn(service, resource string) string {
	return "arn:" + w.partition + ":" + service + ":" + w.region + ":" + w.account + ":" + resource
}

func service(name string) policy.Principal { return policy.Principal{Service: policy.Strings{name}} }

// document returns the key policy ("Key policies in AWS KMS"). Statements for the account delegate to its IAM policies.
func document(args *Args, account string) policy.Document {
	w := &writer{region: args.Region, account: account, partition: policy.Partition(args.Region)}
	root := policy.Strings{"arn:" + w.partition + ":iam::" + account + ":root"}
	admins := policy.Strings(args.Admins)
	if len(admins) == 0 {
		admins = root
	}
	w.allow("Administer", policy.Principal{AWS: admins}, administer, nil)
	if len(args.Users) > 0 {
		w.allow("Use", policy.Principal{AWS: args.Users}, use, nil)
	}
	var through, granted policy.Strings
	for _, s := range args.Services {
		if !slices.Contains(throughCaller, s) {
			continue
		}
		endpoint := string(s) + "." + args.Region + ".amazonaws.com"
		if through = append(through, endpoint); slices.Contains(withGrants, s) {
			granted = append(granted, endpoint)
		}
	}
	if len(through) > 0 {
		w.allow("UseThroughServices", policy.Principal{AWS: root}, use, policy.Conditions{"StringEquals": {viaName: through}})
	}
	if len(granted) > 0 {
		w.allow("GrantToServices", policy.Principal{AWS: root}, policy.Strings{"kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"},
			policy.Conditions{"Bool": {"kms:GrantIsForAWSResource": {"true"}}, "StringEquals": {viaName: granted}})
	}
	for _, s := range args.Services {
		if write := byThemselves[s]; write != nil {
			write(w)
		}
	}
	return w.Document
}

func (w *writer) logs() {
	w.allow("Logs", service("logs."+w.region+".amazonaws.com"), use, policy.Conditions{
		"ArnLike": {"kms:EncryptionContext:aws:logs:arn": {w.arn("logs", "log-group:*")}},
	})
}

// alarms lets alarms publish: "Encrypting an Amazon SNS topic", event sources.
func (w *writer) alarms() {
	w.allow("Alarms", service("cloudwatch.amazonaws.com"), carry, policy.OnBehalfOf(w.account, w.arn("cloudwatch", "alarm:*")))
}

// topics lets topics deliver to queues: "Configuring AWS KMS permissions" for Amazon SQS, event sources.
func (w *writer) topics() {
	w.allow("Topics", service("sns.amazonaws.com"), carry, policy.Conditions{"ArnLike": {"aws:SourceArn": {w.arn("sns", "*")}}})
}

// trails lets CloudTrail encrypt, and never decrypt, for trails of the account at home in any region ("Configure AWS KMS key policies for CloudTrail").
func (w *writer) trails() {
	cloudTrail, trail := service("cloudtrail.amazonaws.com"), policy.Strings{"arn:" + w.partition + ":cloudtrail:*:" + w.account + ":trail/*"}
	w.allow("TrailsEncrypt", cloudTrail, policy.Strings{"kms:GenerateDataKey*"}, policy.Conditions{
		"ArnLike": {"aws:SourceArn": trail}, "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": trail},
	})
	w.allow("TrailsDescribe", cloudTrail, policy.Strings{"kms:DescribeKey"}, policy.Conditions{"ArnLike": {"aws:SourceArn": trail}})
}

// autoScaling lets the service-linked role launch instances ("Required AWS KMS key policy for use with encrypted volumes"). The first group of an account makes that role, and KMS
// refuses a policy whose principal there is not: so a condition names it, and everybody is the principal. The account as the principal would not do, since it leaves the decision to
// the role's own policy, which AWS wrote and which allows no keys.
func (w *writer) autoScaling() {
	everybody := policy.Principal{AWS: policy.Strings{"*"}}
	role := func() policy.Conditions {
		return policy.Conditions{
			"ArnEquals":    {"aws:PrincipalArn": {"arn:" + w.partition + ":iam::" + w.account + ":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"}},
			"StringEquals": {"kms:CallerAccount": {w.account}},
		}
	}
	w.allow("AutoScaling", everybody, use, role())
	grant := role()
	grant["Bool"] = map[string]policy.Strings{"kms:GrantIsForAWSResource": {"true"}}
	w.allow("AutoScalingGrants", everybody, policy.Strings{"kms:CreateGrant"}, grant)
}
