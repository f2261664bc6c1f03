package main

func search() resources {
	return resources{
		"aws_elasticsearch_domain": with(fields{
			"domain_name": lower("domainName", 28), "access_policies": document(),
		}),
		"aws_elasticsearch_domain_policy": with(fields{"access_policies": document()}),
		"aws_opensearch_domain":           with(fields{"domain_name": named("domainName", 28)}),
	}
}
