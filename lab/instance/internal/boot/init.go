// Package boot is the first process of a machine: it makes the machine's file systems, runs user-data once, supervises the services and reaps what they leave.
package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"storefront/lab/instance/internal/control"
	"storefront/lab/instance/internal/systemd"
)

// Name is the name under which the lab's program is run to be a machine's first process.
const Name = "lab-instance-init"

// ControlFile is the number of the file through which the first process hears from the daemon. When the daemon has gone, so has the machine.
const ControlFile = 3

// The exit statuses of the first process.
const (
	ExitFailed   = 1 // the machine could not boot; the console says why
	ExitPowerOff = 50
	ExitReboot   = 51
)

// Config is what the first process reads, as JSON, from its standard input.
type Config struct {
	ID             string
	Dir            string
	Executable     string
	Hostname       string
	Resolver       string
	Search         string
	UserData       []byte
	CACertificates []byte
}

// machine is the state of the first process.
type machine struct {
	config    Config
	processes systemd.Processes
	manager   *systemd.Manager
	ended     sync.Once
	end       chan int // the exit status
}

// confined tells the first process that its file systems are made and its capabilities dropped.
const confined = "confined"

// Main boots the machine and returns when it ends.
func Main(args []string) int {
	m := &machine{end: make(chan int, 1)}
	m.manager = systemd.NewManager(&m.processes, systemd.SingleUser())
	if err := m.boot(args); err != nil {
		fmt.Fprintln(os.Stderr, "boot:", err)
		return ExitFailed
	}
	return <-m.end
}

// boot makes the process the first one of a machine, in two steps: it enters the machine's file systems and runs itself again there.
func (m *machine) boot(args []string) error {
	if os.Getpid() != 1 {
		return errors.New("this is the first process of a lab instance; `lab up` starts it, nobody else can")
	}
	if err := json.NewDecoder(os.Stdin).Decode(&m.config); err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	if len(args) < 2 || args[1] != confined {
		return m.enter()
	}
	unix.CloseOnExec(ControlFile)
	daemon, err := control.Conn(os.NewFile(ControlFile, "control"))
	if err != nil {
		return err
	}
	go m.reap()
	go m.hear(daemon)
	if err := m.listen(); err != nil {
		return err
	}
	go m.start()
	return nil
}

// enter makes the machine's file systems, enters them and starts the second step, which reads the configuration again. It returns only when it fails.
func (m *machine) enter() error {
	if _, err := os.Stdin.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewinding the configuration: %w", err)
	}
	d := disk{m.config.Dir}
	if err := errors.Join(unix.Sethostname([]byte(m.config.Hostname)), d.prepare()); err != nil {
		return err
	}
	if err := d.mount(m.config.Executable); err != nil {
		return err
	}
	if err := d.furnish(m.config); err != nil {
		return err
	}
	if err := d.enter(); err != nil {
		return err
	}
	return confine(Name, confined)
}

// start brings up what runs on a machine: the enabled services, and on the first boot user-data.
func (m *machine) start() {
	begun := time.Now()
	fmt.Printf("%s booting %s\n", begun.UTC().Format(time.RFC3339), m.config.ID)
	if err := m.manager.Boot(); err != nil {
		fmt.Fprintln(os.Stderr, "starting the enabled services:", err)
	}
	if err := m.cloudInit(); err != nil {
		fmt.Fprintln(os.Stderr, "cloud-init:", err)
	}
	fmt.Printf("%s %s is up after %v\n", time.Now().UTC().Format(time.RFC3339), m.config.Hostname, time.Since(begun).Round(time.Millisecond))
}

// reap collects orphans.
func (m *machine) reap() {
	died := make(chan os.Signal, 1)
	signal.Notify(died, unix.SIGCHLD)
	for range died {
		m.processes.Reap()
	}
}

