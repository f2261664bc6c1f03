package imds

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// stamp is how the service writes times.
const stamp = "2006-01-02T15:04:05Z"

// tree returns every value by its path below the version. Values that the instance does not have are missing.
func (m Metadata) tree() map[string]string {
	tree := map[string]string{"dynamic/instance-identity/document": m.identity()}
	add := func(path, value string) {
		if value != "" {
			tree["meta-data/"+path] = value
		}
	}
	for path, value := range map[string]string{
		"ami-id": m.ImageID, "ami-launch-index": strconv.Itoa(m.LaunchIndex), "ami-manifest-path": "(unknown)", "instance-action": "none", "instance-id": m.InstanceID,
		"instance-life-cycle": m.LifeCycle, "instance-type": m.InstanceType, "reservation-id": m.ReservationID, "profile": "default-hvm", "system": "nitro",
		"hostname": m.Hostname, "local-hostname": m.Hostname, "local-ipv4": m.LocalIPv4, "public-ipv4": m.PublicIPv4, "public-hostname": m.PublicHostname, "mac": m.MAC,
		"placement/availability-zone": m.Zone, "placement/availability-zone-id": m.ZoneID, "placement/region": m.Region,
		"services/domain": "amazonaws.com", "services/partition": "aws",
		"block-device-mapping/ami": "xvda", "block-device-mapping/root": "/dev/xvda",
		"security-groups": strings.Join(m.SecurityGroups, "\n"), "autoscaling/target-lifecycle-state": m.LifecycleState,
	} {
		add(path, value)
	}
	m.addInterface(add)
	if m.ProfileARN != "" {
		add("iam/info", object{"Code": "Success", "LastUpdated": m.Launched.UTC().Format(stamp), "InstanceProfileArn": m.ProfileARN, "InstanceProfileId": m.ProfileID}.String())
	}
	if m.Role != "" {
		add("iam/security-credentials/"+m.Role, m.Role) // listed; its value comes from Source.Credentials
	}
	if m.SpotAction != nil {
		at := m.SpotAction.Time.UTC().Format(stamp)
		add("spot/instance-action", object{"action": m.SpotAction.Action, "time": at}.String())
		if m.SpotAction.Action == "terminate" {
			add("spot/termination-time", at)
		}
	}
	if m.Rebalance != nil {
		add("events/recommendations/rebalance", object{"noticeTime": m.Rebalance.UTC().Format(stamp)}.String())
	}
	if m.TagsInMetadata {
		for key, value := range m.Tags {
			if isTagPath(key) {
				tree["meta-data/tags/instance/"+key] = value // an empty value is a value here
			}
		}
	}
	return tree
}

// addInterface adds the values of the instance's only network interface.
func (m Metadata) addInterface(add func(path, value string)) {
	if m.MAC == "" {
		return
	}
	primary := ""
	if len(m.VPCCIDRs) > 0 {
		primary = m.VPCCIDRs[0]
	}
	values := map[string]string{
		"device-number": "0", "interface-id": m.InterfaceID, "local-hostname": m.Hostname, "local-ipv4s": m.LocalIPv4, "mac": m.MAC, "owner-id": m.Account,
		"public-hostname": m.PublicHostname, "public-ipv4s": m.PublicIPv4, "security-groups": strings.Join(m.SecurityGroups, "\n"),
		"security-group-ids": strings.Join(m.SecurityGroupIDs, "\n"), "subnet-id": m.SubnetID, "subnet-ipv4-cidr-block": m.SubnetCIDR, "vpc-id": m.VPCID,
		"vpc-ipv4-cidr-block": primary, "vpc-ipv4-cidr-blocks": strings.Join(m.VPCCIDRs, "\n"),
	}
	if m.PublicIPv4 != "" {
		values["ipv4-associations/"+m.PublicIPv4] = m.LocalIPv4
	}
	for name, value := range values {
		add("network/interfaces/macs/"+m.MAC+"/"+name, value)
	}
}

// isTagPath reports whether a tag's key can be a path: EC2 allows letters, digits and + - = . , _ : @ in the keys of instances that show their tags here.
func isTagPath(key string) bool {
	return key != "" && key != "." && key != ".." && !strings.ContainsFunc(key, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("+-=.,_:@", r)
	})
}

// identity is the instance identity document.
func (m Metadata) identity() string {
	return object{"accountId": m.Account, "architecture": m.Architecture, "availabilityZone": m.Zone, "billingProducts": nil, "devpayProductCodes": nil,
		"marketplaceProductCodes": nil, "imageId": m.ImageID, "instanceId": m.InstanceID, "instanceType": m.InstanceType, "kernelId": nil,
		"pendingTime": m.Launched.UTC().Format(stamp), "privateIp": m.LocalIPv4, "ramdiskId": nil, "region": m.Region, "version": "2017-09-30"}.String()
}

// credentials answers with the credentials of the instance's role.
func (h *Handler) credentials(w http.ResponseWriter, r *http.Request, m Metadata, role string) {
	if m.Role == "" || role != m.Role {
		refuse(w, http.StatusNotFound)
		return
	}
	c, err := h.source.Credentials(r.Context(), h.instance)
	if err != nil {
		refuse(w, http.StatusInternalServerError)
		return
	}
	text(w, object{"Code": "Success", "LastUpdated": c.LastUpdated.UTC().Format(stamp), "Type": "AWS-HMAC", "AccessKeyId": c.AccessKeyID,
		"SecretAccessKey": c.SecretAccessKey, "Token": c.Token, "Expiration": c.Expiration.UTC().Format(time.RFC3339)}.String())
}

// object is a JSON object of strings and nulls.
type object map[string]any

func (o object) String() string {
	text, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		panic("imds: a string cannot be encoded: " + err.Error())
	}
	return string(text)
}
