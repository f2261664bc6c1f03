package cloudtrail

import (
	"strings"

	"storefront/lab/wire"
)

// userIdentity tells who called: see "CloudTrail userIdentity element".
type userIdentity struct {
	Type           string          `json:"type"`
	PrincipalID    string          `json:"principalId,omitempty"`
	ARN            string          `json:"arn,omitempty"`
	AccountID      string          `json:"accountId,omitempty"`
	AccessKeyID    string          `json:"accessKeyId,omitempty"`
	UserName       string          `json:"userName,omitempty"`
	SessionContext *sessionContext `json:"sessionContext,omitempty"`
	InvokedBy      string          `json:"invokedBy,omitempty"`
}

type sessionContext struct {
	SessionIssuer sessionIssuer     `json:"sessionIssuer"`
	Attributes    map[string]string `json:"attributes"`
}

type sessionIssuer struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
	ARN         string `json:"arn"`
	AccountID   string `json:"accountId"`
	UserName    string `json:"userName"`
}

// identify describes a caller. roleARN finds the ARN of a role by its name: that of a session lacks the role's path.
func identify(id wire.Identity, roleARN func(name string) string) userIdentity {
	u := userIdentity{PrincipalID: id.UserID, ARN: id.ARN, AccountID: id.Account, AccessKeyID: id.AccessKeyID}
	kind, path, _ := strings.Cut(id.ARN[strings.LastIndexByte(id.ARN, ':')+1:], "/")
	switch {
	case id.Service != "":
		return userIdentity{Type: "AWSService", InvokedBy: id.Service}
	case id == wire.Identity{}:
		return userIdentity{Type: "AWSAccount", AccountID: "ANONYMOUS_PRINCIPAL"}
	case kind == "root":
		u.Type = "Root"
	case kind == "assumed-role":
		name, _, _ := strings.Cut(path, "/")
		issuer, _, _ := strings.Cut(id.UserID, ":")
		u.Type = "AssumedRole"
		u.SessionContext = &sessionContext{
			SessionIssuer: sessionIssuer{Type: "Role", PrincipalID: issuer, ARN: roleARN(name), AccountID: id.Account, UserName: name},
			Attributes:    map[string]string{"mfaAuthenticated": "false"},
		}
	case kind == "federated-user":
		u.Type = "FederatedUser"
	default:
		u.Type, u.UserName = "IAMUser", path[strings.LastIndexByte(path, '/')+1:]
	}
	return u
}

// lookupName is what the attribute Username of LookupEvents compares: the user, the session, or the account's root.
func (u userIdentity) lookupName() string {
	switch {
	case u.UserName != "":
		return u.UserName
	case u.Type == "Root":
		return "root"
	}
	return u.ARN[strings.LastIndexByte(u.ARN, '/')+1:]
}
