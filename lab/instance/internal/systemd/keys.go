package systemd

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// set assigns one option of a unit file. An empty value resets a list (systemd.syntax(7)).
func (u *Unit) set(section, key, value string) error {
	switch section {
	case "Unit":
		return u.setUnit(key, value)
	case "Install":
		return u.setInstall(key, value)
	case "Service":
		if done, err := u.setCommand(key, value); done {
			return err
		}
		if done, err := u.setList(key, value); done {
			return err
		}
		return u.setService(key, value)
	}
	if !strings.HasPrefix(section, "X-") {
		u.Unknown = append(u.Unknown, "["+section+"] "+key)
	}
	return nil
}

func (u *Unit) setUnit(key, value string) (err error) {
	switch key {
	case "Description":
		u.Description = value
	case "After":
		u.After = extend(u.After, value)
	case "Requires", "BindsTo":
		u.Requires = extend(u.Requires, value)
	case "Wants":
		u.Wants = extend(u.Wants, value)
	case "ConditionPathExists":
		u.Conditions = extend(u.Conditions, value)
	case "StartLimitBurst":
		u.StartLimit, err = strconv.Atoi(value)
	case "StartLimitIntervalSec", "StartLimitInterval":
		u.StartInterval, err = span(value)
	case "Documentation", "Before", "Conflicts", "PartOf", "DefaultDependencies", "SourcePath":
		// nothing that the lab's machines do depends on them
	default:
		u.Unknown = append(u.Unknown, key)
	}
	return err
}

func (u *Unit) setInstall(key, value string) error {
	switch key {
	case "WantedBy", "RequiredBy":
		u.WantedBy = extend(u.WantedBy, value)
	default:
		u.Unknown = append(u.Unknown, key)
	}
	return nil
}

// setCommand sets a key that holds command lines.
func (u *Unit) setCommand(key, value string) (bool, error) {
	lists := map[string]*[]Command{"ExecStartPre": &u.StartPre, "ExecStart": &u.Start, "ExecStartPost": &u.StartPost, "ExecStop": &u.Stop,
		"ExecStopPost": &u.StopPost, "ExecReload": &u.ReloadCommands}
	list, ok := lists[key]
	if !ok {
		return false, nil
	}
	if value == "" {
		*list = nil
		return true, nil
	}
	command, err := ParseCommand(value)
	*list = append(*list, command)
	return true, err
}

// setList sets a key that holds words.
func (u *Unit) setList(key, value string) (bool, error) {
	lists := map[string]*[]string{"EnvironmentFile": &u.EnvironmentFiles, "RuntimeDirectory": &u.RuntimeDirectory, "StateDirectory": &u.StateDirectory,
		"LogsDirectory": &u.LogsDirectory, "CacheDirectory": &u.CacheDirectory, "ConfigurationDirectory": &u.ConfigDirectory, "AmbientCapabilities": &u.Ambient}
	if list, ok := lists[key]; ok {
		*list = extend(*list, value)
		return true, nil
	}
	if key != "Environment" {
		return false, nil
	}
	if value == "" {
		u.Environment = nil
		return true, nil
	}
	words, err := split(value)
	for _, w := range words {
		if !strings.Contains(w, "=") {
			return true, fmt.Errorf("%q is no assignment", w)
		}
	}
	u.Environment = append(u.Environment, words...)
	return true, err
}

func (u *Unit) setService(key, value string) (err error) {
	switch key {
	case "Type":
		u.Type = value
	case "User":
		u.User = value
	case "Group":
		u.Group = value
	case "DynamicUser":
		u.DynamicUser, err = boolean(value)
	case "WorkingDirectory":
		u.WorkingDirectory = value
	case "UMask":
		var mask uint64
		mask, err = strconv.ParseUint(value, 8, 12)
		u.Umask = int(mask)
	case "RemainAfterExit":
		u.RemainAfterExit, err = boolean(value)
	case "Restart":
		u.Restart = value
		if !slices.Contains([]string{"no", "always", "on-success", "on-failure", "on-abnormal", "on-abort"}, value) {
			err = fmt.Errorf("use no, always, on-success, on-failure, on-abnormal or on-abort")
		}
	case "RestartSec":
		u.RestartDelay, err = span(value)
	case "StartLimitBurst":
		u.StartLimit, err = strconv.Atoi(value)
	case "StartLimitInterval", "StartLimitIntervalSec":
		u.StartInterval, err = span(value)
	case "KillSignal":
		u.KillSignal, err = Signal(value)
	case "TimeoutStartSec":
		u.StartTimeout, err = span(value)
	case "TimeoutStopSec":
		u.StopTimeout, err = span(value)
	case "TimeoutSec":
		u.StartTimeout, err = span(value)
		u.StopTimeout = u.StartTimeout
	case "NoNewPrivileges":
		u.NoNewPrivileges, err = boolean(value)
	case "StandardOutput":
		u.Stdout, err = stream(value)
	case "StandardError":
		u.Stderr, err = stream(value)
	case "SyslogIdentifier":
		u.Identifier = value
	case "SuccessExitStatus":
		u.SuccessStatus, err = statuses(value)
	default:
		return u.setOther(key, value)
	}
	return err
}

