package access_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"storefront/lab/access"
)

const (
	bucket  = "arn:aws:s3:::orders"
	object  = bucket + "/2026/a.json"
	account = "123456789012"
	alice   = "arn:aws:iam::123456789012:user/alice"
	role    = "arn:aws:iam::123456789012:role/worker"
	session = "arn:aws:sts::123456789012:assumed-role/worker/i-1"
)

var (
	user      = access.Principal{ARN: alice, Account: account}
	worker    = access.Principal{ARN: session, Role: role, Account: account}
	federated = access.Principal{ARN: "arn:aws:sts::123456789012:federated-user/guest", Role: alice, Account: account}
	anonymous = access.Principal{}
	service   = access.Principal{Service: "sns.amazonaws.com"}
)

// document makes a policy of statements written as JSON members, without braces.
func document(t testing.TB, statements ...string) access.Document {
	t.Helper()
	d, err := access.Parse(`{"Version":"2012-10-17","Statement":[{` + strings.Join(statements, "},{") + `}]}`)
	if err != nil {
		t.Fatalf("%v: %s", err, statements)
	}
	return d
}

const (
	mayGet  = `"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::orders/*"`
	mustNot = `"Effect":"Deny","Action":"s3:*","Resource":"*"`
)

func to(principal, statement string) string { return `"Principal":` + principal + `,` + statement }

