package cloudtrail

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"storefront/lab/wire"
)

// removed stands for a value that events of Amazon EC2 do not tell.
const removed = "<sensitiveDataRemoved>"

// ec2Time is how operations that came after the SOAP API write times. The others write milliseconds since 1970.
const ec2Time = "2006-01-02T15:04:05.000Z"

// parametersOfEC2 is parametersOf for Amazon EC2. Its documentation gives no rule; events of AWS have one of two forms. Operations of the former SOAP API keep its names, where a
// list is {"items": [...]}. Those that came later are their own XML as JSON, below the name of the message.
func parametersOfEC2(c wire.Call, told bool) (request, response map[string]any) {
	told = told && c.Error == nil
	if afterSOAP(c.Operation) {
		request = map[string]any{c.Operation + "Request": orEmpty(later{names: requestName, list: tagged}.message(c.Input))}
		if told {
			answer := later{names: responseName, list: item}.message(c.Output)
			answer["xmlns"], answer["requestId"] = c.Service.XMLNamespace, c.RequestID
			response = map[string]any{c.Operation + "Response": answer}
		}
		return request, response
	}
	if request = (soap{operation: c.Operation, request: true}).message(c.Input); len(request) == 0 {
		request = nil
	}
	if told {
		if response = (soap{operation: c.Operation}).message(c.Output); len(response) == 0 {
			response["_return"] = true
		}
		response["requestId"] = c.RequestID
	}
	return request, response
}

// afterSOAP tells of the operations that the lab serves whether they are younger than the SOAP API. The associations of CIDR blocks and the descriptions of rules are, too,
// but no event of AWS's shows their form.
func afterSOAP(operation string) bool {
	for _, family := range []string{"LaunchTemplate", "VpcEndpoint", "NatGateway", "FlowLogs", "IamInstanceProfile", "PrefixList", "SecurityGroupRules", "InstanceType", "CreditSpecification", "Ebs",
		"InstanceMetadataOptions", "AddressesAttribute"} {
		if strings.Contains(operation, family) {
			return true
		}
	}
	return false
}

// soap writes messages in the names of the SOAP API.
type soap struct {
	operation string
	request   bool
}

func (s soap) message(m any) map[string]any {
	if v := reflect.ValueOf(m); v.IsValid() && !v.IsNil() {
		return s.structure(v.Elem())
	}
	return map[string]any{}
}

func (s soap) structure(v reflect.Value) map[string]any {
	m := map[string]any{}
	for f, value := range v.Fields() {
		switch {
		case !isMember(f):
		case isList(f):
			s.list(m, v.Type().Name(), f, value)
		case nilable(value) && value.IsNil():
		case isSecret(f, value) || f.Name == "Value" && v.Type().Name() == "ModifyInstanceAttributeInput":
			m[soapName(f)] = removed
		default:
			m[soapName(f)] = s.value(value)
		}
	}
	if s.request && v.Type().Name() == "RunInstancesInput" {
		instances := map[string]any{}
		for _, name := range []string{"imageId", "keyName", "minCount", "maxCount"} {
			if value, ok := m[name]; ok {
				instances[name] = value
				delete(m, name)
			}
		}
		m["instancesSet"] = map[string]any{"items": []any{instances}}
	}
	return m
}

func (s soap) list(m map[string]any, owner string, f reflect.StructField, v reflect.Value) {
	set, of := soapName(f), ""
	if s.request {
		set, of = soapSet(s.operation, set)
	}
	items := make([]any, v.Len())
	for i := range items {
		if items[i] = s.value(v.Index(i)); of != "" {
			items[i] = map[string]any{of: items[i]}
		}
	}
	before, _ := m[set].(map[string]any) // security groups by their IDs and by their names are one list
	switch {
	case owner == "TagSpecification" && s.request:
		m["tags"] = items
	case before != nil && before["items"] != nil:
		before["items"] = append(before["items"].([]any), items...)
	case len(items) > 0:
		m[set] = map[string]any{"items": items}
	case !v.IsNil() || s.shown(owner, set):
		m[set] = map[string]any{}
	}
}

// shown tells whether requests have a list that the caller left out.
func (s soap) shown(owner, set string) bool {
	switch {
	case !s.request:
		return false
	case owner == "IpPermission":
		return true
	case slices.Contains([]string{"DescribeAvailabilityZones", "DescribeRegions", "DescribeSpotPriceHistory"}, s.operation) && set == "filterSet":
		return false
	}
	return owner == s.operation+"Input" && strings.HasPrefix(s.operation, "Describe")
}

