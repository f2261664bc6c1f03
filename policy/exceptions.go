package policy

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"path"
	"slices"

	"gopkg.in/yaml.v3"
)

// ErrException is the class of all errors of exceptions.
var ErrException = errors.New("policy exceptions")

// Exception says why some resources need not be as a row wants them. It covers these and no others, so that the next fault of the
// same row is seen.
type Exception struct {
	Row       int      `yaml:"row"`
	Resources []string `yaml:"resources"` // names, in which * stands for anything; or Account
	Reason    string   `yaml:"reason"`
}

//go:embed exceptions.yaml
var committed []byte

// Exceptions returns the committed exceptions of a profile. Errors are ErrException.
func Exceptions(profile string) ([]Exception, error) {
	all, err := parseExceptions(committed)
	if err != nil {
		return nil, err
	}
	list, known := all[profile]
	if !known {
		return nil, fmt.Errorf("%w: there is no profile %q in policy/exceptions.yaml", ErrException, profile)
	}
	return list, nil
}

func parseExceptions(text []byte) (map[string][]Exception, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	var all map[string][]Exception
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrException, err)
	}
	for profile, list := range all {
		for i, e := range list {
			if err := e.check(list[:i]); err != nil {
				return nil, fmt.Errorf("%w: %s: row %d: %w", ErrException, profile, e.Row, err)
			}
		}
	}
	return all, nil
}

func (e Exception) check(earlier []Exception) error {
	if e.Row < 1 || e.Row > len(Rows()) {
		return errors.New("there is no such row")
	}
	if e.Reason == "" || len(e.Resources) == 0 {
		return errors.New("resources and a reason are both needed")
	}
	for _, pattern := range e.Resources {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("%q: %w", pattern, err)
		}
		for _, other := range earlier {
			if other.Row == e.Row && slices.Contains(other.Resources, pattern) {
				return fmt.Errorf("%q is excepted twice", pattern)
			}
		}
	}
	return nil
}

func covers(pattern, name string) bool {
	ok, _ := path.Match(pattern, name) // patterns were checked
	return ok
}

// except turns failed rows whose every problem has a reason into excepted ones. An exception that excuses nothing is an error: what
// it excused was mended, or never was.
func except(results []Result, exceptions []Exception) error {
	var unused []error
	reasons := map[int]map[string]string{} // by row and resource
	for _, e := range exceptions {
		r := &results[e.Row-1]
		for _, pattern := range e.Resources {
			used := false
			for _, p := range r.Problems {
				if !covers(pattern, p.Resource) {
					continue
				}
				used = true
				if reasons[e.Row] == nil {
					reasons[e.Row] = map[string]string{}
				}
				reasons[e.Row][p.Resource] = e.Reason
			}
			if !used {
				unused = append(unused, fmt.Errorf("%w: row %d: %q has nothing to excuse: remove the exception", ErrException, e.Row, pattern))
			}
		}
	}
	for i := range results {
		results[i].excuse(reasons[results[i].ID])
	}
	return errors.Join(unused...)
}

func (r *Result) excuse(reasons map[string]string) {
	if r.Outcome != Failed {
		return
	}
	for _, p := range r.Problems {
		reason, excused := reasons[p.Resource]
		if !excused {
			return
		}
		if !slices.Contains(r.Reasons, reason) {
			r.Reasons = append(r.Reasons, reason)
		}
	}
	r.Outcome = Excepted
}
