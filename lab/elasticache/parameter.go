package elasticache

import (
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/elasticache"
	"storefront/lab/wire"
)

// parameter is a setting that a parameter group can have ("Valkey and Redis OSS parameters").
type parameter struct {
	Name    string
	Kind    string // "integer" or "string"
	Default string
	Allowed string // "low-high", or words between commas; "" for text
	Change  string // "immediate" or "requires-reboot"; "" for one that cannot be modified
	About   string
}

const (
	immediate = api.ChangeTypeImmediate
	reboot    = api.ChangeTypeRequiresReboot
)

// reservedMemory is ElastiCache's own: the percentage of a node's memory that data cannot use.
const reservedMemory = "reserved-memory-percent"

// parameters lists what the groups of a family can hold, by name. Beside ElastiCache's own, they are settings of Redis.
func parameters(family string) []parameter {
	number := func(name, value, allowed, about string) parameter {
		return parameter{name, "integer", value, allowed, immediate, about}
	}
	word := func(name, value, allowed, about string) parameter {
		return parameter{name, "string", value, allowed, immediate, about}
	}
	list := []parameter{
		number("acllog-max-len", "128", "1-10000", "Maximum number of entries in the log of access control"),
		number("active-defrag-cycle-max", "75", "1-75", "Most effort of defragmentation in CPU percentage"),
		number("active-defrag-cycle-min", "5", "1-75", "Least effort of defragmentation in CPU percentage"),
		number("active-defrag-ignore-bytes", "104857600", "1048576-2147483647", "Fragmentation in bytes at which defragmentation starts"),
		number("active-defrag-threshold-lower", "10", "1-100", "Percentage of fragmentation at which defragmentation starts"),
		number("active-defrag-threshold-upper", "100", "1-100", "Percentage of fragmentation at which defragmentation uses most effort"),
		word("activedefrag", "no", "yes,no", "Active defragmentation of memory"),
		{"activerehashing", "string", "yes", "yes,no", reboot, "Rehash the main table of keys in idle time"},
		{"appendonly", "string", "no", "yes,no", "", "Write every change to a file"},
		number("client-query-buffer-limit", "1073741824", "1048576-1073741824", "Largest buffer of a client's queries"),
		{"cluster-enabled", "string", "no", "yes,no", "", "Cluster mode"},
		{"databases", "integer", "16", "1-1200000", reboot, "Number of logical databases"},
		number("hll-sparse-max-bytes", "3000", "1-16000", "Limit of the sparse form of HyperLogLogs"),
		word("lazyfree-lazy-eviction", "no", "yes,no", "Free memory of evicted keys in the background"),
		word("lazyfree-lazy-expire", "no", "yes,no", "Free memory of expired keys in the background"),
		word("lazyfree-lazy-server-del", "no", "yes,no", "Free memory of overwritten keys in the background"),
		word("lazyfree-lazy-user-del", "no", "yes,no", "DEL works as UNLINK"),
		number("lfu-decay-time", "1", "0-2147483647", "Minutes after which the counter of uses decays"),
		number("lfu-log-factor", "10", "1-2147483647", "How fast the counter of uses grows"),
		number("list-compress-depth", "0", "0-2147483647", "Nodes at the ends of lists that are not compressed"),
		{"lua-time-limit", "integer", "5000", "5000", "", "Milliseconds that a script may take"},
		{"maxclients", "integer", "65000", "1-65000", "", "Largest number of connections"},
		word("maxmemory-policy", "volatile-lru", "volatile-lru,allkeys-lru,volatile-lfu,allkeys-lfu,volatile-random,allkeys-random,volatile-ttl,noeviction", "What is evicted when memory is full"),
		number("maxmemory-samples", "3", "1-2147483647", "Keys that are looked at to evict one"),
		number("min-replicas-max-lag", "10", "0-2147483647", "Seconds after which a replica does not count"),
		number("min-replicas-to-write", "0", "0-5", "Replicas without which the primary takes no writes"),
		word("notify-keyspace-events", "", "", "Events of keys that are published"),
		number("proto-max-bulk-len", "536870912", "1048576-536870912", "Largest element of a request"),
		number("repl-backlog-size", "1048576", "16384-2147483647", "Bytes of the stream of writes that are kept for replicas"),
		number("repl-backlog-ttl", "3600", "0-2147483647", "Seconds after which a primary without replicas drops the stream of writes"),
		{"repl-timeout", "integer", "60", "11-60", "", "Seconds after which replication is given up"},
		number(reservedMemory, "25", "0-100", "Percentage of memory that is not for data"),
		number("set-max-intset-entries", "512", "0-2147483647", "Largest set in compact form"),
		number("slowlog-log-slower-than", "10000", "0-2147483647", "Microseconds from which a command is slow"),
		number("slowlog-max-len", "128", "0-2147483647", "Entries in the log of slow commands"),
		number("stream-node-max-bytes", "4096", "0-2147483647", "Bytes of a node of a stream"),
		number("stream-node-max-entries", "100", "0-2147483647", "Entries of a node of a stream"),
		number("tcp-keepalive", "300", "0-2147483647", "Seconds between probes of idle connections"),
		number("timeout", "0", "0,20-2147483647", "Seconds after which an idle connection is closed"),
		number("tracking-table-max-keys", "1000000", "1-100000000", "Keys that are tracked for clients' caches"),
	}
	compact := "listpack" // the name of the compact form since Redis 7
	if family == "redis6.x" {
		compact = "ziplist"
	}
	list = append(list,
		number("hash-max-"+compact+"-entries", "512", "0-2147483647", "Most fields of a hash in compact form"),
		number("hash-max-"+compact+"-value", "64", "0-2147483647", "Longest value of a hash in compact form"),
		number("list-max-"+compact+"-size", "-2", "-5--1,1-2147483647", "Size of a node of a list"),
		number("zset-max-"+compact+"-entries", "128", "0-2147483647", "Most members of a sorted set in compact form"),
		number("zset-max-"+compact+"-value", "64", "0-2147483647", "Longest member of a sorted set in compact form"),
	)
	slices.SortFunc(list, func(a, b parameter) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func findParameter(family, name string) (parameter, error) {
	list := parameters(family)
	at := slices.IndexFunc(list, func(p parameter) bool { return p.Name == name })
	if at < 0 {
		return parameter{}, invalidValue("Parameter %s doesn't exist", name)
	}
	return list[at], nil
}

// check tells whether a value is allowed for the parameter.
func (p parameter) check(value string) error {
	if p.Change == "" {
		return invalidValue("The parameter %s cannot be modified.", p.Name)
	}
	fits := false
	switch {
	case p.Allowed == "": // of keyspace events, the only text
		fits = strings.Trim(value, "KEg$lshzxetdmnA") == ""
	case p.Kind == "string":
		fits = slices.Contains(strings.Split(p.Allowed, ","), value)
	default:
		n, err := strconv.ParseInt(value, 10, 64)
		for part := range strings.SplitSeq(p.Allowed, ",") {
			low, high := bounds(part)
			fits = fits || err == nil && low <= n && n <= high
		}
	}
	if !fits {
		return invalidValue("The parameter value for %s is out of range. The value %q is not one of: %s", p.Name, value, p.Allowed)
	}
	return nil
}

// bounds reads "low-high" or a single number, either of which may be negative.
func bounds(part string) (low, high int64) {
	at := strings.Index(part[1:], "-") + 1
	if at == 0 {
		low, _ = strconv.ParseInt(part, 10, 64)
		return low, low
	}
	low, _ = strconv.ParseInt(part[:at], 10, 64)
	high, _ = strconv.ParseInt(part[at+1:], 10, 64)
	return low, high
}

// show is the parameter as a group has it.
func (p parameter) show(family string, values map[string]string) api.Parameter {
	out := api.Parameter{
		ParameterName: &p.Name, ParameterValue: &p.Default, DataType: &p.Kind, AllowedValues: wire.Optional(p.Allowed), ChangeType: new(wire.Or(wire.Optional(p.Change), reboot)),
		IsModifiable: new(p.Change != ""), Description: &p.About, Source: new("system"), MinimumEngineVersion: new(oldest(family)),
	}
	if v, ok := values[p.Name]; ok {
		out.ParameterValue, out.Source = &v, new("user")
	}
	return out
}

// oldest is the first version of a family.
func oldest(family string) string {
	for _, v := range versions() {
		if v.Family == family {
			return v.Full
		}
	}
	return ""
}
