package dataplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"storefront/lab/ec2"
	"storefront/lab/imds"
	"storefront/lab/instance"
	"storefront/lab/network"
	"storefront/lab/state"
)

// stopWithin is how long an instance's services get to end when it is stopped or terminated, before it is switched off.
const stopWithin = 30 * time.Second

// metadataAddress is where the instance metadata service answers inside an instance.
const metadataAddress = "169.254.169.254:80"

// Instances runs the machines that EC2 declares.
type Instances struct {
	Store    *state.Store
	EC2      *ec2.Service
	Net      *network.Network
	Runtime  instance.Runtime
	Metadata imds.Source
	Dir      string // holds a directory for every instance
	CA       []byte // PEM of the authorities that machines trust
	Domain   string // of private host names: "ec2.internal"
	Now      func() time.Time
	Log      *slog.Logger

	mu       sync.Mutex
	machines map[string]*machine
	wake     chan struct{} // a machine has ended
	tasks    sync.WaitGroup
}

// machine is one running machine and its metadata service.
type machine struct {
	*instance.Machine
	metadata *http.Server
	reboots  int
	ending   atomic.Bool // somebody ends it, so its end is no surprise
}

// over reports whether the machine has ended.
func (m *machine) over() bool {
	select {
	case <-m.Done():
		return true
	default:
		return false
	}
}

// Run converges until ctx ends. Machines go on running then: Close ends them.
func (r *Instances) Run(ctx context.Context) error {
	r.mu.Lock()
	r.machines, r.wake = map[string]*machine{}, make(chan struct{}, 1)
	r.mu.Unlock()
	return loop(ctx, merge(ctx, r.Store.Watch(ctx, "ec2.instance", Applied), r.wake), r.Log, r.converge)
}

func (r *Instances) converge(ctx context.Context) error {
	var wanted []ec2.Instance
	if err := r.Store.View(func(tx *state.Tx) error { wanted = r.EC2.Machines(tx); return nil }); err != nil {
		return err
	}
	var problems []error
	known := map[string]bool{}
	for _, v := range wanted {
		known[v.ID] = true
		if err := r.settle(ctx, v); err != nil {
			problems = append(problems, fmt.Errorf("instance %s: %w", v.ID, err))
		}
	}
	for id, m := range r.running() {
		if !known[id] && !m.ending.Load() {
			r.end(id, m)
		}
	}
	return errors.Join(problems...)
}

func (r *Instances) running() map[string]*machine {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.machines)
}

// settle brings one instance a step nearer to its declared state. Each step wakes the loop up again.
func (r *Instances) settle(ctx context.Context, v ec2.Instance) error {
	m := r.running()[v.ID]
	switch {
	case m == nil:
		return r.settleWithout(ctx, v)
	case m.ending.Load():
		return nil
	case v.State == ec2.Pending:
		return r.set(v, ec2.Running, ec2.Reason{})
	case m.over():
		return r.ended(v, m)
	case v.State == ec2.Stopping, v.State == ec2.ShuttingDown, v.Reboots > m.reboots:
		r.end(v.ID, m)
	}
	return nil
}

// settleWithout is settle for an instance that has no machine.
func (r *Instances) settleWithout(ctx context.Context, v ec2.Instance) error {
	switch v.State {
	case ec2.Pending, ec2.Running:
		if v.State == ec2.Pending && v.Refusal != nil {
			return r.set(v, v.Refusal.To, v.Refusal.Reason)
		}
		return r.start(ctx, v)
	case ec2.Stopping:
		return r.set(v, ec2.Stopped, ec2.Reason{})
	case ec2.ShuttingDown:
		if err := r.remove(v.ID); err != nil {
			return err
		}
		return r.set(v, ec2.Terminated, ec2.Reason{})
	}
	return nil
}

// remove deletes a machine's disk and keeps its console, which tells why it ended.
func (r *Instances) remove(id string) error {
	dir := filepath.Join(r.Dir, id)
	if err := os.Rename(instance.ConsoleFile(dir), KeptConsole(r.Dir, id)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("keeping the console: %w", err)
	}
	return instance.Remove(dir)
}

// KeptConsole is where the console of a terminated instance stays, in the directory of all instances, until ForgetConsoles.
func KeptConsole(dir, id string) string { return filepath.Join(dir, id+".console") }

// consoleKept is how long EC2 keeps the console of a terminated instance: "Instance console output".
const consoleKept = time.Hour

// ForgetConsoles deletes the consoles of instances that were terminated long ago.
func (r *Instances) ForgetConsoles() error {
	files, err := filepath.Glob(KeptConsole(r.Dir, "*"))
	if err != nil {
		return err
	}
	var problems []error
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && r.Now().Sub(info.ModTime()) > consoleKept {
			problems = append(problems, os.Remove(f))
		}
	}
	return errors.Join(problems...)
}

// set records what became of an instance, unless its state has changed since it was read: that change has woken the loop up.
func (r *Instances) set(v ec2.Instance, to ec2.InstanceState, reason ec2.Reason) error {
	return r.Store.Update(func(tx *state.Tx) error {
		if now, err := r.EC2.Instance(tx, v.ID); err != nil || now.State != v.State {
			return err
		}
		return r.EC2.SetInstanceState(tx, v.ID, to, reason)
	})
}

