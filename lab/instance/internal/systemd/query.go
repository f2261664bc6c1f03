package systemd

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"storefront/lab/instance/internal/control"
)

// query answers the verbs of systemctl that only look; their exit statuses are those of systemctl(1).
func (m *Manager) query(request control.Request, s *service) (string, int, error) {
	u, err := Load(s.name)
	missing := errors.Is(err, ErrNotFound)
	if u == nil {
		u = &Unit{Name: s.name}
	}
	state := s.snapshot()
	exit := map[bool]int{true: 0, false: 3}
	switch request.Verb {
	case "is-active":
		return state.Active + "\n", exit[state.Active == "active"], nil
	case "is-failed":
		return state.Active + "\n", map[bool]int{true: 0, false: 1}[state.Active == "failed"], nil
	case "is-enabled":
		if missing {
			return "", 1, fmt.Errorf("Failed to get unit file state for %s: No such file or directory", s.name)
		}
		return u.fileState() + "\n", map[bool]int{true: 0, false: 1}[u.fileState() != "disabled"], nil
	case "show":
		return show(u, state, missing, request.Args), 0, nil
	}
	if missing {
		return "", 4, fmt.Errorf("Unit %s could not be found.", s.name)
	}
	text, err := status(u, state, err)
	return text, exit[state.Active == "active" || state.Active == "activating"], err
}

// fileState is "enabled", "disabled", or "static" for a unit without [Install].
func (u *Unit) fileState() string {
	if len(u.WantedBy) == 0 {
		return "static"
	}
	for _, link := range u.enabledLinks() {
		if _, err := os.Lstat(link); err == nil {
			return "enabled"
		}
	}
	return "disabled"
}

func status(u *Unit, state State, loadError error) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "● %s\n     Loaded: loaded (%s; %s)\n", u.title(), u.Path, u.fileState())
	if loadError != nil {
		fmt.Fprintf(&b, "             bad-setting: %v\n", loadError)
	}
	fmt.Fprintf(&b, "     Active: %s (%s)", state.Active, state.Sub)
	if state.Result != "success" {
		fmt.Fprintf(&b, " (Result: %s)", state.Result)
	}
	if !state.Since.IsZero() {
		fmt.Fprintf(&b, " since %s", state.Since.UTC().Format("Mon 2006-01-02 15:04:05 MST"))
	}
	b.WriteByte('\n')
	if state.MainPID != 0 {
		fmt.Fprintf(&b, "   Main PID: %d\n", state.MainPID)
	}
	lines, err := Tail(u.Name, 10)
	fmt.Fprintf(&b, "\n%s\n", strings.Join(lines, "\n"))
	return b.String(), err
}

// show prints properties as systemctl show does; no names means all that the lab knows.
func show(u *Unit, state State, missing bool, names []string) string {
	load := "loaded"
	if missing {
		load = "not-found"
	}
	properties := [][2]string{{"Id", u.Name}, {"Description", u.Description}, {"LoadState", load}, {"ActiveState", state.Active}, {"SubState", state.Sub},
		{"Result", state.Result}, {"MainPID", fmt.Sprint(state.MainPID)}, {"NRestarts", fmt.Sprint(state.Restarts)}, {"ExecMainStatus", fmt.Sprint(state.Status)},
		{"FragmentPath", u.Path}, {"UnitFileState", u.fileState()}, {"Type", u.Type}, {"Restart", u.Restart}, {"User", u.User}}
	value := slices.Contains(names, "--value")
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "--value" })
	var b strings.Builder
	for _, p := range properties {
		switch {
		case len(names) > 0 && !slices.Contains(names, p[0]):
		case value:
			fmt.Fprintln(&b, p[1])
		default:
			fmt.Fprintf(&b, "%s=%s\n", p[0], p[1])
		}
	}
	return b.String()
}

// list is what systemctl list-units shows.
func (m *Manager) list() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var lines []string
	for name, s := range m.services {
		if state := s.snapshot(); state.Active != "inactive" {
			lines = append(lines, fmt.Sprintf("  %-30s loaded %-8s %s", name, state.Active, state.Sub))
		}
	}
	slices.Sort(lines)
	return "  UNIT                           LOAD   ACTIVE   SUB\n" + strings.Join(lines, "\n") + "\n"
}
