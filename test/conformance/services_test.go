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

	acmapi "storefront/lab/api/acm"
	appscalingapi "storefront/lab/api/applicationautoscaling"
	autoscalingapi "storefront/lab/api/autoscaling"
	backupapi "storefront/lab/api/backup"
	trailapi "storefront/lab/api/cloudtrail"
	cloudwatchapi "storefront/lab/api/cloudwatch"
	ec2api "storefront/lab/api/ec2"
	cacheapi "storefront/lab/api/elasticache"
	esapi "storefront/lab/api/elasticsearch"
	elbapi "storefront/lab/api/elbv2"
	fmsapi "storefront/lab/api/fms"
	iamapi "storefront/lab/api/iam"
	kmsapi "storefront/lab/api/kms"
	logsapi "storefront/lab/api/logs"
	osapi "storefront/lab/api/opensearch"
	rdsapi "storefront/lab/api/rds"
	s3api "storefront/lab/api/s3"
	secretsapi "storefront/lab/api/secretsmanager"
	snsapi "storefront/lab/api/sns"
	sqsapi "storefront/lab/api/sqs"
	ssmapi "storefront/lab/api/ssm"
	stsapi "storefront/lab/api/sts"
	wafapi "storefront/lab/api/wafv2"
	"storefront/lab/wire"
)

// service is one directory of lab/api: the model that it was generated from, and the SDK's client for it.
type service struct {
	dir    string
	model  *wire.Service
	api    reflect.Type // its interface API
	client reflect.Value
	cli    string // what the AWS CLI calls it, where that is not dir
}

func of[API, Client, Options any](dir string, model func(API) *wire.Service, stub API, client func(aws.Config, ...func(*Options)) *Client, config aws.Config, options ...func(*Options)) *service {
	return &service{dir: dir, model: model(stub), api: reflect.TypeFor[API](), client: reflect.ValueOf(client(config, options...)), cli: dir}
}

// services returns every service of the lab, in the order in which their scenarios run.
func services(c aws.Config) []*service {
	return []*service{
		of("sts", stsapi.New, stsapi.API(struct{ stsapi.API }{}), sts.NewFromConfig, c),
		of("iam", iamapi.New, iamapi.API(struct{ iamapi.API }{}), iam.NewFromConfig, c),
		of("kms", kmsapi.New, kmsapi.API(struct{ kmsapi.API }{}), kms.NewFromConfig, c),
		of("secretsmanager", secretsapi.New, secretsapi.API(struct{ secretsapi.API }{}), secretsmanager.NewFromConfig, c),
		of("ssm", ssmapi.New, ssmapi.API(struct{ ssmapi.API }{}), ssm.NewFromConfig, c),
		of("logs", logsapi.New, logsapi.API(struct{ logsapi.API }{}), cloudwatchlogs.NewFromConfig, c),
		of("sqs", sqsapi.New, sqsapi.API(struct{ sqsapi.API }{}), sqs.NewFromConfig, c),
		of("sns", snsapi.New, snsapi.API(struct{ snsapi.API }{}), sns.NewFromConfig, c),
		of("cloudwatch", cloudwatchapi.New, cloudwatchapi.API(struct{ cloudwatchapi.API }{}), cloudwatch.NewFromConfig, c),
		of("s3", s3api.New, s3api.API(struct{ s3api.API }{}), s3.NewFromConfig, c, func(o *s3.Options) { o.UsePathStyle = true }).named("s3api"),
		of("cloudtrail", trailapi.New, trailapi.API(struct{ trailapi.API }{}), cloudtrail.NewFromConfig, c),
		of("acm", acmapi.New, acmapi.API(struct{ acmapi.API }{}), acm.NewFromConfig, c),
		of("ec2", ec2api.New, ec2api.API(struct{ ec2api.API }{}), ec2.NewFromConfig, c),
		of("elbv2", elbapi.New, elbapi.API(struct{ elbapi.API }{}), elasticloadbalancingv2.NewFromConfig, c),
		of("autoscaling", autoscalingapi.New, autoscalingapi.API(struct{ autoscalingapi.API }{}), autoscaling.NewFromConfig, c),
		of("wafv2", wafapi.New, wafapi.API(struct{ wafapi.API }{}), wafv2.NewFromConfig, c),
		of("fms", fmsapi.New, fmsapi.API(struct{ fmsapi.API }{}), fms.NewFromConfig, c),
		of("rds", rdsapi.New, rdsapi.API(struct{ rdsapi.API }{}), rds.NewFromConfig, c),
		of("applicationautoscaling", appscalingapi.New, appscalingapi.API(struct{ appscalingapi.API }{}), applicationautoscaling.NewFromConfig, c).named("application-autoscaling"),
		of("backup", backupapi.New, backupapi.API(struct{ backupapi.API }{}), backup.NewFromConfig, c),
		of("elasticache", cacheapi.New, cacheapi.API(struct{ cacheapi.API }{}), elasticache.NewFromConfig, c),
		of("elasticsearch", esapi.New, esapi.API(struct{ esapi.API }{}), elasticsearchservice.NewFromConfig, c).named("es"),
		of("opensearch", osapi.New, osapi.API(struct{ osapi.API }{}), opensearch.NewFromConfig, c),
	}
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

// TestServices finds services that the lab has and these tests do not.
func TestServices(t *testing.T) {
	lists, err := filepath.Glob(filepath.Join(root, "lab/api/*/operations.txt"))
	if err != nil || len(lists) == 0 {
		t.Fatal("no operations.txt", err)
	}
	known := services(aws.Config{Region: region})
	for _, list := range lists {
		dir := filepath.Base(filepath.Dir(list))
		if !slices.ContainsFunc(known, func(s *service) bool { return s.dir == dir }) {
			t.Errorf("lab/api/%s: add it to services in services_test.go and describe its operations in testdata/operations/%s.yaml", dir, dir)
			continue
		}
		if _, err := os.Stat(filepath.Join("testdata/operations", dir+".yaml")); err != nil {
			t.Error(err)
		}
	}
}
