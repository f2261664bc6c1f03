package main

// AWS says ingress and egress where the bridge would say ingresses and egresses.
func rules() fields {
	return fields{"ingress": renamed("ingress"), "egress": renamed("egress")}
}

func ec2() resources {
	return resources{
		"aws_default_network_acl":                with(rules()),
		"aws_default_security_group":             with(rules()),
		"aws_ec2_transit_gateway_vpc_attachment": replacedFirst(nil),
		"aws_key_pair":                           with(fields{"key_name": named("keyName", 255)}),
		"aws_network_acl":                        with(rules()),
		"aws_security_group":                     with(and(rules(), "description", described())),
		"aws_security_group_rule":                replacedFirst(nil),
	}
}
