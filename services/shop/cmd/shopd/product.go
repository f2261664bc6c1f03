package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"storefront/services/shop/ec2"
	"storefront/services/shop/postgres"
	"storefront/services/shop/secrets"
	"storefront/services/shop/web"
)

const (
	migrateFor = 5 * time.Minute  // how long a starting instance waits for the database
	drainFor   = 25 * time.Second // how long a stopping one lets requests finish; systemd kills after more
)

// runProduct serves the catalogue until ctx ends. It listens only once the database was reached and its schema is current: from then on /healthz says
// nothing but that the process lives, so that a failover of the database does not cost the fleet.
func runProduct(ctx context.Context, c config, log *slog.Logger) error {
	awsConfig, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("reading the AWS configuration: %w", err)
	}
	db, err := openDatabase(ctx, c, awsConfig)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := migrate(ctx, db, log); err != nil || ctx.Err() != nil {
		return err
	}
	server := web.New(web.Config{Address: c.listen, Catalog: db, Dependencies: db.Dependencies(), ServedBy: ec2.Identity(ctx, awsConfig), Log: log})
	if err := server.Open(); err != nil {
		return err
	}
	log.Info("serving", "address", server.URL())
	<-ctx.Done()
	log.Info("stopping")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainFor)
	defer cancel()
	return server.Close(drain)
}

func openDatabase(ctx context.Context, c config, awsConfig aws.Config) (*postgres.DB, error) {
	login := &secrets.Login{API: secretsmanager.NewFromConfig(awsConfig), ARN: c.secretARN}
	return postgres.Open(ctx, postgres.Config{
		Writer: c.writer, Reader: c.reader, Database: c.database, Login: login.Get,
		TLS: &tls.Config{RootCAs: c.authority, MinVersion: tls.VersionTLS12},
	})
}

// migrate tries until the database is there or ctx ends; a schema that cannot be migrated ends the service after migrateFor.
func migrate(ctx context.Context, db *postgres.DB, log *slog.Logger) error {
	deadline := time.Now().Add(migrateFor)
	for wait := 250 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := db.Migrate(ctx)
		switch {
		case err == nil:
			log.Info("schema is current")
			return nil
		case ctx.Err() != nil:
			return nil
		case time.Now().After(deadline):
			return err
		}
		log.Warn("schema not migrated yet", "error", err, "again_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}
