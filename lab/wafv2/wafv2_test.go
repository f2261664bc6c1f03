package wafv2_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/wafv2"
	"github.com/aws/aws-sdk-go-v2/service/wafv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	api "storefront/lab/api/wafv2"
	"storefront/lab/firewall"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wafv2"
	"storefront/lab/wire/wiretest"
)

const (
	balancerARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/1"
	groupARN    = "arn:aws:logs:us-east-1:000000000000:log-group:"
)

// harness is the service behind a wire server, with one load balancer and one log group.
type harness struct {
	*sdk.Client
	t       *testing.T
	service *wafv2.Service
	store   *state.Store
	active  bool // the load balancer is past provisioning
	gone    bool // the load balancer was deleted
}

func start(t *testing.T) *harness {
	h := &harness{t: t, active: true, store: wiretest.Must(state.Open(filepath.Join(t.TempDir(), "state")))}
	t.Cleanup(func() { _ = h.store.Close() })
	h.service = wafv2.New(wafv2.Config{Store: h.store, Region: region.Default(), Now: time.Now, Engine: firewall.New(time.Now),
		Resource: func(_ *state.Tx, arn string) (bool, bool) { return h.active, arn == balancerARN && !h.gone },
		LogGroup: func(_ *state.Tx, arn string) (bool, error) { return arn == groupARN+"aws-waf-logs-shop", nil }})
	h.Client = sdk.NewFromConfig(wiretest.New(t, api.New(h.service)).Config())
	return h
}

func visibility(metric string) *types.VisibilityConfig {
	return &types.VisibilityConfig{CloudWatchMetricsEnabled: true, SampledRequestsEnabled: true, MetricName: &metric}
}

func (h *harness) ipSet(addresses ...string) *types.IPSetSummary {
	h.t.Helper()
	return wiretest.Must(h.CreateIPSet(h.t.Context(), &sdk.CreateIPSetInput{Name: new("blocked"), Scope: types.ScopeRegional, IPAddressVersion: types.IPAddressVersionIpv4, Addresses: append([]string{}, addresses...)})).Summary
}

func rules(set *string) []types.Rule {
	return []types.Rule{
		{Name: new("list"), Priority: 1, Action: &types.RuleAction{Block: &types.BlockAction{CustomResponse: &types.CustomResponse{ResponseCode: new(int32(403)), CustomResponseBodyKey: new("no")}}}, VisibilityConfig: visibility("list"),
			Statement: &types.Statement{IPSetReferenceStatement: &types.IPSetReferenceStatement{ARN: set}}, RuleLabels: []types.Label{{Name: new("listed")}}},
		{Name: new("common"), Priority: 2, OverrideAction: &types.OverrideAction{Count: &types.CountAction{}}, VisibilityConfig: visibility("common"),
			Statement: &types.Statement{ManagedRuleGroupStatement: &types.ManagedRuleGroupStatement{VendorName: new("AWS"), Name: new("AWSManagedRulesCommonRuleSet"),
				RuleActionOverrides: []types.RuleActionOverride{{Name: new("SizeRestrictions_BODY"), ActionToUse: &types.RuleAction{Count: &types.CountAction{}}}}}}},
		{Name: new("rate"), Priority: 3, Action: &types.RuleAction{Block: &types.BlockAction{}}, VisibilityConfig: visibility("rate"),
			Statement: &types.Statement{RateBasedStatement: &types.RateBasedStatement{Limit: new(int64(2000)), EvaluationWindowSec: 300, AggregateKeyType: types.RateBasedStatementAggregateKeyTypeIp,
				ScopeDownStatement: &types.Statement{NotStatement: &types.NotStatement{Statement: &types.Statement{ByteMatchStatement: &types.ByteMatchStatement{SearchString: []byte("/healthz"),
					FieldToMatch: &types.FieldToMatch{UriPath: &types.UriPath{}}, PositionalConstraint: types.PositionalConstraintExactly, TextTransformations: []types.TextTransformation{{Type: types.TextTransformationTypeNone}}}}}}}}},
	}
}

