// Package control is how the lab command talks to its daemon: JSON over HTTP on a unix socket that only the owner of the lab can open.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// Status is what `lab status --json` prints.
type Status struct {
	ID            string         `json:"id"`       // drawn when the region began: another one after a reset
	Endpoint      string         `json:"endpoint"` // URL of every AWS service, for SDKs, the AWS CLI and providers
	Region        string         `json:"region"`
	Account       string         `json:"account"`
	PID           int            `json:"pid"` // of the daemon, as the caller sees it
	Started       time.Time      `json:"started"`
	MemoryBytes   int64          `json:"memory_bytes"` // resident memory of the daemon itself
	Goroutines    int            `json:"goroutines"`   // of the daemon
	Resources     map[string]int `json:"resources"`    // count by kind, without what every account has from the start
	Instances     []Instance     `json:"instances"`
	LoadBalancers []LoadBalancer `json:"load_balancers"`
	Databases     []Database     `json:"databases"`
	Caches        []Cache        `json:"caches"`
	SearchDomains []SearchDomain `json:"search_domains"`
	Faults        []Fault        `json:"faults"`      // that are in force until another ends them
	Unsupported   []Call         `json:"unsupported"` // calls that the lab refused because it does not serve them
	Denied        []Denied       `json:"denied"`      // calls that the lab refused because no policy allows them, or one denies them
	Used          []Used         `json:"used"`        // what principals were allowed, for finding permissions that nobody needs
}

// Denied counts the calls of a principal that were denied for the same permission.
type Denied struct {
	Principal string `json:"principal"` // ARN, the name of an AWS service, or "anonymous"
	Action    string `json:"action"`
	Resource  string `json:"resource"`
	Count     int    `json:"count"`
}

// Used is an action that a principal was allowed since the lab started.
type Used struct {
	Principal string `json:"principal"` // ARN of the user, or of the session's role
	Action    string `json:"action"`
}

// Instance is one virtual machine.
type Instance struct {
	ID    string `json:"id"`
	State string `json:"state"`
	Zone  string `json:"zone"`
	IP    string `json:"ip"`
}

// LoadBalancer is one load balancer and the ports on 127.0.0.1 that reach its listeners.
type LoadBalancer struct {
	Name    string   `json:"name"`
	DNSName string   `json:"dns_name"`
	State   string   `json:"state"`
	URLs    []string `json:"urls"` // "http://127.0.0.1:PORT", one per listener of an internet-facing load balancer
}

// Database is one node of a database cluster.
type Database struct {
	ID      string `json:"id"`
	Cluster string `json:"cluster"`
	Role    string `json:"role"` // "writer" or "reader"
	Status  string `json:"status"`
}

// Cache is one node of a cache.
type Cache struct {
	ID     string `json:"id"`
	Group  string `json:"group"` // replication group
	Role   string `json:"role"`  // "primary" or "replica"
	Status string `json:"status"`
}

// SearchDomain is one domain of Amazon OpenSearch Service.
type SearchDomain struct {
	Name     string `json:"name"`
	Status   string `json:"status"` // "Active", "Creating", ...
	Health   string `json:"health"` // "green", "yellow" or "red"; "" while there is no cluster
	Nodes    int    `json:"nodes"`  // that live
	Endpoint string `json:"endpoint"`
}

// Call counts calls of one kind.
type Call struct {
	Service   string `json:"service"`
	Operation string `json:"operation"`
	Count     int    `json:"count"`
}

// Fault asks for a fault. Which kinds there are and what they hit is said by `lab fault --help`.
type Fault struct {
	Kind   string `json:"kind"`
	Target string `json:"target"` // several are parted by a space
}

// ErrNotRunning says that no daemon serves the lab directory.
var ErrNotRunning = errors.New("the lab is not running; start it with `lab up`")

// SocketPath is the control socket of the lab in dir.
func SocketPath(dir string) string { return filepath.Join(dir, "control.sock") }

// Client calls the daemon of one lab.
type Client struct {
	http http.Client
	pid  atomic.Int64 // of the daemon, as the kernel tells it to us
}

// NewClient returns a client for the lab in dir. It does not connect yet.
func NewClient(dir string) *Client {
	c := &Client{}
	c.http.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", SocketPath(dir))
		if err == nil {
			c.pid.Store(int64(peer(conn.(*net.UnixConn))))
		}
		return conn, err
	}}
	return c
}

// Status asks for the lab's status. It fails with ErrNotRunning when nobody answers.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.call(ctx, http.MethodGet, "/status", nil, &s)
	s.PID = int(c.pid.Load())
	return s, err
}

// Inject asks the daemon for a fault.
func (c *Client) Inject(ctx context.Context, f Fault) error {
	return c.call(ctx, http.MethodPost, "/fault", f, nil)
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encoding the request: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://lab"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("asking the lab: %w", err)
	}
	resp, err := c.do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("reading the lab's answer: %w", err)
	}
	return nil
}

func (c *Client) do(r *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(r)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, ErrNotRunning
	}
	if err != nil {
		return nil, fmt.Errorf("asking the lab: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		return nil, fmt.Errorf("the lab refused: %s", bytes.TrimSpace(text))
	}
	return resp, nil
}
