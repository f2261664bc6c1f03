// Package ssm is the lab's AWS Systems Manager Parameter Store, with the public parameters that name Amazon Linux images.
//
// Parameter policies, labels and the advanced tier's sharing are not served.
package ssm

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	api "storefront/lab/api/ssm"
	"storefront/lab/kms"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Service implements the Parameter Store part of the SSM API.
type Service struct {
	store  *state.Store
	region region.Region
	kms    *kms.Service
	now    func() time.Time
}

var _ api.API = (*Service)(nil)

// New returns the service on a store. SecureString values are sealed by keys of kms; now is its clock.
func New(store *state.Store, r region.Region, kms *kms.Service, now func() time.Time) *Service {
	return &Service{store: store, region: r, kms: kms, now: now}
}

// parameter is one parameter with its versions, oldest first.
type parameter struct {
	Name, Type, Description, AllowedPattern, DataType, Tier, KeyID string
	Tags                                                           map[string]string
	Versions                                                       []version
}

type version struct {
	Number   int64
	Value    string // plain types
	Sealed   []byte // SecureString
	Modified time.Time
	User     string
}

// maxVersions is how many versions of a parameter are kept, from "Working with parameter versions".
const maxVersions = 100

var parameters = state.NewTable[parameter]("ssm.parameter")

const (
	plain  = "String"
	list   = "StringList"
	secure = "SecureString"
)

func (p parameter) latest() version { return p.Versions[len(p.Versions)-1] }

var errNotFound = wire.Errorf(400, "ParameterNotFound", "")

// find resolves "name", "name:version" or a parameter's ARN to a parameter and one of its versions.
func (s *Service) find(tx *state.Tx, id string) (p parameter, v version, selector string, err error) {
	name := id
	if rest, isARN := strings.CutPrefix(id, s.region.ARN("ssm", "parameter")); isARN {
		name = rest
	}
	name, number, selected := strings.Cut(name, ":")
	// The ARN of a parameter without a leading slash has one all the same.
	for _, candidate := range []string{name, strings.TrimPrefix(name, "/")} {
		var ok bool
		if p, ok, err = lookup(tx, candidate); ok || err != nil {
			break
		}
	}
	if err != nil || len(p.Versions) == 0 {
		return p, v, "", cmp.Or[error](err, errNotFound)
	}
	if !selected {
		return p, p.latest(), "", nil
	}
	for _, v := range p.Versions {
		if strconv.FormatInt(v.Number, 10) == number {
			return p, v, ":" + number, nil
		}
	}
	return p, v, "", wire.Errorf(400, "ParameterVersionNotFound", "Systems Manager could not find version %s of %s. Verify the version and try again.", number, name)
}

func (s *Service) arn(name string) string {
	if strings.HasPrefix(name, publicPrefix) {
		return region.Region{Name: s.region.Name}.ARN("ssm", "parameter"+name)
	}
	if strings.HasPrefix(name, "/") {
		return s.region.ARN("ssm", "parameter"+name)
	}
	return s.region.ARN("ssm", "parameter/"+name)
}
