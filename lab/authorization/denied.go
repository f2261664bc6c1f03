package authorization

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"storefront/lab/access"
	"storefront/lab/wire"
)

// Denial counts the denied calls of one kind.
type Denial struct {
	Principal, Action, Resource string
	Count                       int
}

// maxDenials bounds the kinds that are counted, so that a caller who tries everything takes no memory.
const maxDenials = 1000

type denials struct {
	mu     sync.Mutex
	counts map[Denial]int
}

func newDenials() *denials { return &denials{counts: map[Denial]int{}} }

func (d *denials) add(principal, action, resource string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := Denial{Principal: principal, Action: action, Resource: resource}
	if _, known := d.counts[key]; known || len(d.counts) < maxDenials {
		d.counts[key]++
	}
}

// Denied returns the calls that were denied since the lab started, most denied first.
func (a *Authorizer) Denied() []Denial {
	a.denied.mu.Lock()
	defer a.denied.mu.Unlock()
	var list []Denial
	for key, n := range a.denied.counts {
		key.Count = n
		list = append(list, key)
	}
	slices.SortFunc(list, func(x, y Denial) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Principal, y.Principal), cmp.Compare(x.Action, y.Action), cmp.Compare(x.Resource, y.Resource))
	})
	return list
}

// refusal is the error of a denied call, in the words of "Troubleshoot access denied error messages" and under the code of its service.
func refusal(service string, r *access.Request, d access.Decision) error {
	who := "User: " + r.Principal.ARN
	if r.Principal.Anonymous() {
		who = "User: anonymous"
	}
	why := fmt.Sprintf("because no %s policy allows the %s action", d.Kind, r.Action)
	if d.Kind == "permissions boundary" {
		why = fmt.Sprintf("because no permissions boundary allows the %s action", r.Action)
	}
	if d.Explicit {
		why = fmt.Sprintf("with an explicit deny in %s", article(d.Kind))
	}
	message := fmt.Sprintf("%s is not authorized to perform: %s on resource: %s %s", who, r.Action, r.Resource, why)
	code := "AccessDenied"
	switch service {
	case "ec2":
		code, message = "UnauthorizedOperation", "You are not authorized to perform this operation. "+message
	case "sns":
		code = "AuthorizationError"
	case "kms", "secretsmanager", "ssm", "logs", "es", "cloudtrail", "backup", "fms", "wafv2", "application-autoscaling":
		code = "AccessDeniedException"
	}
	return wire.Errorf(http.StatusForbidden, code, "%s", message)
}

func article(kind string) string {
	if kind == "identity-based" {
		return "an " + kind + " policy"
	}
	if kind == "permissions boundary" {
		return "a permissions boundary"
	}
	return "a " + kind + " policy"
}
