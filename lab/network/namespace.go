package network

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// namespace is one network namespace, held open by a descriptor and by nothing else: the kernel takes it away with everything in it when
// the last descriptor, socket and process that use it are gone, so a lab that is killed leaves no mount, name or link behind.
type namespace struct {
	mu sync.RWMutex // guards fd against reuse while a thread is on its way in
	fd netns.NsHandle
}

// newNamespace makes an empty namespace. Its loopback link is down.
func newNamespace() (*namespace, error) {
	ns := &namespace{fd: netns.None()}
	err := onThread(func() (err error) {
		ns.fd, err = netns.New()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("making a network namespace: %w", err)
	}
	return ns, nil
}

// run calls f on a thread that is inside the namespace. What f opens stays inside; goroutines that f starts are outside.
func (ns *namespace) run(f func() error) error {
	return onThread(func() error {
		if err := ns.enter(); err != nil {
			return err
		}
		return f()
	})
}

func (ns *namespace) enter() error {
	ns.mu.RLock()
	defer ns.mu.RUnlock()
	if !ns.fd.IsOpen() {
		return ErrNoSuchPlace
	}
	return netns.Set(ns.fd)
}

// path names the namespace's file, for as long as the namespace is open.
func (ns *namespace) path() string {
	ns.mu.RLock()
	defer ns.mu.RUnlock()
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), int(ns.fd))
}

func (ns *namespace) close() error {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if !ns.fd.IsOpen() {
		return nil
	}
	return ns.fd.Close()
}

// onThread calls f on a thread of its own and brings the thread home after. Without root there is no way back into the host's namespace:
// such a thread is given up, as the runtime ends the thread of a goroutine that exits locked.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() { // the main thread cannot end: keep it busy while another one goes
			err := onThread(f)
			runtime.UnlockOSThread()
			done <- err
			return
		}
		home, err := netns.Get()
		if err != nil {
			runtime.UnlockOSThread()
			done <- fmt.Errorf("opening the thread's network namespace: %w", err)
			return
		}
		defer home.Close()
		err = f()
		if netns.Set(home) == nil {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}
