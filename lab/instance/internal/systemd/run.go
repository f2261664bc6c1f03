package systemd

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// run is one life of a service, from ExecStartPre= to ExecStopPost=.
type run struct {
	service  *service
	unit     *Unit
	id       string
	who      credentials
	switched bool
	env      []string
	notify   *net.UnixConn // Type=notify only
	ready    chan struct{} // closed by READY=1
	logging  sync.WaitGroup
}

// run lives one life of the service and calls started when it is up. It ends when the service does, or after ctx has ended and the service was stopped.
func (s *service) run(ctx context.Context, u *Unit, started func()) outcome {
	id := make([]byte, 16)
	rand.Read(id) // never fails
	s.mu.Lock()
	s.invocation = hex.EncodeToString(id)
	s.mu.Unlock()
	r, err := s.newRun(u, s.invocation)
	if err != nil {
		return outcome{result: "resources", err: err}
	}
	defer r.close()
	if err := r.listen(); err != nil {
		return outcome{result: "resources", err: err}
	}
	s.set("activating", "start-pre", 0)
	o := r.steps(ctx, u.StartPre, u.StartTimeout)
	if o.clean() && ctx.Err() == nil {
		if u.Type == "oneshot" {
			o = r.oneshot(ctx, started)
		} else {
			o = r.main(ctx, started)
		}
	}
	r.sweep()
	if post := r.steps(context.Background(), u.StopPost, u.StopTimeout); o.clean() && !post.clean() {
		o = post
	}
	return o
}

// newRun prepares identity, directories and environment of the processes that carry an invocation ID.
func (s *service) newRun(u *Unit, id string) (*run, error) {
	r := &run{service: s, unit: u, id: id, ready: make(chan struct{})}
	var err error
	if r.who, r.switched, err = u.credentials(); err != nil {
		return nil, err
	}
	if r.switched && s.manager.singleUser {
		s.manager.once.Do(func() {
			s.manager.journal.say(u.Name, "this machine has one user only (the lab runs without root): User=, Group= and DynamicUser= have no effect")
		})
		r.switched = false
	}
	r.env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG=C.UTF-8", invocation + "=" + r.id}
	if r.who.name != "" {
		r.env = append(r.env, "USER="+r.who.name, "LOGNAME="+r.who.name, "HOME="+r.who.home, "SHELL="+r.who.shell)
	}
	if err := r.directories(); err != nil {
		return nil, err
	}
	r.env = append(r.env, u.Environment...)
	files, err := readEnvironment(u.EnvironmentFiles)
	if err != nil {
		return nil, err
	}
	r.env = append(r.env, files...)
	return r, nil
}

// directories makes RuntimeDirectory= and its siblings, owned by the service's user.
func (r *run) directories() error {
	u := r.unit
	for _, d := range []struct {
		variable, base string
		names          []string
	}{{"RUNTIME_DIRECTORY", "/run", u.RuntimeDirectory}, {"STATE_DIRECTORY", "/var/lib", u.StateDirectory}, {"CACHE_DIRECTORY", "/var/cache", u.CacheDirectory},
		{"LOGS_DIRECTORY", "/var/log", u.LogsDirectory}, {"CONFIGURATION_DIRECTORY", "/etc", u.ConfigDirectory}} {
		var paths []string
		for _, name := range d.names {
			path := filepath.Join(d.base, filepath.Clean("/"+name))
			if err := os.MkdirAll(path, 0o755); err != nil {
				return fmt.Errorf("Failed to set up special execution directory in %s: %w", d.base, err)
			}
			if r.switched && d.base != "/etc" {
				if err := os.Chown(path, r.who.uid, r.who.gid); err != nil {
					return fmt.Errorf("Failed to set up special execution directory in %s: %w", d.base, err)
				}
			}
			paths = append(paths, path)
		}
		if len(paths) > 0 {
			r.env = append(r.env, d.variable+"="+strings.Join(paths, ":"))
		}
	}
	return nil
}

