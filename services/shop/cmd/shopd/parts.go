package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"storefront/services/shop"
	"storefront/services/shop/cached"
	"storefront/services/shop/elasticsearch"
	"storefront/services/shop/intake"
	"storefront/services/shop/postgres"
	"storefront/services/shop/redis"
	"storefront/services/shop/secrets"
	"storefront/services/shop/sqs"
)

// parts are what the roles of this process work with. None is connected when it is opened: each may come later than the service.
type parts struct {
	config
	log *slog.Logger
	aws aws.Config

	db      *postgres.DB
	redis   *redis.Cache // nil without a cache, and so is cache
	cache   shop.Cache
	catalog shop.Catalog // through the cache if there is one
	queue   *sqs.Queue
	index   *elasticsearch.Index
	closers []func() // what close calls, the last one first
}

func (p *parts) open(ctx context.Context) (err error) {
	login := &secrets.Login{API: secretsmanager.NewFromConfig(p.aws), ARN: p.secretARN}
	p.db, err = postgres.Open(ctx, postgres.Config{
		Writer: p.writer, Reader: p.reader, Database: p.database, Login: login.Get,
		TLS: &tls.Config{RootCAs: p.authority, MinVersion: tls.VersionTLS12},
	})
	if err != nil {
		return err
	}
	p.closers, p.catalog = append(p.closers, p.db.Close), p.db
	if p.config.cache != "" {
		if err := p.openCache(); err != nil {
			return err
		}
	}
	if p.queueURL != "" {
		p.queue = sqs.New(p.aws, p.queueURL)
	}
	if p.search != "" {
		p.index, err = elasticsearch.Open(elasticsearch.Config{Endpoint: p.search, Region: p.aws.Region, Credentials: p.aws.Credentials})
	}
	return err
}

func (p *parts) openCache() (err error) {
	redis.LogTo(p.log)
	p.redis, err = redis.Open(redis.Config{Address: p.config.cache, TLS: &tls.Config{MinVersion: tls.VersionTLS12}, Token: p.secret(p.cacheSecretARN, "token")})
	if err != nil {
		return err
	}
	p.closers = append(p.closers, func() {
		if err := p.redis.Close(); err != nil {
			p.log.Warn("closing the cache", "error", err)
		}
	})
	p.cache = cached.NewBreaker(p.redis)
	catalog := cached.New(cached.Config{Source: p.db, Cache: p.cache, Log: p.log})
	p.closers, p.catalog = append(p.closers, catalog.Close), catalog
	return nil
}

// secret returns what reads a field of a secret, anew after a minute.
func (p *parts) secret(arn, field string) func(context.Context) (string, error) {
	return (&secrets.Field{API: secretsmanager.NewFromConfig(p.aws), ARN: arn, Name: field}).Get
}

// intake waits for the key that seals the IDs of orders. It is read once: orders that were given out must stay known, so it does not rotate.
func (p *parts) intake(ctx context.Context) (shop.Intake, error) {
	var seal shop.Seal
	err := until(ctx, p.log, "the key of orders", func(ctx context.Context) error {
		key, err := p.secret(p.orderSecretARN, "key")(ctx)
		if err != nil {
			return err
		}
		seal, err = shop.NewSeal([]byte(key))
		return err
	})
	return &intake.Intake{Catalog: p.catalog, Ledger: p.db, Cache: p.cache, Queue: p.queue, Seal: seal, Log: p.log}, err
}

func (p *parts) dependencies() []shop.Dependency {
	all := p.db.Dependencies()
	if p.redis != nil {
		all = append(all, p.redis.Dependency())
	}
	if p.queue != nil {
		all = append(all, p.queue.Dependency())
	}
	if p.index != nil {
		all = append(all, p.index.Dependency())
	}
	return all
}

func (p *parts) close() {
	for _, c := range slices.Backward(p.closers) {
		c()
	}
}
