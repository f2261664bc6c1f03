package autoscaling

import (
	"strings"
)

// labelledGroup returns "targetgroup/<name>/<id>" of a resource label, or "" when the label is not of that form.
func labelledGroup(label string) string {
	parts := strings.Split(label, "/")
	if len(parts) != 6 || parts[0] != "app" || parts[3] != "targetgroup" || parts[1] == "" || parts[2] == "" || parts[4] == "" || parts[5] == "" {
		return ""
	}
	return strings.Join(parts[3:], "/")
}
