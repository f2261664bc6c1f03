package cloudwatch

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/wire"
)

// Values of TreatMissingData and of EvaluateLowSampleCountPercentile.
const (
	missingBreaching    = "breaching"
	missingNotBreaching = "notBreaching"
	missingIgnore       = "ignore"
	missingMissing      = "missing"
	lowEvaluate         = "evaluate"
	lowIgnore           = "ignore"
)

// spare is how many periods more than EvaluationPeriods an alarm looks back, to make up for missing data.
const spare = 2

// verdict is the outcome of an evaluation.
type verdict struct {
	state  string // "" leaves the alarm as it is
	reason string
	data   string  // JSON
	value  float64 // the newest data point; NaN without one
}

// breaches compares a value with the threshold.
func breaches(operator string, v, threshold float64) bool {
	switch operator {
	case api.ComparisonOperatorGreaterThanThreshold:
		return v > threshold
	case api.ComparisonOperatorGreaterThanOrEqualToThreshold:
		return v >= threshold
	case api.ComparisonOperatorLessThanThreshold:
		return v < threshold
	}
	return v <= threshold
}

// decide evaluates the values of the last periods, oldest first and NaN where there are none: EvaluationPeriods and spare ones. It follows the tables
// of "Configuring how CloudWatch alarms treat missing data". blind says that the lab began within these periods and measures the metric itself: what is
// missing then was not seen, and decides nothing.
func decide(in *api.PutMetricAlarmInput, values []float64, blind bool) string {
	need := int(*in.EvaluationPeriods)
	least := int(wire.Or(in.DatapointsToAlarm, *in.EvaluationPeriods))
	var real []float64
	oldest := 0 // how many periods ago the oldest value that there is belongs
	for i, v := range values {
		if !math.IsNaN(v) {
			real = append(real, v)
			oldest = max(oldest, len(values)-i)
		}
	}
	real = real[max(0, len(real)-need):]
	breaching := 0
	for _, v := range real {
		if breaches(*in.ComparisonOperator, v, *in.Threshold) {
			breaching++
		}
	}
	if blind && breaching < least && len(real) < need {
		return ""
	}
	switch treat := wire.Or(in.TreatMissingData, missingMissing); {
	case breaching >= least || treat == missingBreaching && breaching+need-len(real) >= least:
		return api.StateValueAlarm
	case len(real) == need || treat == missingBreaching || treat == missingNotBreaching || breaching < len(real):
		return api.StateValueOk
	case treat == missingIgnore:
		return ""
	case len(real) == 0:
		return api.StateValueInsufficientData
	case oldest >= least: // all that is known breaches, and not only since a moment ago
		return api.StateValueAlarm
	}
	return ""
}

// fewSamples reports whether a percentile would rest on too few samples to mean anything, as "Percentile-based alarms and low data samples" has it.
func fewSamples(percent, count float64) bool {
	tail := math.Min(percent, 100-percent) / 100
	return tail <= 0 || count < 10/tail
}

func phrase(operator string) string {
	return map[string]string{
		api.ComparisonOperatorGreaterThanThreshold:          "greater than",
		api.ComparisonOperatorGreaterThanOrEqualToThreshold: "greater than or equal to",
		api.ComparisonOperatorLessThanThreshold:             "less than",
		api.ComparisonOperatorLessThanOrEqualToThreshold:    "less than or equal to",
	}[operator]
}

// reason says why an alarm goes from one state to another, in CloudWatch's words.
func reason(in *api.PutMetricAlarmInput, from, to string, times []time.Time, values []float64) string {
	if to == api.StateValueInsufficientData {
		return fmt.Sprintf("Insufficient Data: %d datapoints were unknown.", *in.EvaluationPeriods)
	}
	var seen []string
	for i, v := range slices.Backward(values) {
		if !math.IsNaN(v) && len(seen) < int(*in.EvaluationPeriods) {
			seen = append(seen, fmt.Sprintf("%s (%s)", number(v), times[i].Format("02/01/06 15:04:05")))
		}
	}
	least := wire.Or(in.DatapointsToAlarm, *in.EvaluationPeriods)
	if len(seen) == 0 {
		return fmt.Sprintf("Threshold Crossed: no datapoints were received for %d periods and %d missing datapoints were treated as [%s].",
			*in.EvaluationPeriods, *in.EvaluationPeriods, map[bool]string{true: "Breaching", false: "NonBreaching"}[to == api.StateValueAlarm])
	}
	negation := map[bool]string{true: "was", false: "was not"}[to == api.StateValueAlarm]
	return shortened(fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints [%s] %s %s the threshold (%s) (minimum %d datapoints for %s -> %s transition).",
		len(seen), *in.EvaluationPeriods, strings.Join(seen, ", "), negation, phrase(*in.ComparisonOperator), number(*in.Threshold), least, from, to), 1023)
}

// number is a number as CloudWatch writes it, with a decimal.
func number(v float64) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
