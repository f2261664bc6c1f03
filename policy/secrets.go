package policy

import "strings"

func secretsRotate(s *Stack, f *findings) {
	for _, v := range s.all(secret) {
		f.want(v, v.ownKey("kmsKeyId"), "is encrypted with a key of AWS's: set kmsKeyId")
		f.want(v, len(s.about(v, secretRotation, "secretId")) > 0, "is never renewed: add a rotation")
		f.want(v, s.read(v), "is read by nothing: grant it to what needs it, or delete it")
	}
	for _, c := range s.all(cluster) { // RDS renews the passwords that it manages by itself, every week
		f.want(c, c.on("manageMasterUserPassword"), "its password is the program's to keep: set manageMasterUserPassword", "manageMasterUserPassword")
		f.want(c, c.ownKey("masterUserSecretKmsKeyId"), "its password is encrypted with a key of AWS's: set masterUserSecretKmsKeyId")
	}
}

// read says that a policy of some identity comes from the secret or its versions.
func (s *Stack) read(v *Resource) bool {
	sources := append(s.about(v, secretVersion, "secretId"), v)
	for _, p := range s.identityPolicies() {
		for _, source := range sources {
			arn := text(source.Outputs.Get("arn"))
			if refers(p, "policy", source) || arn != "" && strings.Contains(p.text("policy"), arn) {
				return true
			}
		}
	}
	return false
}
