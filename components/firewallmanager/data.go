package firewallmanager

import (
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/fms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// What follows is ManagedServiceData: see SecurityServicePolicyData in the API reference of AWS Firewall Manager.

func data(kind string, content pulumi.StringPtrInput) *fms.PolicySecurityServicePolicyDataArgs {
	return &fms.PolicySecurityServicePolicyDataArgs{Type: pulumi.String(kind), ManagedServiceData: content}
}

type typed struct {
	Type string `json:"type"`
}

type webACLData struct {
	Type          string      `json:"type"`
	Before        []groupData `json:"preProcessRuleGroups"`
	After         []groupData `json:"postProcessRuleGroups"`
	DefaultAction typed       `json:"defaultAction"`
	Override      bool        `json:"overrideCustomerWebACLAssociation"`
}

type groupData struct {
	ARN      *string     `json:"ruleGroupArn"`
	Override typed       `json:"overrideAction"`
	Managed  managedData `json:"managedRuleGroupIdentifier"`
	Kind     string      `json:"ruleGroupType"`
	Excluded []string    `json:"excludeRules"`
}

type managedData struct {
	Version *string `json:"version"`
	Vendor  string  `json:"vendorName"`
	Name    string  `json:"managedRuleGroupName"`
}

// webACL puts AWS's managed groups before the rules of the load balancers' owners, and leaves a web ACL that an owner has chosen alone.
func webACL(count bool) string {
	d := webACLData{Type: "WAFV2", After: []groupData{}, DefaultAction: typed{"ALLOW"}}
	action := "NONE"
	if count {
		action = "COUNT"
	}
	for _, name := range []string{"AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesSQLiRuleSet"} {
		d.Before = append(d.Before, groupData{Override: typed{action}, Managed: managedData{Vendor: "AWS", Name: name}, Kind: "ManagedRuleGroup", Excluded: []string{}})
	}
	return text(d)
}

// contentAudit reports groups with a rule that the group of an ID has, too.
func contentAudit(denied string) string {
	type group struct {
		ID string `json:"id"`
	}
	return text(struct {
		Type   string  `json:"type"`
		Groups []group `json:"securityGroups"`
		Action typed   `json:"securityGroupAction"`
	}{"SECURITY_GROUPS_CONTENT_AUDIT", []group{{denied}}, typed{"DENY"}})
}

// usageAudit reports groups that nothing uses, and groups with the same rules.
func usageAudit() string {
	return text(struct {
		Type     string `json:"type"`
		Unused   bool   `json:"deleteUnusedSecurityGroups"`
		Coalesce bool   `json:"coalesceRedundantSecurityGroups"`
	}{"SECURITY_GROUPS_USAGE_AUDIT", true, true})
}

// text encodes what always has a form: structs of texts and flags.
func text(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