func (h *harness) acl(set *string) *types.WebACLSummary {
	h.t.Helper()
	return wiretest.Must(h.CreateWebACL(h.t.Context(), &sdk.CreateWebACLInput{Name: new("shop"), Scope: types.ScopeRegional, Description: new("the shop's"), DefaultAction: &types.DefaultAction{Allow: &types.AllowAction{}},
		VisibilityConfig: visibility("shop"), Rules: rules(set), Tags: []types.Tag{{Key: new("env"), Value: new("test")}},
		CustomResponseBodies: map[string]types.CustomResponseBody{"no": {ContentType: types.ResponseContentTypeTextPlain, Content: new("no")}}})).Summary
}

func TestWebACLReadsBack(t *testing.T) {
	h := start(t)
	ctx, set := t.Context(), h.ipSet("192.0.2.0/24")
	made := h.acl(set.ARN)
	got := wiretest.Must(h.GetWebACL(ctx, &sdk.GetWebACLInput{Name: made.Name, Id: made.Id, Scope: types.ScopeRegional}))
	if diff := cmp.Diff(rules(set.ARN), got.WebACL.Rules, cmpopts.EquateEmpty(), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".noSmithyDocumentSerde" }, cmp.Ignore())); diff != "" {
		t.Errorf("rules: %s", diff)
	}
	if w := got.WebACL; w.Capacity != 1+700+2+2 || *w.Description != "the shop's" || w.DefaultAction.Allow == nil || *w.LabelNamespace != "awswaf:000000000000:webacl:shop:" || *got.LockToken != *made.LockToken {
		t.Errorf("got %+v", w)
	}
	if tags := wiretest.Must(h.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceARN: made.ARN})).TagInfoForResource.TagList; len(tags) != 1 || *tags[0].Value != "test" {
		t.Errorf("tags %+v", tags)
	}
	update := &sdk.UpdateWebACLInput{Name: made.Name, Id: made.Id, Scope: types.ScopeRegional, LockToken: made.LockToken, DefaultAction: &types.DefaultAction{Block: &types.BlockAction{}}, VisibilityConfig: visibility("shop")}
	next := wiretest.Must(h.UpdateWebACL(ctx, update)).NextLockToken
	_, err := h.UpdateWebACL(ctx, update)
	if wiretest.Refused(t, err, "WAFOptimisticLockException", "Reapply"); !errors.As(err, new(*types.WAFOptimisticLockException)) {
		t.Errorf("got %T", err)
	}
	_, err = h.DeleteWebACL(ctx, &sdk.DeleteWebACLInput{Name: made.Name, Id: made.Id, Scope: types.ScopeRegional, LockToken: made.LockToken})
	wiretest.Refused(t, err, "WAFOptimisticLockException", "")
	wiretest.Must(h.DeleteWebACL(ctx, &sdk.DeleteWebACLInput{Name: made.Name, Id: made.Id, Scope: types.ScopeRegional, LockToken: next}))
	_, err = h.GetWebACL(ctx, &sdk.GetWebACLInput{Name: made.Name, Id: made.Id, Scope: types.ScopeRegional})
	wiretest.Refused(t, err, "WAFNonexistentItemException", "")
}

func TestAssociation(t *testing.T) {
	h := start(t)
	ctx, acl := t.Context(), h.acl(h.ipSet().ARN)
	associate := func() error {
		_, err := h.AssociateWebACL(ctx, &sdk.AssociateWebACLInput{WebACLArn: acl.ARN, ResourceArn: new(balancerARN)})
		return err
	}
	h.active = false
	wiretest.Refused(t, associate(), "WAFUnavailableEntityException", "Retry")
	if h.active = true; associate() != nil {
		t.Fatal(associate())
	}
	if got := wiretest.Must(h.GetWebACLForResource(ctx, &sdk.GetWebACLForResourceInput{ResourceArn: new(balancerARN)})); got.WebACL == nil || *got.WebACL.ARN != *acl.ARN {
		t.Errorf("got %+v", got.WebACL)
	}
	if got := wiretest.Must(h.ListResourcesForWebACL(ctx, &sdk.ListResourcesForWebACLInput{WebACLArn: acl.ARN})).ResourceArns; len(got) != 1 {
		t.Errorf("got %v", got)
	}
	remove := func() error {
		_, err := h.DeleteWebACL(ctx, &sdk.DeleteWebACLInput{Name: acl.Name, Id: acl.Id, Scope: types.ScopeRegional, LockToken: acl.LockToken})
		return err
	}
	wiretest.Refused(t, remove(), "WAFAssociatedItemException", "")
	h.gone = true // with the load balancer goes its association
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	h.gone = false
	if got := wiretest.Must(h.GetWebACLForResource(ctx, &sdk.GetWebACLForResourceInput{ResourceArn: new(balancerARN)})); got.WebACL != nil {
		t.Errorf("got %+v", got.WebACL)
	}
}

