//go:build linux

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// starts is how often the start is measured; the median counts.
const starts = 5

// lab measures how fast an empty lab answers its first request, and what it holds then.
func (b *bench) lab(ctx context.Context) error {
	var took []time.Duration
	for i := range starts {
		if err := b.withSite(ctx, func(ctx context.Context, s *site) error {
			d, err := s.start(ctx)
			if err != nil {
				return err
			}
			if took = append(took, d); i < starts-1 {
				return nil
			}
			slices.Sort(took)
			b.add(atMost("`lab up`: empty region, to the first answered request", took[starts/2], time.Second))
			return s.memory(ctx, "lab memory, empty region")
		}); err != nil {
			return err
		}
	}
	return nil
}

// start takes the time of `lab up` and of a first call to STS. Fetching the credentials in between is not counted.
func (s *site) start(ctx context.Context) (time.Duration, error) {
	program := filepath.Join("bin", "lab")
	_, took, err := s.b.timed(ctx, s.b.root, s.env, program, "up")
	if err != nil {
		return 0, err
	}
	out, err := s.b.command(ctx, s.b.root, s.env, program, "env")
	if err != nil {
		return 0, err
	}
	env := exports(out)
	client := sts.New(sts.Options{
		Region: env["AWS_REGION"], BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL"]),
		Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], ""),
	})
	begin := time.Now()
	if _, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
		return 0, fmt.Errorf("the lab's first request: %w", err)
	}
	return took + time.Since(begin), nil
}

// exports reads `export NAME=VALUE` lines.
func exports(text string) map[string]string {
	env := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		env[name] = value
	}
	return env
}
