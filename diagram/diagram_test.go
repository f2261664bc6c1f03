package diagram_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"storefront/diagram"
	"storefront/internal/inventory"
)

// state makes an exported state of resources that are given as "type|name|inputs in JSON". IDs are the names, with the type before them.
func state(resources ...string) []byte {
	var all []string
	for _, r := range resources {
		part := strings.SplitN(r, "|", 3)
		all = append(all, fmt.Sprintf(`{"urn":"urn:pulumi:s::p::%s::%s","type":"%[1]s","id":"%[3]s-%[2]s","inputs":%[4]s,"outputs":{"arn":"arn:%[3]s-%[2]s"}}`,
			part[0], part[1], part[0][strings.LastIndex(part[0], ":")+1:], part[2]))
	}
	return []byte(`{"deployment":{"resources":[` + strings.Join(all, ",") + `]}}`)
}

// shop is a stack with a path through each tier.
var shop = []string{
	`aws:ec2/vpc:Vpc|shop|{"cidrBlock":"10.0.0.0/16"}`,
	`aws:ec2/internetGateway:InternetGateway|shop|{}`,
	`aws:ec2/subnet:Subnet|shop-public-a|{"availabilityZone":"us-east-1a","cidrBlock":"10.0.1.0/24"}`,
	`aws:ec2/subnet:Subnet|shop-private-a|{"availabilityZone":"us-east-1a","cidrBlock":"10.0.2.0/24"}`,
	`aws:ec2/subnet:Subnet|shop-data-a|{"availabilityZone":"us-east-1a","cidrBlock":"10.0.3.0/24"}`,
	`aws:ec2/subnet:Subnet|shop-data-b|{"availabilityZone":"us-east-1b","cidrBlock":"10.0.4.0/24"}`,
	`aws:ec2/routeTable:RouteTable|public|{}`,
	`aws:ec2/route:Route|out|{"routeTableId":"RouteTable-public","gatewayId":"igw"}`,
	`aws:ec2/routeTableAssociation:RouteTableAssociation|a|{"routeTableId":"RouteTable-public","subnetId":"Subnet-shop-public-a"}`,
	`aws:ec2/natGateway:NatGateway|n|{"subnetId":"Subnet-shop-public-a"}`,
	`aws:ec2/securityGroup:SecurityGroup|balancer|{}`, `aws:ec2/securityGroup:SecurityGroup|servers|{}`, `aws:ec2/securityGroup:SecurityGroup|data|{}`,
	`aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule|1|{"securityGroupId":"SecurityGroup-servers","referencedSecurityGroupId":"SecurityGroup-balancer"}`,
	`aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule|2|{"securityGroupId":"SecurityGroup-data","referencedSecurityGroupId":"SecurityGroup-servers"}`,
	`aws:lb/loadBalancer:LoadBalancer|shop|{"loadBalancerType":"application","securityGroups":["SecurityGroup-balancer"]}`,
	`aws:lb/listener:Listener|http|{"loadBalancerArn":"arn:LoadBalancer-shop","protocol":"HTTP","port":80}`,
	`aws:wafv2/webAcl:WebAcl|shop|{"rules":[{},{}]}`,
	`aws:iam/role:Role|servers|{}`,
	`aws:iam/instanceProfile:InstanceProfile|servers|{"role":"Role-servers"}`,
	`aws:iam/rolePolicy:RolePolicy|queue|{"role":"Role-servers","policy":"{\"Action\":\"sqs:SendMessage\",\"Resource\":\"arn:Queue-shop-orders\"}"}`,
	`aws:ec2/launchTemplate:LaunchTemplate|servers|{"instanceType":"t3.small","iamInstanceProfile":{"arn":"arn:InstanceProfile-servers"},"networkInterfaces":[{"securityGroups":["SecurityGroup-servers"]}]}`,
	`aws:autoscaling/group:Group|shop-web|{"minSize":2,"maxSize":8,"vpcZoneIdentifiers":["Subnet-shop-private-a"],"launchTemplate":{"id":"LaunchTemplate-servers"}}`,
	`aws:rds/cluster:Cluster|shop|{"engine":"aurora-postgresql","engineVersion":"16","clusterIdentifier":"shop","vpcSecurityGroupIds":["SecurityGroup-data"]}`,
	`aws:rds/clusterInstance:ClusterInstance|r|{"clusterIdentifier":"Cluster-shop","availabilityZone":"us-east-1b","instanceClass":"db.r6g.large","promotionTier":1}`,
	`aws:rds/clusterInstance:ClusterInstance|w|{"clusterIdentifier":"Cluster-shop","availabilityZone":"us-east-1a","instanceClass":"db.r6g.large","promotionTier":0}`,
	`aws:sqs/queue:Queue|shop-orders|{}`, `aws:sqs/queue:Queue|shop-orders-dead|{}`,
	`aws:sqs/redrivePolicy:RedrivePolicy|shop-orders|{"queueUrl":"Queue-shop-orders","redrivePolicy":"{\"deadLetterTargetArn\":\"arn:Queue-shop-orders-dead\"}"}`,
	`aws:s3/bucketV2:BucketV2|shop-logs|{}`,
}

