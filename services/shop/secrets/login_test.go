package secrets_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"storefront/services/shop/secrets"
)

type fake struct {
	value string
	err   error
	calls int
}

func (f *fake) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	f.calls++
	return &secretsmanager.GetSecretValueOutput{SecretString: &f.value}, f.err
}

func TestLoginFollowsRotation(t *testing.T) {
	api, now := &fake{value: `{"username":"admin","password":"one"}`}, time.Unix(0, 0)
	l := secrets.Login{API: api, ARN: "arn", Now: func() time.Time { return now }}
	for _, step := range []struct {
		after time.Duration
		value string
		want  string
		calls int
	}{
		{0, `{"username":"admin","password":"one"}`, "one", 1},
		{59 * time.Second, `{"username":"admin","password":"two"}`, "one", 1},
		{time.Second, `{"username":"admin","password":"two"}`, "two", 2},
	} {
		now = now.Add(step.after)
		api.value = step.value
		got, err := l.Get(t.Context())
		if err != nil || got.Password != step.want || api.calls != step.calls {
			t.Fatalf("at %s: got %q, %v after %d calls; want %q after %d", now, got.Password, err, api.calls, step.want, step.calls)
		}
	}
}

func TestLoginErrors(t *testing.T) {
	denied := errors.New("AccessDenied")
	if _, err := (&secrets.Login{API: &fake{err: denied}, ARN: "arn"}).Get(t.Context()); !errors.Is(err, denied) {
		t.Errorf("got %v, want the service's error", err)
	}
	for _, value := range []string{"hunter2", `{"username":"a"}`, `{"password":"hunter2"}`, `"hunter2"`, ``} {
		_, err := (&secrets.Login{API: &fake{value: value}, ARN: "arn"}).Get(t.Context())
		if !errors.Is(err, secrets.ErrShape) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("secret %q: got %v, want ErrShape without the value", value, err)
		}
	}
}

// TestLoginOutlivesTheSecrets has Secrets Manager fail after the login was read: the login serves, and is read again soon after it can be.
func TestLoginOutlivesTheSecrets(t *testing.T) {
	api, now := &fake{value: `{"username":"admin","password":"one"}`}, time.Unix(0, 0)
	l := secrets.Login{API: api, ARN: "arn", Now: func() time.Time { return now }}
	want := func(password string, calls int) {
		t.Helper()
		if got, err := l.Get(t.Context()); err != nil || got.Password != password || api.calls != calls {
			t.Fatalf("at %s: got %q, %v after %d calls; want %q after %d", now, got.Password, err, api.calls, password, calls)
		}
	}
	want("one", 1)
	api.err = errors.New("ServiceUnavailable")
	now = now.Add(time.Minute)
	want("one", 2)
	want("one", 2) // it is not asked by everybody at once
	now = now.Add(time.Hour)
	want("one", 3)
	api.err, api.value = nil, `{"username":"admin","password":"two"}`
	now = now.Add(10 * time.Second)
	want("two", 4)
}

// silent is a Secrets Manager that takes calls and does not answer them.
type silent struct{}

func (silent) GetSecretValue(ctx context.Context, _ *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestSilence has nobody wait for ever, least of all the pool of connections, whose context has no end.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if _, err := (&secrets.Login{API: silent{}, ARN: "arn"}).Get(context.Background()); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
			t.Errorf("got %v after %s, want to be told within 5 s", err, time.Since(began))
		}
	})
}
