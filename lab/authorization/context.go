package authorization

import (
	"cmp"
	"context"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"storefront/lab/access"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// context returns the condition keys of a request that are the same for every service, from "AWS global condition context keys".
func (a *Authorizer) context(ctx context.Context, p access.Principal) map[string][]string {
	now := a.Now().UTC()
	keys := map[string][]string{
		"aws:currenttime":           {now.Format(time.RFC3339)},
		"aws:epochtime":             {strconv.FormatInt(now.Unix(), 10)},
		"aws:requestedregion":       {a.Region.Name},
		"aws:principalisawsservice": {"false"},
		"aws:viaawsservice":         {"false"},
	}
	if o := wire.OriginOf(ctx); o.Host != "" {
		origin(keys, o)
	}
	if p.Anonymous() {
		keys["aws:principaltype"] = []string{"Anonymous"}
		return keys
	}
	keys["aws:principalaccount"], keys["aws:principalarn"], keys["aws:principaltype"] = []string{p.Account}, []string{p.ARN}, []string{"User"}
	switch {
	case strings.Contains(p.ARN, ":federated-user/"):
		keys["aws:principaltype"] = []string{"FederatedUser"}
	case p.Role != "":
		keys["aws:principalarn"], keys["aws:principaltype"] = []string{p.Role}, []string{"AssumedRole"}
	case strings.HasSuffix(p.ARN, ":root"):
		keys["aws:principaltype"] = []string{"Account"}
	default:
		keys["aws:username"] = []string{p.ARN[strings.LastIndexAny(p.ARN, ":/")+1:]}
	}
	keys["aws:userid"] = []string{wire.Caller(ctx).UserID}
	return keys
}

// origin adds where a request came from. Who comes through a VPC endpoint has no address of the internet; through a gateway endpoint the lab sees none of the VPC either.
func origin(keys map[string][]string, o wire.Origin) {
	keys["aws:useragent"], keys["aws:securetransport"] = []string{o.UserAgent}, []string{strconv.FormatBool(o.Secure)}
	if o.TLSVersion != "" {
		keys["s3:tlsversion"] = []string{o.TLSVersion}
	}
	if o.Endpoint.ID == "" {
		keys["aws:sourceip"] = []string{o.Address}
		return
	}
	keys["aws:sourcevpce"], keys["aws:sourcevpc"] = []string{o.Endpoint.ID}, []string{o.Endpoint.VPC}
	if address, err := netip.ParseAddr(o.Address); err == nil && !address.IsLinkLocalUnicast() {
		keys["aws:vpcsourceip"] = []string{o.Address}
	}
}

// more returns the values of keys that have to be looked up: the tags of who asks and of what is asked for, and whose it is. RDS has keys of its own for each kind of resource.
func (a *Authorizer) more(tx *state.Tx, who caller, r *access.Request, key string) ([]string, error) {
	group, name, tag := strings.Cut(key, "/")
	service, _, _ := strings.Cut(r.Action, ":")
	parts := strings.SplitN(r.Resource, ":", 6)
	named := len(parts) == 6 && !strings.HasSuffix(r.Resource, "*")
	switch {
	case key == "ec2:region" && service == "ec2":
		return []string{a.Region.Name}, nil
	case key == "aws:resourceaccount" && named:
		return []string{cmp.Or(parts[4], a.Region.Account)}, nil
	case !tag:
		return nil, nil
	case group == "aws:principaltag" && who.holder != "":
		tags, err := a.Identities.Tags(tx, who.holder)
		return tagged(tags, name), err
	case !named:
		return nil, nil
	case group == "aws:resourcetag", group == service+":resourcetag", group == "iam:resourcetag" && service == "sts", group == "s3:existingobjecttag" && service == "s3",
		service == "rds" && group == "rds:"+parts[5][:strings.IndexByte(parts[5]+":", ':')]+"-tag":
		tags, err := a.Resources.Tags(tx, r.Resource)
		return tagged(tags, name), err
	}
	return nil, nil
}

// tagged returns the value of a tag by its key in lower case: condition keys have no case.
func tagged(tags map[string]string, name string) []string {
	for key, value := range tags {
		if strings.ToLower(key) == name {
			return []string{value}
		}
	}
	return nil
}

// requestTags adds aws:RequestTag and aws:TagKeys. Services write tags as lists of structures (Key and Value, or TagKey and TagValue), as maps, and as specifications that
// hold lists; TagKeys is what operations that remove tags have.
func requestTags(keys map[string][]string, input any) {
	v := reflect.Indirect(reflect.ValueOf(input))
	if v.Kind() != reflect.Struct {
		return
	}
	add := func(name, value string) {
		keys["aws:requesttag/"+strings.ToLower(name)] = []string{value}
		if !slices.Contains(keys["aws:tagkeys"], name) {
			keys["aws:tagkeys"] = append(keys["aws:tagkeys"], name)
		}
	}
	for _, name := range []string{"Tags", "TagList", "TagsList", "AddTags"} {
		eachTag(v.FieldByName(name), add)
	}
	if tagging := reflect.Indirect(v.FieldByName("Tagging")); tagging.Kind() == reflect.Struct {
		eachTag(tagging.FieldByName("TagSet"), add)
	}
	if list := v.FieldByName("TagSpecifications"); list.Kind() == reflect.Slice {
		for i := range list.Len() {
			eachTag(list.Index(i).FieldByName("Tags"), add)
		}
	}
	if removed, ok := fieldOf(v, "TagKeys").([]string); ok {
		keys["aws:tagkeys"] = append(keys["aws:tagkeys"], removed...)
	}
}

func fieldOf(v reflect.Value, name string) any {
	if f := v.FieldByName(name); f.IsValid() {
		return f.Interface()
	}
	return nil
}

// eachTag calls add for each tag of a list or a map.
func eachTag(v reflect.Value, add func(name, value string)) {
	switch {
	case v.Kind() == reflect.Map:
		if tags, ok := v.Interface().(map[string]string); ok {
			for name, value := range tags {
				add(name, value)
			}
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		for i := range v.Len() {
			tag := v.Index(i).Interface()
			if name := member(tag, "Key") + member(tag, "TagKey"); name != "" {
				add(name, member(tag, "Value")+member(tag, "TagValue"))
			}
		}
	}
}

// encryptionContext returns the condition keys of a KMS encryption context.
func encryptionContext(pairs map[string]string) map[string][]string {
	keys := map[string][]string{}
	for name, value := range pairs {
		keys["kms:encryptioncontext:"+strings.ToLower(name)] = []string{value}
		keys["kms:encryptioncontextkeys"] = append(keys["kms:encryptioncontextkeys"], name)
	}
	return keys
}
