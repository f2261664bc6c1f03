package control_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"storefront/lab/control"
)

// fake is a lab whose instances know one command, which echoes.
type fake struct{ faults chan control.Fault }

func (f fake) Status(context.Context) (control.Status, error) {
	return control.Status{ID: "region", MemoryBytes: 1 << 20}, nil
}

func (f fake) Inject(_ context.Context, fault control.Fault) error {
	if fault.Kind != "instance-loss" {
		return errors.New("there is no such fault")
	}
	f.faults <- fault
	return nil
}

// Exec copies its input to both outputs, and ends with the number of its arguments.
func (f fake) Exec(_ context.Context, instance string, args []string, in io.Reader, out, errOut io.Writer) (int, error) {
	if instance == "i-hasty" { // ends while somebody waits for more input, as a command does
		if _, err := io.ReadFull(in, make([]byte, 5)); err != nil {
			return 0, err
		}
		reading := make(chan struct{})
		go func() {
			close(reading)
			_, _ = io.Copy(io.Discard, in)
		}()
		<-reading
		return 7, nil
	}
	if instance != "i-1" {
		return 0, errors.New("there is no such instance")
	}
	_, err := io.Copy(io.MultiWriter(out, errOut), in)
	return len(args), err
}

func serve(t *testing.T) (*control.Client, fake, string) {
	t.Helper()
	dir, lab := t.TempDir(), fake{faults: make(chan control.Fault, 1)}
	if err := control.Serve(t.Context(), dir, lab); err != nil {
		t.Fatal(err)
	}
	return control.NewClient(dir), lab, dir
}

func TestStatus(t *testing.T) {
	client, _, dir := serve(t)
	s, err := client.Status(t.Context())
	if err != nil || s.ID != "region" || s.MemoryBytes != 1<<20 {
		t.Fatalf("got %+v, %v", s, err)
	}
	if s.PID != os.Getpid() {
		t.Errorf("the daemon is process %d, want this one, %d, as the kernel says", s.PID, os.Getpid())
	}
	if info, err := os.Stat(control.SocketPath(dir)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v; want mode 0600", info.Mode(), err)
	}
	// A second daemon takes the place of a socket whose owner died.
	if err := control.Serve(t.Context(), dir, fake{}); err != nil {
		t.Errorf("serving over an old socket: %v", err)
	}
}

func TestNotRunning(t *testing.T) {
	if _, err := control.NewClient(t.TempDir()).Status(t.Context()); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("got %v, want ErrNotRunning", err)
	}
}

func TestExec(t *testing.T) {
	client, _, _ := serve(t)
	input := make([]byte, 300<<10)
	for i := range input {
		input[i] = byte(i * 7)
	}
	var out, errOut bytes.Buffer
	status, err := client.Exec(t.Context(), "i-1", []string{"a b", "", "\x01&="}, bytes.NewReader(input), &out, &errOut)
	if err != nil || status != 3 {
		t.Fatalf("status %d, %v; want 3, one for each argument", status, err)
	}
	if !bytes.Equal(out.Bytes(), input) || !bytes.Equal(errOut.Bytes(), input) {
		t.Error("binary output arrived changed")
	}
	if _, err := client.Exec(t.Context(), "i-2", []string{"x"}, strings.NewReader(""), io.Discard, io.Discard); err == nil || err.Error() != "there is no such instance" {
		t.Errorf("got %v, want the lab's own words", err)
	}
}

// A command may end before its client has sent the end of its input. The lab does not hang up meanwhile: a client that is still writing would take that for a failure,
// and not look at the answer.
func TestExecEndsBeforeItsInput(t *testing.T) {
	_, _, dir := serve(t)
	conn, err := net.Dial("unix", control.SocketPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(conn)
	for range 20 {
		if _, err := io.WriteString(conn, "POST /exec?instance=i-hasty HTTP/1.1\r\nHost: lab\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ninput\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		frame := make([]byte, 9)
		if _, err := io.ReadFull(resp.Body, frame); err != nil || string(frame) != "s\x00\x00\x00\x04\x00\x00\x00\x07" {
			t.Fatalf("the answer is %q, %v", frame, err)
		}
		if _, err := io.WriteString(conn, "4\r\nmore\r\n0\r\n\r\n"); err != nil {
			t.Fatalf("sending the rest of the input: %v", err)
		}
		if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
			t.Fatalf("after the status: %q, %v", rest, err)
		}
	}
}

func TestInject(t *testing.T) {
	client, lab, _ := serve(t)
	want := control.Fault{Kind: "instance-loss", Target: "i-1"}
	if err := client.Inject(t.Context(), want); err != nil || <-lab.faults != want {
		t.Errorf("injecting %v: %v", want, err)
	}
	if err := client.Inject(t.Context(), control.Fault{Kind: "flood"}); err == nil || !strings.Contains(err.Error(), "no such fault") {
		t.Errorf("got %v, want the lab's own words", err)
	}
}
