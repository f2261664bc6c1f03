package secrets

import (
	"context"
	"fmt"
	"time"

	"storefront/services/shop/postgres"
)

// Login hands out the login in the secret that RDS manages for a cluster: a JSON object with username and password.
type Login struct {
	API API
	ARN string           // of the secret
	Now func() time.Time // nil means time.Now

	kept kept[postgres.Login]
}

// Get returns the login, at most a minute old while the secret can be read. Errors never contain the secret.
func (l *Login) Get(ctx context.Context) (postgres.Login, error) {
	return l.kept.get(ctx, l.Now, func() (postgres.Login, error) {
		var value struct{ Username, Password string }
		if err := read(ctx, l.API, l.ARN, &value); err != nil {
			return postgres.Login{}, err
		}
		if value.Username == "" || value.Password == "" {
			return postgres.Login{}, fmt.Errorf("secret %s: %w", l.ARN, ErrShape)
		}
		return postgres.Login{User: value.Username, Password: value.Password}, nil
	})
}
