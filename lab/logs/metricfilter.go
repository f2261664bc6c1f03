package logs

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/logs"
	"storefront/lab/logs/pattern"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Limits of metric filters, from "CloudWatch Logs quotas" and the API reference of PutMetricFilter.
const (
	maxFilters    = 100 // of a log group
	maxRegexes    = 5   // of them with regular expressions
	maxDimensions = 3
)

// filter is a metric filter.
type filter struct {
	Group, Name, Pattern string
	Created              int64
	Metric               api.MetricTransformation
}

func filtersOf(tx *state.Tx, group string) (list []filter) {
	for _, f := range filters.WithPrefix(tx, group+"\x00") {
		list = append(list, f)
	}
	return list
}

func (f filter) described() api.MetricFilter {
	return api.MetricFilter{FilterName: &f.Name, FilterPattern: &f.Pattern, LogGroupName: &f.Group, CreationTime: &f.Created, MetricTransformations: []api.MetricTransformation{f.Metric}}
}

// PutMetricFilter implements the operation of that name.
func (s *Service) PutMetricFilter(_ context.Context, in *api.PutMetricFilterInput) (*api.PutMetricFilterOutput, error) {
	if s.publish == nil {
		return nil, invalid("Metric filters are not served: CloudWatch is not there.")
	}
	f := filter{Name: *in.FilterName, Pattern: *in.FilterPattern, Created: s.millis(), Metric: in.MetricTransformations[0]}
	if strings.ContainsAny(f.Name, ":*") {
		return nil, invalid("1 validation error detected: Value '%s' at 'filterName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*", f.Name)
	}
	p, err := pattern.Parse(f.Pattern)
	if err != nil {
		return nil, invalid("%v", err)
	}
	if err := checkTransformation(p, f.Metric); err != nil {
		return nil, err
	}
	return &api.PutMetricFilterOutput{}, s.store.Update(func(tx *state.Tx) error {
		g, err := s.find(tx, in.LogGroupName, nil)
		if err != nil {
			return err
		}
		f.Group = g.Name
		others := slices.DeleteFunc(filtersOf(tx, g.Name), func(other filter) bool { return other.Name == f.Name })
		if len(others) >= maxFilters || p.Regex() && countRegexes(others) >= maxRegexes {
			return wire.Errorf(400, "LimitExceededException", "Resource limit exceeded.")
		}
		return filters.Put(tx, g.Name+"\x00"+f.Name, f)
	})
}

func countRegexes(list []filter) (n int) {
	for _, f := range list {
		if p, err := pattern.Parse(f.Pattern); err == nil && p.Regex() {
			n++
		}
	}
	return n
}

// checkTransformation checks what a filter with a pattern publishes.
func checkTransformation(p *pattern.Pattern, t api.MetricTransformation) error {
	for _, named := range []struct{ member, value string }{{"metricName", *t.MetricName}, {"metricNamespace", *t.MetricNamespace}} {
		if strings.ContainsAny(named.value, ":*$") {
			return invalid("1 validation error detected: Value '%s' at 'metricTransformations.1.member.%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*$]*", named.value, named.member)
		}
	}
	if strings.HasPrefix(*t.MetricNamespace, "AWS/") {
		return invalid("Invalid metric transformation: the namespace %s is reserved for AWS services", *t.MetricNamespace)
	}
	if strings.HasPrefix(*t.MetricValue, "$") {
		if _, ok := p.Value(*t.MetricValue); !ok {
			return invalid("Invalid metric transformation: metric value %s is no part of what the filter pattern matches", *t.MetricValue)
		}
	} else if _, ok := sample(*t.MetricValue); !ok {
		return invalid("Invalid metric transformation: metric value %s must be a valid number", *t.MetricValue)
	}
	switch {
	case len(t.Dimensions) == 0:
		return nil
	case t.DefaultValue != nil:
		return invalid("Invalid metric transformation: dimensions and default value are mutually exclusive properties")
	case len(t.Dimensions) > maxDimensions:
		return invalid("Invalid metric transformation: a metric has %d dimensions at most", maxDimensions)
	case !p.Structured():
		return invalid("The specified filter pattern does not support dimensions")
	}
	for _, name := range slices.Sorted(maps.Keys(t.Dimensions)) {
		if _, ok := p.Value(t.Dimensions[name]); !ok || !dimensionText(name) || strings.HasPrefix(name, ":") {
			return invalid("Invalid metric transformation: dimension value must be valid selector: %s = %s", name, t.Dimensions[name])
		}
	}
	return nil
}

// DescribeMetricFilters implements the operation of that name.
func (s *Service) DescribeMetricFilters(_ context.Context, in *api.DescribeMetricFiltersInput) (*api.DescribeMetricFiltersOutput, error) {
	if (in.MetricName == nil) != (in.MetricNamespace == nil) {
		return nil, invalid("Both metricName and metricNamespace must be specified, or neither.")
	}
	return state.Read(s.store, func(tx *state.Tx, out *api.DescribeMetricFiltersOutput) error {
		prefix := ""
		if in.LogGroupName != nil {
			g, err := s.find(tx, in.LogGroupName, nil)
			if err != nil {
				return err
			}
			prefix = g.Name + "\x00" + wire.Value(in.FilterNamePrefix) // the prefix counts with a group only
		}
		wanted := func(f filter) bool {
			return in.MetricName == nil || *in.MetricName == *f.Metric.MetricName && *in.MetricNamespace == *f.Metric.MetricNamespace
		}
		list, next := state.Page(state.Where(filters.WithPrefix(tx, prefix), wanted), wire.Value(in.NextToken), wire.Or(in.Limit, 50))
		out.MetricFilters, out.NextToken = []api.MetricFilter{}, next
		for _, f := range list {
			out.MetricFilters = append(out.MetricFilters, f.described())
		}
		return nil
	})
}

// DeleteMetricFilter implements the operation of that name.
func (s *Service) DeleteMetricFilter(_ context.Context, in *api.DeleteMetricFilterInput) (*api.DeleteMetricFilterOutput, error) {
	return &api.DeleteMetricFilterOutput{}, s.store.Update(func(tx *state.Tx) error {
		g, err := s.find(tx, in.LogGroupName, nil)
		if err != nil {
			return err
		}
		key := g.Name + "\x00" + *in.FilterName
		if _, ok, err := filters.Get(tx, key); err != nil {
			return err
		} else if !ok {
			return notFound("metric filter")
		}
		return filters.Delete(tx, key)
	})
}

// TestMetricFilter implements the operation of that name.
func (s *Service) TestMetricFilter(_ context.Context, in *api.TestMetricFilterInput) (*api.TestMetricFilterOutput, error) {
	p, err := pattern.Parse(*in.FilterPattern)
	if err != nil {
		return nil, invalid("%v", err)
	}
	out := &api.TestMetricFilterOutput{Matches: []api.MetricFilterMatchRecord{}}
	for i, text := range in.LogEventMessages {
		if m := (&pattern.Message{Text: text}); p.Match(m) {
			out.Matches = append(out.Matches, api.MetricFilterMatchRecord{EventNumber: new(int64(i + 1)), EventMessage: &text, ExtractedValues: p.Extracted(m)})
		}
	}
	return out, nil
}

// sample reads the value of a sample, which CloudWatch takes from -2^360 to 2^360.
func sample(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && v >= -0x1p360 && v <= 0x1p360
}

// dimensionText tells whether CloudWatch takes a text as the name or the value of a dimension.
func dimensionText(text string) bool {
	return text != "" && len(text) <= 1024 && strings.TrimSpace(text) != "" && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}
