package main

func dynamoDB() resources {
	return resources{"aws_dynamodb_table": with(fields{
		"global_secondary_index": renamed("globalSecondaryIndexes"),
		"local_secondary_index":  renamed("localSecondaryIndexes"),
	})}
}
