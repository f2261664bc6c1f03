package drill

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"time"
)

// Tunnel prepares a command that joins its input and output with host:port as a machine inside the network sees it.
type Tunnel func(ctx context.Context, host, port string) *exec.Cmd

// Forward is what such a machine runs: bash opens the connection, so that the machine needs no other program.
const Forward = `exec 3<>"/dev/tcp/$0/$1" || exit 1; cat <&3 & cat >&3; kill $!`

// open listens on 127.0.0.1 until ctx ends, and leads every connection through the tunnel.
func (t Tunnel) open(ctx context.Context, host, port string) (address string, err error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("opening a tunnel to %s: %w", host, err)
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				c := t(ctx, host, port)
				c.Stdin, c.Stdout, c.WaitDelay = conn, conn, time.Second
				_ = c.Run() // whoever is connected sees the end
			}()
		}
	}()
	return l.Addr().String(), nil
}
