package rds

import (
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/rds"
	"storefront/lab/postgres"
	"storefront/lab/wire"
)

// parameter is a setting that a parameter group can have.
type parameter struct {
	postgres.Parameter
	Default string // "" when the server decides
	Fixed   bool   // it cannot be modified
}

// ownParameters are RDS's, which PostgreSQL does not know. Those that are fixed would promise what the lab does not do.
func (s *Service) ownParameters() []parameter {
	force := "0"
	if s.Engine.Version().Major >= 17 {
		force = "1"
	}
	boolean := func(name, description, value string, static bool) parameter {
		return parameter{Parameter: postgres.Parameter{Name: name, Description: description, Kind: "boolean", Static: static}, Default: value}
	}
	return []parameter{
		boolean("rds.force_ssl", "Force SSL connections.", force, false),
		boolean("rds.logical_replication", "Enables logical decoding.", "0", true),
		boolean("rds.adaptive_autovacuum", "RDS parameter to enable/disable adaptive autovacuum.", "1", false),
		{Parameter: postgres.Parameter{Name: "rds.log_retention_period", Kind: "integer", Min: "1440", Max: "10080",
			Description: "Amazon RDS will delete PostgreSQL log that are older than N minutes."}, Default: "4320"},
		{Parameter: postgres.Parameter{Name: "rds.allowed_extensions", Description: "Allowed extensions provided by RDS", Kind: "string"}, Default: "*", Fixed: true},
		{Parameter: postgres.Parameter{Name: "rds.restrict_password_commands", Kind: "boolean", Static: true,
			Description: "restricts password-related commands to members of rds_password"}, Default: "0", Fixed: true},
	}
}

// parameters lists everything that a group can hold, by name.
func (s *Service) parameters() []parameter {
	all := s.ownParameters()
	for _, p := range s.Engine.Parameters() {
		all = append(all, parameter{Parameter: p})
	}
	slices.SortFunc(all, func(a, b parameter) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (p parameter) allowed() string {
	switch {
	case p.Kind == "boolean":
		return "0,1"
	case p.Min != "":
		return p.Min + "-" + p.Max
	default:
		return ""
	}
}

func (p parameter) applyType() string {
	if p.Static {
		return "static"
	}
	return "dynamic"
}

// check tells whether a value is allowed for the parameter.
func (s *Service) check(p parameter, value string) error {
	bad := invalidValue("Value: %s is outside of range: %s for parameter: %s", value, p.allowed(), p.Name)
	if !strings.HasPrefix(p.Name, "rds.") {
		if err := s.Engine.CheckParameter(p.Name, value); err != nil {
			if p.allowed() == "" {
				return invalidValue("%v", err)
			}
			return bad
		}
		return nil
	}
	if p.Kind == "boolean" {
		if value != "0" && value != "1" {
			return bad
		}
		return nil
	}
	n, err := strconv.Atoi(value)
	low, _ := strconv.Atoi(p.Min)
	high, _ := strconv.Atoi(p.Max)
	if err != nil || n < low || n > high {
		return bad
	}
	return nil
}

// show is the parameter as a group has it.
func (p parameter) show(values map[string]setting) api.Parameter {
	out := api.Parameter{
		ParameterName: &p.Name, Description: &p.Description, DataType: &p.Kind, ApplyType: new(p.applyType()), IsModifiable: new(!p.Fixed),
		AllowedValues: wire.Optional(p.allowed()), ParameterValue: wire.Optional(p.Default), Source: new("engine-default"), ApplyMethod: new(api.ApplyMethodPendingReboot),
		SupportedEngineModes: []string{"provisioned"},
	}
	if v, ok := values[p.Name]; ok {
		out.ParameterValue, out.Source, out.ApplyMethod = &v.Value, new("user"), &v.Method
	}
	return out
}

// change applies a request's parameters to the values of a group.
func (s *Service) change(values map[string]setting, given []api.Parameter) error {
	if len(given) > 20 {
		return invalidValue("Maximum of 20 parameters may be modified in a single request")
	}
	known := s.parameters()
	for _, g := range given {
		name := wire.Value(g.ParameterName)
		at := slices.IndexFunc(known, func(p parameter) bool { return p.Name == name })
		if at < 0 {
			return invalidValue("Could not find parameter with name: %s", name)
		}
		p, method := known[at], wire.Or(g.ApplyMethod, api.ApplyMethodPendingReboot)
		switch {
		case p.Fixed:
			return invalidValue("The parameter %s cannot be modified.", name)
		case g.ParameterValue == nil:
			return invalidCombination("The parameter ParameterValue must be provided for %s.", name)
		case p.Static && method == api.ApplyMethodImmediate:
			return invalidCombination("cannot use immediate apply method for static parameter")
		}
		if err := s.check(p, *g.ParameterValue); err != nil {
			return err
		}
		values[name] = setting{*g.ParameterValue, method}
	}
	return nil
}
