package main

import "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"

func setAutonames(info *tfbridge.ProviderInfo) { info.SetAutonaming(255, "-") }
