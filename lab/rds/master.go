package rds

import (
	"crypto/rand"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	api "storefront/lab/api/rds"
	"storefront/lab/postgres"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// master is a cluster's master user. Of the password only what a server keeps is here.
type master struct {
	User     string
	Verifier string // of postgres.Verifier
	Applied  bool   // the servers have it
	Secret   string // ARN of the secret that RDS manages; "" when the user does
	Key      string // ARN of that secret's KMS key
}

// managedLength is the length of the passwords that RDS makes.
const managedLength = 28

var passwordPattern = regexp.MustCompile(`^[!#-.0-?A-~]+$`) // printable ASCII but for space, double quote, slash and at sign

func (m master) show() *api.MasterUserSecret {
	if m.Secret == "" {
		return nil
	}
	return &api.MasterUserSecret{SecretArn: &m.Secret, KmsKeyId: &m.Key, SecretStatus: new("active")}
}

// newMaster makes the master user of a new cluster, with the given password or one that RDS manages in a secret.
func (s *Service) newMaster(tx *state.Tx, c cluster, in *api.CreateDBClusterInput) (m master, err error) {
	m.User = wire.Value(in.MasterUsername)
	switch {
	case m.User == "":
		return m, invalidCombination("The parameter MasterUsername must be provided and must not be blank.")
	case !userPattern.MatchString(m.User):
		return m, invalidValue("The parameter MasterUsername is not a valid identifier. Identifiers must begin with a letter and contain only alphanumeric characters and underscores.")
	case slices.Contains([]string{"admin", "rdsadmin", "rds_superuser", "rds_replication", "rds_password", "rds_iam", "public", "none", "user"}, strings.ToLower(m.User)), strings.HasPrefix(m.User, "pg_"):
		return m, invalidValue("MasterUsername %s cannot be used as it is a reserved word used by the engine", m.User)
	case wire.Value(in.ManageMasterUserPassword):
		if in.MasterUserPassword != nil {
			return m, invalidCombination("You can specify either MasterUserPassword or ManageMasterUserPassword, not both.")
		}
		err = s.manage(tx, &m, c.ResourceID, in.MasterUserSecretKmsKeyId)
		return m, err
	case in.MasterUserSecretKmsKeyId != nil:
		return m, invalidCombination("MasterUserSecretKmsKeyId can only be specified with ManageMasterUserPassword.")
	case in.MasterUserPassword == nil:
		return m, invalidCombination("The parameter MasterUserPassword must be provided and must not be blank.")
	}
	err = m.setPassword(*in.MasterUserPassword)
	return m, err
}

// setPassword takes over a password. The reconciler brings it to the servers.
func (m *master) setPassword(password string) (err error) {
	switch {
	case len(password) < 8:
		return invalidValue("The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters.")
	case len(password) > 99:
		return invalidValue("The parameter MasterUserPassword is not a valid password because it is longer than 99 characters.")
	case !passwordPattern.MatchString(password):
		return invalidValue("The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.")
	}
	m.Verifier, err = postgres.Verifier(password)
	m.Applied = false
	return err
}

// manage puts a new password into a new secret of the user's account.
func (s *Service) manage(tx *state.Tx, m *master, resource string, key *string) error {
	var err error
	if m.Key, err = s.useKey(tx, wire.Or(key, "alias/aws/secretsmanager"), resource); err != nil {
		return err
	}
	value, err := m.generate()
	if err != nil {
		return err
	}
	id, err := newUUID()
	if err != nil {
		return err
	}
	m.Secret, err = s.Secrets.CreateOwned(tx, "rds", "rds!cluster-"+id, m.Key, value)
	return err
}

// rotate replaces the managed password.
func (s *Service) rotate(tx *state.Tx, m *master) error {
	value, err := m.generate()
	if err != nil {
		return err
	}
	return s.Secrets.ReplaceOwned(tx, m.Secret, value)
}

// release deletes the managed secret.
func (s *Service) release(tx *state.Tx, m *master) error {
	if m.Secret == "" {
		return nil
	}
	err := s.Secrets.DeleteOwned(tx, m.Secret)
	m.Secret, m.Key = "", ""
	return err
}

// generate sets a random password and returns the value of its secret.
func (m *master) generate() (string, error) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%()*+,-.:;=?[]^_{|}~"
	password := make([]byte, 0, managedLength)
	for len(password) < managedLength {
		b := make([]byte, 1)
		if _, err := rand.Read(b); err != nil {
			return "", err
		}
		if int(b[0]) < 256-256%len(letters) { // else some letters would be more likely
			password = append(password, letters[int(b[0])%len(letters)])
		}
	}
	if err := m.setPassword(string(password)); err != nil {
		return "", err
	}
	value, err := json.Marshal(struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}{m.User, string(password)})
	return string(value), err
}

// useKey makes a data key under a customer's key, as RDS does for what it encrypts, and returns the ARN of the key. The lab does not encrypt its disk:
// the call proves that the key is there and enabled.
func (s *Service) useKey(tx *state.Tx, key, resource string) (string, error) {
	data := make([]byte, 32)
	if _, err := rand.Read(data); err != nil {
		return "", err
	}
	_, arn, err := s.Keys.Seal(tx, key, map[string]string{"aws:rds:dbc-id": resource}, data)
	if err != nil {
		return "", fault("KMSKeyNotAccessibleFault", "The specified KMS key [%s] does not exist, is not enabled or you do not have permissions to access it.", key)
	}
	return arn, nil
}
