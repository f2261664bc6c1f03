package loadbalancer

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/naming"
	"storefront/components/internal/tags"
)

// TLSPolicy accepts TLS 1.2 and 1.3 with forward secrecy.
const TLSPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06"

// makeTargetGroups gives target groups no fixed names: one that must be replaced is made before the old one, which a listener
// still uses, is deleted.
func (l *LoadBalancer) makeTargetGroups(ctx *pulumi.Context, child pulumi.ResourceOption) error {
	for _, key := range slices.Sorted(maps.Keys(l.args.TargetGroups)) {
		t := l.args.TargetGroups[key]
		if t.HealthInterval == 0 {
			t.HealthInterval = 10
		}
		if t.DrainSeconds == 0 {
			t.DrainSeconds = 30
		}
		g, err := lb.NewTargetGroup(ctx, naming.Logical(naming.LoadBalancerLimit, l.name, key), &lb.TargetGroupArgs{
			VpcId:                      l.args.VpcID,
			TargetType:                 pulumi.String("instance"),
			Protocol:                   pulumi.String("HTTP"),
			Port:                       pulumi.Int(t.Port),
			DeregistrationDelay:        pulumi.Int(t.DrainSeconds),
			LoadBalancingAlgorithmType: pulumi.String("least_outstanding_requests"),
			HealthCheck: &lb.TargetGroupHealthCheckArgs{
				Path:               pulumi.String(t.HealthPath),
				Matcher:            pulumi.String("200"),
				Interval:           pulumi.Int(t.HealthInterval),
				Timeout:            pulumi.Int(min(5, t.HealthInterval-1)),
				HealthyThreshold:   pulumi.Int(2),
				UnhealthyThreshold: pulumi.Int(2),
			},
			Tags: tags.Named(l.name + "-" + key),
		}, child)
		if err != nil {
			return fmt.Errorf("creating target group %s: %w", key, err)
		}
		l.groups[key] = g
	}
	return nil
}

// makeListeners makes the listener that serves, and with a certificate the one on port 80 that redirects to it: last, so that a listener which has served until
// then never sends clients to where nobody answers yet.
func (l *LoadBalancer) makeListeners(ctx *pulumi.Context, child pulumi.ResourceOption) error {
	serve := &lb.ListenerArgs{
		LoadBalancerArn: l.balancer.Arn,
		Port:            pulumi.Int(80),
		Protocol:        pulumi.String("HTTP"),
		DefaultActions:  lb.ListenerDefaultActionArray{l.defaultAction()},
	}
	name, secure := l.name+"-http", l.args.CertificateARN != nil
	if secure {
		name = l.name + "-https"
		serve.Port, serve.Protocol = pulumi.Int(443), pulumi.String("HTTPS")
		serve.SslPolicy, serve.CertificateArn = pulumi.String(TLSPolicy), l.args.CertificateARN
	}
	var err error
	if l.listener, err = lb.NewListener(ctx, name, serve, child); err != nil {
		return fmt.Errorf("creating the listener: %w", err)
	}
	serving, err := l.makeRules(ctx, child)
	if err != nil || !secure {
		return err
	}
	_, err = lb.NewListener(ctx, l.name+"-http", &lb.ListenerArgs{
		LoadBalancerArn: l.balancer.Arn,
		Port:            pulumi.Int(80),
		Protocol:        pulumi.String("HTTP"),
		DefaultActions: lb.ListenerDefaultActionArray{&lb.ListenerDefaultActionArgs{
			Type: pulumi.String("redirect"),
			Redirect: &lb.ListenerDefaultActionRedirectArgs{
				Protocol: pulumi.String("HTTPS"), Port: pulumi.String("443"), StatusCode: pulumi.String("HTTP_301"),
			},
		}},
	}, child, pulumi.DependsOn(append(serving, l.listener)))
	if err != nil {
		return fmt.Errorf("creating the redirecting listener: %w", err)
	}
	return nil
}

func (l *LoadBalancer) defaultAction() lb.ListenerDefaultActionInput {
	if g := l.groups[l.args.Default]; g != nil {
		return &lb.ListenerDefaultActionArgs{Type: pulumi.String("forward"), TargetGroupArn: g.Arn}
	}
	return &lb.ListenerDefaultActionArgs{
		Type: pulumi.String("fixed-response"),
		FixedResponse: &lb.ListenerDefaultActionFixedResponseArgs{
			ContentType: pulumi.String("text/plain"), MessageBody: pulumi.String("not found"), StatusCode: pulumi.String(strconv.Itoa(404)),
		},
	}
}

func (l *LoadBalancer) makeRules(ctx *pulumi.Context, child pulumi.ResourceOption) (made []pulumi.Resource, err error) {
	for _, key := range slices.Sorted(maps.Keys(l.args.Rules)) {
		r := l.args.Rules[key]
		rule, err := lb.NewListenerRule(ctx, l.name+"-"+key, &lb.ListenerRuleArgs{
			ListenerArn: l.listener.Arn,
			Priority:    pulumi.Int(r.Priority),
			Conditions: lb.ListenerRuleConditionArray{&lb.ListenerRuleConditionArgs{
				PathPattern: &lb.ListenerRuleConditionPathPatternArgs{Values: pulumi.ToStringArray(r.Paths)},
			}},
			Actions: lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{
				Type: pulumi.String("forward"), TargetGroupArn: l.groups[r.TargetGroup].Arn,
			}},
		}, child)
		if err != nil {
			return nil, fmt.Errorf("creating rule %s: %w", key, err)
		}
		made = append(made, rule)
	}
	return made, nil
}
