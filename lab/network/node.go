package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// node is a namespace and what was configured in it. Nobody else configures it, so what is recorded here is what is there.
type node struct {
	*namespace
	kernel  *netlink.Handle
	have    config
	sockets sockets
}

// newNode makes a namespace for hosts (forwarding is off) or routers.
func newNode(label label, forward bool) (*node, error) {
	ns, err := newNamespace()
	if err != nil {
		return nil, err
	}
	n := &node{namespace: ns, have: newConfig()}
	if err := n.prepare(label, forward); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *node) prepare(label label, forward bool) (err error) {
	families := []int{unix.NETLINK_ROUTE}
	settings := []string{
		"ipv4/conf/all/rp_filter=0", "ipv4/conf/default/rp_filter=0", // paths are asymmetric where addresses are translated
		"ipv6/conf/all/disable_ipv6=1", "ipv6/conf/default/disable_ipv6=1",
	}
	if forward {
		families = append(families, unix.NETLINK_NETFILTER)
		settings = append(settings, "netfilter/nf_conntrack_tcp_timeout_time_wait=10", // or a load test fills the table
			"ipv4/ip_forward=1", "ipv4/conf/all/send_redirects=0", "ipv4/conf/default/send_redirects=0")
	}
	err = n.run(func() error {
		if n.kernel, err = netlink.NewHandle(families...); err != nil {
			return fmt.Errorf("opening a namespace's netlink socket: %w", err)
		}
		return sysctl(settings)
	})
	if err != nil {
		return err
	}
	lo, err := n.kernel.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("finding lo: %w", err)
	}
	for _, a := range label {
		if err := n.kernel.AddrAdd(lo, &netlink.Addr{IPNet: ipNet(host(a)), Scope: int(netlink.SCOPE_HOST)}); err != nil {
			return fmt.Errorf("labelling a namespace: %w", err)
		}
	}
	return n.kernel.LinkSetUp(lo)
}

// sysctl writes "path=value" settings of the calling thread's namespace. Some kernels lack those of IPv6 and netfilter.
func sysctl(settings []string) error {
	for _, s := range settings {
		path, value, _ := strings.Cut(s, "=")
		err := os.WriteFile("/proc/sys/net/"+path, []byte(value), 0)
		if err != nil && !(errors.Is(err, os.ErrNotExist) && !strings.HasPrefix(path, "ipv4/")) {
			return fmt.Errorf("setting net/%s to %s: %w", path, value, err)
		}
	}
	return nil
}

// close gives up the namespace, its sockets and its links. Connections and processes in it lose the network at once.
func (n *node) close() error {
	n.sockets.close()
	if n.kernel != nil {
		n.kernel.Close()
	}
	return n.namespace.close()
}

// converge makes the namespace's configuration match want. Filters change first, so that nothing is ever open that should not be.
func (n *node) converge(ctx context.Context, want config) error {
	if err := n.filter(ctx, want.ruleset); err != nil {
		return err
	}
	for a := range n.have.addresses {
		if !want.addresses[a] {
			if err := n.address(a, n.kernel.AddrDel); err != nil {
				return err
			}
			delete(n.have.addresses, a)
		}
	}
	for a := range want.addresses {
		if !n.have.addresses[a] {
			if err := n.address(a, n.kernel.AddrReplace); err != nil {
				return err
			}
			n.have.addresses[a] = true
		}
	}
	if err := n.convergeRoutes(ctx, want.routes); err != nil {
		return err
	}
	return n.convergeRules(want.rules)
}

func (n *node) filter(ctx context.Context, ruleset string) error {
	if ruleset == n.have.ruleset {
		return nil
	}
	nft := exec.CommandContext(ctx, "nft", "-f", "-")
	nft.Stdin = strings.NewReader(ruleset)
	var complaint strings.Builder
	nft.Stderr = &complaint
	if err := n.run(nft.Start); err != nil {
		return fmt.Errorf("starting nft (Debian package nftables): %w", err)
	}
	if err := nft.Wait(); err != nil {
		return fmt.Errorf("loading a ruleset: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	n.have.ruleset = ruleset
	return nil
}
