package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// oneshot runs the commands of a Type=oneshot service, and stays active after them where the unit says so.
func (r *run) oneshot(ctx context.Context, started func()) outcome {
	u, s := r.unit, r.service
	s.set("activating", "start", 0)
	o := r.steps(ctx, append(append([]Command{}, u.Start...), u.StartPost...), u.StartTimeout)
	if !o.clean() || ctx.Err() != nil {
		return o
	}
	s.manager.journal.say(u.Name, "Finished %s.", u.title())
	if u.RemainAfterExit {
		s.set("active", "exited", 0)
		started()
		<-ctx.Done()
	}
	s.set("deactivating", "stop", 0)
	if stop := r.steps(context.Background(), u.Stop, u.StopTimeout); !stop.clean() {
		return stop
	}
	return o
}

// main runs the main process of a service until it ends or is stopped.
func (r *run) main(ctx context.Context, started func()) outcome {
	u, s := r.unit, r.service
	s.set("activating", "start", 0)
	cmd, err := r.launch(u.Start[0])
	if err != nil {
		return outcome{result: "resources", err: err}
	}
	pid := cmd.Process.Pid
	s.set("activating", "start", pid)
	ended := make(chan error, 1)
	go func() { ended <- s.manager.processes.Wait(cmd) }()
	if o, up := r.becomeReady(ctx, pid, ended); !up {
		return o
	}
	r.env = append(r.env, fmt.Sprintf("MAINPID=%d", pid))
	if o := r.steps(ctx, u.StartPost, u.StartTimeout); !o.clean() {
		r.terminate(pid, ended)
		return o
	}
	s.set("active", "running", pid)
	s.manager.journal.say(u.Name, "Started %s.", u.title())
	started()
	select {
	case err := <-ended:
		o := u.ended(err)
		r.settle()
		s.manager.journal.say(u.Name, "%s: Main process exited, result %s, status %d", u.Name, o.result, o.status)
		return o
	case <-ctx.Done():
	}
	s.set("deactivating", "stop", pid)
	s.manager.journal.say(u.Name, "Stopping %s...", u.title())
	r.steps(context.Background(), u.Stop, u.StopTimeout)
	return r.terminate(pid, ended)
}

// becomeReady waits until the main process is up, in the sense of the unit's type. Otherwise it ends it, and returns how it ended.
func (r *run) becomeReady(ctx context.Context, pid int, ended chan error) (outcome, bool) {
	var ready <-chan struct{}
	switch r.unit.Type {
	case "notify":
		ready = r.ready
	case "exec":
		ready = executed(pid)
	default:
		return outcome{}, true
	}
	select {
	case <-ready:
		return outcome{}, true
	case err := <-ended:
		o := r.unit.ended(err)
		if o.clean() {
			o = outcome{result: "protocol", err: errors.New("the main process ended before it was ready")}
		}
		return o, false
	case <-after(r.unit.StartTimeout):
		r.terminate(pid, ended)
		return outcome{result: "timeout", err: fmt.Errorf("start operation timed out after %v", r.unit.StartTimeout)}, false
	case <-ctx.Done():
		return r.terminate(pid, ended), false
	}
}

// executed is closed when a process is no longer the launcher.
func executed(pid int) <-chan struct{} {
	done := make(chan struct{})
	own, err := os.Readlink("/proc/self/exe")
	go func() {
		for err == nil {
			exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
			if err != nil {
				return // it has ended, which its Wait tells
			}
			if exe != own {
				break
			}
			time.Sleep(2 * time.Millisecond)
		}
		close(done)
	}()
	return done
}

// terminate sends KillSignal= to all processes of the run, waits TimeoutStopSec= for them, and kills what is left.
func (r *run) terminate(main int, ended <-chan error) outcome {
	signal(r.id, main, r.unit.KillSignal)
	signal(r.id, main, syscall.SIGCONT)
	o := outcome{result: "success"}
	select {
	case <-ended:
	case <-after(r.unit.StopTimeout):
		r.service.manager.journal.say(r.unit.Name, "%s: State 'stop-sigterm' timed out. Killing.", r.unit.Name)
		signal(r.id, main, syscall.SIGKILL)
		<-ended
		o = outcome{result: "timeout", err: fmt.Errorf("stop timed out after %v", r.unit.StopTimeout)}
	}
	r.sweep()
	return o
}

// sweep ends the processes that outlived the main process: a signal, a moment, and SIGKILL.
func (r *run) sweep() {
	if len(members(r.id)) == 0 {
		return
	}
	signal(r.id, 0, r.unit.KillSignal)
	limit := r.unit.StopTimeout
	if limit == 0 || limit > 5*time.Second {
		limit = 5 * time.Second
	}
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if len(members(r.id)) == 0 {
			return
		}
	}
	signal(r.id, 0, syscall.SIGKILL)
}

// title names the unit in the journal.
func (u *Unit) title() string {
	if u.Description == "" {
		return u.Name
	}
	return u.Name + " - " + u.Description
}
