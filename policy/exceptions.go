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

// except makes a failed row an excepted one when every problem has a reason. An exception that excuses nothing is an error: what it
// excused was mended, or never was.
func (r *Result) except(exceptions []Exception) error {
	var unused []error
	reasons := map[string]string{} // by resource
	for _, e := range exceptions {
		if e.Row != r.ID {
			continue
		}
		for _, pattern := range e.Resources {
			used := false
			for _, p := range r.Problems {
				if covers(pattern, p.Resource) {
					used, reasons[p.Resource] = true, e.Reason
				}
			}
			if !used {
				unused = append(unused, fmt.Errorf("%w: row %d: %q has nothing to excuse: remove the exception", ErrException, e.Row, pattern))
			}
		}
	}
	r.excuse(reasons)
	return errors.Join(unused...)
}

// excuse takes the reasons of resources over when they are enough.
func (r *Result) excuse(reasons map[string]string) {
	if r.Outcome != Failed {
		return
	}
	var all []string
	for _, p := range r.Problems {
		reason, excused := reasons[p.Resource]
		if !excused {
			return
		}
		if !slices.Contains(all, reason) {
			all = append(all, reason)
		}
	}
	r.Outcome, r.Reasons = Excepted, all
}
