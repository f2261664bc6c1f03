package main

import "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

// objectFields take an object's content as an asset, and its key from the resource's name.
func objectFields() fields {
	return fields{
		"key":    logicalName(),
		"source": {Asset: &tfbridge.AssetTranslation{Kind: tfbridge.FileAsset}},
	}
}

func s3() resources {
	return resources{
		// BucketV2's lists of one were lists before upstream limited them.
		"aws_s3_bucket": with(fields{
			"bucket":  lower("bucket", 63),
			"logging": many(),
			"lifecycle_rule": within(fields{
				"expiration": many(), "noncurrent_version_expiration": many(),
			}),
			"object_lock_configuration": within(fields{
				"rule": manyOf(fields{"default_retention": many()}),
			}),
			"replication_configuration": manyOf(fields{"rules": within(fields{
				"destination": manyOf(fields{
					"access_control_translation": many(), "metrics": many(), "replication_time": many(),
				}),
				"filter":                    many(),
				"source_selection_criteria": manyOf(fields{"sse_kms_encrypted_objects": many()}),
			})}),
			"server_side_encryption_configuration": manyOf(fields{"rule": manyOf(fields{
				"apply_server_side_encryption_by_default": many(),
			})}),
			"versioning": many(),
			"website":    many(),
		}),
		"aws_s3_bucket_object": with(objectFields()),
		"aws_s3_bucket_policy": with(fields{"policy": document()}),
		"aws_s3_bucket_website_configuration": with(fields{
			"routing_rule": renamed("routingRules"), "routing_rules": renamed("routingRuleDetails"),
		}),
		"aws_s3_object": with(objectFields()),
	}
}
