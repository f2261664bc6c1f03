package secretsmanager

import (
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateOwned makes a secret that another service manages, such as the master password of a database cluster. Customers can read and tag it, and
// cannot delete it. kmsKey may be "" for the AWS managed key.
func (s *Service) CreateOwned(tx *state.Tx, service, name, kmsKey, value string) (arn string, err error) {
	x := secret{Name: name, KMSKeyID: kmsKey, OwningService: service, Tags: map[string]string{"aws:" + service + ":managed": "true"}}
	_, err = s.create(tx, &x, payload{text: &value}, "")
	return x.ARN, err
}

// ReplaceOwned gives an owned secret a new current value.
func (s *Service) ReplaceOwned(tx *state.Tx, arn, value string) error {
	x, err := s.find(tx, arn)
	if err != nil {
		return err
	}
	id, err := versionID(tx, nil)
	if err != nil {
		return err
	}
	if err := s.add(tx, &x, id, payload{text: &value}, []string{current}); err != nil {
		return err
	}
	return secrets.Put(tx, x.Name, x)
}

// ReadOwned returns the current value of an owned secret.
func (s *Service) ReadOwned(tx *state.Tx, arn string) (string, error) {
	x, err := s.find(tx, arn)
	if err != nil {
		return "", err
	}
	id, _, err := x.pick("", current)
	if err != nil {
		return "", err
	}
	p, err := s.open(tx, &x, id)
	return wire.Value(p.text), err
}

// DeleteOwned removes an owned secret at once.
func (s *Service) DeleteOwned(tx *state.Tx, arn string) error {
	x, err := s.find(tx, arn)
	if err != nil {
		return err
	}
	return secrets.Delete(tx, x.Name)
}
