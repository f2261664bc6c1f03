// Package ec2 tells which instance the service runs on.
package ec2

import (
	"context"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// Identity returns "<instance ID> <zone>" from the instance metadata service, or the host's name where there is none.
func Identity(ctx context.Context, config aws.Config) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if doc, err := imds.NewFromConfig(config).GetInstanceIdentityDocument(ctx, nil); err == nil {
		return doc.InstanceID + " " + doc.AvailabilityZone
	}
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "unknown"
}
