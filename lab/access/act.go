package access

import "errors"

// ErrRole says that a service cannot assume the role that it should act in.
var ErrRole = errors.New("the role cannot be assumed")

// Act is what an AWS service does on its own, not because somebody calls it: as itself, or in a role that it assumes.
type Act struct {
	Service  string              // its principal: "s3.amazonaws.com"
	Role     string              // ARN of the role that it assumes; "" is as itself
	Session  string              // the name of the role's session
	Source   string              // ARN of the resource on whose behalf it acts
	Action   string              // "" asks for the role alone
	Resource string              // ARN; of a KMS key any of the forms that KMS knows
	Context  map[string][]string // condition keys of the action, in lower case

	// What goes with an action of KMS in a role: the service that uses the key for the role ("rds"), and the encryption context.
	Via        string
	Encryption map[string]string
}