func (s soap) value(v reflect.Value) any {
	v = reflect.Indirect(v)
	if t, ok := v.Interface().(time.Time); ok {
		return t.UnixMilli()
	}
	if v.Kind() == reflect.Struct {
		return s.structure(v)
	}
	return v.Interface()
}

// soapSet is what the SOAP API called a list of the query API, and each of its items where those are texts.
func soapSet(operation, list string) (set, of string) {
	switch list {
	case "instanceId", "resourceId", "imageId", "owner":
		return strings.TrimSuffix(list, "Id") + "sSet", list
	case "publicIp", "allocationId":
		return list + "sSet", list
	case "routeTableId", "internetGatewayId", "networkAclId", "networkInterfaceId", "keyPairId", "value", "instanceType", "productDescription":
		return list + "Set", list
	case "subnetId", "vpcId", "volumeId":
		return strings.TrimSuffix(list, "Id") + "Set", list
	case "filter", "tag", "tagSpecification", "networkInterface":
		return list + "Set", ""
	case "executableBy":
		return "executableBySet", "user"
	case "attributeName":
		return "accountAttributeNameSet", list
	case "zoneName":
		return "availabilityZoneSet", list
	case "zoneId":
		return "availabilityZoneIdSet", list
	case "regionName":
		return "regionSet", list
	case "keyName":
		return "keySet", list
	case "dhcpOptionsId":
		return "dhcpOptionsSet", list
	case "securityGroupRuleId":
		return "securityGroupRuleIds", list
	case "groupName":
		return "securityGroupSet", list
	case "securityGroup":
		return "groupSet", "groupName"
	case "securityGroupId", "groupId":
		if operation == "DescribeSecurityGroups" {
			return "securityGroupIdSet", "groupId"
		}
		return "groupSet", "groupId"
	}
	return list, ""
}

// soapName is the name of a member's element.
func soapName(f reflect.StructField) string {
	if name := first(located(f), unicode.ToLower); name != "return" {
		return name
	}
	return "_return"
}

func located(f reflect.StructField) string { return cmp.Or(f.Tag.Get("locationName"), f.Name) }

// isList tells whether a member is a list; a blob is none.
func isList(f reflect.StructField) bool {
	return f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() != reflect.Uint8
}

// later writes messages as their XML.
type later struct {
	names func(reflect.StructField) string
	list  func([]any) any
}

func (l later) message(m any) map[string]any {
	if v := reflect.ValueOf(m); v.IsValid() && !v.IsNil() {
		return l.structure(v.Elem())
	}
	return map[string]any{}
}

func (l later) structure(v reflect.Value) map[string]any {
	m := map[string]any{}
	for f, value := range v.Fields() {
		switch {
		case !isMember(f) || nilable(value) && value.IsNil():
		case isSecret(f, value):
			m[l.names(f)] = removed
		default:
			m[l.names(f)] = l.value(value)
		}
	}
	return m
}

func (l later) value(v reflect.Value) any {
	v = reflect.Indirect(v)
	if t, ok := v.Interface().(time.Time); ok {
		return t.UTC().Format(ec2Time)
	}
	switch v.Kind() {
	case reflect.Struct:
		return orEmpty(l.structure(v))
	case reflect.Slice:
		items := make([]any, v.Len())
		for i := range items {
			items[i] = l.value(v.Index(i))
		}
		return l.list(items)
	}
	return v.Interface()
}

// requestName is the name of a member in the query API, and responseName that of its element.
func requestName(f reflect.StructField) string {
	return cmp.Or(f.Tag.Get("queryName"), first(located(f), unicode.ToUpper))
}

func responseName(f reflect.StructField) string { return located(f) }

// tagged is a list of a request: its items with their numbers, or its only item.
func tagged(items []any) any {
	for i, x := range items {
		m, ok := x.(map[string]any)
		if !ok {
			m = map[string]any{"content": x}
		}
		m["tag"] = i + 1
		items[i] = m
	}
	return single(items)
}

// item is a list of an answer.
func item(items []any) any {
	if len(items) == 0 {
		return ""
	}
	return map[string]any{"item": single(items)}
}

func single(items []any) any {
	if len(items) == 1 {
		return items[0]
	}
	return items
}

// orEmpty is m, or what an element without content is.
func orEmpty(m map[string]any) any {
	if len(m) == 0 {
		return ""
	}
	return m
}
