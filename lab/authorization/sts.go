package authorization

import (
	api "storefront/lab/api/sts"
	"storefront/lab/wire"
)

// stsAsks tells what the calls of STS ask for, from "Actions, resources, and condition keys for AWS Security Token Service": no permissions for who one is and for credentials
// of one's own, and others for the tags and the source identity that a session is to have.
func (a *Authorizer) stsAsks(operation string, input any) []Ask {
	ask := Ask{Action: "sts:" + operation, Resource: "*"}
	var tags []api.Tag
	switch in := input.(type) {
	case *api.AssumeRoleInput:
		ask.Resource, tags = wire.Value(in.RoleArn), in.Tags
		ask.Context = present(input, map[string]string{"sts:externalid": "ExternalId", "sts:rolesessionname": "RoleSessionName", "sts:sourceidentity": "SourceIdentity"})
		if len(in.TransitiveTagKeys) > 0 {
			ask.Context["sts:transitivetagkeys"] = in.TransitiveTagKeys
		}
	case *api.GetFederationTokenInput:
		ask.Resource, tags = a.Region.GlobalARN("sts", "federated-user/"+wire.Value(in.Name)), in.Tags
	default:
		return nil
	}
	asks := []Ask{ask}
	if in, ok := input.(*api.AssumeRoleInput); ok && in.SourceIdentity != nil {
		asks = append(asks, Ask{Action: "sts:SetSourceIdentity", Resource: ask.Resource, Context: ask.Context})
	}
	if len(tags) > 0 {
		tag := Ask{Action: "sts:TagSession", Resource: ask.Resource, Context: ask.Context}
		if operation == "GetFederationToken" {
			tag.Resource = "*" // the action is about roles
		}
		asks = append(asks, tag)
	}
	return asks
}
