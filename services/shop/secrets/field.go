package secrets

import (
	"context"
	"fmt"
	"time"
)

// Field hands out one field of a secret that is a JSON object: the cache's AUTH token, or the key that seals the IDs of orders.
type Field struct {
	API  API
	ARN  string           // of the secret
	Name string           // of the field
	Now  func() time.Time // nil means time.Now

	kept kept[string]
}

// Get returns the field's value, at most a minute old while the secret can be read. Errors never contain the secret.
func (f *Field) Get(ctx context.Context) (string, error) {
	return f.kept.get(ctx, f.Now, func() (string, error) {
		var value map[string]any
		if err := read(ctx, f.API, f.ARN, &value); err != nil {
			return "", err
		}
		text, ok := value[f.Name].(string)
		if !ok || text == "" {
			return "", fmt.Errorf("secret %s, field %q: %w", f.ARN, f.Name, ErrShape)
		}
		return text, nil
	})
}
