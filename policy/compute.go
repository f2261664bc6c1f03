package policy

import (
	"encoding/base64"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func balancerHealthChecks(s *Stack, f *findings) {
	for _, g := range s.all(fleet) {
		if g.given("targetGroupArns") {
			f.want(g, g.text("healthCheckType") == "ELB", "keeps servers that the load balancer gave up: set healthCheckType to ELB", "healthCheckType")
		}
	}
}

func spreadFleet(s *Stack, f *findings) {
	for _, g := range s.all(fleet) {
		f.want(g, s.zones(g, "vpcZoneIdentifiers") >= 2, "is not known to be in two zones: give it subnets of several", "vpcZoneIdentifiers")
		types := len(g.list("mixedInstancesPolicy.launchTemplate.overrides"))
		f.want(g, types >= 2, "has one instance type, which may run out: list several", "mixedInstancesPolicy")
	}
}

func metadataTokens(s *Stack, f *findings) {
	for _, t := range s.all(launchTemplate, launchConfiguration) {
		f.want(t, t.text("metadataOptions.httpTokens") == "required", "hands out credentials without a session token: set metadataOptions.httpTokens to required",
			"metadataOptions")
		hops, known := t.number("metadataOptions.httpPutResponseHopLimit")
		f.want(t, known && hops == 1, "lets metadata travel on: set metadataOptions.httpPutResponseHopLimit to 1", "metadataOptions")
	}
}

func noPublicServers(s *Stack, f *findings) {
	for _, t := range s.all(launchTemplate) {
		interfaces := t.list("networkInterfaces")
		private := func(v property.Value) bool {
			open := at(v, "associatePublicIpAddress")
			return open.IsBool() && !open.AsBool() || text(open) == "false"
		}
		open := slices.ContainsFunc(interfaces, func(v property.Value) bool { return !private(v) })
		f.want(t, len(interfaces) > 0 && !open, "does not refuse public addresses: set associatePublicIpAddress to false", "networkInterfaces")
	}
	for _, c := range s.all(launchConfiguration) {
		f.want(c, c.off("associatePublicIpAddress"), "does not refuse public addresses: set associatePublicIpAddress to false")
	}
}

func launchTemplates(s *Stack, f *findings) {
	for _, g := range s.all(fleet) {
		template := g.given("launchTemplate") || g.given("mixedInstancesPolicy")
		f.want(g, template && !g.given("launchConfiguration"), "starts servers from a launch configuration: use a launch template")
	}
}

func encryptedVolumes(s *Stack, f *findings) {
	for _, t := range s.all(launchTemplate) {
		devices := t.list("blockDeviceMappings")
		open := slices.ContainsFunc(devices, func(v property.Value) bool { return !isTrue(at(v, "ebs.encrypted")) })
		f.want(t, len(devices) > 0 && !open, "has volumes that are not said to be encrypted: set ebs.encrypted", "blockDeviceMappings")
	}
	for _, v := range s.all(volume) {
		f.on(v, "encrypted", "is not encrypted: set encrypted")
	}
	if !f.applies {
		return
	}
	defaults := s.all(volumeDefault)
	f.inAccount(slices.ContainsFunc(defaults, func(r *Resource) bool { return !r.off("enabled") }),
		"new volumes are not encrypted by default: turn EBS encryption by default on")
}

// inTheOpen are the forms of secrets: keys of AWS, private keys, and passwords or tokens with a literal value.
var inTheOpen = regexp.MustCompile(`AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|(?i:aws_secret_access_key|passw(?:or)?d|_token|_secret)["']?\s*[=:]\s*["']?[^\s"'$]`)

func noSecretsInUserData(s *Stack, f *findings) {
	for _, t := range s.all(launchTemplate, launchConfiguration) {
		v := t.value("userData")
		if v.IsNull() {
			continue
		}
		script := []byte(text(v))
		if decoded, err := base64.StdEncoding.DecodeString(text(v)); err == nil {
			script = decoded
		}
		f.want(t, !v.Secret() && !v.IsComputed() && !inTheOpen.Match(script), "user data holds a secret, or is not known to hold none: pass the ARN of a secret",
			"userData")
	}
}

func instanceRoles(s *Stack, f *findings) {
	for _, t := range s.all(launchTemplate) {
		f.want(t, t.given("iamInstanceProfile.arn") || t.given("iamInstanceProfile.name"), "has no role, so programs need keys: set iamInstanceProfile")
		for _, p := range s.all(instanceProfile) {
			if refers(t, "iamInstanceProfile", p) {
				f.want(p, s.usedRole(p), "its role may do nothing: grant what the servers need, or drop it")
			}
		}
	}
}

// usedRole says that the role of an instance profile has policies.
func (s *Stack) usedRole(profile *Resource) bool {
	for _, r := range s.all(role) {
		if refers(profile, "role", r) {
			return len(s.about(r, rolePolicy, "role"))+len(s.about(r, roleAttachment, "role")) > 0
		}
	}
	return profile.given("role") // a role from elsewhere
}