// listen opens the socket of sd_notify(3).
func (r *run) listen() error {
	if r.unit.Type != "notify" {
		return nil
	}
	path := filepath.Join("/run/systemd/notify", r.id)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("opening the notify socket: %w", err)
	}
	r.notify = conn
	r.env = append(r.env, "NOTIFY_SOCKET="+path)
	go func() {
		defer os.Remove(path)
		message := make([]byte, 8<<10)
		for told := false; ; {
			n, err := conn.Read(message)
			if err != nil {
				return
			}
			if !told && slices.Contains(strings.Split(string(message[:n]), "\n"), "READY=1") {
				told = true
				close(r.ready)
			}
		}
	}()
	return os.Chmod(path, 0o666)
}

func (r *run) close() {
	if r.notify != nil {
		r.notify.Close()
	}
}

// launch starts a command with its output where the unit wants it.
func (r *run) launch(c Command) (*exec.Cmd, error) {
	cmd, err := r.unit.command(c, r.who, r.switched, r.env)
	if err != nil {
		return nil, err
	}
	logged, err := r.output(cmd)
	if err != nil {
		return nil, err
	}
	err = r.service.manager.processes.Start(cmd)
	for _, f := range []any{cmd.Stdout, cmd.Stderr} {
		if file, ok := f.(*os.File); ok && file != nil {
			file.Close() // the child has its own copy
		}
	}
	if err != nil {
		if logged != nil {
			logged.Close()
		}
		return nil, fmt.Errorf("starting %s: %w", c.Path, err)
	}
	if logged != nil {
		program := r.unit.Identifier
		if program == "" {
			program = filepath.Base(c.Path)
		}
		r.logging.Go(func() {
			defer logged.Close()
			r.service.manager.journal.copy(r.unit.Name, program, cmd.Process.Pid, logged)
		})
	}
	return cmd, nil
}

// output sets a command's output. It returns the reading end of what goes to the journal, or nil.
func (r *run) output(cmd *exec.Cmd) (*os.File, error) {
	stderr := r.unit.Stderr
	if stderr == "inherit" {
		stderr = r.unit.Stdout
	}
	var logged, pipe *os.File
	open := func(where string) (*os.File, error) {
		kind, path, _ := strings.Cut(where, ":")
		switch kind {
		case "null":
			return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		case "append":
			return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		case "file":
			return os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
		case "truncate":
			return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		}
		var err error
		if pipe == nil {
			logged, pipe, err = os.Pipe()
		}
		return pipe, err
	}
	out, err := open(r.unit.Stdout)
	if err != nil {
		return nil, fmt.Errorf("opening the standard output: %w", err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if stderr != r.unit.Stdout {
		if cmd.Stderr, err = open(stderr); err != nil {
			return nil, fmt.Errorf("opening the standard error: %w", err)
		}
	}
	return logged, nil
}

// wait waits for a process until ctx ends or the time is over; then it kills the run's processes.
func (r *run) wait(ctx context.Context, cmd *exec.Cmd, limit time.Duration) outcome {
	ended := make(chan error, 1)
	go func() { ended <- r.service.manager.processes.Wait(cmd) }()
	select {
	case err := <-ended:
		r.settle()
		return r.unit.ended(err)
	case <-ctx.Done():
	case <-after(limit):
		signal(r.id, cmd.Process.Pid, syscall.SIGKILL)
		<-ended
		return outcome{result: "timeout", err: errors.New("a timeout was exceeded")}
	}
	r.terminate(cmd.Process.Pid, ended)
	return outcome{result: "success"}
}

// settle lets the journal take a dead process's last words before the manager comments on its end. A process left behind may speak on, so it is brief.
func (r *run) settle() {
	done := make(chan struct{})
	go func() { r.logging.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(50 * time.Millisecond):
	}
}

// after is time.After, where 0 never comes.
func after(d time.Duration) <-chan time.Time {
	if d == 0 {
		return nil
	}
	return time.After(d)
}

// steps runs commands one after the other until one fails.
func (r *run) steps(ctx context.Context, commands []Command, limit time.Duration) outcome {
	for _, c := range commands {
		cmd, err := r.launch(c)
		if err != nil {
			return outcome{result: "resources", err: err}
		}
		if o := r.wait(ctx, cmd, limit); !o.clean() && !c.IgnoreFailure {
			o.err = fmt.Errorf("%s: %w", c.Path, o.err)
			return o
		}
		if ctx.Err() != nil {
			break
		}
	}
	return outcome{result: "success"}
}
