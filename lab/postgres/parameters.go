package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ErrParameter is returned for a parameter that the server does not know, that the engine itself decides, or whose value is not allowed.
var ErrParameter = errors.New("parameter not accepted")

// Parameter is a setting of the server, as `postgres --describe-config` lists it.
type Parameter struct {
	Name        string
	Description string
	Kind        string // "boolean", "integer", "real", "string" or "enum"
	Static      bool   // takes effect at the next start only
	Min, Max    string // inclusive range of numbers; empty for other kinds
}

// decided lists the settings that make a server a node of the lab. Parameters cannot change them.
var decided = []string{"listen_addresses", "port", "unix_socket_directories", "unix_socket_permissions", "unix_socket_group", "data_directory", "config_file",
	"hba_file", "ident_file", "external_pid_file", "ssl", "ssl_cert_file", "ssl_key_file", "ssl_ca_file", "ssl_crl_file", "ssl_crl_dir", "ssl_passphrase_command",
	"ssl_passphrase_command_supports_reload", "ssl_dh_params_file", "primary_conninfo", "primary_slot_name", "restore_command", "archive_command", "archive_library",
	"archive_mode", "archive_cleanup_command", "recovery_end_command", "promote_trigger_file", "hot_standby", "wal_level", "fsync", "full_page_writes",
	"logging_collector", "log_destination", "log_directory", "log_filename", "log_file_mode", "synchronous_standby_names", "cluster_name", "krb_server_keyfile",
	"dynamic_library_path", "local_preload_libraries", "session_preload_libraries", "shared_memory_type", "dynamic_shared_memory_type", "huge_pages", "shared_buffers",
	"allow_system_table_mods", "bonjour", "event_source", "recovery_target", "recovery_target_action", "recovery_target_inclusive", "recovery_target_lsn",
	"recovery_target_name", "recovery_target_time", "recovery_target_timeline", "recovery_target_xid"}

const (
	preload    = "shared_preload_libraries"
	statistics = "pg_stat_statements" // preloaded by default, as on Aurora
)

// hasLibrary tells whether a server can preload the library: with one that is missing it does not start.
func (e *Engine) hasLibrary(name string) bool {
	return !strings.ContainsAny(name, "/$") && fileExists(filepath.Join(e.libraries, name+".so"))
}

// Parameters returns the settings that a user may change, by name.
func (e *Engine) Parameters() []Parameter {
	return slices.SortedFunc(maps.Values(e.parameters), func(a, b Parameter) int { return strings.Compare(a.Name, b.Name) })
}

// CheckParameter returns an error that wraps ErrParameter and says what is wrong, unless value is allowed for the parameter.
// It knows the ranges of numbers, not the words that an enumeration allows: a server refuses those when it is configured.
func (e *Engine) CheckParameter(name, value string) error {
	p, ok := e.parameters[name]
	if !ok {
		return fmt.Errorf("%w: PostgreSQL %s has no parameter %q that can be changed here", ErrParameter, e.version, name)
	}
	var fits bool
	switch p.Kind {
	case "boolean":
		fits = slices.Contains([]string{"0", "1", "on", "off", "true", "false", "yes", "no"}, strings.ToLower(value))
	case "integer", "real":
		fits = inRange(value, p.Min, p.Max)
	default:
		fits = !strings.ContainsAny(value, "\x00\n\r")
	}
	if name == preload {
		for library := range strings.SplitSeq(value, ",") {
			if library = strings.TrimSpace(library); library != "" && !e.hasLibrary(library) {
				return fmt.Errorf("%w: %s: this machine has no library %q for PostgreSQL %s", ErrParameter, name, library, e.version)
			}
		}
	}
	if !fits {
		return fmt.Errorf("%w: %s = %q: want a value of type %s%s", ErrParameter, name, value, p.Kind, between(p))
	}
	return nil
}

func inRange(value, lowest, highest string) bool {
	v, err := strconv.ParseFloat(value, 64)
	low, errLow := strconv.ParseFloat(lowest, 64)
	high, errHigh := strconv.ParseFloat(highest, 64)
	return errors.Join(err, errLow, errHigh) == nil && low <= v && v <= high
}

func between(p Parameter) string {
	if p.Min == "" {
		return ""
	}
	return fmt.Sprintf(" from %s to %s", p.Min, p.Max)
}

// readParameters asks the server for its settings.
func (e *Engine) readParameters() (map[string]Parameter, error) {
	out, err := e.command(context.Background(), "postgres", "--describe-config").Output()
	if err != nil {
		return nil, fmt.Errorf("asking PostgreSQL %s for its settings: %w", e.version, err)
	}
	parameters := map[string]Parameter{}
	for line := range strings.Lines(string(out)) {
		p, ok := parseParameter(line)
		if ok && !slices.Contains(decided, p.Name) {
			parameters[p.Name] = p
		}
	}
	return parameters, nil
}

// parseParameter reads a line of name, context, group, type, default, least, most, short and long description. ok is false for a setting
// that nobody can change.
func parseParameter(line string) (p Parameter, ok bool) {
	fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
	if len(fields) < 8 || fields[0] == "" || fields[1] == "internal" {
		return Parameter{}, false
	}
	return Parameter{
		Name:        fields[0],
		Kind:        strings.ToLower(fields[3]),
		Static:      fields[1] == "postmaster",
		Min:         fields[5],
		Max:         fields[6],
		Description: fields[7],
	}, true
}
