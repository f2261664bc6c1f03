// Package administration asks AWS what a deployment may administer. No resource and no function of the provider tells that, and a deployment that
// only tries fails.
package administration

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/fms"
	"github.com/aws/smithy-go"
)

// Asks tells whether the caller administers a service in a region. endpoint is "" for AWS. An error says that nobody knows, which is not "no": a deployment that went on
// without what it once made would delete it.
type Asks func(ctx context.Context, region, endpoint string) (bool, error)

// FirewallManager is Asks of AWS Firewall Manager. It lists policies, which administrators alone may, with the credentials that the AWS SDKs find.
func FirewallManager(ctx context.Context, region, endpoint string) (bool, error) {
	c, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return false, fmt.Errorf("asking for the administrator of Firewall Manager: %w", err)
	}
	api := fms.NewFromConfig(c, func(o *fms.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
	})
	_, err = api.ListPolicies(ctx, &fms.ListPoliciesInput{MaxResults: aws.Int32(1)})
	var refused smithy.APIError
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &refused) && refused.ErrorCode() == "AccessDeniedException" && !strings.Contains(refused.ErrorMessage(), "is not authorized to perform"):
		return false, nil // no organization, no administrator, or another one. IAM's own refusals have the same code, and say nothing about that
	}
	return false, fmt.Errorf("asking for the administrator of Firewall Manager (storefront:firewallManager=off asks nobody): %w", err)
}
