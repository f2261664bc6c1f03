package authorization

import (
	"errors"
	"fmt"
	"net/http"

	"storefront/lab/access"
	"storefront/lab/wire"
)

// refusal is the error of a denied call, in the words of "Troubleshoot access denied error messages" and under the code of its service.
func refusal(service string, r *access.Request, d access.Decision) error {
	who := "User: " + r.Principal.ARN
	switch {
	case r.Principal.Service != "":
		who = r.Principal.Service
	case r.Principal.Anonymous():
		who = "User: anonymous"
	}
	message := fmt.Sprintf("%s is not authorized to perform: %s on resource: %s %s", who, r.Action, r.Resource, Reason(r.Action, d))
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

// Reason tells in AWS's words why a decision denies an action.
func Reason(action string, d access.Decision) string {
	switch {
	case d.Explicit:
		return "with an explicit deny in " + article(d.Kind)
	case d.Kind == "permissions boundary":
		return fmt.Sprintf("because no permissions boundary allows the %s action", action)
	}
	return fmt.Sprintf("because no %s policy allows the %s action", d.Kind, action)
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

// keyRefusal gives the refusal of a key that a service uses for its caller the code that the service has for it.
func keyRefusal(service string, err error) error {
	e, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return err
	}
	switch service {
	case "sqs":
		return wire.Errorf(http.StatusBadRequest, "KmsAccessDenied", "%s", e.Message)
	case "sns":
		return wire.Errorf(http.StatusBadRequest, "KMSAccessDenied", "%s", e.Message)
	case "secretsmanager":
		return wire.Errorf(http.StatusBadRequest, "AccessDeniedException", "Access to KMS is not allowed. %s", e.Message)
	}
	return e
}