type shape struct {
	class      string
	x, y, w, h float64
}

type line struct {
	shape
	text string
}

// drawn is what is in a picture, as a browser reads it.
type drawn struct {
	rects  []shape
	texts  map[string]shape
	whole  []line   // texts with all their parts
	arrows []string // classes
}

func parse(t *testing.T, svg []byte) drawn {
	t.Helper()
	d, out := xml.NewDecoder(bytes.NewReader(svg)), drawn{texts: map[string]shape{}}
	var at shape
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("no XML: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			s := shape{}
			for _, a := range e.Attr {
				n, _ := strconv.ParseFloat(a.Value, 64)
				switch a.Name.Local {
				case "class":
					s.class = a.Value
				case "x":
					s.x = n
				case "y":
					s.y = n
				case "width":
					s.w = n
				case "height":
					s.h = n
				}
			}
			switch e.Name.Local {
			case "rect":
				out.rects = append(out.rects, s)
			case "text":
				at = s
				out.whole = append(out.whole, line{shape: s})
			case "path":
				if class, ok := strings.CutPrefix(s.class, "arrow "); ok {
					out.arrows = append(out.arrows, class)
				}
			}
		case xml.CharData:
			if text := string(e); strings.TrimSpace(text) != "" {
				out.texts[text] = at
				if n := len(out.whole); n > 0 {
					out.whole[n-1].text += text
				}
			}
		}
	}
}

func draw(t *testing.T, file []byte) drawn {
	t.Helper()
	s, err := inventory.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	svg, err := diagram.SVG(s, "from a test")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, svg)
}

func TestSVG(t *testing.T) {
	d := draw(t, state(shop...))
	for _, text := range []string{
		"shop", "VPC 10.0.0.0/16", "us-east-1a", "us-east-1b", "public", "application", "data", "10.0.1.0/24", "10.0.4.0/24", "NAT gateway", "web ACL", "2 rules",
		"Application Load Balancer", "HTTP 80", "fleet web", "2 to 8 servers, on demand", "writer", "reader", "postgresql 16", "queue orders", "queue orders-dead", "buckets", "logs",
	} {
		if _, there := d.texts[text]; !there {
			t.Errorf("%q is not in the picture", text)
		}
	}
	if writer, reader := d.texts["writer"], d.texts["reader"]; writer.x >= reader.x || writer.y != reader.y {
		t.Errorf("the writer in zone a is at %+v, the reader in zone b at %+v", writer, reader)
	}
	order := []string{"web ACL", "Application Load Balancer", "fleet web", "Aurora"}
	if !slices.IsSortedFunc(order, func(a, b string) int { return int(d.texts[a].y - d.texts[b].y) }) {
		t.Error("the tiers are not below each other")
	}
	slices.Sort(d.arrows) // three steps of the way in; the balancer to the servers, these to the database; to the queue, and to the dead ones
	if want := []string{"message", "message", "path1", "path2", "plain", "plain", "plain"}; !slices.Equal(d.arrows, want) {
		t.Errorf("arrows %v, want %v", d.arrows, want)
	}
}

// big is a stack with more of everything than the profiles have, and long names.
func big() []byte {
	all := append(slices.Clone(shop), `aws:ec2/subnet:Subnet|shop-data-c|{"availabilityZone":"us-east-1c","cidrBlock":"10.0.5.0/24"}`,
		`aws:elasticache/replicationGroup:ReplicationGroup|c|{"nodeType":"cache.r7g.16xlarge","numNodeGroups":9,"replicasPerNodeGroup":5}`,
		`aws:opensearch/domain:Domain|d|{"engineVersion":"OpenSearch_2.17","clusterConfig":{"instanceType":"r6g.12xlarge.search","instanceCount":7,"dedicatedMasterEnabled":true,"dedicatedMasterCount":5}}`)
	for i := range 20 {
		all = append(all,
			fmt.Sprintf(`aws:autoscaling/group:Group|shop-%d-%s|{"minSize":%d,"maxSize":900,"launchTemplate":{"id":"LaunchTemplate-servers"}}`, i, strings.Repeat("long", 40), i*3),
			fmt.Sprintf(`aws:rds/clusterInstance:ClusterInstance|more-%d|{"clusterIdentifier":"Cluster-shop","instanceClass":"db.r6g.16xlarge"}`, i),
			fmt.Sprintf(`aws:sqs/queue:Queue|shop-%s-%d|{}`, strings.Repeat("queue", 10), i),
			fmt.Sprintf(`aws:s3/bucketV2:BucketV2|shop-%s-%d|{}`, strings.Repeat("bucket", 10), i),
			fmt.Sprintf(`aws:fms/policy:Policy|shop-%d|{}`, i))
	}
	return state(all...)
}