// hear serves the daemon, and ends the machine at once when the daemon has gone.
func (m *machine) hear(daemon *net.UnixConn) {
	for {
		var hello struct{}
		files, err := control.Receive(daemon, &hello)
		if err != nil {
			m.finish(ExitFailed)
			return
		}
		for _, f := range files {
			conn, err := control.Conn(f)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				continue
			}
			go m.serve(conn, true)
		}
	}
}

// listen serves the stand-ins inside the machine.
func (m *machine) listen() error {
	if err := os.MkdirAll("/run/systemd/system", 0o755); err != nil {
		return err
	}
	listener, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: control.Socket, Net: "unixpacket"})
	if err != nil {
		return fmt.Errorf("listening for systemctl: %w", err)
	}
	if err := os.Chmod(control.Socket, 0o666); err != nil { // everybody may ask, root may act
		return fmt.Errorf("listening for systemctl: %w", err)
	}
	go func() {
		for {
			conn, err := listener.AcceptUnix()
			if err != nil {
				return
			}
			go m.serve(conn, false)
		}
	}()
	return nil
}

// serve answers the one request of a connection.
func (m *machine) serve(conn *net.UnixConn, outside bool) {
	defer conn.Close()
	var request control.Request
	files, err := control.Receive(conn, &request)
	if err != nil {
		return
	}
	defer control.Close(files)
	var response control.Response
	switch looks := map[string]bool{"is-active": true, "is-failed": true, "is-enabled": true, "status": true, "show": true, "list-units": true}; {
	case !outside && !looks[request.Verb] && !control.PeerIsRoot(conn):
		response = control.Response{Exit: 4, Error: "Access denied: only root may " + request.Verb + "\n"}
	case request.Verb == control.PowerOff || request.Verb == control.Reboot:
		go m.shutDown(map[string]int{control.PowerOff: ExitPowerOff, control.Reboot: ExitReboot}[request.Verb])
	case request.Verb == control.Exec && outside:
		response = m.exec(conn, request.Args, files)
	case request.Verb == control.Exec:
		response = control.Response{Exit: 1, Error: "exec is for the lab's daemon only\n"}
	default:
		response = m.manager.Do(request)
	}
	if len(response.Output) > 64<<10 {
		response.Output = response.Output[len(response.Output)-64<<10:]
	}
	control.Send(conn, response) // who asked may have gone
}

// exec runs a command for the daemon, until it ends or the daemon hangs up.
func (m *machine) exec(conn *net.UnixConn, args []string, files []*os.File) control.Response {
	if len(args) == 0 || len(files) != 3 {
		return control.Response{Exit: 64, Error: "exec needs a command and three files"}
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[1], files[2]
	cmd.Env = append(environment(), "HOME=/root", "USER=root", "TERM=xterm")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := m.processes.Start(cmd); err != nil {
		return control.Response{Exit: 127, Error: err.Error()}
	}
	gone := context.AfterFunc(hangUp(conn), func() { unix.Kill(-cmd.Process.Pid, unix.SIGKILL) })
	defer gone()
	control.Close(files) // the command has them: their readers must see its end
	err := m.processes.Wait(cmd)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return control.Response{}
	case errors.As(err, &exit):
		if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
			return control.Response{Exit: 128 + int(status.Signal())}
		}
		return control.Response{Exit: exit.ExitCode()}
	}
	return control.Response{Exit: 126, Error: err.Error()}
}

// hangUp returns a context that ends when the other side of a connection closes it.
func hangUp(conn *net.UnixConn) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		conn.Read(make([]byte, 1))
	}()
	return ctx
}

// shutDown stops the services and ends the machine. Whoever reads the console sees it coming.
func (m *machine) shutDown(status int) {
	m.ended.Do(func() {
		fmt.Printf("%s shutting down\n", time.Now().UTC().Format(time.RFC3339))
		m.manager.StopAll()
		unix.Kill(-1, unix.SIGTERM) // all but this process; what does not listen dies with the namespace
		m.finish(status)
	})
}

func (m *machine) finish(status int) {
	select {
	case m.end <- status:
	default:
	}
}

// environment is what programs find that nobody gave one.
func environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
}
