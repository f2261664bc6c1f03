// Package control is the conversation with a machine's first process: the daemon asks it from outside to run commands and to shut down, the stand-ins for
// systemctl and shutdown ask it from inside. One connection carries one request and its answer, each a single packet.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Socket is where the first process listens inside the machine.
const Socket = "/run/systemd/private"

// maxPacket bounds a request or an answer, in bytes; the kernel's default socket buffer holds it.
const maxPacket = 128 << 10

// The verbs that are no verbs of systemctl.
const (
	Exec     = "exec"     // run Args with the three files that come with the request; from outside only
	PowerOff = "poweroff" // stop the services and end
	Reboot   = "reboot"   // the same, and say that the machine wants to come back
)

// Request asks the first process for something.
type Request struct {
	Verb  string   `json:"verb"`
	Units []string `json:"units,omitempty"` // what a verb of systemctl acts on
	Args  []string `json:"args,omitempty"`  // the command of Exec; the properties of "show"; the signal of "kill"
	Now   bool     `json:"now,omitempty"`   // "enable" and "disable" also start and stop
}

// Response answers a Request.
type Response struct {
	Exit   int    `json:"exit"` // exit status of the command
	Output string `json:"output,omitempty"`
	Error  string `json:"error,omitempty"` // what went wrong, for standard error
}

// Pair returns the two ends of a new connection.
func Pair() (near *net.UnixConn, far *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("making a control connection: %w", err)
	}
	far = os.NewFile(uintptr(fds[1]), "control")
	near, err = Conn(os.NewFile(uintptr(fds[0]), "control"))
	if err != nil {
		return nil, nil, errors.Join(err, far.Close())
	}
	return near, far, nil
}

// Conn makes a connection of an inherited or received file, which it closes.
func Conn(file *os.File) (*net.UnixConn, error) {
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("opening a control connection: %w", err)
	}
	packets, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("opening a control connection: %s is not a unix socket", conn.LocalAddr().Network()), conn.Close())
	}
	return packets, nil
}

// Send writes one packet, with copies of the files.
func Send(conn *net.UnixConn, message any, files ...*os.File) error {
	data, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("encoding a control packet: %w", err)
	}
	if len(data) > maxPacket {
		return fmt.Errorf("sending a control packet: %d bytes are more than the %d that fit", len(data), maxPacket)
	}
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		rights = unix.UnixRights(fds...)
	}
	if _, _, err := conn.WriteMsgUnix(data, rights, nil); err != nil {
		return fmt.Errorf("sending a control packet: %w", err)
	}
	return nil
}

// Receive reads one packet and the files that came with it, which the caller closes. It returns an error that wraps io.EOF when the other side has gone.
func Receive(conn *net.UnixConn, message any) ([]*os.File, error) {
	data, rights := make([]byte, maxPacket), make([]byte, unix.CmsgSpace(4*4))
	n, rn, _, _, err := conn.ReadMsgUnix(data, rights)
	if err != nil {
		return nil, fmt.Errorf("receiving a control packet: %w", err)
	}
	files := received(rights[:rn])
	if err := json.Unmarshal(data[:n], message); err != nil {
		Close(files)
		return nil, fmt.Errorf("receiving a control packet: %w", err)
	}
	return files, nil
}

// received opens the file descriptors of a packet's control messages.
func received(rights []byte) []*os.File {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil
	}
	var files []*os.File
	for _, m := range messages {
		fds, err := unix.ParseUnixRights(&m)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files
}

// Close closes all files.
func Close(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// Ask sends a request on a connection and waits for its answer, until ctx ends.
func Ask(ctx context.Context, conn *net.UnixConn, request Request, files ...*os.File) (Response, error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var response Response
	err := Send(conn, request, files...)
	if err == nil {
		_, err = Receive(conn, &response)
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return response, err
}

// Dial connects to the first process from inside the machine.
func Dial() (*net.UnixConn, error) {
	return net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: Socket, Net: "unixpacket"})
}

// PeerIsRoot reports whether the process at the other end runs as root.
func PeerIsRoot(conn *net.UnixConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	root := false
	raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		root = err == nil && cred.Uid == 0
	})
	return root
}
