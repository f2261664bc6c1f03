//go:build linux

package daemon

import (
	"context"
	"reflect"
	"strings"

	"storefront/lab/access"
	backupapi "storefront/lab/api/backup"
	cacheapi "storefront/lab/api/elasticache"
	esapi "storefront/lab/api/elasticsearch"
	logsapi "storefront/lab/api/logs"
	osapi "storefront/lab/api/opensearch"
	rdsapi "storefront/lab/api/rds"
	"storefront/lab/authorization"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// permissions tells the authorizer what the region's services know of their resources.
type permissions struct {
	*lab
	parsed *access.Cache
}

// Resolve implements authorization.Resources: aliases of keys, names of secrets, paths of IAM, and the role of an instance profile.
func (p permissions) Resolve(tx *state.Tx, action, arn string) (string, error) {
	service, _, _ := strings.Cut(action, ":")
	switch {
	case service == "kms":
		return p.kms.Resolve(tx, arn)
	case service == "secretsmanager" && strings.Contains(arn, ":secret:"):
		if known, _, err := p.secrets.Policy(tx, arn); known != "" || err != nil {
			return known, err
		}
	case action == "iam:PassRole" && strings.Contains(arn, ":instance-profile/"):
		profile, _ := p.iam.Profile(tx, arn)
		if profile.Role != "" {
			return p.iam.Path(tx, p.region.GlobalARN("iam", "role/"+profile.Role))
		}
	case service == "iam":
		return p.iam.Path(tx, arn)
	}
	return arn, nil
}

// Policy implements authorization.Resources.
func (p permissions) Policy(tx *state.Tx, r *access.Request) (*access.Document, bool, error) {
	service, _, _ := strings.Cut(r.Action, ":")
	parts := strings.SplitN(r.Resource, ":", 6)
	if len(parts) < 6 {
		return nil, false, nil
	}
	var text string
	var err error
	switch name := parts[5]; service {
	case "kms":
		d, err := p.kms.Policy(tx, r.Resource)
		return d, d != nil, err
	case "sts":
		d, err := p.iam.Trust(tx, r.Resource)
		return d, d != nil, err
	case "s3":
		bucket, _, _ := strings.Cut(name, "/")
		text, err = p.s3.Policy(tx, bucket, r.Principal.Service == "" && r.Principal.Account != p.region.Account)
	case "backup":
		text, err = p.backup.Policy(tx, r.Resource)
	case "sqs":
		text, err = p.sqs.Policy(tx, name)
	case "sns":
		text, err = p.sns.Policy(tx, name)
	case "secretsmanager":
		_, text, err = p.secrets.Policy(tx, r.Resource)
	}
	if err != nil || text == "" {
		return nil, false, err
	}
	d, err := p.parsed.Parse(text)
	return d, false, err
}

// Keys implements authorization.Resources.
func (p permissions) Keys(tx *state.Tx, ask authorization.Ask, input any) (uses []authorization.KeyUse, err error) {
	service, _, _ := strings.Cut(ask.Action, ":")
	var key string
	use := authorization.KeyUse{Service: service}
	switch service {
	case "s3":
		if write := ask.Action == "s3:PutObject"; write || strings.HasPrefix(ask.Action, "s3:GetObject") {
			key, use.Actions, use.Context, err = p.s3.KeyUse(tx, write, input)
		}
	case "sqs":
		key, use.Actions, use.Context, err = p.sqs.KeyUse(tx, input)
	case "sns":
		key, use.Actions, use.Context, err = p.sns.KeyUse(tx, input)
	case "secretsmanager":
		key, use.Actions, use.Context, err = p.secrets.KeyUse(tx, input)
	case "ssm":
		var keys []string
		var action string
		if keys, action, err = p.ssm.KeyUse(tx, input); err == nil {
			for _, key := range keys {
				arn, err := p.key(tx, key)
				if err != nil {
					return nil, err
				}
				uses = append(uses, authorization.KeyUse{Service: "ssm", Actions: []string{action}, Key: arn, Context: map[string]string{"PARAMETER_ARN": ask.Resource}})
			}
		}
		return uses, err
	case "logs":
		if key = loggingKey(input); key != "" {
			group := strings.TrimSuffix(ask.Resource, ":log-stream:")
			use.Principal, use.Actions, use.Context = "logs."+p.region.Name+".amazonaws.com", []string{"kms:GenerateDataKey", "kms:Decrypt"}, map[string]string{"aws:logs:arn": group}
		}
	case "backup":
		if in, ok := input.(*backupapi.CreateBackupVaultInput); ok { // "Backup vault creation and deletion", required permissions
			key, use.Actions = wire.Value(in.EncryptionKeyArn), []string{"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"}
		}
	case "rds", "elasticache", "es":
		key, use.Actions = storageKey(input), []string{"kms:DescribeKey", "kms:CreateGrant"}
	}
	if err != nil || key == "" {
		return nil, err
	}
	use.Key, err = p.key(tx, key)
	return []authorization.KeyUse{use}, err
}

// permits decides about what services do on their own.
func (l *lab) permits(tx *state.Tx, act access.Act) error { return l.access.Permits(tx, act) }

// keyAdmits lets services that act for themselves use keys.
func (l *lab) keyAdmits(tx *state.Tx, service, source, key string, encryptionContext map[string]string) error {
	return l.access.KeyAdmits(tx, service, source, key, encryptionContext)
}

// volumeKey lets EBS encrypt a volume with a key in the name of who launches or starts an instance, from "Requirements for Amazon EBS encryption".
func (l *lab) volumeKey(ctx context.Context, tx *state.Tx, key, volume string) (string, error) {
	arn, err := l.kms.Usable(tx, key)
	if err != nil {
		return "", err
	}
	return arn, l.access.Serves(ctx, tx, authorization.KeyUse{
		Service: "ec2", Key: arn, Context: map[string]string{"aws:ebs:id": volume},
		Actions: []string{"kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant"},
	})
}

// key is the ARN of a key that a resource names in any of the forms that KMS knows.
func (p permissions) key(tx *state.Tx, ref string) (string, error) {
	switch {
	case strings.HasPrefix(ref, "arn:"):
		return p.kms.Resolve(tx, ref)
	case strings.HasPrefix(ref, "alias/"):
		return p.kms.Resolve(tx, p.region.ARN("kms", ref))
	}
	return p.region.ARN("kms", "key/"+ref), nil
}

// loggingKey is the key that CloudWatch Logs is told to use, as itself.
func loggingKey(input any) string {
	switch in := input.(type) {
	case *logsapi.CreateLogGroupInput:
		return wire.Value(in.KmsKeyId)
	case *logsapi.AssociateKmsKeyInput:
		return wire.Value(in.KmsKeyId)
	}
	return ""
}

// storageKey is the key of storage that a request makes: its service gets a grant from the caller.
func storageKey(input any) string {
	switch in := input.(type) {
	case *rdsapi.CreateDBClusterInput, *rdsapi.RestoreDBClusterFromSnapshotInput, *rdsapi.RestoreDBClusterToPointInTimeInput, *rdsapi.CopyDBClusterSnapshotInput, *cacheapi.CreateReplicationGroupInput, *cacheapi.CreateSnapshotInput,
		*cacheapi.CopySnapshotInput:
		key, _ := reflect.ValueOf(in).Elem().FieldByName("KmsKeyId").Interface().(*string)
		return wire.Value(key)
	case *osapi.CreateDomainInput:
		if o := in.EncryptionAtRestOptions; o != nil {
			return wire.Value(o.KmsKeyId)
		}
	case *esapi.CreateElasticsearchDomainInput:
		if o := in.EncryptionAtRestOptions; o != nil {
			return wire.Value(o.KmsKeyId)
		}
	}
	return ""
}
