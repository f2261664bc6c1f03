//go:build linux

// Package daemon is the process behind the lab: it builds the region's services and its data plane, in one place and in the open, and runs them
// until it is told to stop.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"storefront/lab/control"
)

// Options say where the lab keeps its things and where it answers.
type Options struct {
	Dir   string // holds everything that the lab keeps
	Port  int    // of the endpoint on 127.0.0.1
	Log   io.Writer
	Ready func() // called once the endpoint answers
}

// Run runs the lab until ctx ends. Its error is one line that tells what to do.
func Run(ctx context.Context, o Options) error {
	lock, err := acquire(o.Dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	l, err := listen(o.Port)
	if err != nil {
		return err
	}
	defer l.Close()
	log := slog.New(slog.NewTextHandler(o.Log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	lab, err := open(o.Dir, l.Addr().String(), log)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(lab.serve), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	running, stop := context.WithCancel(ctx)
	defer stop()
	tasks, running := errgroup.WithContext(running)
	lab.run(running, tasks)
	if err := control.Serve(running, o.Dir, lab); err != nil {
		return errors.Join(err, lab.close(log))
	}
	log.Info("ready", "endpoint", lab.endpoint)
	o.Ready()
	<-running.Done()
	log.Info("stopping")
	stop()
	return errors.Join(tasks.Wait(), lab.close(log))
}

// acquire makes the directory and takes its lock, which dies with the process.
func acquire(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return nil, fmt.Errorf("lab directory: %w; choose another with --dir or LAB_DIR", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lab directory: %w; choose another with --dir or LAB_DIR", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another lab runs in %s; `lab down` stops it", dir), f.Close())
	}
	return f, nil
}

func listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d on 127.0.0.1 is taken by another program: end it, or choose another port with --port or LAB_PORT", port)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on port %d: %w", port, err)
	}
	return l, nil
}