// setOther takes limits, and sorts the rest into what is known and not honoured and what is unknown.
func (u *Unit) setOther(key, value string) error {
	if name, ok := strings.CutPrefix(key, "Limit"); ok {
		if _, known := resources[name]; known {
			limit, err := parseLimit(value)
			u.Limits[name] = limit
			return err
		}
	}
	for _, prefix := range ignored {
		if strings.HasPrefix(key, prefix) {
			u.Ignored = append(u.Ignored, key)
			return nil
		}
	}
	u.Unknown = append(u.Unknown, key)
	return nil
}

// ignored are the beginnings of keys that need mounts, control groups or filters of their own, which a machine of the lab does not have.
var ignored = [...]string{"Protect", "Private", "Restrict", "ReadOnlyPaths", "ReadWritePaths", "InaccessiblePaths", "Lock", "Memory", "CPU", "Tasks", "IO",
	"SystemCall", "CapabilityBoundingSet", "Remove", "Proc", "Device", "Nice", "OOM", "Keyring", "Secure", "Bind", "TemporaryFileSystem", "KillMode",
	"SendSIG", "Delegate", "Slice", "NotifyAccess", "Watchdog", "LimitRTTIME", "StandardInput", "LogRateLimit", "SyslogFacility", "SyslogLevel",
	"RuntimeDirectoryMode", "StateDirectoryMode", "LogsDirectoryMode", "CacheDirectoryMode", "ConfigurationDirectoryMode", "RuntimeDirectoryPreserve", "GuessMainPID", "IPAddress", "IPAccounting", "UnsetEnvironment", "PassEnvironment", "SupplementaryGroups", "SecureBits", "PIDFile"}

// resources are the limits of setrlimit(2) by the name that follows Limit.
var resources = map[string]int{"NOFILE": unix.RLIMIT_NOFILE, "NPROC": unix.RLIMIT_NPROC, "CORE": unix.RLIMIT_CORE, "AS": unix.RLIMIT_AS, "DATA": unix.RLIMIT_DATA,
	"FSIZE": unix.RLIMIT_FSIZE, "MEMLOCK": unix.RLIMIT_MEMLOCK, "STACK": unix.RLIMIT_STACK, "CPU": unix.RLIMIT_CPU}

func parseLimit(value string) (Limit, error) {
	soft, hard, two := strings.Cut(value, ":")
	if !two {
		hard = soft
	}
	var limit Limit
	var err error
	if limit.Soft, err = size(soft); err != nil {
		return Limit{}, err
	}
	limit.Hard, err = size(hard)
	return limit, err
}

// size reads a number with an optional binary suffix, or "infinity".
func size(text string) (uint64, error) {
	if text == "infinity" {
		return unix.RLIM_INFINITY, nil
	}
	shift := map[byte]uint{'K': 10, 'M': 20, 'G': 30, 'T': 40}
	if text != "" && shift[text[len(text)-1]] != 0 {
		n, err := strconv.ParseUint(text[:len(text)-1], 10, 24)
		return n << shift[text[len(text)-1]], err
	}
	return strconv.ParseUint(text, 10, 64)
}

// extend appends the words of a value to a list; an empty value empties it.
func extend(list []string, value string) []string {
	if value == "" {
		return nil
	}
	return append(list, strings.Fields(value)...)
}

func boolean(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "1", "yes", "true", "on", "y", "t":
		return true, nil
	case "0", "no", "false", "off", "n", "f":
		return false, nil
	}
	return false, fmt.Errorf("is neither yes nor no")
}

// span reads a time span of systemd.time(7): "5", "1min 30s", "500ms"; "infinity" is 0.
func span(value string) (time.Duration, error) {
	if value == "infinity" {
		return 0, nil
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds >= 0 && seconds < 1e9 {
		return time.Duration(seconds * float64(time.Second)), nil
	}
	text := strings.NewReplacer("min", "m", "sec", "s", "hours", "h", "hr", "h", " ", "").Replace(value)
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("is no time span such as 30, 500ms or 1min 30s")
	}
	return d, nil
}

// Signal reads a signal's name, with or without SIG, or its number.
func Signal(value string) (syscall.Signal, error) {
	if n, err := strconv.Atoi(value); err == nil && n > 0 && n < 65 {
		return syscall.Signal(n), nil
	}
	if s := unix.SignalNum("SIG" + strings.TrimPrefix(value, "SIG")); s != 0 {
		return s, nil
	}
	return 0, fmt.Errorf("%q is no signal", value)
}

func stream(value string) (string, error) {
	kind, path, _ := strings.Cut(value, ":")
	switch kind {
	case "journal", "null", "inherit":
		return kind, nil
	case "syslog", "kmsg", "journal+console":
		return "journal", nil
	case "append", "file", "truncate":
		if strings.HasPrefix(path, "/") {
			return value, nil
		}
		return "", fmt.Errorf("the path must be absolute")
	}
	return "", fmt.Errorf("the lab supports journal, null, inherit, append:PATH, file:PATH and truncate:PATH")
}

func statuses(value string) ([]int, error) {
	var list []int
	for _, word := range strings.Fields(value) {
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("%q is no exit status", word)
		}
		list = append(list, n)
	}
	return list, nil
}

// readEnvironment returns the assignments of the environment files, in order.
func readEnvironment(files []string) ([]string, error) {
	var env []string
	for _, f := range files {
		path, optional := strings.CutPrefix(f, "-")
		data, err := os.ReadFile(path)
		if err != nil {
			if optional {
				continue
			}
			return nil, fmt.Errorf("Failed to load environment files: %w", err)
		}
		env = append(env, ParseEnvironment(string(data))...)
	}
	return env, nil
}
