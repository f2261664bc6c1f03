package postgres

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Settings of RDS itself that change how a server is configured. Others of RDS and Aurora have no effect here.
const (
	forceSSL           = "rds.force_ssl"
	logicalReplication = "rds.logical_replication"
)

// writeConfiguration writes a node's certificate, access rules and settings into its data directory.
func (n *Node) writeConfiguration(ctx context.Context) error {
	pair, err := n.cluster.engine.config.Issuer.Issue(n.spec.Names, n.addresses())
	if err != nil {
		return err
	}
	settings, err := n.settings(ctx)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		data []byte
	}{
		{"server.crt", pair.Certificate},
		{"server.key", pair.Key},
		{"pg_hba.conf", accessRules(enabled(n.spec.Parameters, forceSSL))},
		{"postgresql.conf", settings},
		{"postgresql.auto.conf", nil}, // what a base backup brought along
	} {
		if err := n.cluster.engine.account.writeFile(filepath.Join(n.data(), file.name), file.data); err != nil {
			return err
		}
	}
	return nil
}

// accessRules is pg_hba.conf. Without a rule that matches, PostgreSQL answers "no pg_hba.conf entry for host ..., no encryption", which is
// also what a client of AWS sees when rds.force_ssl refuses it.
func accessRules(onlyTLS bool) []byte {
	rules := []string{
		"local all " + superuser + " trust", // the socket lies in the node's directory, which only the servers' user and root can enter
		"local replication " + superuser + " trust",
		"host all " + superuser + " all reject",
		"host all +rds_iam all reject", // tokens of IAM are not supported: refuse, rather than ask for a password that does not exist
		"hostssl all all all scram-sha-256",
	}
	if !onlyTLS {
		rules = append(rules, "hostnossl all all all scram-sha-256")
	}
	return []byte(strings.Join(rules, "\n") + "\n")
}

// settings is postgresql.conf. In it the last line for a setting wins: defaults that a user may change, the user's parameters, and what makes
// the server a node of the lab.
func (n *Node) settings(ctx context.Context) ([]byte, error) {
	var b bytes.Buffer
	set := func(name, value string) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.ReplaceAll(value, "'", "''"))
	}
	n.setDefaults(set)
	for _, name := range slices.Sorted(maps.Keys(n.spec.Parameters)) {
		if !isServerParameter(name) {
			continue
		}
		if err := n.cluster.engine.CheckParameter(name, n.spec.Parameters[name]); err != nil {
			return nil, err
		}
		set(name, n.spec.Parameters[name])
	}
	if err := n.keepStandbyFloor(ctx, set); err != nil {
		return nil, err
	}
	n.setNode(set)
	return b.Bytes(), nil
}

// setDefaults sets what suits many servers on a small machine, and Aurora's own defaults.
func (n *Node) setDefaults(set func(name, value string)) {
	set("timezone", "UTC")
	set("log_timezone", "UTC")
	set("log_line_prefix", "%t:%r:%u@%d:[%p]:")
	set("ssl_min_protocol_version", "TLSv1.2")
	set("max_standby_streaming_delay", "14s")
	set("hot_standby_feedback", "on")
	set("max_wal_size", "128MB")
	set("min_wal_size", "16MB")
	set("wal_keep_size", "64MB")
	set("max_wal_senders", "20")
	set("wal_receiver_status_interval", "1s")
	set("wal_retrieve_retry_interval", "100ms")
	set("jit", "off")
	if n.cluster.engine.hasLibrary(statistics) {
		set(preload, statistics)
	}
}

// setNode sets what parameters cannot change; see decided.
func (n *Node) setNode(set func(name, value string)) {
	wal := "replica"
	if enabled(n.spec.Parameters, logicalReplication) {
		wal = "logical"
	}
	set("wal_level", wal)
	set("shared_buffers", "32MB")
	set("fsync", "off") // see the package's documentation
	set("full_page_writes", "on")
	set("hot_standby", "on")
	listen := n.spec.Listen.Addr().String()
	if n.private {
		listen = ""
	}
	set("listen_addresses", listen)
	set("port", strconv.Itoa(int(n.spec.Listen.Port())))
	set("unix_socket_directories", "..")
	set("unix_socket_permissions", "0700")
	set("cluster_name", n.spec.ID)
	set("ssl", "on")
	set("ssl_cert_file", "server.crt")
	set("ssl_key_file", "server.key")
	set("logging_collector", "off")
	set("log_destination", "stderr")
	// Relative to the data directory, as a path from the root may be too long for a socket: see the package's documentation.
	set("primary_conninfo", fmt.Sprintf("host=/proc/self/cwd/%s port=%d user=%s application_name=%s", writerDir, n.spec.Listen.Port(), superuser, n.spec.ID))
	set("restore_command", fmt.Sprintf(`test -f %[1]s/data/pg_wal/%%f && cp %[1]s/data/pg_wal/%%f "%%p"`, writerDir))
}

// keepStandbyFloor raises the settings that a standby needs at least as high as its writer had them, by what the control file says of the writer.
func (n *Node) keepStandbyFloor(ctx context.Context, set func(name, value string)) error {
	if !n.isStandby() {
		return nil
	}
	out, err := n.cluster.engine.command(ctx, "pg_controldata", "--pgdata", n.data()).Output()
	if err != nil {
		return fmt.Errorf("reading the control file of node %s: %w", n.spec.ID, err)
	}
	scan := bufio.NewScanner(bytes.NewReader(out))
	for scan.Scan() {
		name, value, _ := strings.Cut(scan.Text(), " setting:")
		name = strings.TrimSpace(name)
		if name == "max_prepared_xacts" {
			name = "max_prepared_transactions"
		}
		floor, err := strconv.Atoi(strings.TrimSpace(value))
		if _, known := n.cluster.engine.parameters[name]; !known || err != nil {
			continue
		}
		if own, err := strconv.Atoi(n.spec.Parameters[name]); err != nil || own < floor {
			set(name, strconv.Itoa(floor))
		}
	}
	return scan.Err()
}

// isServerParameter tells a setting of PostgreSQL from those of RDS and Aurora that control planes keep in the same groups.
func isServerParameter(name string) bool {
	for _, prefix := range []string{"rds.", "aurora", "apg_", "babelfishpg", "pgaudit.", "auto_explain.", "pg_hint_plan", "orafce"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return true
}

func enabled(parameters map[string]string, name string) bool {
	return slices.Contains([]string{"1", "on", "true"}, strings.ToLower(parameters[name]))
}
