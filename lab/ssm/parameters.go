package ssm

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"

	api "storefront/lab/api/ssm"
	"storefront/lab/state"
	"storefront/lab/wire"
)

var validName = regexp.MustCompile(`^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,14}$`)

// Sizes of a value, from "Managing parameter tiers".
const (
	maxStandard = 4096
	maxAdvanced = 8192
)

// PutParameter implements the operation of that name.
func (s *Service) PutParameter(ctx context.Context, in *api.PutParameterInput) (*api.PutParameterOutput, error) {
	if err := checkPut(in); err != nil {
		return nil, err
	}
	out := &api.PutParameterOutput{}
	return out, s.store.Update(func(tx *state.Tx) error {
		p, exists, err := parameters.Get(tx, *in.Name)
		if err != nil {
			return err
		}
		switch {
		case exists && !wire.Value(in.Overwrite):
			return wire.Errorf(400, "ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
		case exists && len(in.Tags) > 0:
			return validation("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag.")
		case !exists && in.Type == nil:
			return validation("A parameter type is required when you create a parameter.")
		case !exists:
			p = parameter{Name: *in.Name, Type: *in.Type, Tier: "Standard", DataType: "text", Tags: tagMap(in.Tags)}
		}
		p.apply(in)
		if len(*in.Value) > maxStandard && p.Tier == "Standard" {
			return validation("Standard tier parameters support a maximum parameter value of %d characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier.", maxStandard)
		}
		v := version{Number: 1, Value: *in.Value, Modified: s.now().UTC(), User: wire.Caller(ctx).ARN}
		if exists {
			v.Number = p.latest().Number + 1
		}
		if p.Type == secure {
			if err := s.seal(tx, &p, &v); err != nil {
				return err
			}
		}
		p.Versions = append(p.Versions, v)
		p.Versions = p.Versions[max(0, len(p.Versions)-maxVersions):]
		out.Version, out.Tier = new(v.Number), new(p.Tier)
		return parameters.Put(tx, p.Name, p)
	})
}

func checkPut(in *api.PutParameterInput) error {
	name := *in.Name
	switch lower := strings.ToLower(strings.TrimPrefix(name, "/")); {
	case !validName.MatchString(name):
		return validation("Parameter name must be a fully qualified name of letters, digits and the symbols .-_ in at most 15 levels, and may start with /.")
	case strings.HasPrefix(lower, "aws"), strings.HasPrefix(lower, "ssm"):
		return validation("Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).")
	case *in.Value == "":
		return validation("1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1")
	case len(*in.Value) > maxAdvanced:
		return validation("Advanced tier parameters support a maximum parameter value of %d characters.", maxAdvanced)
	case in.Policies != nil:
		return validation("The lab serves no parameter policies.")
	}
	if pattern := wire.Value(in.AllowedPattern); pattern != "" {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return wire.Errorf(400, "InvalidAllowedPatternException", "The allowed pattern is not a regular expression.")
		}
		if !re.MatchString(*in.Value) {
			return wire.Errorf(400, "ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: %s", pattern)
		}
	}
	return nil
}

func (p *parameter) apply(in *api.PutParameterInput) {
	for field, value := range map[*string]*string{&p.Description: in.Description, &p.AllowedPattern: in.AllowedPattern, &p.DataType: in.DataType, &p.Tier: in.Tier, &p.KeyID: in.KeyId, &p.Type: in.Type} {
		if value != nil {
			*field = *value
		}
	}
	if p.Tier == "Intelligent-Tiering" {
		p.Tier = "Standard"
		if len(*in.Value) > maxStandard {
			p.Tier = "Advanced"
		}
	}
	if p.Type == secure && p.KeyID == "" {
		p.KeyID = managedKey
	}
}

func (s *Service) seal(tx *state.Tx, p *parameter, v *version) error {
	sealed, _, err := s.kms.Seal(tx, p.KeyID, s.context(p.Name), []byte(v.Value))
	if err != nil {
		return wire.Errorf(400, "InvalidKeyId", "%s", err)
	}
	v.Sealed, v.Value = sealed, ""
	return nil
}

func (s *Service) context(name string) map[string]string {
	return map[string]string{"PARAMETER_ARN": s.arn(name)}
}

// value returns what a read shows: the plain text, or of a SecureString its ciphertext unless decryption was asked for.
func (s *Service) value(tx *state.Tx, p parameter, v version, decrypt bool) (string, error) {
	if v.Sealed == nil {
		return v.Value, nil
	}
	if !decrypt {
		return base64.StdEncoding.EncodeToString(v.Sealed), nil
	}
	text, _, err := s.kms.Unseal(tx, s.context(p.Name), v.Sealed)
	if err != nil {
		return "", wire.Errorf(400, "InvalidKeyId", "%s", err)
	}
	return string(text), nil
}

