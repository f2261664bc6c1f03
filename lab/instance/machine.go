package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"storefront/lab/instance/internal/boot"
	"storefront/lab/instance/internal/control"
)

// Spec describes one machine.
type Spec struct {
	ID             string // "i-0123456789abcdef0"
	Dir            string // the machine's directory: its disk, console and process record; made when it is missing. An absolute path
	Network        string // path of the network namespace it lives in
	Hostname       string // "ip-10-0-1-5.ec2.internal"
	Resolver       string // address of the VPC's resolver
	Search         string // the resolver's search domain; may be empty
	UserData       []byte // decoded; a script that begins with #!, possibly compressed with gzip; may be empty
	CACertificates []byte // PEM of the authorities that the machine trusts besides the host's; may be empty
}

// Runtime starts machines.
type Runtime struct {
	Executable string // a program whose main function calls Main; usually os.Executable()
}

// Ending says how a machine ended.
type Ending string

// The endings of a machine.
const (
	PoweredOff Ending = "powered off" // Stop, or shutdown inside
	Rebooting  Ending = "rebooting"   // reboot inside: Start it again
	Lost       Ending = "lost"        // Kill, or a failure to boot, which the console tells
)

// ErrRunning says that a directory's machine is running already.
var ErrRunning = errors.New("the machine is running")

// Machine is a running machine.
type Machine struct {
	spec    Spec
	cmd     *exec.Cmd
	control *net.UnixConn
	sending sync.Mutex
	done    chan struct{}
	ending  Ending // valid once done is closed
}

// Start boots a machine and returns while it boots. The error wraps ErrRunning when the machine of the directory is running.
func (r Runtime) Start(ctx context.Context, spec Spec) (*Machine, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !filepath.IsAbs(spec.Dir) {
		return nil, fmt.Errorf("starting %s: its directory %q is no absolute path", spec.ID, spec.Dir)
	}
	if err := os.MkdirAll(spec.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.ID, err)
	}
	if process, err := recorded(spec.Dir); err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.ID, err)
	} else if process != nil {
		process.close()
		return nil, fmt.Errorf("starting %s: %w (process %d)", spec.ID, ErrRunning, process.PID)
	}
	m := &Machine{spec: spec, done: make(chan struct{})}
	if err := m.boot(r.Executable); err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.ID, err)
	}
	go m.wait()
	if err := record(spec.Dir, m.PID()); err != nil {
		m.Kill()
		return nil, fmt.Errorf("starting %s: %w", spec.ID, err)
	}
	return m, nil
}

// boot starts the first process.
func (m *Machine) boot(executable string) error {
	config, err := m.config(executable)
	if err != nil {
		return err
	}
	defer config.Close()
	console, err := os.OpenFile(ConsoleFile(m.spec.Dir), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	defer console.Close()
	near, far, err := control.Pair()
	if err != nil {
		return err
	}
	defer far.Close()
	m.cmd = &exec.Cmd{
		Path: executable, Args: []string{boot.Name}, Dir: "/", Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"},
		Stdin: config, Stdout: console, Stderr: console, ExtraFiles: []*os.File{far},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true, Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC},
	}
	if err := startIn(m.spec.Network, m.cmd); err != nil {
		return errors.Join(err, near.Close())
	}
	m.control = near
	return nil
}

// config returns a file in memory with what the first process needs to know.
func (m *Machine) config(executable string) (*os.File, error) {
	s := m.spec
	text, err := json.Marshal(boot.Config{ID: s.ID, Dir: s.Dir, Executable: executable, Hostname: s.Hostname, Resolver: s.Resolver, Search: s.Search,
		UserData: s.UserData, CACertificates: s.CACertificates})
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("instance", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making the configuration: %w", err)
	}
	file := os.NewFile(uintptr(fd), "instance")
	if _, err := file.Write(text); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// wait notes how the machine ended.
func (m *Machine) wait() {
	m.cmd.Wait()
	m.control.Close()
	m.ending = Lost
	switch m.cmd.ProcessState.ExitCode() {
	case boot.ExitPowerOff:
		m.ending = PoweredOff
	case boot.ExitReboot:
		m.ending = Rebooting
	}
	forget(m.spec.Dir)
	close(m.done)
}

// Done is closed when the machine has ended and none of its processes is left.
func (m *Machine) Done() <-chan struct{} { return m.done }

// Ending waits for the end of the machine and says how it ended.
func (m *Machine) Ending() Ending {
	<-m.done
	return m.ending
}

// PID is the process ID of the machine's first process, as the daemon sees it.
func (m *Machine) PID() int { return m.cmd.Process.Pid }

// Stop shuts the machine down: services are stopped, which takes as long as they do, at most until ctx ends. Then, or when the machine does not listen, it is killed.
func (m *Machine) Stop(ctx context.Context) error {
	if _, err := m.ask(ctx, control.Request{Verb: control.PowerOff}); err != nil {
		return m.Kill()
	}
	select {
	case <-m.done:
		return nil
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("stopping %s: %w; it was killed", m.spec.ID, ctx.Err()), m.Kill())
	}
}

// Kill ends the machine at once, as the loss of its host would, and waits until it has ended.
func (m *Machine) Kill() error {
	if err := m.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing %s: %w", m.spec.ID, err)
	}
	<-m.done
	return nil
}

// ask sends the first process a request over a connection of its own.
func (m *Machine) ask(ctx context.Context, request control.Request, files ...*os.File) (control.Response, error) {
	near, far, err := control.Pair()
	if err != nil {
		return control.Response{}, err
	}
	defer near.Close()
	m.sending.Lock()
	err = control.Send(m.control, struct{}{}, far)
	m.sending.Unlock()
	far.Close()
	if err != nil {
		return control.Response{}, fmt.Errorf("asking %s: %w", m.spec.ID, err)
	}
	return control.Ask(ctx, near, request, files...)
}