// The order of "Policy evaluation logic", and what each kind of principal needs, from "Identity-based policies and resource-based policies".
func TestDecide(t *testing.T) {
	for name, c := range map[string]struct {
		who                            access.Principal
		identity, boundary, limits, on string // statements; "" is no policy
		rules                          bool
		want                           access.Decision
	}{
		"nothing allows":                                {who: user, want: access.Decision{Kind: "identity-based"}},
		"an identity policy allows":                     {who: user, identity: mayGet, want: access.Decision{Allowed: true}},
		"an identity policy denies":                     {who: user, identity: mayGet + "},{" + mustNot, want: access.Decision{Kind: "identity-based", Explicit: true}},
		"a bucket policy allows the user":               {who: user, on: to(`{"AWS":"`+alice+`"}`, mayGet), want: access.Decision{Allowed: true}},
		"a bucket policy allows everyone":               {who: anonymous, on: to(`"*"`, mayGet), want: access.Decision{Allowed: true}},
		"a bucket policy allows another":                {who: worker, on: to(`{"AWS":"`+alice+`"}`, mayGet), want: access.Decision{Kind: "identity-based"}},
		"a bucket policy denies what is allowed":        {who: user, identity: mayGet, on: to(`"*"`, mustNot), want: access.Decision{Kind: "resource-based", Explicit: true}},
		"a denial of the role is one of its sessions":   {who: worker, identity: mayGet, on: to(`{"AWS":"`+role+`"}`, mustNot), want: access.Decision{Kind: "resource-based", Explicit: true}},
		"the account is not enough":                     {who: user, on: to(`{"AWS":"arn:aws:iam::123456789012:root"}`, mayGet), want: access.Decision{Kind: "identity-based"}},
		"anonymous":                                     {who: anonymous, on: to(`{"AWS":"`+alice+`"}`, mayGet), want: access.Decision{Kind: "resource-based"}},
		"a service":                                     {who: service, on: to(`{"Service":"sns.amazonaws.com"}`, mayGet), want: access.Decision{Allowed: true}},
		"another service":                               {who: service, on: to(`{"Service":"sqs.amazonaws.com"}`, mayGet), want: access.Decision{Kind: "resource-based"}},
		"a service is not everyone's account":           {who: service, on: to(`{"AWS":"123456789012"}`, mayGet), want: access.Decision{Kind: "resource-based"}},
		"the boundary allows too":                       {who: worker, identity: mayGet, boundary: mayGet, want: access.Decision{Allowed: true}},
		"the boundary does not allow":                   {who: worker, identity: mayGet, boundary: `"Effect":"Allow","Action":"sqs:*","Resource":"*"`, want: access.Decision{Kind: "permissions boundary"}},
		"the boundary denies":                           {who: worker, identity: mayGet, boundary: mustNot, want: access.Decision{Kind: "permissions boundary", Explicit: true}},
		"the boundary alone gives nothing":              {who: worker, boundary: mayGet, want: access.Decision{Kind: "identity-based"}},
		"session policies do not allow":                 {who: worker, identity: mayGet, limits: `"Effect":"Allow","Action":"sqs:*","Resource":"*"`, want: access.Decision{Kind: "session"}},
		"the role is named, the boundary limits":        {who: worker, on: to(`{"AWS":"`+role+`"}`, mayGet), boundary: `"Effect":"Allow","Action":"sqs:*","Resource":"*"`, want: access.Decision{Kind: "permissions boundary"}},
		"the role is named":                             {who: worker, on: to(`{"AWS":"`+role+`"}`, mayGet), want: access.Decision{Allowed: true}},
		"the session is named, nothing limits":          {who: worker, on: to(`{"AWS":"`+session+`"}`, mayGet), boundary: `"Effect":"Allow","Action":"sqs:*","Resource":"*"`, want: access.Decision{Allowed: true}},
		"the boundary and session policies both limit":  {who: worker, identity: mayGet, boundary: mayGet, limits: mayGet, want: access.Decision{Allowed: true}},
		"the boundary comes before session policies":    {who: worker, identity: mayGet, boundary: `"Effect":"Allow","Action":"sqs:*","Resource":"*"`, limits: `"Effect":"Allow","Action":"sqs:*","Resource":"*"`, want: access.Decision{Kind: "permissions boundary"}},
		"session policies deny":                         {who: worker, identity: mayGet, limits: mayGet + "},{" + mustNot, want: access.Decision{Kind: "session", Explicit: true}},
		"session policies alone give nothing":           {who: worker, limits: mayGet, want: access.Decision{Kind: "identity-based"}},
		"a user is named, the boundary does not matter": {who: user, on: to(`{"AWS":"`+alice+`"}`, mayGet), boundary: `"Effect":"Allow","Action":"sqs:*","Resource":"*"`, want: access.Decision{Allowed: true}},
		"a user is named, the boundary denies":          {who: user, on: to(`{"AWS":"`+alice+`"}`, mayGet), boundary: mustNot, want: access.Decision{Kind: "permissions boundary", Explicit: true}},
		"a federated user has his user's policies":      {who: federated, identity: mayGet, limits: mayGet, want: access.Decision{Allowed: true}},
		"a federated user is within session policies":   {who: federated, identity: mayGet, limits: `"Effect":"Allow","Action":"sqs:*","Resource":"*"`, want: access.Decision{Kind: "session"}},
		"a federated user's user is named":              {who: federated, on: to(`{"AWS":"`+alice+`"}`, mayGet), limits: `"Effect":"Allow","Action":"sqs:*","Resource":"*"`, want: access.Decision{Kind: "session"}},
		"a federated user is named":                     {who: federated, on: to(`{"AWS":"arn:aws:sts::123456789012:federated-user/guest"}`, mayGet), limits: `"Effect":"Allow","Action":"sqs:*","Resource":"*"`, want: access.Decision{Allowed: true}},
		"a role by aws:PrincipalArn needs no boundary":  {who: worker, on: to(`"*"`, mayGet+`,"Condition":{"ArnEquals":{"aws:PrincipalArn":"`+role+`"}}`), boundary: `"Effect":"Allow","Action":"sqs:*","Resource":"*"`, want: access.Decision{Allowed: true}},
		"a key policy rules":                            {who: user, identity: mayGet, rules: true, on: to(`{"AWS":"`+role+`"}`, mayGet), want: access.Decision{Kind: "resource-based"}},
		"a key policy leaves it to the account":         {who: user, identity: mayGet, rules: true, on: to(`{"AWS":"123456789012"}`, mayGet), want: access.Decision{Allowed: true}},
		"the account's policies do not allow":           {who: user, rules: true, on: to(`{"AWS":"123456789012"}`, mayGet), want: access.Decision{Kind: "identity-based"}},
		"all but one are denied":                        {who: user, identity: mayGet, on: `"NotPrincipal":{"AWS":"` + role + `"},` + mustNot, want: access.Decision{Kind: "resource-based", Explicit: true}},
		"all but one are denied, and this is it":        {who: user, identity: mayGet, on: `"NotPrincipal":{"AWS":"` + alice + `"},` + mustNot, want: access.Decision{Allowed: true}},
	} {
		var p access.Policies
		p.ResourceRules = c.rules
		if c.identity != "" {
			p.Identity = []access.Document{document(t, c.identity)}
		}
		if c.boundary != "" {
			p.Boundary = new(document(t, c.boundary))
		}
		if c.limits != "" {
			p.Session = []access.Document{document(t, c.limits)}
		}
		if c.on != "" {
			p.Resource = new(document(t, c.on))
		}
		r := &access.Request{Principal: c.who, Action: "s3:GetObject", Resource: object, Context: map[string][]string{"aws:principalarn": {c.who.Role}}}
		if got := access.Decide(r, p); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// One statement each, from "IAM JSON policy elements": Action, Resource, Condition operators and policy variables.
func TestStatements(t *testing.T) {
	context := map[string][]string{
		"aws:sourceip": {"198.51.100.7"}, "aws:securetransport": {"true"}, "aws:username": {"alice"}, "aws:currenttime": {"2026-11-21T12:00:00Z"}, "aws:epochtime": {"1795262400"},
		"s3:max-keys": {"10"}, "aws:sourcearn": {"arn:aws:sns:us-east-1:123456789012:alarms"}, "aws:tagkeys": {"team", "cost"}, "odd:star": {"a*b"},
	}
	for statement, want := range map[string]bool{
		`"Action":"s3:GetObject","Resource":"*"`:                                                                                true,
		`"Action":"S3:getobject","Resource":"*"`:                                                                                true,
		`"Action":["sqs:*","s3:Get?bject"],"Resource":"*"`:                                                                      true,
		`"Action":"s3:PutObject","Resource":"*"`:                                                                                false,
		`"NotAction":"s3:Put*","Resource":"*"`:                                                                                  true,
		`"NotAction":"s3:*","Resource":"*"`:                                                                                     false,
		`"Action":"*","Resource":"arn:aws:s3:::orders/*"`:                                                                       true,
		`"Action":"*","Resource":"arn:aws:s3:::orders"`:                                                                         false,
		`"Action":"*","Resource":"arn:aws:s3:::ORDERS/*"`:                                                                       false,
		`"Action":"*","Resource":"arn:aws:s3:::orders/2026/?.json"`:                                                             true,
		`"Action":"*","NotResource":"arn:aws:s3:::orders/*"`:                                                                    false,
		`"Action":"*","NotResource":"arn:aws:s3:::other/*"`:                                                                     true,
		`"Action":"*","Resource":"arn:aws:s3:::orders/${aws:username}/*"`:                                                       false,
		`"Action":"*","Resource":"arn:aws:s3:::orders/2026/${unknown, 'a'}.json"`:                                               true,
		`"Action":"*","Resource":"arn:aws:s3:::orders/${unknown}*"`:                                                             false,
		`"Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","198.51.100.0/24"]}}`:           true,
		`"Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"198.51.100.7"}}`:                              false,
		`"Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true}}`:                                         true,
		`"Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}`:                                      false,
		`"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":["bob","alice"]}}`:                             true,
		`"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"Alice"}}`:                                     false,
		`"Action":"*","Resource":"*","Condition":{"StringEqualsIgnoreCase":{"AWS:UserName":"Alice"}}`:                           true,
		`"Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:username":["bob","alice"]}}`:                          false,
		`"Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalTag/team":"a"}}`:                             true,
		`"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"a"}}`:                                false,
		`"Action":"*","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:PrincipalTag/team":"a"}}`:                        true,
		`"Action":"*","Resource":"*","Condition":{"StringLike":{"aws:username":"al*"}}`:                                         true,
		`"Action":"*","Resource":"*","Condition":{"StringNotLike":{"aws:username":"al*"}}`:                                      false,
		`"Action":"*","Resource":"*","Condition":{"StringEquals":{"odd:star":"a${*}b"}}`:                                        true,
		`"Action":"*","Resource":"*","Condition":{"StringLike":{"aws:username":"a${*}"}}`:                                       false,
		`"Action":"*","Resource":"*","Condition":{"NumericLessThanEquals":{"s3:max-keys":10}}`:                                  true,
		`"Action":"*","Resource":"*","Condition":{"NumericLessThan":{"s3:max-keys":"10"}}`:                                      false,
		`"Action":"*","Resource":"*","Condition":{"NumericNotEquals":{"s3:max-keys":"11"}}`:                                     true,
		`"Action":"*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2026-11-21T11:00Z"}}`:                   true,
		`"Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:EpochTime":"1795262400"}}`:                               false,
		`"Action":"*","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:123456789012:*"}}`:                  true,
		`"Action":"*","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:us-east-1:1*:alarms"}}`:             true,
		`"Action":"*","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:*:alarms"}}`:                                  false,
		`"Action":"*","Resource":"*","Condition":{"ArnNotLike":{"aws:SourceArn":"arn:aws:sqs:*:*:*"}}`:                          true,
		`"Action":"*","Resource":"*","Condition":{"Null":{"aws:SourceVpce":"true"}}`:                                            true,
		`"Action":"*","Resource":"*","Condition":{"Null":{"aws:SourceIp":true}}`:                                                false,
		`"Action":"*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost","x"]}}`:             true,
		`"Action":"*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}`:                        false,
		`"Action":"*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"none:such":["team"]}}`:                          true,
		`"Action":"*","Resource":"*","Condition":{"Null":{"none:such":["false","true"]}}`:                                       true,
		`"Action":"*","Resource":"*","Condition":{"ForAllValues:StringNotEquals":{"aws:TagKeys":["secret"]}}`:                   true,
		`"Action":"*","Resource":"*","Condition":{"ForAllValues:StringNotEquals":{"aws:TagKeys":["cost"]}}`:                     false,
		`"Action":"*","Resource":"*","Condition":{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["cost"]}}`:                      true,
		`"Action":"*","Resource":"*","Condition":{"ForAnyValue:StringLikeIfExists":{"none:such":"x"}}`:                          true,
		`"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`:                                 false,
		`"Action":"*","Resource":"*","Condition":{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-1"}}`:                      true,
		`"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/Owner":"${aws:username}"}}`:                  true,
		`"Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:resourcetag/owner":"bob"}}`:                              false,
		`"Action":"*","Resource":"*","Condition":{"NumericLessThanIfExists":{"none:such":"1"}}`:                                 true,
		`"Action":"*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":["team"]}}`:                         true,
		`"Action":"*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"none:such":["team"]}}`:                           false,
		`"Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:username":"bob"}}`: false,
	} {
		r := &access.Request{Principal: user, Action: "s3:GetObject", Resource: object, Context: context, More: func(key string) []string {
			return map[string][]string{"aws:resourcetag/owner": {"alice"}}[key]
		}}
		p := access.Policies{Identity: []access.Document{document(t, `"Effect":"Allow",`+statement)}}
		if got := access.Decide(r, p); got.Allowed != want {
			t.Errorf("%s: %+v, want %v", statement, got, want)
		}
	}
}

// Older documents have no variables: what looks like one is text.
func TestOldVersionHasNoVariables(t *testing.T) {
	d, err := access.Parse(`{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::orders/${aws:username}"}}`)
	if err != nil {
		t.Fatal(err)
	}
	r := &access.Request{Principal: user, Action: "s3:GetObject", Resource: bucket + "/${aws:username}", Context: map[string][]string{"aws:username": {"alice"}}}
	if got := access.Decide(r, access.Policies{Identity: []access.Document{d}}); !got.Allowed {
		t.Errorf("the text was expanded: %+v", got)
	}
}

func TestMalformed(t *testing.T) {
	for _, text := range []string{
		``, `[]`, `{}`, `{"Statement":[]}`, `{"Version":"2020-01-01","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		`{"Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]}`, `{"Statement":[{"Effect":"Allow","Resource":"*"}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"GetObject","Resource":"*"}]}`, `{"Statement":[{"Effect":"Allow","Action":"*","resource":"*"}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringMaybe":{"a:b":"c"}}}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForSome:StringEquals":{"a:b":"c"}}}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NotBool":{"a:b":"c"}}}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NullIfExists":{"a:b":"true"}}}]}`,
	} {
		if _, err := access.Parse(text); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

// Statements are found as the policy simulator tells of them: columns are those of the example of simulate-custom-policy in the AWS CLI's reference.
func TestSpans(t *testing.T) {
	for text, want := range map[string][]access.Span{
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}`: {
			{Start: access.Position{Line: 1, Column: 38}, End: access.Position{Line: 1, Column: 167}}},
		"{\n \"Statement\": [\n  {\"Effect\":\"Deny\"},\n  {\"Condition\":{\"Statement\":{}}}],\n \"Id\":\"Statement\"}": {
			{Start: access.Position{Line: 3, Column: 4}, End: access.Position{Line: 3, Column: 20}},
			{Start: access.Position{Line: 4, Column: 4}, End: access.Position{Line: 4, Column: 33}}},
		`{"Id":"Statement","Version":"x"}`: nil,
	} {
		if diff := cmp.Diff(want, access.Spans(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestKeys(t *testing.T) {
	d := document(t, `"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}/${*}","Condition":{"StringEquals":{"aws:PrincipalTag/team":"${aws:ResourceTag/team, 'none'}"}}`)
	if diff := cmp.Diff([]string{"aws:PrincipalTag/team", "aws:ResourceTag/team", "aws:username"}, d.Keys()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever a document says, reading and asking it ends, and a denial of everything denies.
func FuzzDecide(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username, 'x'}/*","Condition":{"StringLike":{"aws:username":"a*"}}}]}`, "s3:GetObject", object)
	f.Add(`{"Statement":{"Effect":"Deny","Principal":"*","NotAction":"*?*","Resource":["*","${"]}}`, "*", "*")
	f.Fuzz(func(t *testing.T, text, action, resource string) {
		d, err := access.Parse(text)
		if err != nil {
			return
		}
		if spans := access.Spans(text); len(spans) < len(d.Statement) {
			t.Errorf("%d of the %d statements of %s were found", len(spans), len(d.Statement), text)
		}
		d.Keys()
		r := &access.Request{Principal: user, Action: action, Resource: resource, Context: map[string][]string{"aws:username": {"alice"}}}
		access.Decide(r, access.Policies{Identity: []access.Document{d}, Resource: &d})
		no := document(t, `"Effect":"Deny","Action":"*","Resource":"*"`)
		if got := access.Decide(r, access.Policies{Identity: []access.Document{d, no}}); got.Allowed {
			t.Errorf("%s allows in spite of a denial", text)
		}
	})
}

func FuzzLike(f *testing.F) {
	f.Add("a*b?c", "aXXbYc")
	f.Add("****?", "")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		access.Like(pattern, text)
		if !access.Like("*", text) || !access.Like(text+"*", text) && !strings.ContainsAny(text, "?\x01\x02") {
			t.Errorf("%q does not match itself with a star", text)
		}
	})
}