func TestSetsAreHeldByWhoRefersToThem(t *testing.T) {
	h := start(t)
	ctx, set := t.Context(), h.ipSet("192.0.2.0/24")
	acl := h.acl(set.ARN)
	attached := func() (a wafv2.Attached) {
		wiretest.Must(h.AssociateWebACL(ctx, &sdk.AssociateWebACLInput{WebACLArn: acl.ARN, ResourceArn: new(balancerARN)}))
		_ = h.store.View(func(tx *state.Tx) (err error) { a, _, err = h.service.ACLOf(tx, balancerARN); return err })
		return a
	}
	before := attached().Version
	_, err := h.DeleteIPSet(ctx, &sdk.DeleteIPSetInput{Name: set.Name, Id: set.Id, Scope: types.ScopeRegional, LockToken: set.LockToken})
	wiretest.Refused(t, err, "WAFAssociatedItemException", "")
	wiretest.Must(h.UpdateIPSet(ctx, &sdk.UpdateIPSetInput{Name: set.Name, Id: set.Id, Scope: types.ScopeRegional, LockToken: set.LockToken, Addresses: []string{"198.51.100.0/24"}}))
	if a := attached(); a.Version == before || a.ACL.Sets.Addresses[*set.ARN][0].String() != "198.51.100.0/24" {
		t.Errorf("the data plane does not see the change of a set: %+v", a)
	}
	for _, bad := range []string{"192.0.2.1/24", "0.0.0.0/0", "2001:db8::/32", "junk"} {
		_, err := h.CreateIPSet(ctx, &sdk.CreateIPSetInput{Name: new("x"), Scope: types.ScopeRegional, IPAddressVersion: types.IPAddressVersionIpv4, Addresses: []string{bad}})
		wiretest.Refused(t, err, "WAFInvalidParameterException", bad)
	}
	_, err = h.CreateIPSet(ctx, &sdk.CreateIPSetInput{Name: new("blocked"), Scope: types.ScopeRegional, IPAddressVersion: types.IPAddressVersionIpv4, Addresses: []string{}})
	wiretest.Refused(t, err, "WAFDuplicateItemException", "")
	_, err = h.CreateIPSet(ctx, &sdk.CreateIPSetInput{Name: new("edge"), Scope: types.ScopeCloudfront, IPAddressVersion: types.IPAddressVersionIpv4, Addresses: []string{}})
	wiretest.Refused(t, err, "WAFInvalidParameterException", "CloudFront")
}

