package authorization

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"time"

	"storefront/lab/access"
	"storefront/lab/wire"
)

// context returns the condition keys of a request, from "AWS global condition context keys", and those of its service.
func (a *Authorizer) context(ctx context.Context, p access.Principal, ask Ask) map[string][]string {
	now := a.Now().UTC()
	keys := map[string][]string{
		"aws:currenttime":           {now.Format(time.RFC3339)},
		"aws:epochtime":             {strconv.FormatInt(now.Unix(), 10)},
		"aws:requestedregion":       {a.Region.Name},
		"aws:principalisawsservice": {"false"},
		"aws:viaawsservice":         {"false"},
	}
	if o := wire.OriginOf(ctx); o.Host != "" {
		keys["aws:sourceip"], keys["aws:useragent"], keys["aws:securetransport"] = []string{o.Address}, []string{o.UserAgent}, []string{strconv.FormatBool(o.Secure)}
	}
	if p.Anonymous() {
		keys["aws:principaltype"] = []string{"Anonymous"}
	} else {
		name := p.ARN[strings.LastIndexAny(p.ARN, ":/")+1:]
		keys["aws:principalaccount"], keys["aws:principalarn"], keys["aws:principaltype"] = []string{p.Account}, []string{p.ARN}, []string{"User"}
		if p.Role != "" {
			keys["aws:principalarn"], keys["aws:principaltype"] = []string{p.Role}, []string{"AssumedRole"}
		} else {
			keys["aws:username"] = []string{name}
		}
		keys["aws:userid"] = []string{wire.Caller(ctx).UserID}
	}
	maps.Copy(keys, ask.Context)
	return keys
}
