package elbv2

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/elbv2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// LoadBalancer is an application load balancer.
type LoadBalancer struct {
	ARN, Name, ID  string // the ID is the last part of the ARN
	DNSName        string
	Scheme         string // api.LoadBalancerSchemeEnumInternetFacing or ...Internal
	State          string // api.LoadBalancerStateEnumProvisioning or ...Active
	VPC            string
	IPAddressType  string
	Created        time.Time
	SecurityGroups []string
	Nodes          []Node
	Attributes     map[string]string // all of them
}

// Node is the load balancer's interface in one subnet.
type Node struct {
	Zone, Subnet, Interface string
	Address                 netip.Addr // private
	Public                  netip.Addr // the zero Addr of an internal load balancer
}

// Listener is a port of a load balancer. Its default actions are those of its default rule.
type Listener struct {
	ARN, LoadBalancer string
	Port              int
	Protocol          string // "HTTP", "HTTPS"
	SSLPolicy         string
	Certificates      []string // ARNs, the default one first
	Created           time.Time
}

// Rule is a rule of a listener.
type Rule struct {
	ARN, Listener string
	Priority      int // 1..50000; 0 is the default rule
	Conditions    []api.RuleCondition
	Actions       []api.Action
}

// TargetGroup is a set of targets and how they are checked and used.
type TargetGroup struct {
	ARN, Name, ID string
	Protocol      string // "HTTP", "HTTPS"
	Port          int
	VPC           string
	TargetType    string // "instance", "ip"
	HealthCheck   HealthCheck
	Attributes    map[string]string // all of them
}

// HealthCheck are the health check settings of a target group.
type HealthCheck struct {
	Protocol           string
	Port               string // "traffic-port" or a number
	Path, Codes        string
	Interval, Timeout  int // seconds
	Healthy, Unhealthy int
}

// Target is a registered target of a target group.
type Target struct {
	Group    string
	ID       string // instance ID or IP address
	Port     int
	Zone     string    // as registered: "", a zone, or "all"
	Draining time.Time // when deregistration ends at the latest; the zero Time of a registered target
}

// key orders the targets of a group by ID, then port.
func (t Target) key() string { return fmt.Sprintf("%s|%s|%05d", t.Group, t.ID, t.Port) }

// draining reports whether the target is being deregistered.
func (t Target) draining() bool { return !t.Draining.IsZero() }

var (
	loadBalancers = state.NewTable[LoadBalancer]("elbv2.load-balancer") // by ARN, as all but targets
	listeners     = state.NewTable[Listener]("elbv2.listener")
	rules         = state.NewTable[Rule]("elbv2.rule")
	targetGroups  = state.NewTable[TargetGroup]("elbv2.target-group")
	targets       = state.NewTable[Target]("elbv2.target")
	tags          = state.NewTable[map[string]string]("elbv2.tag") // by the resource's ARN
	hostPorts     = state.NewTable[int]("elbv2.host-port")         // by "<load balancer ARN>|<listener port>"
)

// newID numbers a resource of a kind with 16 hexadecimal digits that look as scattered as AWS's and are the same on every equal run.
func newID(tx *state.Tx, kind string) (string, error) {
	n, err := tx.Sequence("elbv2." + kind)
	if err != nil {
		return "", fmt.Errorf("numbering a new %s: %w", kind, err)
	}
	return fmt.Sprintf("%016x", scatter(fmt.Sprint(kind, n))), nil
}

func scatter(s string) uint64 {
	sum := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint64(sum[:8])
}

func findLoadBalancer(tx *state.Tx, arn string) (LoadBalancer, error) {
	return find(tx, loadBalancers, arn, fault("LoadBalancerNotFound", "Load balancer '%s' not found", arn))
}

func findListener(tx *state.Tx, arn string) (Listener, error) {
	return find(tx, listeners, arn, fault("ListenerNotFound", "One or more listeners not found"))
}

func findRule(tx *state.Tx, arn string) (Rule, error) {
	return find(tx, rules, arn, fault("RuleNotFound", "One or more rules not found"))
}

func findGroup(tx *state.Tx, arn string) (TargetGroup, error) {
	return find(tx, targetGroups, arn, fault("TargetGroupNotFound", "One or more target groups not found"))
}

func find[T any](tx *state.Tx, table state.Table[T], key string, absent error) (T, error) {
	v, ok, err := table.Get(tx, key)
	if err == nil && !ok {
		err = absent
	}
	return v, err
}

// listenersOf returns the listeners of a load balancer, by port.
func listenersOf(tx *state.Tx, loadBalancer string) []Listener {
	var found []Listener
	for _, l := range listeners.WithPrefix(tx, strings.Replace(loadBalancer, ":loadbalancer/", ":listener/", 1)+"/") {
		found = append(found, l)
	}
	slices.SortFunc(found, func(a, b Listener) int { return cmp.Compare(a.Port, b.Port) })
	return found
}

// rulesOf returns the rules of a listener in the order of evaluation, the default rule last.
func rulesOf(tx *state.Tx, listener string) []Rule {
	var found []Rule
	for _, r := range rules.WithPrefix(tx, strings.Replace(listener, ":listener/", ":listener-rule/", 1)+"/") {
		found = append(found, r)
	}
	slices.SortFunc(found, func(a, b Rule) int { return cmp.Compare(uint(a.Priority-1), uint(b.Priority-1)) })
	return found
}

// targetsOf returns the targets of a group, those that drain included.
func targetsOf(tx *state.Tx, group string) []Target {
	var found []Target
	for _, t := range targets.WithPrefix(tx, group+"|") {
		found = append(found, t)
	}
	return found
}

// users returns the ARNs of the load balancers whose rules forward to a group: none or one, as AWS allows no more.
func users(tx *state.Tx, group string) []string {
	var found []string
	for _, r := range rules.All(tx) {
		if slices.Contains(forwardsTo(r.Actions), group) {
			if arn := loadBalancerOf(r.Listener); !slices.Contains(found, arn) {
				found = append(found, arn)
			}
		}
	}
	return found
}

// loadBalancerOf derives the ARN of a load balancer from that of one of its listeners.
func loadBalancerOf(listener string) string {
	return strings.Replace(listener[:strings.LastIndexByte(listener, '/')], ":listener/", ":loadbalancer/", 1)
}

// paged cuts one page out of a list. The marker is the index at which the page starts.
func paged[T any](all []T, marker *string, size *int64) (page []T, next *string, err error) {
	start := 0
	if marker != nil {
		if _, err := fmt.Sscanf(*marker, "%d", &start); err != nil || start < 0 || start > len(all) {
			return nil, nil, invalid("The marker '%s' is not valid", *marker)
		}
	}
	end := min(len(all), start+int(wire.Or(size, 400)))
	if end < len(all) {
		next = new(fmt.Sprint(end))
	}
	return all[start:end], next, nil
}
