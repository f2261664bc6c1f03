package redis

import (
	"bytes"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// configuration is what a server reads on its standard input.
func (n *Node) configuration() []byte {
	var b bytes.Buffer
	set := func(name string, values ...string) {
		b.WriteString(name)
		for _, v := range values {
			b.WriteString(" " + quote(v))
		}
		b.WriteByte('\n')
	}
	for _, name := range slices.Sorted(maps.Keys(n.spec.Settings)) {
		set(name, n.spec.Settings[name])
	}
	port := strconv.Itoa(int(n.spec.Listen.Port()))
	if n.spec.TLS {
		set("port", "0")
		set("tls-port", port)
		set("tls-cert-file", "/proc/self/fd/3")
		set("tls-key-file", "/proc/self/fd/4")
		set("tls-ca-cert-file", "/proc/self/fd/5")
		set("tls-auth-clients", "no")
		set("tls-replication", "yes")
		set("tls-protocols", "TLSv1.2 TLSv1.3")
	} else {
		set("port", port)
	}
	set("bind", n.spec.Listen.Addr().String())
	set("protected-mode", "no") // security groups protect, as on AWS
	set("maxmemory", strconv.FormatInt(n.spec.MaxMemory, 10))
	set("set-proc-title", "no") // Sweep knows servers by their command lines
	set("save", "")
	set("appendonly", "no")
	set("repl-diskless-sync", "yes")
	set("repl-diskless-sync-delay", "0")
	set("repl-diskless-load", "swapdb")
	set("replica-announce-ip", n.spec.Listen.Addr().String())
	set("replica-announce-port", port)
	set("replica-read-only", "yes")
	set("masteruser", replicator)
	set("masterauth", n.engine.replicate)
	set("user", controller, "on", "#"+Digest(n.engine.control), "~*", "&*", "+@all")
	set("user", replicator, "on", "#"+Digest(n.engine.replicate), "+psync", "+replconf", "+ping")
	for _, u := range withDefault(n.spec.Users) {
		set("user", append([]string{u.Name, "reset"}, u.rules()...)...)
	}
	return b.Bytes()
}

// quote makes one argument of a line of configuration.
func quote(value string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(value) {
		switch {
		case c == '"' || c == '\\':
			b.Write([]byte{'\\', c})
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// certificate gives the server its certificate, key and authority in files that have no name.
func (n *Node) certificate(cmd *exec.Cmd) (closeAll func(), err error) {
	closeAll = func() {
		for _, f := range cmd.ExtraFiles {
			_ = f.Close()
		}
	}
	if !n.spec.TLS {
		return closeAll, nil
	}
	pair, err := n.engine.config.Issuer.Issue(n.spec.Names, []netip.Addr{n.spec.Listen.Addr()})
	if err != nil {
		return closeAll, err
	}
	for _, content := range [][]byte{pair.Certificate, pair.Key, n.engine.config.Issuer.CertificatePEM()} {
		fd, err := unix.MemfdCreate("tls", unix.MFD_CLOEXEC)
		if err != nil {
			return closeAll, fmt.Errorf("making a file in memory: %w", err)
		}
		f := os.NewFile(uintptr(fd), "tls")
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
		if _, err := f.Write(content); err != nil {
			return closeAll, err
		}
	}
	return closeAll, nil
}
