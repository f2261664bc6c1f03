package policy

import (
	"strings"

	"storefront/internal/inventory"
)

func secretsRotate(s *inventory.Stack, f *findings) {
	for _, v := range s.All(secret) {
		f.want(v, v.OwnKey("kmsKeyId"), "is encrypted with a key of AWS's: set kmsKeyId")
		f.want(v, len(s.About(v, secretRotation, "secretId")) > 0, "is never renewed: add a rotation")
		f.want(v, isRead(s, v), "is read by nothing: grant it to what needs it, or delete it")
	}
	for _, c := range s.All(cluster) { // RDS renews the passwords that it manages by itself, every week
		f.want(c, c.On("manageMasterUserPassword"), "its password is the program's to keep: set manageMasterUserPassword", "manageMasterUserPassword")
		f.want(c, c.OwnKey("masterUserSecretKmsKeyId"), "its password is encrypted with a key of AWS's: set masterUserSecretKmsKeyId")
	}
}

// isRead says that a policy of some identity comes from the secret or its versions.
func isRead(s *inventory.Stack, v *inventory.Resource) bool {
	sources := append(s.About(v, secretVersion, "secretId"), v)
	for _, p := range identityPolicies(s) {
		for _, source := range sources {
			arn := inventory.Text(source.Outputs.Get("arn"))
			if inventory.Refers(p, "policy", source) || arn != "" && strings.Contains(p.Text("policy"), arn) {
				return true
			}
		}
	}
	return false
}
