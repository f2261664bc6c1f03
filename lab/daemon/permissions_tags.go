//go:build linux

package daemon

import (
	"strings"

	"storefront/lab/access"
	"storefront/lab/state"
)

// Tags implements authorization.Resources for the services whose policies know tags of their resources.
func (p permissions) Tags(tx *state.Tx, arn string) (map[string]string, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return nil, nil
	}
	switch name := parts[5]; parts[2] {
	case "autoscaling":
		return p.scaling.Tags(tx, name[strings.LastIndexByte(name, '/')+1:])
	case "backup":
		return p.backup.Tags(tx, arn)
	case "ec2":
		return p.ec2.Tags(tx, name[strings.LastIndexByte(name, '/')+1:]), nil
	case "elasticache":
		return p.cache.Tags(tx, arn)
	case "elasticloadbalancing":
		return p.elb.Tags(tx, arn)
	case "es":
		return p.search.Tags(tx, arn)
	case "iam":
		return p.iam.Tags(tx, arn)
	case "kms":
		return p.kms.Tags(tx, arn)
	case "logs":
		group, _, _ := strings.Cut(strings.TrimPrefix(name, "log-group:"), ":")
		return p.logs.Tags(tx, group)
	case "rds":
		return p.rds.Tags(tx, arn)
	case "s3":
		if bucket, key, object := strings.Cut(name, "/"); object {
			return p.s3.Tags(tx, bucket, key)
		}
	case "secretsmanager":
		return p.secrets.Tags(tx, arn)
	case "sns":
		return p.sns.Tags(tx, name)
	case "sqs":
		return p.sqs.Tags(tx, name)
	case "ssm":
		return p.ssm.Tags(tx, arn)
	}
	return nil, nil
}

// EndpointPolicy implements authorization.Resources.
func (p permissions) EndpointPolicy(tx *state.Tx, id string) (*access.Document, error) {
	text, err := p.ec2.EndpointPolicy(tx, id)
	if err != nil || text == "" {
		return nil, err
	}
	return p.parsed.Parse(text)
}
