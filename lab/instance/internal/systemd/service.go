package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// service is a loaded unit and, while it is up, the goroutine that supervises it.
type service struct {
	manager *Manager
	name    string

	job sync.Mutex // one start at a time

	mu         sync.Mutex
	unit       *Unit // as of the last start
	state      State
	invocation string      // of the last run
	starts     []time.Time // within the start limit's interval
	cancel     context.CancelFunc
	finished   chan struct{} // closed when the supervisor has ended
}

// State is what systemctl tells about a unit.
type State struct {
	Active   string // "inactive", "activating", "active", "deactivating", "failed"
	Sub      string // "dead", "start-pre", "start", "running", "exited", "stop", "auto-restart", "failed"
	Result   string // "success", "exit-code", "signal", "timeout", "resources", "start-limit-hit"
	MainPID  int
	Status   int // exit status of the last main process
	Restarts int
	Since    time.Time
}

// outcome is how one run of a service ended.
type outcome struct {
	result string
	status int
	err    error
}

func (o outcome) clean() bool { return o.result == "success" }

// restarts reports whether a unit starts again after an outcome (systemd.service(5), Restart=).
func (u *Unit) restarts(o outcome) bool {
	switch u.Restart {
	case "always":
		return true
	case "on-success":
		return o.clean()
	case "on-failure":
		return !o.clean()
	case "on-abnormal":
		return o.result == "signal" || o.result == "timeout"
	case "on-abort":
		return o.result == "signal"
	}
	return false
}

// ended classifies the end of a process.
func (u *Unit) ended(err error) outcome {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return outcome{result: "success"}
	case !errors.As(err, &exit):
		return outcome{result: "resources", err: err}
	}
	status := exit.Sys().(syscall.WaitStatus)
	clean := []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGPIPE}
	switch {
	case status.Signaled() && slices.Contains(clean, status.Signal()):
		return outcome{result: "success", status: int(status.Signal())}
	case status.Signaled():
		return outcome{result: "signal", status: int(status.Signal()), err: err}
	case slices.Contains(u.SuccessStatus, status.ExitStatus()):
		return outcome{result: "success", status: status.ExitStatus()}
	}
	return outcome{result: "exit-code", status: status.ExitStatus(), err: err}
}

// set records a state.
func (s *service) set(active, sub string, pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Active != active {
		s.state.Since = s.manager.now()
	}
	s.state.Active, s.state.Sub, s.state.MainPID = active, sub, pid
}

func (s *service) snapshot() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// admit counts a start against the start limit.
func (s *service) admit(u *Unit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.manager.now()
	s.starts = slices.DeleteFunc(s.starts, func(t time.Time) bool { return now.Sub(t) >= u.StartInterval })
	if u.StartLimit > 0 && u.StartInterval > 0 && len(s.starts) >= u.StartLimit {
		s.state.Result = "start-limit-hit"
		return fmt.Errorf("%s: Start request repeated too quickly.", u.Name)
	}
	s.starts = append(s.starts, now)
	return nil
}

// start brings the service up and waits until it is, in the sense of its type. It does nothing when the service is up.
func (s *service) start() error {
	s.job.Lock()
	defer s.job.Unlock()
	u, err := Load(s.name)
	if err != nil {
		return err
	}
	if missing := u.failedCondition(); missing != "" {
		s.manager.journal.say(s.name, "%s was skipped because of an unmet condition check (ConditionPathExists=%s).", s.name, missing)
		return nil
	}
	s.mu.Lock()
	up := s.cancel != nil && s.state.Active == "active"
	s.mu.Unlock()
	if up {
		return nil
	}
	s.stop() // a waiting restart
	if err := s.admit(u); err != nil {
		s.fail(outcome{result: "start-limit-hit", err: err})
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	started := make(chan error, 1)
	s.mu.Lock()
	s.unit, s.cancel, s.finished = u, cancel, make(chan struct{})
	s.state.Restarts = 0
	s.mu.Unlock()
	for kind, keys := range map[string][]string{"Unknown keys": u.Unknown, "Keys that the lab accepts and cannot honour": u.Ignored} {
		if len(keys) > 0 {
			s.manager.journal.say(s.name, "%s: %s", kind, strings.Join(keys, ", "))
		}
	}
	go s.supervise(ctx, u, started)
	return <-started
}

func (u *Unit) failedCondition() string {
	for _, c := range u.Conditions {
		path, negated := strings.CutPrefix(c, "!")
		if _, err := os.Stat(path); (err == nil) == negated {
			return c
		}
	}
	return ""
}

// supervise runs the service, again and again as Restart= says, until it is stopped or has ended for good.
func (s *service) supervise(ctx context.Context, u *Unit, started chan<- error) {
	defer func() {
		s.mu.Lock()
		s.cancel()
		s.cancel = nil
		close(s.finished)
		s.mu.Unlock()
	}()
	report := func(err error) {
		if started != nil {
			started <- err
			started = nil
		}
	}
	for {
		o := s.run(ctx, u, func() { report(nil) })
		s.mu.Lock()
		s.state.Result, s.state.Status = o.result, o.status
		s.mu.Unlock()
		again := ctx.Err() == nil && u.restarts(o)
		if again {
			s.set("activating", "auto-restart", 0)
			s.manager.journal.say(u.Name, "%s: Scheduled restart job (result %s, status %d).", u.Name, o.result, o.status)
		} else {
			s.fail(o)
		}
		if o.err != nil {
			report(fmt.Errorf("Job for %s failed (%s): %w", u.Name, o.result, o.err))
		}
		report(nil)
		if !again {
			return
		}
		select {
		case <-ctx.Done():
			s.set("inactive", "dead", 0)
			return
		case <-time.After(u.RestartDelay):
		}
		if err := s.admit(u); err != nil {
			s.fail(outcome{result: "start-limit-hit", err: err})
			return
		}
		s.mu.Lock()
		s.state.Restarts++
		s.mu.Unlock()
	}
}

// fail records the last state of a service that has ended.
func (s *service) fail(o outcome) {
	if o.clean() {
		s.set("inactive", "dead", 0)
		s.manager.journal.say(s.name, "%s: Deactivated successfully.", s.name)
		return
	}
	s.set("failed", "failed", 0)
	s.manager.journal.say(s.name, "%s: Failed with result '%s': %v", s.name, o.result, o.err)
}

// stop brings the service down and waits until it is.
func (s *service) stop() {
	s.mu.Lock()
	cancel, finished := s.cancel, s.finished
	s.mu.Unlock()
	if cancel == nil {
		return
	}
	cancel()
	<-finished
}

// reload runs ExecReload=.
func (s *service) reload() error {
	s.mu.Lock()
	u, id, pid, active := s.unit, s.invocation, s.state.MainPID, s.state.Active
	s.mu.Unlock()
	switch {
	case u == nil || active != "active":
		return fmt.Errorf("%s is not active, cannot reload.", s.name)
	case len(u.ReloadCommands) == 0:
		return fmt.Errorf("Job type reload is not applicable for unit %s.", s.name)
	}
	r, err := s.newRun(u, id)
	if err != nil {
		return err
	}
	r.env = append(r.env, fmt.Sprintf("MAINPID=%d", pid))
	defer r.close()
	return r.steps(context.Background(), u.ReloadCommands, u.StartTimeout).err
}

// kill sends a signal to the service's processes.
func (s *service) kill(number syscall.Signal) error {
	s.mu.Lock()
	id, pid := s.invocation, s.state.MainPID
	s.mu.Unlock()
	return signal(id, pid, number)
}
