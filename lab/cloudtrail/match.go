package cloudtrail

import (
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/cloudtrail"
	"storefront/lab/state"
)

// matcher chooses the events of a trail.
type matcher struct {
	global   bool
	basic    []api.EventSelector
	advanced []api.AdvancedEventSelector
	data     []string // types of the resources whose data events it wants, or some of them
}

func (t trail) matcher() matcher {
	m := matcher{global: t.Global, basic: t.Basic, advanced: t.Advanced, data: dataTypes(t.Basic, t.Advanced)}
	if t.Basic == nil && t.Advanced == nil {
		m.basic = []api.EventSelector{defaultSelector()}
	}
	return m
}

// choose takes up which data events the trails that log want, so that all others cost nothing.
func (s *Service) choose() error {
	wanted := []matcher{}
	err := s.Store.View(func(tx *state.Tx) error {
		for _, t := range trails.All(tx) {
			if m := t.matcher(); t.Logging && len(m.data) > 0 {
				wanted = append(wanted, m)
			}
		}
		return nil
	})
	if err == nil {
		s.data.Store(&wanted)
	}
	return err
}

// selected tells whether a trail wants a data event.
func (s *Service) selected(e *entry) bool {
	return slices.ContainsFunc(*s.data.Load(), func(m matcher) bool { return m.wants(e) })
}

// wanted tells whether a trail may want the data events of a type of resource.
func (s *Service) wanted(resourceType string) bool {
	return slices.ContainsFunc(*s.data.Load(), func(m matcher) bool { return slices.Contains(m.data, resourceType) })
}

// dataTypes lists the types of resources that selectors of data events name: each names its own.
func dataTypes(basic []api.EventSelector, advanced []api.AdvancedEventSelector) (types []string) {
	for _, b := range basic {
		for _, d := range b.DataResources {
			types = append(types, *d.Type)
		}
	}
	for _, a := range advanced {
		for _, f := range a.FieldSelectors {
			if *f.Field == "resources.type" { // checkAdvanced: management events have none
				types = append(types, f.Equals...)
			}
		}
	}
	return types
}

// wants tells whether an event is one of the trail's.
func (m matcher) wants(e *entry) bool {
	if !m.global && e.Source == "iam.amazonaws.com" {
		return false
	}
	return slices.ContainsFunc(m.basic, func(b api.EventSelector) bool { return basicWants(b, e) }) ||
		slices.ContainsFunc(m.advanced, func(a api.AdvancedEventSelector) bool {
			return !slices.ContainsFunc(a.FieldSelectors, func(f api.AdvancedFieldSelector) bool { return !fieldWants(f, e) })
		})
}

func basicWants(b api.EventSelector, e *entry) bool {
	if t := *b.ReadWriteType; t != api.ReadWriteTypeAll && (t == api.ReadWriteTypeReadOnly) != e.ReadOnly {
		return false
	}
	if e.Category == management {
		return *b.IncludeManagementEvents && !slices.Contains(b.ExcludeManagementEventSources, e.Source)
	}
	kind, arn := e.primary()
	return slices.ContainsFunc(b.DataResources, func(d api.DataResource) bool {
		return *d.Type == kind && slices.ContainsFunc(d.Values, func(prefix string) bool { return strings.HasPrefix(arn, prefix) })
	})
}

// primary is the resource that a data event is selected by.
func (e *entry) primary() (kind, arn string) {
	if len(e.Resources) == 0 {
		return "", ""
	}
	return e.Resources[0].Type, e.Resources[0].ARN
}

// fieldWants tells whether an event has a field of a value that a selector names.
func fieldWants(f api.AdvancedFieldSelector, e *entry) bool {
	kind, arn := e.primary()
	value := map[string]string{"eventCategory": e.Category, "readOnly": strconv.FormatBool(e.ReadOnly), "eventSource": e.Source, "eventName": e.Name, "resources.type": kind, "resources.ARN": arn,
		"eventType": "AwsApiCall", "sessionCredentialFromConsole": "false", "userIdentity.arn": e.Caller}[*f.Field]
	is := func(other string) bool { return value == other }
	begins := func(prefix string) bool { return strings.HasPrefix(value, prefix) }
	ends := func(suffix string) bool { return strings.HasSuffix(value, suffix) }
	if slices.ContainsFunc(f.NotEquals, is) || slices.ContainsFunc(f.NotStartsWith, begins) || slices.ContainsFunc(f.NotEndsWith, ends) {
		return false
	}
	return len(f.Equals)+len(f.StartsWith)+len(f.EndsWith) == 0 || slices.ContainsFunc(f.Equals, is) || slices.ContainsFunc(f.StartsWith, begins) || slices.ContainsFunc(f.EndsWith, ends)
}
