package main

func iam() resources {
	policy := fields{"policy": document()}
	return resources{
		"aws_iam_account_alias":           replacedFirst(nil),
		"aws_iam_group_policy":            with(policy),
		"aws_iam_group_policy_attachment": replacedFirst(nil),
		"aws_iam_policy":                  with(policy),
		"aws_iam_policy_attachment":       replacedFirst(nil),
		"aws_iam_role":                    with(fields{"name": named("name", 64), "assume_role_policy": document()}),
		"aws_iam_role_policy":             with(policy),
		"aws_iam_role_policy_attachment":  replacedFirst(nil),
		"aws_iam_user_policy":             with(policy),
		"aws_iam_user_policy_attachment":  replacedFirst(nil),
		"aws_kms_alias":                   with(fields{"name": aliasNamed()}),
	}
}
