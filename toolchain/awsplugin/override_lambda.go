package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
)

// code takes an archive of the program and writes it to the file that Terraform wants.
func code() *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Name: "code", Asset: &tfbridge.AssetTranslation{
		Kind: tfbridge.FileArchive, Format: archive.ZIPArchive, HashField: "source_code_hash",
	}}
}

func lambda() resources {
	return resources{
		"aws_lambda_function": with(fields{
			"architectures": many(), "filename": code(), "function_name": named("name", 64),
		}),
		"aws_lambda_layer_version": with(fields{"filename": code()}),
		"aws_lambda_permission": with(fields{
			"function_name": renamed("function"), "statement_id": named("statementId", 100),
		}),
	}
}
