package policy

import (
	"encoding/base64"
	"regexp"
	"slices"

	"storefront/internal/inventory"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func balancerHealthChecks(s *inventory.Stack, f *findings) {
	for _, g := range s.All(fleet) {
		if g.Given("targetGroupArns") {
			f.want(g, g.Text("healthCheckType") == "ELB", "keeps servers that the load balancer gave up: set healthCheckType to ELB", "healthCheckType")
		}
	}
}

func spreadFleet(s *inventory.Stack, f *findings) {
	for _, g := range s.All(fleet) {
		f.want(g, s.Zones(g, "vpcZoneIdentifiers") >= 2, "is not known to be in two zones: give it subnets of several", "vpcZoneIdentifiers")
		types := len(g.List("mixedInstancesPolicy.launchTemplate.overrides"))
		f.want(g, types >= 2, "has one instance type, which may run out: list several", "mixedInstancesPolicy")
	}
}

func metadataTokens(s *inventory.Stack, f *findings) {
	for _, t := range s.All(launchTemplate, launchConfiguration) {
		f.want(t, t.Text("metadataOptions.httpTokens") == "required", "hands out credentials without a session token: set metadataOptions.httpTokens to required",
			"metadataOptions")
		hops, known := t.Number("metadataOptions.httpPutResponseHopLimit")
		f.want(t, known && hops == 1, "lets metadata travel on: set metadataOptions.httpPutResponseHopLimit to 1", "metadataOptions")
	}
}

func noPublicServers(s *inventory.Stack, f *findings) {
	for _, t := range s.All(launchTemplate) {
		interfaces := t.List("networkInterfaces")
		private := func(v property.Value) bool {
			open := inventory.At(v, "associatePublicIpAddress")
			return open.IsBool() && !open.AsBool() || inventory.Text(open) == "false"
		}
		open := slices.ContainsFunc(interfaces, func(v property.Value) bool { return !private(v) })
		f.want(t, len(interfaces) > 0 && !open, "does not refuse public addresses: set associatePublicIpAddress to false", "networkInterfaces")
	}
	for _, c := range s.All(launchConfiguration) {
		f.want(c, c.Off("associatePublicIpAddress"), "does not refuse public addresses: set associatePublicIpAddress to false")
	}
}

func launchTemplates(s *inventory.Stack, f *findings) {
	for _, g := range s.All(fleet) {
		template := g.Given("launchTemplate") || g.Given("mixedInstancesPolicy")
		f.want(g, template && !g.Given("launchConfiguration"), "starts servers from a launch configuration: use a launch template")
	}
}

func encryptedVolumes(s *inventory.Stack, f *findings) {
	for _, t := range s.All(launchTemplate) {
		devices := t.List("blockDeviceMappings")
		open := slices.ContainsFunc(devices, func(v property.Value) bool { return !inventory.True(inventory.At(v, "ebs.encrypted")) })
		f.want(t, len(devices) > 0 && !open, "has volumes that are not said to be encrypted: set ebs.encrypted", "blockDeviceMappings")
	}
	for _, v := range s.All(volume) {
		f.on(v, "encrypted", "is not encrypted: set encrypted")
	}
	if !f.applies {
		return
	}
	defaults := s.All(volumeDefault)
	f.inAccount(slices.ContainsFunc(defaults, func(r *inventory.Resource) bool { return !r.Off("enabled") }),
		"new volumes are not encrypted by default: turn EBS encryption by default on")
}

// inTheOpen are the forms of secrets: keys of AWS, private keys, and passwords or tokens with a literal value.
var inTheOpen = regexp.MustCompile(`AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|(?i:aws_secret_access_key|passw(?:or)?d|_token|_secret)["']?\s*[=:]\s*["']?[^\s"'$]`)

func noSecretsInUserData(s *inventory.Stack, f *findings) {
	for _, t := range s.All(launchTemplate, launchConfiguration) {
		v := t.Value("userData")
		if v.IsNull() {
			continue
		}
		script := []byte(inventory.Text(v))
		if decoded, err := base64.StdEncoding.DecodeString(inventory.Text(v)); err == nil {
			script = decoded
		}
		f.want(t, !v.Secret() && !v.IsComputed() && !inTheOpen.Match(script), "user data holds a secret, or is not known to hold none: pass the ARN of a secret",
			"userData")
	}
}

func instanceRoles(s *inventory.Stack, f *findings) {
	for _, t := range s.All(launchTemplate) {
		f.want(t, t.Given("iamInstanceProfile.arn") || t.Given("iamInstanceProfile.name"), "has no role, so programs need keys: set iamInstanceProfile")
		for _, p := range s.All(instanceProfile) {
			if inventory.Refers(t, "iamInstanceProfile", p) {
				f.want(p, usedRole(s, p), "its role may do nothing: grant what the servers need, or drop it")
			}
		}
	}
}

// usedRole says that the role of an instance profile has policies.
func usedRole(s *inventory.Stack, profile *inventory.Resource) bool {
	for _, r := range s.All(role) {
		if inventory.Refers(profile, "role", r) {
			return len(s.About(r, rolePolicy, "role"))+len(s.About(r, roleAttachment, "role")) > 0
		}
	}
	return profile.Given("role") // a role from elsewhere
}