// start boots a machine. While the network of a new instance is not there yet it does nothing: Applied wakes us up.
func (r *Instances) start(ctx context.Context, v ec2.Instance) error {
	spec, err := r.spec(v)
	if errors.Is(err, network.ErrNoSuchPlace) {
		return nil
	}
	if err != nil {
		return err
	}
	metadata, err := r.serveMetadata(v)
	if err != nil {
		return fmt.Errorf("metadata service: %w", err)
	}
	// The machine outlives the loop that starts it: ctx bounds the start alone.
	started, err := r.Runtime.Start(context.WithoutCancel(ctx), spec)
	if err != nil {
		_ = metadata.Close()
		return err
	}
	m := &machine{Machine: started, metadata: metadata, reboots: v.Reboots}
	r.mu.Lock()
	r.machines[v.ID] = m
	r.mu.Unlock()
	r.tasks.Go(func() {
		<-m.Done()
		poke(r.wake)
	})
	r.Log.Info("instance started", "instance", v.ID, "zone", v.Zone.Name, "pid", m.PID())
	poke(r.wake)
	return nil
}

func (r *Instances) spec(v ec2.Instance) (instance.Spec, error) {
	if len(v.Interfaces) == 0 {
		return instance.Spec{}, errors.New("it has no network interface")
	}
	path, err := r.Net.Path(network.InInterface(v.Interfaces[0]))
	if err != nil {
		return instance.Spec{}, err
	}
	m, err := r.Metadata.Metadata(v.ID)
	if err != nil {
		return instance.Spec{}, err
	}
	var vpc network.VPC
	err = r.Store.View(func(tx *state.Tx) error {
		declared, err := r.EC2.VPC(tx, v.VPC)
		for _, b := range declared.CIDRs {
			vpc.CIDRs = append(vpc.CIDRs, b.CIDR)
		}
		return err
	})
	if err != nil {
		return instance.Spec{}, err
	}
	return instance.Spec{ID: v.ID, Dir: filepath.Join(r.Dir, v.ID), Network: path, Hostname: m.Hostname, Resolver: vpc.Resolver().String(), Search: r.Domain,
		UserData: m.UserData, CACertificates: r.CA}, nil
}

func (r *Instances) serveMetadata(v ec2.Instance) (*http.Server, error) {
	l, err := r.Net.Listen(network.InInterface(v.Interfaces[0]), "tcp", metadataAddress)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: imds.New(r.Metadata, v.ID, r.Now), ReadHeaderTimeout: 5 * time.Second}
	r.tasks.Go(func() { _ = server.Serve(l) })
	return server, nil
}

// end stops a machine in the background.
func (r *Instances) end(id string, m *machine) {
	m.ending.Store(true)
	r.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		if err := m.Stop(ctx); err != nil {
			r.Log.Warn("instance did not end in order", "instance", id, "error", err)
		}
		r.forget(id, m)
		poke(r.wake)
	})
}

func (r *Instances) forget(id string, m *machine) {
	_ = m.metadata.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.machines[id] == m {
		delete(r.machines, id)
	}
}

// ended records the end of a machine that nobody asked for: a shutdown from inside, or the loss of its host.
func (r *Instances) ended(v ec2.Instance, m *machine) error {
	r.Log.Info("instance ended by itself", "instance", v.ID, "ending", m.Ending())
	if v.State == ec2.Running && m.Ending() != instance.Rebooting {
		to, reason := ec2.ShuttingDown, ec2.Reason{Code: "Server.InternalError", Message: "Server.InternalError: Internal error on launch or loss of the host"}
		if m.Ending() == instance.PoweredOff {
			reason = ec2.Reason{Code: "Client.InstanceInitiatedShutdown", Message: "Client.InstanceInitiatedShutdown: Instance initiated shutdown"}
			if v.ShutdownBehavior != "terminate" && v.SpotRequest == "" {
				to = ec2.Stopped
			}
		}
		if err := r.set(v, to, reason); err != nil {
			return err
		}
	}
	r.forget(v.ID, m) // only now: a running instance without a machine is started
	poke(r.wake)
	return nil
}

// ErrNotRunning says that an instance has no running machine.
var ErrNotRunning = errors.New("the instance does not run")

// Machine returns the running machine of an instance.
func (r *Instances) Machine(id string) (*instance.Machine, error) {
	if m := r.running()[id]; m != nil && !m.ending.Load() {
		return m.Machine, nil
	}
	return nil, fmt.Errorf("%s: %w", id, ErrNotRunning)
}

// CPUTime is the processor time that a running instance has used since its boot.
func (r *Instances) CPUTime(id string) (time.Duration, bool) {
	m, err := r.Machine(id)
	if err != nil {
		return 0, false
	}
	used, err := m.CPUTime()
	return used, err == nil
}

// Close ends every machine at once, as the daemon does when it stops. What is declared stays declared.
func (r *Instances) Close() error {
	var problems []error
	for id, m := range r.running() {
		problems = append(problems, m.Kill())
		r.forget(id, m)
	}
	r.tasks.Wait()
	return errors.Join(problems...)
}
