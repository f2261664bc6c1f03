// Package authtest decides about permissions in the tests of services, as the daemon does: by the policies of users, roles and keys, and by those of other resources that a
// test names.
package authtest

import (
	"strings"
	"time"

	"storefront/lab/access"
	"storefront/lab/authorization"
	"storefront/lab/iam"
	"storefront/lab/kms"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/sts"
)

// PolicyOf returns the policy of the resource of a request as JSON, "" for none.
type PolicyOf func(tx *state.Tx, r *access.Request) (string, error)

// New makes an authorizer of the default region. keys and other may be nil.
func New(store *state.Store, identities *iam.Service, keys *kms.Service, other PolicyOf) *authorization.Authorizer {
	r := region.Default()
	return authorization.New(authorization.Config{Store: store, Region: r, Identities: identities, Sessions: sts.New(store, r, identities, time.Now), Resources: resources{identities, keys, other}, Now: time.Now})
}

type resources struct {
	identities *iam.Service
	keys       *kms.Service
	other      PolicyOf
}

func (d resources) Resolve(tx *state.Tx, action, arn string) (string, error) {
	if d.keys != nil && strings.HasPrefix(action, "kms:") {
		return d.keys.Resolve(tx, arn)
	}
	return arn, nil
}

func (d resources) Policy(tx *state.Tx, r *access.Request) (*access.Document, bool, error) {
	switch service, _, _ := strings.Cut(r.Action, ":"); {
	case service == "kms" && d.keys != nil:
		p, err := d.keys.Policy(tx, r.Resource)
		return p, p != nil, err
	case service == "sts":
		p, err := d.identities.Trust(tx, r.Resource)
		return p, p != nil, err
	case d.other == nil:
		return nil, false, nil
	}
	text, err := d.other(tx, r)
	if err != nil || text == "" {
		return nil, false, err
	}
	p, err := access.Parse(text)
	return &p, false, err
}

func (resources) Tags(*state.Tx, string) (map[string]string, error) { return nil, nil }

func (resources) EndpointPolicy(*state.Tx, string) (*access.Document, error) { return nil, nil }

func (resources) Keys(*state.Tx, authorization.Ask, any) ([]authorization.KeyUse, error) {
	return nil, nil
}
