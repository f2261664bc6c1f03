package secrets_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"storefront/services/shop/secrets"
)

func TestFieldFollowsRotation(t *testing.T) {
	api, now := &fake{value: `{"token":"one","other":1}`}, time.Unix(0, 0)
	f := secrets.Field{API: api, ARN: "arn", Name: "token", Now: func() time.Time { return now }}
	for _, want := range []string{"one", "one", "two"} {
		got, err := f.Get(t.Context())
		if err != nil || got != want {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
		api.value = `{"token":"two"}`
		now = now.Add(30 * time.Second)
	}
}

func TestFieldErrors(t *testing.T) {
	for _, value := range []string{"hunter2", `{"other":"hunter2"}`, `{"token":""}`, `{"token":7}`, `"hunter2"`, ``} {
		_, err := (&secrets.Field{API: &fake{value: value}, ARN: "arn", Name: "token"}).Get(t.Context())
		if !errors.Is(err, secrets.ErrShape) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("secret %q: got %v, want ErrShape without the value", value, err)
		}
	}
}