func TestLoggingConfiguration(t *testing.T) {
	h := start(t)
	ctx, acl := t.Context(), h.acl(h.ipSet().ARN)
	put := func(destination string, fields ...types.FieldToMatch) error {
		_, err := h.PutLoggingConfiguration(ctx, &sdk.PutLoggingConfigurationInput{LoggingConfiguration: &types.LoggingConfiguration{ResourceArn: acl.ARN, LogDestinationConfigs: []string{destination}, RedactedFields: fields}})
		return err
	}
	wiretest.Refused(t, put("arn:aws:s3:::aws-waf-logs-shop"), "WAFInvalidParameterException", "not to S3")
	wiretest.Refused(t, put(groupARN+"shop"), "WAFInvalidParameterException", "aws-waf-logs-")
	wiretest.Refused(t, put(groupARN+"aws-waf-logs-none"), "WAFLogDestinationPermissionIssueException", "")
	wiretest.Refused(t, put(groupARN+"aws-waf-logs-shop", types.FieldToMatch{Body: &types.Body{}}), "WAFInvalidParameterException", "redact")
	if err := put(groupARN+"aws-waf-logs-shop", types.FieldToMatch{SingleHeader: &types.SingleHeader{Name: new("cookie")}}); err != nil {
		t.Fatal(err)
	}
	got := wiretest.Must(h.GetLoggingConfiguration(ctx, &sdk.GetLoggingConfigurationInput{ResourceArn: acl.ARN})).LoggingConfiguration
	if got.LogDestinationConfigs[0] != groupARN+"aws-waf-logs-shop" || *got.RedactedFields[0].SingleHeader.Name != "cookie" {
		t.Errorf("got %+v", got)
	}
	wiretest.Must(h.DeleteLoggingConfiguration(ctx, &sdk.DeleteLoggingConfigurationInput{ResourceArn: acl.ARN}))
	_, err := h.GetLoggingConfiguration(ctx, &sdk.GetLoggingConfigurationInput{ResourceArn: acl.ARN})
	wiretest.Refused(t, err, "WAFNonexistentItemException", "")
}

func TestRuleGroups(t *testing.T) {
	h := start(t)
	ctx, set := t.Context(), h.ipSet()
	create := func(capacity int64) (*sdk.CreateRuleGroupOutput, error) {
		return h.CreateRuleGroup(ctx, &sdk.CreateRuleGroupInput{Name: new("own"), Scope: types.ScopeRegional, Capacity: &capacity, VisibilityConfig: visibility("own"), Rules: []types.Rule{{Name: new("list"), Priority: 1,
			Action: &types.RuleAction{Block: &types.BlockAction{}}, VisibilityConfig: visibility("list"), Statement: &types.Statement{OrStatement: &types.OrStatement{Statements: []types.Statement{
				{IPSetReferenceStatement: &types.IPSetReferenceStatement{ARN: set.ARN}}, {IPSetReferenceStatement: &types.IPSetReferenceStatement{ARN: set.ARN}}}}}}}})
	}
	_, err := create(1)
	wiretest.Refused(t, err, "WAFLimitsExceededException", "")
	group := wiretest.Must(create(10)).Summary
	use := []types.Rule{{Name: new("own"), OverrideAction: &types.OverrideAction{None: &types.NoneAction{}}, VisibilityConfig: visibility("own"),
		Statement: &types.Statement{RuleGroupReferenceStatement: &types.RuleGroupReferenceStatement{ARN: group.ARN}}}}
	if n := wiretest.Must(h.CheckCapacity(ctx, &sdk.CheckCapacityInput{Scope: types.ScopeRegional, Rules: use})).Capacity; n != 10 {
		t.Errorf("a rule group costs %d, want its capacity", n)
	}
	all := wiretest.Must(h.ListAvailableManagedRuleGroups(ctx, &sdk.ListAvailableManagedRuleGroupsInput{Scope: types.ScopeRegional})).ManagedRuleGroups
	for _, g := range all {
		d := wiretest.Must(h.DescribeManagedRuleGroup(ctx, &sdk.DescribeManagedRuleGroupInput{Scope: types.ScopeRegional, VendorName: g.VendorName, Name: g.Name}))
		if len(d.Rules) == 0 || len(d.AvailableLabels) != len(d.Rules) || *d.Capacity == 0 {
			t.Errorf("%s: %+v", *g.Name, d)
		}
	}
	use[0].Statement = &types.Statement{GeoMatchStatement: &types.GeoMatchStatement{CountryCodes: []types.CountryCode{types.CountryCodeDe}}}
	use[0].Action, use[0].OverrideAction = &types.RuleAction{Block: &types.BlockAction{}}, nil
	_, err = h.CreateWebACL(ctx, &sdk.CreateWebACLInput{Name: new("geo"), Scope: types.ScopeRegional, DefaultAction: &types.DefaultAction{Allow: &types.AllowAction{}}, VisibilityConfig: visibility("geo"), Rules: use})
	wiretest.Refused(t, err, "WAFInvalidParameterException", "geographic")
}
