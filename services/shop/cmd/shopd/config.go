package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
)

// config is what the environment says.
type config struct {
	listen    string         // SHOP_LISTEN: address to serve on; default ":8080"
	writer    string         // SHOP_DB_WRITER: host:port of the cluster's writer endpoint
	reader    string         // SHOP_DB_READER: host:port of its reader endpoint
	database  string         // SHOP_DB_NAME: default "shop"
	secretARN string         // SHOP_DB_SECRET_ARN: secret with the database login
	authority *x509.CertPool // SHOP_DB_CA: PEM file of authorities for the database's certificate; default: the system's
	logLevel  slog.Level     // SHOP_LOG_LEVEL: DEBUG, INFO (default), WARN or ERROR
}

// readConfig reads and checks everything at once, so that one run shows every mistake.
func readConfig(getenv func(string) string) (config, error) {
	or := func(key, fallback string) string {
		if v := getenv(key); v != "" {
			return v
		}
		return fallback
	}
	c := config{
		listen: or("SHOP_LISTEN", ":8080"), writer: getenv("SHOP_DB_WRITER"), reader: getenv("SHOP_DB_READER"),
		database: or("SHOP_DB_NAME", "shop"), secretARN: getenv("SHOP_DB_SECRET_ARN"),
	}
	var problems []error
	for key, value := range map[string]string{"SHOP_LISTEN": c.listen, "SHOP_DB_WRITER": c.writer, "SHOP_DB_READER": c.reader} {
		if _, _, err := net.SplitHostPort(value); err != nil {
			problems = append(problems, fmt.Errorf("%w: %s is %q, want host:port", errUsage, key, value))
		}
	}
	if c.secretARN == "" {
		problems = append(problems, fmt.Errorf("%w: SHOP_DB_SECRET_ARN is empty, want the ARN of the secret with the database login", errUsage))
	}
	if err := c.logLevel.UnmarshalText([]byte(or("SHOP_LOG_LEVEL", "INFO"))); err != nil {
		problems = append(problems, fmt.Errorf("%w: SHOP_LOG_LEVEL: want DEBUG, INFO, WARN or ERROR", errUsage))
	}
	if file := getenv("SHOP_DB_CA"); file != "" {
		pool, err := readAuthority(file)
		if err != nil {
			problems = append(problems, fmt.Errorf("%w: SHOP_DB_CA: %w", errUsage, err))
		}
		c.authority = pool
	}
	return c, errors.Join(problems...)
}

func readAuthority(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return pool, nil
}
