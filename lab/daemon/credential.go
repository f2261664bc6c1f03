//go:build linux

package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"storefront/lab/control"
	"storefront/lab/iam"
	"storefront/lab/state"
	"storefront/lab/sts"
	"storefront/lab/wire"
)

// operator is the IAM user whose access key `lab env` prints.
const operator = "lab"

// Credential is the access key of the lab's operator.
type Credential struct{ ID, Secret string }

func credentialFile(dir string) string { return filepath.Join(dir, "credential.json") }

// ReadCredential returns the operator's access key of the lab in dir, or control.ErrNotRunning when there is no lab.
func ReadCredential(dir string) (c Credential, err error) {
	b, err := os.ReadFile(credentialFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return c, control.ErrNotRunning
	}
	if err != nil {
		return c, fmt.Errorf("reading the lab's credential: %w", err)
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("the lab's credential %s: %w", credentialFile(dir), err)
	}
	return c, nil
}

// bootstrap makes the operator on the first start, and writes the key where only the owner of the lab can read it.
func bootstrap(store *state.Store, users *iam.Service, dir string) error {
	var key iam.Key
	if err := store.Update(func(tx *state.Tx) (err error) {
		key, err = users.Bootstrap(tx, operator)
		return err
	}); err != nil {
		return fmt.Errorf("making the lab's operator: %w", err)
	}
	b, err := json.Marshal(Credential{ID: key.ID, Secret: key.Secret})
	if err != nil {
		return err
	}
	if err := os.WriteFile(credentialFile(dir), b, 0o600); err != nil {
		return fmt.Errorf("writing the lab's credential: %w", err)
	}
	return nil
}

// keyring finds access keys of users and of temporary sessions.
type keyring struct {
	store    *state.Store
	users    *iam.Service
	sessions *sts.Service
}

// Lookup implements wire.Credentials.
func (k keyring) Lookup(_ context.Context, id string) (c wire.Credential, err error) {
	err = k.store.View(func(tx *state.Tx) error {
		if session, ok, err := k.sessions.Session(tx, id); err != nil || ok {
			c = wire.Credential{Secret: session.Secret, SessionToken: session.Token, Identity: session.Identity, Expires: session.Expires}
			return err
		}
		key, ok, err := k.users.AccessKey(tx, id)
		if err == nil && (!ok || !key.Active) {
			err = wire.ErrNoCredential
		}
		c = wire.Credential{Secret: key.Secret, Identity: key.Identity}
		return err
	})
	return c, err
}