// Boxes of one kind do not overlap, nothing leaves the picture, and no text leaves its box, as far as letters of an ordinary width go.
func TestNothingOverlaps(t *testing.T) {
	for name, file := range map[string][]byte{"shop": state(shop...), "big": big()} {
		d := draw(t, file)
		page := d.rects[0]
		kinds := map[string][]shape{}
		for _, r := range d.rects[1:] {
			if r.x < 0 || r.y < 0 || r.w <= 0 || r.h <= 0 || r.x+r.w > page.w || r.y+r.h > page.h {
				t.Errorf("%s: %+v is not within %vx%v", name, r, page.w, page.h)
			}
			kind := strings.Fields(r.class)[0]
			kinds[kind] = append(kinds[kind], r)
		}
		for kind, shapes := range kinds {
			for i, a := range shapes {
				for _, b := range shapes[:i] {
					if a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h {
						t.Errorf("%s: two of kind %s overlap: %+v and %+v", name, kind, a, b)
					}
				}
			}
		}
		if len(kinds["chip"]) < 8 || len(kinds["band"]) < 3 {
			t.Errorf("%s: %d chips, %d bands: the check checks nothing", name, len(kinds["chip"]), len(kinds["band"]))
		}
		for _, l := range d.whole {
			begin, end := l.x, l.x+float64(len([]rune(l.text)))*11*0.5
			if strings.HasPrefix(l.class, "mid") {
				begin, end = l.x-(end-begin)/2, l.x+(end-begin)/2
			}
			around := page // the smallest box that the text stands in
			for _, r := range d.rects {
				if r.x <= l.x && l.x <= r.x+r.w && r.y <= l.y && l.y <= r.y+r.h && r.w*r.h < around.w*around.h {
					around = r
				}
			}
			if begin < around.x || end > around.x+around.w {
				t.Errorf("%s: %q from %v to %v has no room in %+v", name, l.text, begin, end, around)
			}
		}
	}
}

func TestEmpty(t *testing.T) {
	s, err := inventory.Decode(state(`aws:kms/key:Key|k|{}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := diagram.SVG(s, ""); !errors.Is(err, diagram.ErrEmpty) {
		t.Errorf("got %v", err)
	}
}

// The order of resources changes nothing.
func TestOrder(t *testing.T) {
	backwards := slices.Clone(shop)
	slices.Reverse(backwards)
	a, err := inventory.Decode(state(shop...))
	if err != nil {
		t.Fatal(err)
	}
	b, err := inventory.Decode(state(backwards...))
	if err != nil {
		t.Fatal(err)
	}
	first, err := diagram.SVG(a, "")
	if err != nil {
		t.Fatal(err)
	}
	second, err := diagram.SVG(b, "")
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("another order, another picture (%v)", err)
	}
}

var number = regexp.MustCompile(`NaN|Inf|\d\.\d{2}`)

// Whatever a stack holds, its picture is XML without numbers that no browser reads.
func FuzzSVG(f *testing.F) {
	f.Add(state(shop...))
	f.Add(state(`aws:ec2/subnet:Subnet|<&>|{"availabilityZone":"a<b","cidrBlock":"\u0000"}`, `aws:elasticache/replicationGroup:ReplicationGroup|c|{"numCacheClusters":-3}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := inventory.Decode(file)
		if err != nil {
			return
		}
		svg, err := diagram.SVG(s, "from a test")
		if errors.Is(err, diagram.ErrEmpty) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		parse(t, svg)
		for _, line := range strings.Split(string(svg), "\n") {
			if strings.HasPrefix(line, "<rect") || strings.HasPrefix(line, `<path class="arrow`) {
				if bad := number.FindString(line); bad != "" {
					t.Errorf("%s in %s", bad, line)
				}
			}
		}
	})
}
