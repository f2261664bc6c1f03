// Package secrets reads the shop's secrets from AWS Secrets Manager.
package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// maxAge is how long a secret is kept. Rotation happens daily at most, and open connections outlive the change.
const maxAge = time.Minute

// API is the part of the Secrets Manager client that this package uses.
type API interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// ErrShape says that a secret is not a JSON object with the fields that are needed, each a string that is not empty.
var ErrShape = errors.New("the secret's value must be a JSON object that has the fields which are needed")

// read decodes the secret into value. Errors never contain the secret.
func read(ctx context.Context, api API, arn string, value any) error {
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
	until time.Time
}

// get returns the value, read anew when it is older than maxAge. now may be nil for time.Now.
func (k *kept[T]) get(now func() time.Time, read func() (T, error)) (T, error) {
	if now == nil {
		now = time.Now
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if now().Before(k.until) {
		return k.value, nil
	}
	value, err := read()
	if err != nil {
		var none T
		return none, err
	}
	k.value, k.until = value, now().Add(maxAge)
	return value, nil
}
