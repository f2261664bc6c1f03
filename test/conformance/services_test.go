//go:build linux

package conformance

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticsearchservice"
	"github.com/aws/aws-sdk-go-v2/service/fms"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"

	"storefront/lab/api"
	"storefront/lab/wire"
)

// service is one package of lab/api: what it was generated from, and the SDK's client for it.
type service struct {
	dir    string
	model  *wire.Service
	api    reflect.Type // its interface API
	client reflect.Value
	cli    string // what the AWS CLI calls it, where that is not dir
}

func of[Client, Options any](dir string, client func(aws.Config, ...func(*Options)) *Client, config aws.Config, options ...func(*Options)) *service {
	return &service{dir: dir, client: reflect.ValueOf(client(config, options...)), cli: dir}
}

// services returns every service of the lab, in the order in which their scenarios run.
func services(c aws.Config) []*service {
	list := []*service{
		of("sts", sts.NewFromConfig, c),
		of("iam", iam.NewFromConfig, c),
		of("kms", kms.NewFromConfig, c),
		of("secretsmanager", secretsmanager.NewFromConfig, c),
		of("ssm", ssm.NewFromConfig, c),
		of("logs", cloudwatchlogs.NewFromConfig, c),
		of("sqs", sqs.NewFromConfig, c),
		of("sns", sns.NewFromConfig, c),
		of("cloudwatch", cloudwatch.NewFromConfig, c),
		of("s3", s3.NewFromConfig, c, func(o *s3.Options) { o.UsePathStyle = true }).named("s3api"),
		of("cloudtrail", cloudtrail.NewFromConfig, c),
		of("acm", acm.NewFromConfig, c),
		of("ec2", ec2.NewFromConfig, c),
		of("elbv2", elasticloadbalancingv2.NewFromConfig, c),
		of("autoscaling", autoscaling.NewFromConfig, c),
		of("wafv2", wafv2.NewFromConfig, c),
		of("fms", fms.NewFromConfig, c),
		of("rds", rds.NewFromConfig, c),
		of("applicationautoscaling", applicationautoscaling.NewFromConfig, c).named("application-autoscaling"),
		of("backup", backup.NewFromConfig, c),
		of("elasticache", elasticache.NewFromConfig, c),
		of("elasticsearch", elasticsearchservice.NewFromConfig, c).named("es"),
		of("opensearch", opensearch.NewFromConfig, c),
	}
	for _, m := range api.Models() {
		if i := slices.IndexFunc(list, func(s *service) bool { return s.dir == m.Package }); i >= 0 {
			list[i].model, list[i].api = m.Service, m.API
		}
	}
	return list
}

func (s *service) named(cli string) *service {
	s.cli = cli
	return s
}

// operation finds an operation of the model.
func (s *service) operation(name string) (wire.Operation, bool) {
	i := slices.IndexFunc(s.model.Operations, func(o wire.Operation) bool { return o.Name == name })
	if i < 0 {
		return wire.Operation{}, false
	}
	return s.model.Operations[i], true
}

// output is the model's type of an operation's answer.
func (s *service) output(name string) reflect.Type {
	m, _ := s.api.MethodByName(name)
	return m.Type.Out(0).Elem()
}

// TestServices finds services that the lab has and these tests do not, and the reverse.
func TestServices(t *testing.T) {
	known := services(aws.Config{Region: region})
	for _, m := range api.Models() {
		if !slices.ContainsFunc(known, func(s *service) bool { return s.dir == m.Package }) {
			t.Errorf("lab/api/%s: add it to services in services_test.go and describe its operations in testdata/operations/%[1]s.yaml", m.Package)
		}
	}
	for _, s := range known {
		if s.model == nil {
			t.Errorf("%s is in services, and lab/api has no such package", s.dir)
		}
		if _, err := os.Stat(filepath.Join("testdata/operations", s.dir+".yaml")); err != nil {
			t.Error(err)
		}
	}
}
