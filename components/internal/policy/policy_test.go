package policy_test

import (
	"encoding/json"
	"testing"

	"storefront/components/internal/policy"
)

func TestJSON(t *testing.T) {
	for name, tt := range map[string]struct {
		document policy.Document
		want     string
	}{
		"trust": {
			policy.Trust("ec2.amazonaws.com", nil),
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
		},
		"everything": {
			policy.Document{{
				Sid: "TLSOnly", Effect: policy.Deny, Principal: &policy.Principal{Everyone: true}, Action: policy.Strings{"s3:*"},
				Resource:  policy.Strings{"arn:aws:s3:::b", "arn:aws:s3:::b/*"},
				Condition: policy.Conditions{"Bool": {"aws:SecureTransport": {"false"}}},
			}},
			`{"Version":"2012-10-17","Statement":[{"Sid":"TLSOnly","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`,
		},
		"no HTML escapes": {
			policy.Document{{Action: policy.Strings{"s3:GetObject"}, Resource: policy.Strings{"arn:aws:s3:::b/a&b"}}},
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/a&b"}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tt.document.JSON()
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestJSONRefusesStatementWithoutAction(t *testing.T) {
	if got, err := (policy.Document{{Resource: policy.Strings{"*"}}}).JSON(); err == nil {
		t.Errorf("got %s, want an error", got)
	}
}

func TestPartition(t *testing.T) {
	for region, want := range map[string]string{"us-east-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"} {
		if got := policy.Partition(region); got != want {
			t.Errorf("Partition(%q) = %q, want %q", region, got, want)
		}
	}
}

// A document that came from JSON is written as JSON that means the same: nothing is lost on the way.
func FuzzRoundTrip(f *testing.F) {
	f.Add(`[{"Effect":"Allow","Principal":"*","Action":["a:b","c:d"],"Resource":"*"}]`)
	f.Fuzz(func(t *testing.T, in string) {
		var d policy.Document
		if err := json.Unmarshal([]byte(in), &d); err != nil {
			t.Skip()
		}
		first, err := d.JSON()
		if err != nil {
			t.Skip()
		}
		var again struct{ Statement policy.Document }
		if err := json.Unmarshal([]byte(first), &again); err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		second, err := again.Statement.JSON()
		if err != nil || second != first {
			t.Errorf("got %s, %v\nwant %s", second, err, first)
		}
	})
}
