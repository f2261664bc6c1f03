//go:build linux

package conformance

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"storefront/lab/wire"
)

// client sends the inputs of scenarios. The error is one of the call itself, not of its answer.
type client interface {
	send(ctx context.Context, s *service, operation string, input *yaml.Node, known variables) (answer, error)
}

// answer is what a client made of a call: an output, or the code of a refusal.
type answer struct {
	output  reflect.Value
	status  int // of HTTP; 0 where the client does not tell
	code    string
	message string
}

func (a answer) String() string { return fmt.Sprintf("%d %s (%s)", a.status, a.code, a.message) }

// is tells whether the answer is that refusal.
func (a answer) is(code string, status int) bool {
	if a.status == 0 {
		return a.code == code || a.code == strconv.Itoa(status) // which stands for a code where an answer has no body
	}
	return a.code == code && a.status == status
}

// ledger notes which operations were answered, and which refused.
type ledger struct{ answered, refused map[string]bool }

// TestOperations calls every operation that the lab lists, with a valid and with at least one invalid input.
func TestOperations(t *testing.T) {
	l, listed, held := lab(t), 0, 0
	conform(t, l, sdk{}, func(t *testing.T, s *service, calls ledger) {
		for _, operation := range s.model.Operations {
			if !calls.refused[operation.Name] {
				s.refuseByModel(t, operation, calls)
			}
		}
		listed += len(s.model.Operations)
		held += s.settle(t, calls)
	})
	t.Logf("conformance holds %d of %d operations", held, listed)
}

// conform plays all scenarios with a client. after follows each.
func conform(t *testing.T, l *labProcess, with client, after func(*testing.T, *service, ledger)) map[*service]ledger {
	all, now := services(l.config()), time.Now().UTC()
	public, private := certificate(t)
	p := player{client: with, services: all, known: variables{"account": account, "region": region, "now": strconv.FormatInt(now.UnixMilli(), 10),
		"hourago": now.Add(-time.Hour).Format(time.RFC3339), "later": now.Add(time.Minute).Format(time.RFC3339),
		"certificate": base64.StdEncoding.EncodeToString(public), "privatekey": base64.StdEncoding.EncodeToString(private)}}
	ledgers := map[*service]ledger{}
	p.play(t, nil, "before", ledger{})
	for _, s := range all {
		t.Run(s.dir, func(t *testing.T) {
			ledgers[s] = ledger{map[string]bool{}, map[string]bool{}}
			apart := p
			apart.known = maps.Clone(p.known)
			apart.play(t, s, s.dir, ledgers[s])
			after(t, s, ledgers[s])
		})
	}
	p.play(t, nil, "after", ledger{})
	return ledgers
}

// player makes the calls of scenarios.
type player struct {
	client
	services []*service
	known    variables
}

// play makes the calls of a service's scenario. Steps of other services prepare it.
func (p player) play(t *testing.T, s *service, name string, calls ledger) {
	path := filepath.Join("testdata/operations", name+".yaml")
	steps, err := readScenario(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		at := fmt.Sprintf("%s:%d: %s", path, step.line, step.operation)
		if dir, operation, other := strings.Cut(step.operation, ":"); other {
			step.operation = operation
			i := slices.IndexFunc(p.services, func(s *service) bool { return s.dir == dir })
			if err := p.answer(t.Context(), p.services[i], step); err != nil && !errors.Is(err, errOlder) {
				t.Errorf("%s: %v", at, err)
			}
			continue
		}
		switch err := p.answer(t.Context(), s, step); {
		case errors.Is(err, errOlder):
			continue
		case err != nil:
			t.Errorf("%s: %v", at, err)
		default:
			calls.answered[step.operation] = true
		}
		for _, r := range step.refuse {
			got, err := p.send(t.Context(), s, step.operation, r.input, p.known)
			if errors.Is(err, errOlder) {
				continue
			}
			if err != nil || !got.is(r.code, r.status) {
				t.Errorf("%s: an invalid input is answered %s %v, want %d %s", at, got, err, r.status, r.code)
			} else {
				calls.refused[step.operation] = true
			}
		}
	}
}

// answer makes the valid call of a step and holds its answer against the step and the model.
func (p player) answer(ctx context.Context, s *service, step step) error {
	operation, ok := s.operation(step.operation)
	if !ok {
		return fmt.Errorf("lab/api/%s does not list it", s.dir)
	}
	got, err := p.patient(ctx, s, step)
	if err != nil || step.never != nil {
		return err // patient has seen to what can never be
	}
	if want := max(operation.Status, 200); got.status != want && got.status != 0 {
		return fmt.Errorf("status %d, the model says %d", got.status, want)
	}
	if got.output.Kind() == reflect.Struct {
		if err := shaped(got.output, s.output(step.operation), step); err != nil {
			return err
		}
	}
	for path, want := range step.want {
		if want, err = p.known.expand(want); err != nil {
			return err
		}
		if value, _ := look(got.output, path); value != want {
			return fmt.Errorf("%s is %q, want %q", path, value, want)
		}
	}
	for name, path := range step.keep {
		value, ok := look(got.output, path)
		switch {
		case !ok && got.output.Kind() == reflect.Map:
			return fmt.Errorf("%w: it has no %s", errOlder, path)
		case !ok:
			return fmt.Errorf("the answer has no %s", path)
		}
		p.known[name] = value
	}
	return nil
}

// patient calls until the answer is what the step waits for.
func (p player) patient(ctx context.Context, s *service, step step) (got answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if got, err = p.send(ctx, s, step.operation, step.input, p.known); err != nil {
			return got, err
		}
		if step.never != nil && got.is(step.never.code, step.never.status) {
			return got, nil
		}
		if got.code != "" || step.never != nil {
			return got, errors.New(got.String())
		}
		waiting := ""
		for path, want := range step.until {
			if value, _ := look(got.output, path); value != want {
				waiting = fmt.Sprintf("%s is %q, not %q", path, value, want)
			}
		}
		if waiting == "" {
			return got, nil
		}
		select {
		case <-ctx.Done():
			return got, fmt.Errorf("after 20 s %s", waiting)
		case <-tick.C:
		}
	}
}

// refuseByModel makes an invalid call from the operation's model.
func (s *service) refuseByModel(t *testing.T, operation wire.Operation, calls ledger) {
	v, ok, err := s.invalidInput(operation)
	if err != nil {
		t.Errorf("%s: %v", operation.Name, err)
	}
	if err != nil || !ok {
		return
	}
	got, err := s.call(t.Context(), operation.Name, v.input, v.change...)
	if status, ok := v.codes[got.code]; err != nil || !ok || got.status != status {
		t.Errorf("%s %s is answered %s %v, want one of %v", operation.Name, v.what, got, err, v.codes)
		return
	}
	calls.refused[operation.Name] = true
}

// settle fails for every operation that was not both answered and refused, and counts those that were.
func (s *service) settle(t *testing.T, calls ledger) (held int) {
	for _, operation := range s.model.Operations {
		switch {
		case !calls.answered[operation.Name]:
			t.Errorf("%s: no valid call in testdata/operations/%s.yaml succeeded", operation.Name, s.dir)
		case !calls.refused[operation.Name]:
			t.Errorf("%s: no invalid call was refused; give one in testdata/operations/%s.yaml", operation.Name, s.dir)
		default:
			held++
		}
	}
	return held
}
