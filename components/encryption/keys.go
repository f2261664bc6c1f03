package encryption

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Keys are the keys of a stack, one for each class of data: who may read one class is not thereby let into another.
type Keys struct {
	Database *Key // Aurora: storage, snapshots, insights
	Cache    *Key // ElastiCache: data, snapshots
	Search   *Key // Elasticsearch and OpenSearch domains
	Secrets  *Key // Secrets Manager, with the master password that RDS keeps there
	Messages *Key // queues and topics, with what alarms and topics send to them
	Volumes  *Key // EBS volumes of auto scaling groups
	Backups  *Key // buckets of dumps, vaults of AWS Backup
	Logs     *Key // log groups, but not the trail's
	Audit    *Key // the trail: its files and its log group
}

// KeysArgs describe what the keys have in common; the fields mean what they mean in Args.
type KeysArgs struct {
	Region       string
	AccountID    pulumi.StringInput
	Admins       []string
	DeletionDays int
}

// class is a class of data: the name that its key ends with, and the services that keep such data or carry it.
type class struct {
	name     string
	services []Service
	key      **Key
}

func (k *Keys) classes() []class {
	return []class{
		{"database", []Service{RDS}, &k.Database},
		{"cache", []Service{ElastiCache}, &k.Cache},
		{"search", []Service{Search}, &k.Search},
		{"secrets", []Service{SecretsManager, RDS}, &k.Secrets},
		{"messages", []Service{SQS, SNS, Alarms, Topics}, &k.Messages},
		{"volumes", []Service{AutoScaling}, &k.Volumes},
		{"backups", []Service{S3, Backup}, &k.Backups},
		{"logs", []Service{Logs}, &k.Logs},
		{"audit", []Service{S3, Logs, CloudTrail}, &k.Audit},
	}
}

// NewKeys makes a key for each class, named "<name>-<class>". Errors of arguments are ErrArgs.
func NewKeys(ctx *pulumi.Context, name string, args *KeysArgs, opts ...pulumi.ResourceOption) (*Keys, error) {
	k := &Keys{}
	for _, c := range k.classes() {
		var err error
		*c.key, err = NewKey(ctx, name+"-"+c.name, &Args{
			Region: args.Region, AccountID: args.AccountID, Admins: args.Admins, Services: c.services, DeletionDays: args.DeletionDays,
		}, opts...)
		if err != nil {
			return nil, err
		}
	}
	return k, nil
}

// ARNs returns the ARN of each key by its class: "database", "cache", "search", "secrets", "messages", "volumes", "backups", "logs", "audit".
func (k *Keys) ARNs() pulumi.StringMap {
	arns := pulumi.StringMap{}
	for _, c := range k.classes() {
		arns[c.name] = (*c.key).ARN
	}
	return arns
}
