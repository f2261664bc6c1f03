//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"golang.org/x/sync/errgroup"
)

const cyclesFigure = "SQS: send, receive, delete; 16 clients, 2 processors"

// leastCycles is how many messages a second have to be sent, received and deleted, durably, from 16 clients on two processors.
const leastCycles = 3_000

// queue runs the benchmark of SQS.
func (b *bench) queue(ctx context.Context) error {
	out, _, err := b.timed(ctx, b.root, nil, "go", "test", "-run", "^$", "-bench", "^BenchmarkCycle$", "-benchtime", "5s", "-cpu", "2", "-count", "1", "./lab/sqs")
	if err != nil {
		return err
	}
	cycles := metrics(out)["cycles/s"]
	if cycles <= 0 {
		return errors.New("the benchmark of SQS does not report cycles/s")
	}
	b.add(figure{What: cyclesFigure, Measured: fmt.Sprintf("%.0f cycles/s", cycles),
		Target: fmt.Sprintf("≥ %d cycles/s", leastCycles), Met: cycles >= leastCycles})
	return nil
}

const (
	queueClients = 16
	queueTime    = 5 * time.Second
)

// authorized measures what a user gets: a lab that runs, with its authorization, its trail and its metrics, and the AWS SDK on the same processors.
func (b *bench) authorized(ctx context.Context) error {
	return b.withSite(ctx, func(ctx context.Context, s *site) error {
		if _, err := s.start(ctx); err != nil {
			return err
		}
		out, err := b.command(ctx, b.root, s.env, filepath.Join("bin", "lab"), "env")
		if err != nil {
			return err
		}
		env := exports(out)
		client := sqs.New(sqs.Options{Region: env["AWS_REGION"], BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL"]),
			Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], "")})
		queue, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("bench")})
		if err != nil {
			return err
		}
		cycles, took, err := cycles(ctx, client, queue.QueueUrl)
		b.add(figure{What: "SQS: send, receive, delete; 16 clients with the AWS SDK against a lab, authorized", Measured: fmt.Sprintf("%.0f cycles/s", float64(cycles)/took.Seconds())})
		return err
	})
}

// cycles sends, receives and deletes from all clients for queueTime, and counts the messages that went all the way.
func cycles(ctx context.Context, client *sqs.Client, url *string) (int64, time.Duration, error) {
	var done atomic.Int64
	begin := time.Now()
	clients, ctx := errgroup.WithContext(ctx)
	for range queueClients {
		clients.Go(func() error {
			for time.Since(begin) < queueTime {
				if _, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("an order")}); err != nil {
					return err
				}
				got, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url})
				if err != nil {
					return err
				}
				for _, m := range got.Messages {
					if _, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: m.ReceiptHandle}); err != nil {
						return err
					}
					done.Add(1)
				}
			}
			return nil
		})
	}
	err := clients.Wait()
	return done.Load(), time.Since(begin), err
}
