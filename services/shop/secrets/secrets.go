// Package secrets reads the shop's secrets from AWS Secrets Manager.
package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

const (
	maxAge     = time.Minute      // how long a secret is kept; rotation happens daily at most, and open connections outlive the change
	readFor    = 5 * time.Second  // all tries of one read; connections wait for it that nothing else bounds
	retryAfter = 10 * time.Second // how long the value from before serves when the secret cannot be read again
)

// API is the part of the Secrets Manager client that this package uses.
type API interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// ErrShape says that a secret is not a JSON object with the fields that are needed, each a string that is not empty.
var ErrShape = errors.New("the secret's value must be a JSON object that has the fields which are needed")

// read decodes the secret into value. Errors never contain the secret.
func read(ctx context.Context, api API, arn string, value any) error {
	ctx, cancel := context.WithTimeout(ctx, readFor)
	defer cancel()
	out, err := api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		return fmt.Errorf("reading secret %s: %w", arn, err)
	}
	if out.SecretString == nil || json.Unmarshal([]byte(*out.SecretString), value) != nil {
		return fmt.Errorf("secret %s: %w", arn, ErrShape)
	}
	return nil
}

// kept is a value that was read, for as long as it is fresh.
type kept[T any] struct {
	mu    sync.Mutex
	value T
	until time.Time // zero before the first value
}

// get returns the value, read anew when it is older than maxAge. When that fails the value from before goes on serving: it is most likely still right, and
// without it an outage of the secrets would become one of everything that is logged in to with them. now may be nil for time.Now.
func (k *kept[T]) get(ctx context.Context, now func() time.Time, read func() (T, error)) (T, error) {
	if now == nil {
		now = time.Now
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if now().Before(k.until) {
		return k.value, nil
	}
	value, err := read()
	switch {
	case err == nil:
		k.value, k.until = value, now().Add(maxAge)
	case k.until.IsZero():
		return value, err
	default:
		slog.WarnContext(ctx, "a secret cannot be read again, the value from before is used", "error", err)
		k.until = now().Add(retryAfter)
	}
	return k.value, nil
}
