package acm_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

func TestRequestStaysPending(t *testing.T) {
	h := start(t)
	in := &sdk.RequestCertificateInput{DomainName: new("Shop.example.com"), SubjectAlternativeNames: []string{"*.shop.example.com"}, ValidationMethod: types.ValidationMethodDns, IdempotencyToken: new("once")}
	arn := wiretest.Must(h.RequestCertificate(t.Context(), in)).CertificateArn
	if again := wiretest.Must(h.RequestCertificate(t.Context(), in)); *again.CertificateArn != *arn {
		t.Error("the same request with its token made another certificate")
	}
	describe := func() *types.CertificateDetail {
		return wiretest.Must(h.DescribeCertificate(t.Context(), &sdk.DescribeCertificateInput{CertificateArn: arn})).Certificate
	}
	d := describe()
	if d.Status != types.CertificateStatusPendingValidation || d.Type != types.CertificateTypeAmazonIssued || len(d.DomainValidationOptions) != 2 {
		t.Fatalf("got %+v", d)
	}
	first, wild := d.DomainValidationOptions[0].ResourceRecord, d.DomainValidationOptions[1].ResourceRecord
	if !regexp.MustCompile(`^_[0-9a-f]{32}\.shop\.example\.com\.$`).MatchString(*first.Name) || !regexp.MustCompile(`^_[0-9a-f]{32}\.[a-z]{10}\.acm-validations\.aws\.$`).MatchString(*first.Value) || first.Type != types.RecordTypeCname {
		t.Errorf("the record to create is %s %s %s", *first.Name, first.Type, *first.Value)
	}
	if *wild.Name != *first.Name || *wild.Value != *first.Value {
		t.Error("the record of a wildcard is not that of its domain")
	}
	_, err := h.GetCertificate(t.Context(), &sdk.GetCertificateInput{CertificateArn: arn})
	wiretest.Refused(t, err, "RequestInProgressException", "PENDING_VALIDATION")
	h.view(func(tx *state.Tx) {
		if c, ok, err := h.service.Certificate(tx, *arn); c != nil || !ok || err != nil {
			t.Errorf("load balancers get %v, %v, %v of a pending certificate", c, ok, err)
		}
	})
	wiretest.Must(h.UpdateCertificateOptions(t.Context(), &sdk.UpdateCertificateOptionsInput{CertificateArn: arn, Options: &types.CertificateOptions{CertificateTransparencyLoggingPreference: types.CertificateTransparencyLoggingPreferenceDisabled}}))
	h.now = h.now.Add(72 * time.Hour)
	if d = describe(); d.Status != types.CertificateStatusValidationTimedOut || d.DomainValidationOptions[0].ValidationStatus != types.DomainStatusFailed ||
		d.Options.CertificateTransparencyLoggingPreference != types.CertificateTransparencyLoggingPreferenceDisabled {
		t.Errorf("after 72 hours: %+v", d)
	}
}

func TestRefusedRequests(t *testing.T) {
	h := start(t)
	var many []string
	for i := range 10 {
		many = append(many, fmt.Sprintf("n%d.example.com", i))
	}
	for code, in := range map[string]sdk.RequestCertificateInput{
		"InvalidParameterException":               {DomainName: new("a.example.com")},
		"LimitExceededException":                  {DomainName: new("a.example.com"), ValidationMethod: types.ValidationMethodDns, SubjectAlternativeNames: many},
		"InvalidArnException":                     {DomainName: new("a.example.com"), CertificateAuthorityArn: new("arn:aws:acm-pca:us-east-1:000000000000:certificate-authority/a")},
		"InvalidDomainValidationOptionsException": {DomainName: new("a.*.com"), ValidationMethod: types.ValidationMethodDns},
	} {
		_, err := h.RequestCertificate(t.Context(), &in)
		wiretest.Refused(t, err, code, "")
	}
	arn := wiretest.Must(h.RequestCertificate(t.Context(), &sdk.RequestCertificateInput{DomainName: new("a.example.com"), ValidationMethod: types.ValidationMethodDns})).CertificateArn
	_, err := h.ExportCertificate(t.Context(), &sdk.ExportCertificateInput{CertificateArn: arn, Passphrase: []byte("secret")})
	wiretest.Refused(t, err, "ValidationException", "not a private certificate")
	_, err = h.RenewCertificate(t.Context(), &sdk.RenewCertificateInput{CertificateArn: arn})
	wiretest.Refused(t, err, "ValidationException", "not eligible")
	_, err = h.ResendValidationEmail(t.Context(), &sdk.ResendValidationEmailInput{CertificateArn: arn, Domain: new("a.example.com"), ValidationDomain: new("example.com")})
	wiretest.Refused(t, err, "InvalidStateException", "not validated by email")
}

