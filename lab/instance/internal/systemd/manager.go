package systemd

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"storefront/lab/instance/internal/control"
)

// Manager supervises a machine's services.
type Manager struct {
	processes  *Processes
	journal    *Journal
	now        func() time.Time
	singleUser bool
	once       sync.Once // for the line about singleUser

	mu       sync.Mutex
	services map[string]*service
}

// NewManager returns a manager that starts its processes through processes. On a singleUser machine nobody but root exists.
func NewManager(processes *Processes, singleUser bool) *Manager {
	return &Manager{processes: processes, journal: &Journal{now: time.Now}, now: time.Now, singleUser: singleUser, services: map[string]*service{}}
}

// service returns the service of a name, known or not yet.
func (m *Manager) service(name string) *service {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.services[name]
	if !ok {
		s = &service{manager: m, name: name, state: State{Active: "inactive", Sub: "dead", Result: "success"}}
		m.services[name] = s
	}
	return s
}

// Boot starts the enabled services, each after those that it names in After= and that start too.
func (m *Manager) Boot() error {
	names, err := Enabled()
	if err != nil {
		return err
	}
	errs := make([]error, len(names))
	finished := map[string]chan struct{}{}
	order := m.order(names)
	var group sync.WaitGroup
	for i, name := range order {
		before := m.before(name, finished)
		finished[name] = make(chan struct{})
		done := finished[name]
		group.Go(func() {
			defer close(done)
			for _, b := range before {
				<-b
			}
			errs[i] = m.Start(name)
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// before returns what a unit waits for among what was already ordered, so that a cycle cannot wait for itself.
func (m *Manager) before(name string, ordered map[string]chan struct{}) []chan struct{} {
	u, err := Load(name)
	if err != nil {
		return nil // starting it tells
	}
	var waits []chan struct{}
	for _, a := range u.After {
		if c, ok := ordered[a]; ok {
			waits = append(waits, c)
		}
	}
	return waits
}

// order sorts units so that each follows those in its After=.
func (m *Manager) order(names []string) []string {
	var order []string
	seen := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		if seen[name] || !slices.Contains(names, name) {
			return
		}
		seen[name] = true
		if u, err := Load(name); err == nil {
			for _, a := range u.After {
				visit(a)
			}
		}
		order = append(order, name)
	}
	for _, n := range names {
		visit(n)
	}
	return order
}

// Start starts a service after what it requires and wants.
func (m *Manager) Start(name string) error { return m.start(name, map[string]bool{}) }

func (m *Manager) start(name string, visiting map[string]bool) error {
	if visiting[name] {
		return nil // a cycle of requirements: each starts once
	}
	visiting[name] = true
	u, err := Load(name)
	if err != nil {
		return err
	}
	for _, r := range u.Requires {
		if !strings.HasSuffix(r, ".service") {
			continue // targets and the like are always reached
		}
		if err := m.start(r, visiting); err != nil {
			return fmt.Errorf("A dependency job for %s failed: %w", name, err)
		}
	}
	for _, w := range u.Wants {
		if strings.HasSuffix(w, ".service") {
			if err := m.start(w, visiting); err != nil {
				m.journal.say(name, "%s wants %s, which did not start: %v", name, w, err)
			}
		}
	}
	return m.service(name).start()
}

// StopAll stops every service, all at once.
func (m *Manager) StopAll() {
	m.mu.Lock()
	services := make([]*service, 0, len(m.services))
	for _, s := range m.services {
		services = append(services, s)
	}
	m.mu.Unlock()
	var group sync.WaitGroup
	for _, s := range services {
		group.Go(s.stop)
	}
	group.Wait()
}

// Do answers a request of systemctl.
func (m *Manager) Do(request control.Request) control.Response {
	if request.Verb == "daemon-reload" || request.Verb == "daemon-reexec" {
		return control.Response{} // units are read whenever they start
	}
	if request.Verb == "list-units" {
		return control.Response{Output: m.list()}
	}
	var response control.Response
	for _, name := range request.Units {
		output, exit, err := m.verb(request, Canonical(name))
		response.Output += output
		if err != nil {
			response.Error += fmt.Sprintf("Failed to %s %s: %v\n", request.Verb, Canonical(name), err)
			exit = max(exit, 1)
			if errors.Is(err, ErrNotFound) {
				exit = 5
			}
		}
		response.Exit = max(response.Exit, exit)
	}
	return response
}

// verb does one verb to one unit. A unit that does not exist fails every verb that acts.
func (m *Manager) verb(request control.Request, name string) (output string, exit int, err error) {
	s := m.service(name)
	switch request.Verb {
	case "is-active", "is-failed", "is-enabled", "status", "show":
		return m.query(request, s)
	case "disable":
		output, err = disable(name)
		if request.Now {
			s.stop()
		}
		return output, 0, err
	}
	u, err := Load(name)
	if err != nil {
		return "", 0, err
	}
	switch request.Verb {
	case "enable":
		if output, err = u.enable(); err == nil && request.Now {
			err = m.Start(name)
		}
	case "reenable":
		if _, err = disable(name); err == nil {
			output, err = u.enable()
		}
	case "start":
		err = m.Start(name)
	case "stop":
		s.stop()
	case "restart":
		s.stop()
		err = m.Start(name)
	case "try-restart", "condrestart":
		if s.snapshot().Active == "active" {
			s.stop()
			err = m.Start(name)
		}
	case "reload":
		err = s.reload()
	case "reload-or-restart":
		if err = s.reload(); err != nil {
			s.stop()
			err = m.Start(name)
		}
	case "kill":
		err = m.kill(s, request.Args)
	case "reset-failed":
		s.reset()
	default:
		err = fmt.Errorf("the lab's systemctl does not know %q", request.Verb)
	}
	return output, 0, err
}

func (m *Manager) kill(s *service, args []string) error {
	name := "SIGTERM"
	if len(args) > 0 {
		name = args[0]
	}
	number, err := Signal(name)
	if err != nil {
		return err
	}
	return s.kill(number)
}

// reset forgets a failure and the starts that were counted.
func (s *service) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts = nil
	if s.state.Active == "failed" {
		s.state.Active, s.state.Sub, s.state.Result = "inactive", "dead", "success"
	}
}

// SingleUser reports whether this process lives in a user namespace that maps a single user.
func SingleUser() bool {
	data, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return false
	}
	fields := strings.Fields(string(data))
	return len(fields) == 3 && fields[2] == "1"
}