func (s *Service) show(tx *state.Tx, p parameter, v version, selector string, decrypt bool) (*api.Parameter, error) {
	value, err := s.value(tx, p, v, decrypt)
	out := &api.Parameter{ARN: new(s.arn(p.Name)), Name: new(p.Name), Type: new(p.Type), DataType: new(p.DataType), Value: new(value), Version: new(v.Number), LastModifiedDate: new(v.Modified)}
	if selector != "" {
		out.Selector = new(selector)
	}
	return out, err
}

// GetParameter implements the operation of that name.
func (s *Service) GetParameter(_ context.Context, in *api.GetParameterInput) (*api.GetParameterOutput, error) {
	out := &api.GetParameterOutput{}
	return out, s.store.View(func(tx *state.Tx) error {
		p, v, selector, err := s.find(tx, *in.Name)
		if err != nil {
			return err
		}
		out.Parameter, err = s.show(tx, p, v, selector, wire.Value(in.WithDecryption))
		return err
	})
}

// GetParameters implements the operation of that name.
func (s *Service) GetParameters(_ context.Context, in *api.GetParametersInput) (*api.GetParametersOutput, error) {
	out := &api.GetParametersOutput{Parameters: []api.Parameter{}, InvalidParameters: []string{}}
	return out, s.store.View(func(tx *state.Tx) error {
		for _, name := range in.Names {
			p, v, selector, err := s.find(tx, name)
			if _, refused := errors.AsType[*wire.Error](err); refused {
				out.InvalidParameters = append(out.InvalidParameters, name)
				continue
			} else if err != nil {
				return err
			}
			shown, err := s.show(tx, p, v, selector, wire.Value(in.WithDecryption))
			if err != nil {
				return err
			}
			out.Parameters = append(out.Parameters, *shown)
		}
		return nil
	})
}

// GetParametersByPath implements the operation of that name, without filters.
func (s *Service) GetParametersByPath(_ context.Context, in *api.GetParametersByPathInput) (*api.GetParametersByPathOutput, error) {
	if len(in.ParameterFilters) > 0 {
		return nil, wire.Errorf(400, "InvalidFilterKey", "The lab serves no filters for GetParametersByPath.")
	}
	if !strings.HasPrefix(*in.Path, "/") {
		return nil, validation("The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore).")
	}
	path := strings.TrimSuffix(*in.Path, "/") + "/"
	out := &api.GetParametersByPathOutput{Parameters: []api.Parameter{}}
	return out, s.store.View(func(tx *state.Tx) error {
		limit := int64(10)
		if in.MaxResults != nil {
			limit = *in.MaxResults
		}
		below := state.Where(under(tx, path), func(p parameter) bool { return wire.Value(in.Recursive) || !strings.Contains(p.Name[len(path):], "/") })
		items, next := state.Page(below, wire.Value(in.NextToken), limit)
		for _, p := range items {
			shown, err := s.show(tx, p, p.latest(), "", wire.Value(in.WithDecryption))
			if err != nil {
				return err
			}
			out.Parameters = append(out.Parameters, *shown)
		}
		out.NextToken = next
		return nil
	})
}

// DeleteParameter implements the operation of that name.
func (s *Service) DeleteParameter(_ context.Context, in *api.DeleteParameterInput) (*api.DeleteParameterOutput, error) {
	return &api.DeleteParameterOutput{}, s.store.Update(func(tx *state.Tx) error {
		if _, ok, err := parameters.Get(tx, *in.Name); !ok || err != nil {
			return cmp.Or[error](err, errNotFound)
		}
		return parameters.Delete(tx, *in.Name)
	})
}

// DeleteParameters implements the operation of that name.
func (s *Service) DeleteParameters(_ context.Context, in *api.DeleteParametersInput) (*api.DeleteParametersOutput, error) {
	out := &api.DeleteParametersOutput{DeletedParameters: []string{}, InvalidParameters: []string{}}
	return out, s.store.Update(func(tx *state.Tx) error {
		for _, name := range in.Names {
			if _, ok, err := parameters.Get(tx, name); err != nil {
				return err
			} else if !ok {
				out.InvalidParameters = append(out.InvalidParameters, name)
				continue
			}
			if err := parameters.Delete(tx, name); err != nil {
				return err
			}
			out.DeletedParameters = append(out.DeletedParameters, name)
		}
		return nil
	})
}

func validation(format string, args ...any) error {
	return wire.Errorf(400, "ValidationException", format, args...)
}
