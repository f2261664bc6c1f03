package wire_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	stsapi "storefront/lab/api/sts"
	"storefront/lab/wire"
	"storefront/lab/wire/wiretest"
)

// account answers one call, and refuses another.
type account struct{ stsapi.API }

func (account) GetCallerIdentity(context.Context, *stsapi.GetCallerIdentityInput) (*stsapi.GetCallerIdentityOutput, error) {
	return &stsapi.GetCallerIdentityOutput{Account: new("1")}, nil
}

func (account) GetAccessKeyInfo(context.Context, *stsapi.GetAccessKeyInfoInput) (*stsapi.GetAccessKeyInfoOutput, error) {
	return nil, wire.Errorf(403, "AccessDenied", "no")
}

// A recorder learns of answered and refused calls of known callers, and a panic of its own reaches nobody.
func TestRecord(t *testing.T) {
	var mu sync.Mutex
	var calls []wire.Call
	s := wiretest.Start(t, wire.Options{Services: []*wire.Service{stsapi.New(account{})}, Record: func(c wire.Call) {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, c)
		panic("as recorders must not")
	}})
	client := sts.NewFromConfig(s.Config())
	if _, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetAccessKeyInfo(t.Context(), &sts.GetAccessKeyInfoInput{AccessKeyId: aws.String("AKIAIOSFODNN7EXAMPLE")}); err == nil {
		t.Fatal("the call is not refused")
	}
	unsigned, err := http.Post(s.URL, "application/x-www-form-urlencoded", strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
	if err != nil {
		t.Fatal(err)
	}
	unsigned.Body.Close()
	mu.Lock()
	defer mu.Unlock()
	if len(calls) != 2 {
		t.Fatalf("recorded %d calls, want those with a signature: %+v", len(calls), calls)
	}
	first, second := calls[0], calls[1]
	if first.Operation != "GetCallerIdentity" || first.Service.Name != "sts" || first.Caller.ARN != wiretest.Caller().ARN || first.Error != nil || first.Output == nil ||
		first.RequestID == "" || first.Origin.Address != "127.0.0.1" || !strings.Contains(first.Origin.UserAgent, "aws-sdk-go-v2") {
		t.Errorf("first call: %+v", first)
	}
	in, ok := second.Input.(*stsapi.GetAccessKeyInfoInput)
	if !ok || *in.AccessKeyId != "AKIAIOSFODNN7EXAMPLE" || second.Output != nil || second.Error == nil || second.Error.Code != "AccessDenied" {
		t.Errorf("second call: %+v", second)
	}
}