func TestList(t *testing.T) {
	h := start(t)
	var arns []string
	for i, name := range []string{"a.example.com", "b.example.com", "c.example.com"} {
		h.now = h.now.Add(time.Duration(i) * time.Minute)
		arns = append(arns, *wiretest.Must(h.RequestCertificate(t.Context(), &sdk.RequestCertificateInput{DomainName: &name, ValidationMethod: types.ValidationMethodDns})).CertificateArn)
	}
	body, private, _ := issuer{}.issue(t, p256(), nil, "curve.example.com")
	arns = append(arns, *wiretest.Must(h.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{Certificate: body, PrivateKey: private})).CertificateArn)
	list := func(in sdk.ListCertificatesInput) (got []string) {
		pages := sdk.NewListCertificatesPaginator(h, &in)
		for pages.HasMorePages() {
			page := wiretest.Must(pages.NextPage(t.Context()))
			for _, c := range page.CertificateSummaryList {
				got = append(got, *c.CertificateArn)
			}
		}
		return got
	}
	want := func(what string, got []string, want ...string) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	want("by default, RSA alone", list(sdk.ListCertificatesInput{}), arns[:3]...)
	want("page by page", list(sdk.ListCertificatesInput{MaxItems: new(int32(2))}), arns[:3]...)
	want("the newest first", list(sdk.ListCertificatesInput{SortBy: types.SortByCreatedAt, SortOrder: types.SortOrderDescending}), arns[2], arns[1], arns[0])
	want("curves", list(sdk.ListCertificatesInput{Includes: &types.Filters{KeyTypes: []types.KeyAlgorithm{types.KeyAlgorithmEcPrime256v1}}}), arns[3])
	want("issued", list(sdk.ListCertificatesInput{CertificateStatuses: []types.CertificateStatus{types.CertificateStatusIssued}, Includes: &types.Filters{KeyTypes: types.KeyAlgorithm("").Values()}}), arns[3])
	_, err := h.ListCertificates(t.Context(), &sdk.ListCertificatesInput{NextToken: new("x")})
	wiretest.Refused(t, err, "ValidationException", "NextToken")
}

func TestTags(t *testing.T) {
	h := start(t)
	arn := wiretest.Must(h.RequestCertificate(t.Context(), &sdk.RequestCertificateInput{DomainName: new("a.example.com"), ValidationMethod: types.ValidationMethodDns, Tags: []types.Tag{{Key: new("a"), Value: new("1")}}})).CertificateArn
	wiretest.Must(h.AddTagsToCertificate(t.Context(), &sdk.AddTagsToCertificateInput{CertificateArn: arn, Tags: []types.Tag{{Key: new("a"), Value: new("2")}, {Key: new("b")}}}))
	wiretest.Must(h.RemoveTagsFromCertificate(t.Context(), &sdk.RemoveTagsFromCertificateInput{CertificateArn: arn, Tags: []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b")}}}))
	if tags := wiretest.Must(h.ListTagsForCertificate(t.Context(), &sdk.ListTagsForCertificateInput{CertificateArn: arn})).Tags; len(tags) != 1 || *tags[0].Key != "a" || *tags[0].Value != "2" {
		t.Errorf("got %+v", tags)
	}
	_, err := h.AddTagsToCertificate(t.Context(), &sdk.AddTagsToCertificateInput{CertificateArn: arn, Tags: []types.Tag{{Key: new("aws:a")}}})
	wiretest.Refused(t, err, "InvalidTagException", "aws:a")
	var many []types.Tag
	for i := range 50 {
		many = append(many, types.Tag{Key: new(fmt.Sprint("k", i))})
	}
	_, err = h.AddTagsToCertificate(t.Context(), &sdk.AddTagsToCertificateInput{CertificateArn: arn, Tags: many})
	wiretest.Refused(t, err, "TooManyTagsException", "50")
}
