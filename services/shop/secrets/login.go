// Package secrets reads the database login from AWS Secrets Manager.
package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"storefront/services/shop/postgres"
)

// maxAge is how long a login is kept. RDS rotates a managed password at most daily, and open connections outlive the change.
const maxAge = time.Minute

// API is the part of the Secrets Manager client that this package uses.
type API interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
}

// Login hands out the login in the secret that RDS manages for a cluster: a JSON object with username and password.
type Login struct {
	API API
	ARN string           // of the secret
	Now func() time.Time // nil means time.Now

	mu    sync.Mutex
	login postgres.Login
	read  time.Time
}

// Get returns the login, at most a minute old. Errors never contain the secret.
func (l *Login) Get(ctx context.Context) (postgres.Login, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now
	if l.Now != nil {
		now = l.Now
	}
	if l.login != (postgres.Login{}) && now().Sub(l.read) < maxAge {
		return l.login, nil
	}
	out, err := l.API.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &l.ARN})
	if err != nil {
		return postgres.Login{}, fmt.Errorf("reading secret %s: %w", l.ARN, err)
	}
	var value struct{ Username, Password string }
	if out.SecretString == nil || json.Unmarshal([]byte(*out.SecretString), &value) != nil || value.Username == "" || value.Password == "" {
		return postgres.Login{}, fmt.Errorf("secret %s: %w", l.ARN, ErrShape)
	}
	l.login, l.read = postgres.Login{User: value.Username, Password: value.Password}, now()
	return l.login, nil
}

// ErrShape says that a secret is not the JSON object {"username": ..., "password": ...}.
var ErrShape = errors.New(`the secret's value must be a JSON object with "username" and "password"`)
