package expression_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"storefront/lab/metrics/expression"
)

var none = math.NaN()

func env() expression.Env {
	return expression.Env{
		Times: []int64{0, 60, 120, 180}, Period: 60, Metrics: []string{"m1", "m2"},
		Values: map[string]expression.Value{
			"m1": expression.Series([]float64{10, 20, none, 40}),
			"m2": expression.Series([]float64{2, 0, 5, 8}),
			"e1": expression.Series([]float64{1, 1, 1, 1}),
		},
	}
}

func TestExpressions(t *testing.T) {
	for text, want := range map[string][]float64{
		"m1 / m2":                  {5, none, none, 5},
		"m1 + 2 * 3 ^ 2 - e1":      {27, 37, none, 57},
		"-2 ^ 2 + m2":              {-2, -4, 1, 4},
		"2 ^ 3 ^ 2 * e1":           {512, 512, 512, 512},
		"(m1 + m2) * 1.5e1":        {180, 300, none, 720},
		"8 - 2 - 1 + 0*e1":         {5, 5, 5, 5},
		"m2 >= 5 AND e1 == 1":      {0, 0, 1, 1},
		"m2 > 5 || m2 < 1":         {0, 1, 0, 1},
		"SUM(METRICS())":           {12, 20, 5, 48},
		"AVG([m1, m2])":            {6, 10, 5, 24},
		"MAX(METRICS('m2'))":       {2, 0, 5, 8},
		"MIN(METRICS()) + SUM(m2)": {17, 15, 20, 23},
		"IF(m2 > 3, m1, 0)":        {0, 0, none, 40},
		"IF(m2 > 3, 1)":            {none, none, 1, 1},
		"IF(1, 5, 0) * e1":         {5, 5, 5, 5},
		"FILL(m1, 0)":              {10, 20, 0, 40},
		"FILL(m1, REPEAT)":         {10, 20, 20, 40},
		"FILL(m1, LINEAR)":         {10, 20, 30, 40},
		"FILL(m1, m2)":             {10, 20, 5, 40},
		"RATE(m1) * PERIOD(m1)":    {none, 10, none, 10},
		"DIFF(m1) / DIFF_TIME(m1)": {none, 10.0 / 60, none, 20.0 / 120},
		"RUNNING_SUM(m1)":          {10, 30, none, 70},
		"ABS(-m2) + CEIL(0.2)":     {3, 1, 6, 9},
		"LAST(METRICS()/2)":        {1, 0, 2.5, 4},
		"TIME_SERIES(METRIC_COUNT(METRICS()) + DATAPOINT_COUNT(m1))": {5, 5, 5, 5},
	} {
		e, err := expression.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		v, err := e.Eval(env())
		got, ok := v.Series()
		if err != nil || !ok {
			t.Errorf("%s: %+v, %v", text, v, err)
			continue
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func TestRefusals(t *testing.T) {
	for text, part := range map[string]string{
		"":                               "ends too early",
		"m1 +":                           "ends too early",
		"m1 m2":                          "unexpected m2",
		"(m1":                            "expected )",
		"m1 $ 2":                         `unexpected '$' at position 4`,
		"SEARCH('x', 'Sum')":             "the function SEARCH is not supported",
		"SELECT AVG(CPU)":                "the function SELECT is not supported",
		"RATE(m1, m2)":                   "RATE does not take 2 arguments",
		"m3 / m1":                        "no metric or expression with the ID m3",
		"AVG(m1)":                        "the result is a number",
		"METRICS()":                      "the result is a list of time series",
		"SUM(1)":                         "SUM: a number was given instead of a time series",
		"FILL(m1, 'x')":                  "REPEAT or LINEAR",
		"'a' + m1":                       "a text has no place in arithmetic",
		"IF(METRICS(), 1, 2)":            "a list of time series was given",
		strings.Repeat("(", 99):          "nested deeper",
		strings.Repeat("1^", 800) + "m1": "nested deeper",
		strings.Repeat("m", 3000):        "longer than 2048",
	} {
		e, err := expression.Parse(text)
		if err == nil {
			err = e.Check([]string{"m1", "m2"}, []string{"e1"})
		}
		if !errors.Is(err, expression.ErrInvalid) || !strings.Contains(err.Error(), part) {
			t.Errorf("%.40s: got error %v, want %q", text, err, part)
		}
	}
}

func TestReferences(t *testing.T) {
	e, err := expression.Parse("SUM([m1, m2]) / m1 + e1 * 2")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"m1", "m2", "e1"}, e.References()); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func FuzzExpression(f *testing.F) {
	for _, seed := range []string{"m1 / m2", "IF(m2 > 3, FILL(m1, REPEAT), AVG([m1,e1]))", "-(2^-m1)", "METRICS('m')/SUM(METRICS())", `FIRST([m1, "x"])`, "LAST([])", "m1>=.5e-3&&1||0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := expression.Parse(text)
		if err == nil {
			_, err = e.Eval(env())
		}
		if err != nil && !errors.Is(err, expression.ErrInvalid) {
			t.Errorf("%q: error %v is not ErrInvalid", text, err)
		}
	})
}
