package diagram

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"storefront/internal/inventory"
)

const queueType = "aws:sqs/queue:Queue"

// readQueues reads the queues that servers use. One that takes what failed in another is drawn below that.
func (r *reader) readQueues() {
	dead := map[*inventory.Resource]*inventory.Resource{}
	for _, source := range r.All(queueType) {
		for _, policy := range append(r.About(source, "aws:sqs/redrivePolicy:RedrivePolicy", "queueUrl"), source) {
			for _, q := range r.All(queueType) {
				if q != source && inventory.Names(policy, "redrivePolicy", q) {
					dead[source] = q
				}
			}
		}
	}
	serves := slices.Collect(maps.Values(dead))
	for _, q := range r.All(queueType) {
		if slices.Contains(serves, q) {
			continue
		}
		box := queueBox{title: "queue " + r.short(q.Name, ""), note: "SQS", of: q}
		if d := dead[q]; d != nil {
			box.dead = r.short(d.Name, "dead letters")
		}
		r.p.beside = append(r.p.beside, box)
	}
}

// readLinks finds the arrows: security groups that let others in, and permissions to send to queues and to receive from them.
func (r *reader) readLinks() {
	var bands []*band
	for _, t := range r.p.tiers {
		for _, b := range t.bands {
			if b.of != nil {
				bands = append(bands, b)
			}
		}
	}
	for _, from := range bands {
		for _, to := range bands {
			if from != to && r.admits(from, to) {
				r.p.links = append(r.p.links, link{from.of, to.of})
			}
		}
	}
	for _, b := range bands {
		for _, q := range r.p.beside {
			if r.may(b.of, "sqs:SendMessage", q.of) {
				r.p.links = append(r.p.links, link{b.of, q.of})
			}
			if r.may(b.of, "sqs:ReceiveMessage", q.of) {
				r.p.links = append(r.p.links, link{q.of, b.of})
			}
		}
	}
}

// admits says that a rule of one band's security groups lets another band's in.
func (r *reader) admits(from, to *band) bool {
	for _, rule := range r.All(ingressType) {
		into := slices.ContainsFunc(to.groups, func(g *inventory.Resource) bool { return inventory.Refers(rule, "securityGroupId", g) })
		out := slices.ContainsFunc(from.groups, func(g *inventory.Resource) bool { return inventory.Refers(rule, "referencedSecurityGroupId", g) })
		if into && out {
			return true
		}
	}
	return false
}

// may says that the role of a fleet's servers has a policy with an action on a queue.
func (r *reader) may(fleet *inventory.Resource, action string, queue *inventory.Resource) bool {
	if fleet.Type != fleetType {
		return false
	}
	template := r.template(fleet)
	if template == nil {
		return false
	}
	for _, profile := range r.All("aws:iam/instanceProfile:InstanceProfile") {
		if !inventory.Refers(template, "iamInstanceProfile", profile) {
			continue
		}
		for _, role := range r.All("aws:iam/role:Role") {
			if !inventory.Refers(profile, "role", role) {
				continue
			}
			for _, policy := range r.About(role, "aws:iam/rolePolicy:RolePolicy", "role") {
				if inventory.Names(policy, "policy", queue) && strings.Contains(policy.Text("policy"), action) {
					return true
				}
			}
		}
	}
	return false
}

// cardLines is how many lines of a card are shown.
const cardLines = 9

// readOperations reads what servers use outside of the VPC, and what keeps and watches the rest.
func (r *reader) readOperations() {
	secrets := r.names("secret", "aws:secretsmanager/secret:Secret")
	for _, c := range r.All(clusterType) {
		if c.On("manageMasterUserPassword") {
			secrets = append(secrets, "database's password")
		}
	}
	add(&r.p.regional, "buckets", r.names("of the stack", "aws:s3/bucketV2:BucketV2"))
	add(&r.p.regional, "keys", r.names("of the stack", "aws:kms/key:Key"))
	add(&r.p.regional, "secrets", secrets)
	add(&r.p.operations, "backup", r.backups())
	add(&r.p.operations, "trail", r.trails())
	add(&r.p.operations, "alarms", slices.Concat(r.tally("alarm", "aws:cloudwatch/metricAlarm:MetricAlarm"), r.tally("composite alarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm"),
		r.tally("dashboard", "aws:cloudwatch/dashboard:Dashboard"), prefixed("to the topic ", r.names("of the stack", "aws:sns/topic:Topic"))))
	add(&r.p.operations, "logs", append(r.tally("log group", "aws:cloudwatch/logGroup:LogGroup"), r.tally("flow log of the VPC", "aws:ec2/flowLog:FlowLog")...))
	add(&r.p.operations, "Firewall Manager", prefixed("policy ", r.names("of the stack", "aws:fms/policy:Policy")))
}

// add adds a card, unless there is nothing on it.
func add(to *[]card, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	if len(lines) > cardLines {
		lines = append(slices.Clone(lines[:cardLines-1]), fmt.Sprintf("and %d more", len(lines)-cardLines+1))
	}
	*to = append(*to, card{title, lines})
}

func prefixed(prefix string, lines []string) []string {
	for i := range lines {
		lines[i] = prefix + lines[i]
	}
	return lines
}

func (r *reader) trails() (lines []string) {
	for _, t := range r.All("aws:cloudtrail/trail:Trail") {
		lines = append(lines, map[bool]string{true: "all regions", false: "one region"}[t.On("isMultiRegionTrail")])
		if t.On("enableLogFileValidation") {
			lines = append(lines, "signed digests")
		}
		if t.Given("cloudWatchLogsGroupArn") {
			lines = append(lines, "to CloudWatch Logs too")
		}
	}
	return append(lines, r.tally("alarm filter", "aws:cloudwatch/logMetricFilter:LogMetricFilter")...)
}

// tally is one line that counts resources, or none.
func (r *reader) tally(of string, types ...string) []string {
	if n := len(r.All(types...)); n > 0 {
		return []string{count(n, of)}
	}
	return nil
}

// names lists resources.
func (r *reader) names(otherwise string, types ...string) (lines []string) {
	for _, one := range r.All(types...) {
		lines = append(lines, r.short(one.Name, otherwise))
	}
	return lines
}

func (r *reader) backups() (lines []string) {
	for _, v := range r.All("aws:backup/vault:Vault") {
		lines = append(lines, "vault "+r.short(v.Name, "of the stack"))
	}
	for _, p := range r.All("aws:backup/plan:Plan") {
		for i := range p.List("rules") {
			at := fmt.Sprintf("rules.%d.", i)
			if schedule := p.Text(at + "schedule"); schedule != "" {
				lines = append(lines, schedule)
			}
			if days := number(p, at+"lifecycle.deleteAfter", 0); days > 0 {
				lines = append(lines, fmt.Sprintf("kept %s", count(days, "day")))
			}
		}
	}
	lines = append(lines, r.tally("locked bucket", "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2")...)
	for _, c := range r.All("aws:s3/bucketReplicationConfig:BucketReplicationConfig") {
		lines = append(lines, "copies of "+r.short(c.Name, "a bucket"))
	}
	return lines
}
