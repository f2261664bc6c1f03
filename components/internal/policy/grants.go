package policy

import "strings"

// ReadSecret lets a role read one secret, and use the key for that only.
func ReadSecret(secretARN, keyARN string) Document {
	return Document{
		{Action: Strings{"secretsmanager:GetSecretValue"}, Resource: Strings{secretARN}},
		UseKey(keyARN, "secretsmanager", secretARN, "kms:Decrypt"),
	}
}

// UseKey lets a role use a key through one service, in the region of the ARN given.
func UseKey(keyARN, service, arn string, actions ...string) Statement {
	via := service + "." + strings.Split(arn, ":")[3] + ".amazonaws.com"
	return Statement{
		Action: actions, Resource: Strings{keyARN},
		Condition: Conditions{"StringEquals": {"kms:ViaService": {via}}},
	}
}
