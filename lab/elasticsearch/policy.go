package elasticsearch

import (
	"bytes"
	"encoding/json"
	"strings"

	"storefront/lab/access"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// setAccess replaces the access policy; an empty one lets in whom identity policies let in.
func (s *Service) setAccess(tx *state.Tx, d *domain, given *string) error {
	text := strings.TrimSpace(wire.Value(given))
	if given == nil {
		return nil
	}
	if text == "" {
		d.Access = ""
		return nil
	}
	refused := conflict("InvalidTypeException", "Error setting policy: [%s]", text)
	policy, err := access.Parse(text)
	if err != nil {
		return refused
	}
	for _, st := range policy.Statement {
		if len(st.Principal)+len(st.NotPrincipal) == 0 || !s.known(tx, st) {
			return refused
		}
		for operator := range st.Condition {
			if strings.Contains(operator, "IpAddress") {
				return invalid("You can't attach an IP-based policy to a domain that has a VPC endpoint. Instead, use a security group to control IP access.")
			}
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		return refused
	}
	d.Access = compact.String()
	return nil
}

// known tells whether the roles of this account that a statement names exist: AWS keeps their IDs, so it must find them.
func (s *Service) known(tx *state.Tx, st access.Statement) bool {
	for _, principal := range append(st.Principal["AWS"], st.NotPrincipal["AWS"]...) {
		path, role := strings.CutPrefix(principal, s.Region.GlobalARN("iam", "role/"))
		if !role {
			continue
		}
		if _, err := s.Roles.Role(tx, path[strings.LastIndexByte(path, '/')+1:]); err != nil {
			return false
		}
	}
	return true
}
