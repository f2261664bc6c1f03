package elasticsearch

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"unicode"

	api "storefront/lab/api/opensearch"
	"storefront/lab/wire"
)

// iterations of PBKDF2 for the verifier of a password: what keeps it from being guessed by who reads the lab's state.
const iterations = 100_000

// master is the master user: an ARN of IAM, or a name with the verifier of a password. The password itself is kept nowhere.
type master struct {
	ARN            string
	Name           string
	Salt, Verifier []byte
}

// setMaster sets the master user of a domain with fine-grained access control.
func (d *domain) setMaster(given *api.AdvancedSecurityOptionsInput, before api.AdvancedSecurityOptions) error {
	if !wire.Value(d.Security.Enabled) {
		if given != nil && given.MasterUserOptions != nil {
			return invalid("You must enable advanced security to specify a master user.")
		}
		return nil
	}
	internal := wire.Value(d.Security.InternalUserDatabaseEnabled)
	switched := internal != wire.Value(before.InternalUserDatabaseEnabled) || !wire.Value(before.Enabled)
	if given == nil || given.MasterUserOptions == nil {
		if switched && internal {
			return invalid("You must provide a master username and password when the internal user database is enabled.")
		}
		if switched {
			return invalid("You must provide a master user ARN when the internal user database is disabled.")
		}
		return nil
	}
	user := given.MasterUserOptions
	name, password := wire.Value(user.MasterUserName), wire.Value(user.MasterUserPassword)
	if internal {
		if user.MasterUserARN != nil || name == "" || password == "" {
			return invalid("You must provide a master username and password when the internal user database is enabled.")
		}
		if !strong(password) {
			return invalid("Master user password must be at least 8 characters long and contain at least one uppercase letter, one lowercase letter, one number, and one special character.")
		}
		return d.Master.set(name, password)
	}
	if user.MasterUserARN == nil || name != "" || password != "" {
		return invalid("You must provide a master user ARN when the internal user database is disabled.")
	}
	if arn := *user.MasterUserARN; !strings.HasPrefix(arn, "arn:aws:iam::") {
		return invalid("The master user ARN %s is not that of an IAM user or role.", arn)
	}
	d.Master = master{ARN: *user.MasterUserARN}
	return nil
}

func strong(password string) bool {
	var upper, lower, digit, special bool
	for _, r := range password {
		upper, lower, digit = upper || unicode.IsUpper(r), lower || unicode.IsLower(r), digit || unicode.IsDigit(r)
		special = special || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}
	return len(password) >= 8 && upper && lower && digit && special
}

func (m *master) set(name, password string) (err error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	*m = master{Name: name, Salt: salt}
	m.Verifier, err = verifier(password, salt)
	return err
}

func verifier(password string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
}

// accepts tells whether a name and password are the master user's.
func (m master) accepts(name, password string) bool {
	if m.Name == "" {
		return false
	}
	got, err := verifier(password, m.Salt)
	return err == nil && subtle.ConstantTimeCompare(got, m.Verifier) == 1 && subtle.ConstantTimeCompare([]byte(name), []byte(m.Name)) == 1
}
