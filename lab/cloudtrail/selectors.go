package cloudtrail

import (
	"context"
	"reflect"
	"slices"
	"strings"

	api "storefront/lab/api/cloudtrail"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Limits from "Quotas in AWS CloudTrail".
const (
	maxSelectors     = 5
	maxDataResources = 250
	maxConditions    = 500
)

// defaultSelector is what a trail logs when nothing is said: all management events.
func defaultSelector() api.EventSelector {
	return api.EventSelector{ReadWriteType: new(api.ReadWriteTypeAll), IncludeManagementEvents: new(true), DataResources: []api.DataResource{}, ExcludeManagementEventSources: []string{}}
}

// PutEventSelectors implements the operation of that name. Basic selectors replace advanced ones and the other way round.
func (s *Service) PutEventSelectors(_ context.Context, in *api.PutEventSelectorsInput) (*api.PutEventSelectorsOutput, error) {
	basic, advanced := in.EventSelectors, in.AdvancedEventSelectors
	switch {
	case len(basic) > 0 && len(advanced) > 0:
		return nil, invalidSelectors("You can set either EventSelectors or AdvancedEventSelectors, not both.")
	case len(basic)+len(advanced) == 0:
		return nil, invalidSelectors("EventSelectors or AdvancedEventSelectors are needed.")
	}
	for i := range basic {
		fillIn(&basic[i])
	}
	if err := checkBasic(basic); err != nil {
		return nil, err
	}
	if err := checkAdvanced(advanced); err != nil {
		return nil, err
	}
	t, err := s.change(in.TrailName, func(t *trail) error {
		t.Basic, t.Advanced = basic, advanced
		if len(basic) == 1 && reflect.DeepEqual(basic[0], defaultSelector()) {
			t.Basic = nil
		}
		return nil
	})
	return &api.PutEventSelectorsOutput{TrailARN: new(t.ARN), EventSelectors: basic, AdvancedEventSelectors: advanced}, err
}

func fillIn(e *api.EventSelector) {
	d := defaultSelector()
	if e.ReadWriteType == nil {
		e.ReadWriteType = d.ReadWriteType
	}
	if e.IncludeManagementEvents == nil {
		e.IncludeManagementEvents = d.IncludeManagementEvents
	}
	if e.DataResources == nil {
		e.DataResources = d.DataResources
	}
	if e.ExcludeManagementEventSources == nil {
		e.ExcludeManagementEventSources = d.ExcludeManagementEventSources
	}
}

// GetEventSelectors implements the operation of that name.
func (s *Service) GetEventSelectors(_ context.Context, in *api.GetEventSelectorsInput) (*api.GetEventSelectorsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetEventSelectorsOutput) error {
		t, err := s.find(tx, *in.TrailName)
		out.TrailARN, out.EventSelectors, out.AdvancedEventSelectors = new(t.ARN), t.Basic, t.Advanced
		if t.Basic == nil && t.Advanced == nil {
			out.EventSelectors = []api.EventSelector{defaultSelector()}
		}
		return err
	})
}

// PutInsightSelectors implements the operation of that name, as far as it turns insights off: the lab does not look for unusual activity.
func (s *Service) PutInsightSelectors(_ context.Context, in *api.PutInsightSelectorsInput) (*api.PutInsightSelectorsOutput, error) {
	t, err := s.get(in.TrailName)
	if err == nil && len(in.InsightSelectors) > 0 {
		err = refuse("UnsupportedOperationException", "The lab serves no CloudTrail Insights.")
	}
	return &api.PutInsightSelectorsOutput{TrailARN: new(t.ARN), InsightSelectors: []api.InsightSelector{}}, err
}

// GetInsightSelectors implements the operation of that name.
func (s *Service) GetInsightSelectors(_ context.Context, in *api.GetInsightSelectorsInput) (*api.GetInsightSelectorsOutput, error) {
	t, err := s.get(in.TrailName)
	if err == nil {
		err = refuse("InsightNotEnabledException", "Insights are not enabled on the trail: %s.", t.Name)
	}
	return nil, err
}

func invalidSelectors(format string, args ...any) error {
	return refuse("InvalidEventSelectorsException", format, args...)
}

func checkBasic(selectors []api.EventSelector) error {
	if len(selectors) > maxSelectors {
		return invalidSelectors("A trail can have up to %d event selectors.", maxSelectors)
	}
	resources := 0
	for _, e := range selectors {
		for _, d := range e.DataResources {
			kind := wire.Value(d.Type)
			if !slices.Contains([]string{objectType, "AWS::Lambda::Function", "AWS::DynamoDB::Table"}, kind) {
				return invalidSelectors("%s is not a type of data resources of event selectors. Use advanced event selectors.", kind)
			}
			for _, v := range d.Values {
				if kind == objectType && v != "arn:aws:s3" && v != "arn:aws:s3:::" && (!strings.HasPrefix(v, "arn:aws:s3:::") || !strings.Contains(v[len("arn:aws:s3:::"):], "/")) {
					return invalidSelectors("Value %s for DataResources.Values is invalid: it must be the ARN of a bucket with a slash after it, and may go on with a prefix.", v)
				}
			}
			resources += len(d.Values)
		}
		for _, source := range e.ExcludeManagementEventSources {
			if source != "kms.amazonaws.com" && source != "rdsdata.amazonaws.com" {
				return invalidSelectors("%s cannot be excluded: kms.amazonaws.com and rdsdata.amazonaws.com can.", source)
			}
		}
	}
	if resources > maxDataResources {
		return invalidSelectors("A trail can have up to %d data resources.", maxDataResources)
	}
	return nil
}

// checkAdvanced checks what the API reference says of AdvancedFieldSelector.
func checkAdvanced(selectors []api.AdvancedEventSelector) error {
	conditions := 0
	for _, e := range selectors {
		fields := map[string]api.AdvancedFieldSelector{}
		for _, f := range e.FieldSelectors {
			conditions += len(f.Equals) + len(f.NotEquals) + len(f.StartsWith) + len(f.NotStartsWith) + len(f.EndsWith) + len(f.NotEndsWith)
			if _, twice := fields[*f.Field]; twice {
				return invalidSelectors("The field %s is selected twice in one selector.", *f.Field)
			}
			if !slices.Contains([]string{"eventCategory", "readOnly", "eventSource", "eventName", "resources.type", "resources.ARN", "eventType", "sessionCredentialFromConsole", "userIdentity.arn"}, *f.Field) {
				return invalidSelectors("%s is not a field of advanced event selectors.", *f.Field)
			}
			fields[*f.Field] = f
		}
		category, kind := fields["eventCategory"].Equals, fields["resources.type"].Equals
		switch {
		case len(category) != 1 || category[0] != management && category[0] != data:
			return invalidSelectors("Each selector needs one eventCategory that equals Management or Data.")
		case category[0] == data && len(kind) != 1:
			return invalidSelectors("A selector of data events needs one resources.type.")
		case category[0] == management && (len(kind) > 0 || fields["resources.ARN"].Field != nil):
			return invalidSelectors("Management events are not selected by resources.")
		}
	}
	if conditions > maxConditions {
		return invalidSelectors("A trail can have up to %d values in its advanced event selectors.", maxConditions)
	}
	return nil
}
