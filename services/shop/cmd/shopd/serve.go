package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"storefront/services/shop/consumer"
	"storefront/services/shop/ec2"
	"storefront/services/shop/internal/backoff"
	"storefront/services/shop/relay"
	"storefront/services/shop/web"
)

const (
	startFor = 5 * time.Minute  // how long a starting instance waits for what it cannot serve without
	drainFor = 25 * time.Second // how long a stopping one lets requests finish; systemd kills after more
)

// serve does what the roles are until ctx ends. It listens only once the database was reached, its schema is current and the secrets were read: from
// then on /healthz says nothing but that the process lives, so that an outage of a dependency does not cost the fleet.
func serve(ctx context.Context, c config, log *slog.Logger) error {
	awsConfig, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithHTTPClient(awsClient()))
	if err != nil {
		return fmt.Errorf("reading the AWS configuration: %w", err)
	}
	p := &parts{config: c, log: log, aws: awsConfig}
	defer p.close()
	if err := p.open(ctx); err != nil {
		return err
	}
	if err := until(ctx, log, "the schema", p.db.Migrate); err != nil || ctx.Err() != nil {
		return err
	}
	routes := web.Config{Address: c.listen, Dependencies: p.dependencies(), ServedBy: strings.TrimSpace(ec2.Identity(ctx, awsConfig) + " " + version), Log: log}
	if c.product {
		routes.Catalog = p.catalog
	}
	if c.order {
		intake, err := p.intake(ctx)
		if err != nil || ctx.Err() != nil {
			return err
		}
		routes.Intake = intake
	}
	if c.summary {
		routes.Index, routes.Outbox = p.index, p.db
	}
	server := web.New(routes)
	if err := server.Open(); err != nil {
		return err
	}
	log.Info("serving", "address", server.URL(), "version", version)
	worked := make(chan struct{})
	go func() { defer close(worked); p.work(ctx) }()
	<-ctx.Done()
	log.Info("stopping")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
	defer cancel()
	err = server.Close(drain)
	<-worked
	return err
}

// awsClient returns what calls AWS. The SDK's own keeps ten connections to a service, and every call beyond that costs a TLS handshake, which is
// dearer than the call: each order of a customer is one.
func awsClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = t.MaxIdleConns })
}

// work applies orders and relays their summaries until ctx ends and what was in hand is done. The relay ends after the consumer.
func (p *parts) work(ctx context.Context) {
	if !p.summary {
		return
	}
	relaying, stop := context.WithCancel(context.WithoutCancel(ctx))
	var relays sync.WaitGroup
	relays.Go(func() { (&relay.Relay{Outbox: p.db, Index: p.index, Log: p.log}).Run(relaying) })
	consumer.New(consumer.Config{Inbox: p.queue, Ledger: p.db, Log: p.log}).Run(ctx)
	stop()
	relays.Wait()
}

// until tries f until it succeeds or ctx ends; what fails or hangs for startFor ends the service.
func until(ctx context.Context, log *slog.Logger, what string, f func(context.Context) error) error {
	deadline := time.Now().Add(startFor)
	for pause := (backoff.Backoff{Min: 250 * time.Millisecond, Max: 5 * time.Second}); ; {
		err := within(ctx, deadline, f)
		switch {
		case err == nil:
			log.Info("ready", "with", what)
			return nil
		case ctx.Err() != nil:
			return nil
		case !time.Now().Before(deadline):
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		log.Warn("not ready yet", "for", what, "error", err)
		pause.Wait(ctx)
	}
}

func within(ctx context.Context, deadline time.Time, f func(context.Context) error) error {
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	return f(ctx)
}
