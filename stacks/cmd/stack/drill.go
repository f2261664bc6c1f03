package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"storefront/stacks/internal/drill"
)

// restoreDrill runs the restore drill on the deployed stack. It reaches the stores through instances of the fleets that may: `lab exec` in the lab. On AWS that way
// would be Session Manager, which the instances do not run.
func restoreDrill(ctx context.Context, w *workspace) error {
	if !w.isLab() {
		return errors.New("the restore drill runs in the lab alone: on AWS nothing leads into the private subnets")
	}
	release, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer release()
	o, err := w.outputs(ctx)
	if err != nil {
		return err
	}
	config, authority, err := w.labConfig(ctx, o.Region)
	if err != nil {
		return err
	}
	c := drill.Config{
		AWS: config, PathStyle: true, Cluster: o.DatabaseCluster, Database: "shop", SecretARN: o.DatabaseSecretARN, Authority: authority,
		SearchURL: o.SearchURL, Index: "summaries", Bucket: o.BackupBucket, Out: w.out,
	}
	product, err := instanceOf(ctx, config, o.AutoScalingGroup)
	if err != nil {
		return err
	}
	summary, err := instanceOf(ctx, config, o.SummaryAutoScalingGroup)
	if err != nil {
		return err
	}
	c.DatabaseVia, c.SearchVia = w.tunnel(product), w.tunnel(summary)
	c.SearchAs = aws.NewCredentialsCache(w.roleOf(summary))
	if err := drill.Run(ctx, c); err != nil {
		return err
	}
	fmt.Fprintln(w.out, "drill: both stores were restored as they were")
	return nil
}

// labConfig asks the lab how to call it, and for the file of its authority.
func (w *workspace) labConfig(ctx context.Context, region string) (aws.Config, string, error) {
	out, err := exec.CommandContext(ctx, w.bin("lab"), "env").Output()
	if err != nil {
		return aws.Config{}, "", fmt.Errorf("asking the lab for its credentials: %w", err)
	}
	env := map[string]string{}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		key, value, _ := strings.Cut(strings.TrimPrefix(s.Text(), "export "), "=")
		env[key] = value
	}
	dir := os.Getenv("LAB_DIR")
	if dir == "" {
		dir = "/var/lib/storefront-lab"
	}
	provider := credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"])
	endpoint := env["AWS_ENDPOINT_URL"]
	return aws.Config{Region: region, BaseEndpoint: &endpoint, Credentials: provider}, filepath.Join(dir, "authority.pem"), nil
}

// instanceOf returns an instance of a group.
func instanceOf(ctx context.Context, config aws.Config, group string) (string, error) {
	out, err := autoscaling.NewFromConfig(config).DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{group}})
	if err != nil {
		return "", fmt.Errorf("looking for an instance of %s: %w", group, err)
	}
	for _, g := range out.AutoScalingGroups {
		for _, i := range g.Instances {
			if i.LifecycleState == types.LifecycleStateInService {
				return aws.ToString(i.InstanceId), nil
			}
		}
	}
	return "", fmt.Errorf("no instance of %s is in service", group)
}

// tunnel leads through an instance.
func (w *workspace) tunnel(instance string) drill.Tunnel {
	return func(ctx context.Context, host, port string) *exec.Cmd {
		return exec.CommandContext(ctx, w.bin("lab"), "exec", instance, "--", "bash", "-c", drill.Forward, host, port)
	}
}

// imds prints the credentials of an instance's role, as programs on the instance get them.
const imds = `at=http://169.254.169.254/latest
token=$(curl -sf -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 5" $at/api/token) || exit 1
ask() { curl -sf -K - "$at/meta-data/iam/security-credentials/$1" <<<"header = \"X-aws-ec2-metadata-token: $token\""; }
ask "$(ask)"`

// roleOf returns the credentials of an instance's role.
func (w *workspace) roleOf(instance string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		out, err := exec.CommandContext(ctx, w.bin("lab"), "exec", instance, "--", "bash", "-c", imds).Output()
		if err != nil {
			return aws.Credentials{}, fmt.Errorf("asking %s for the credentials of its role: %w", instance, err)
		}
		var c struct {
			AccessKeyID     string `json:"AccessKeyId"`
			SecretAccessKey string
			Token           string
			Expiration      time.Time
		}
		if err := json.Unmarshal(out, &c); err != nil || c.SecretAccessKey == "" {
			return aws.Credentials{}, fmt.Errorf("%s has no credentials of a role", instance)
		}
		return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.Token, CanExpire: true, Expires: c.Expiration}, nil
	})
}
