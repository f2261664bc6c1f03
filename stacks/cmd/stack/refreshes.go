package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"storefront/stacks/storefront/outputs"
)

// errRefused says that servers do not run what was deployed: those that did were refused, and the former ones serve.
var errRefused = errors.New("what was deployed was refused")

// refreshAPI is the part of EC2 Auto Scaling that tells about instance refreshes.
type refreshAPI interface {
	DescribeInstanceRefreshes(context.Context, *autoscaling.DescribeInstanceRefreshesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error)
}

// followRefreshes waits until the servers of all fleets run what is declared. Pulumi starts the instance refresh of a fleet that changed, and ends before it. One that was rolled back
// is told about until a later one succeeds: Pulumi's state says that the fleet has the new version.
func (w *workspace) followRefreshes(ctx context.Context) error {
	out, err := w.outputJSON(ctx)
	if err != nil {
		return err
	}
	var o outputs.Outputs
	if err := json.Unmarshal(out, &o); err != nil {
		return fmt.Errorf("reading the stack's outputs: %w", err)
	}
	config, every, err := w.awsConfig(ctx, o.Region)
	if err != nil {
		return err
	}
	var problems []error
	for _, group := range []string{o.AutoScalingGroup, o.SummaryAutoScalingGroup} {
		if group != "" { // as in the small stack of tests
			problems = append(problems, followRefresh(ctx, autoscaling.NewFromConfig(config), group, every, w.out))
		}
	}
	return errors.Join(problems...)
}

// followRefresh waits for the end of a group's newest instance refresh, and asks so often. The error is errRefused when the group's servers are not all of that refresh.
func followRefresh(ctx context.Context, api refreshAPI, group string, every time.Duration, out io.Writer) error {
	for told := ""; ; {
		found, err := api.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: &group, MaxRecords: aws.Int32(1)})
		if err != nil {
			return fmt.Errorf("deployed, but whether the servers of %s run it is unknown: %w", group, err)
		}
		if len(found.InstanceRefreshes) == 0 {
			return nil
		}
		r := found.InstanceRefreshes[0]
		if r.EndTime != nil || r.Status == types.InstanceRefreshStatusSuccessful {
			return verdict(r, group)
		}
		if line := progress(r, group); line != told {
			fmt.Fprintln(out, line)
			told = line
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func progress(r types.InstanceRefresh, group string) string {
	if r.RollbackDetails != nil {
		return fmt.Sprintf("stack: %s: the former version comes back: %s", group, aws.ToString(r.RollbackDetails.RollbackReason))
	}
	return fmt.Sprintf("stack: %s: new servers take over, %d%%", group, aws.ToInt32(r.PercentageComplete))
}

// verdict tells what an instance refresh that has ended means for the servers of its group.
func verdict(r types.InstanceRefresh, group string) error {
	reason := strings.TrimSuffix(aws.ToString(r.StatusReason), ".")
	if d := r.RollbackDetails; d != nil {
		reason = strings.TrimSuffix(aws.ToString(d.RollbackReason), ".")
	}
	switch r.Status {
	case types.InstanceRefreshStatusSuccessful:
		return nil
	case types.InstanceRefreshStatusRollbackSuccessful:
		return fmt.Errorf("%w: %s was rolled back and its servers run the former version: %s. `bin/lab logs INSTANCE`, or the console output on AWS, shows why a server did not serve; deploy a version that does", errRefused, group, reason)
	default: // failed, cancelled, or failed to roll back
		return fmt.Errorf("%w: the instance refresh of %s ended %s, and its servers may run different versions: %s. Deploy a version that serves", errRefused, group, r.Status, reason)
	}
}

// outputs reads what the deployed stack tells its users.
func (w *workspace) outputs(ctx context.Context) (outputs.Outputs, error) {
	out, err := w.outputJSON(ctx)
	if err != nil {
		return outputs.Outputs{}, err
	}
	o, err := outputs.Decode(out)
	if err != nil {
		return o, fmt.Errorf("%w; `make up` deploys the stack", err)
	}
	return o, nil
}

func (w *workspace) outputJSON(ctx context.Context) ([]byte, error) {
	out, err := w.pulumi(ctx, "stack", "output", "--json", "--stack", w.stack).Output()
	if err != nil {
		return nil, fmt.Errorf("reading the stack's outputs: %w", err)
	}
	return out, nil
}

// awsConfig is how the stack's AWS is called, and how often it may be asked how far it is.
func (w *workspace) awsConfig(ctx context.Context, region string) (aws.Config, time.Duration, error) {
	if w.isLab() {
		config, _, err := w.labConfig(ctx, region)
		return config, 500 * time.Millisecond, err
	}
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithRegion(region)}
	// Without such a setting the command fails, and AWS itself is meant.
	if endpoint, err := w.pulumi(ctx, "config", "get", "storefront:endpoint", "--stack", w.stack).Output(); err == nil {
		options = append(options, awsconfig.WithBaseEndpoint(strings.TrimSpace(string(endpoint))))
	}
	config, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return config, 0, fmt.Errorf("deployed, but AWS cannot be asked whether the servers run it: %w", err)
	}
	return config, 10 * time.Second, nil
}
