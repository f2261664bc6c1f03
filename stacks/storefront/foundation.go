package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/encryption"
	"storefront/components/topic"
)

// makeKey makes the key of all data that the stack keeps.
func (st *stack) makeKey(ctx *pulumi.Context) (err error) {
	days := 7
	if st.settings.Protect {
		days = 30
	}
	st.key, err = encryption.NewKey(ctx, st.name, &encryption.Args{
		Region:    st.settings.Region,
		AccountID: st.account,
		Services: []encryption.Service{
			encryption.RDS, encryption.SecretsManager, encryption.S3, encryption.SQS, encryption.SNS, encryption.ElastiCache, encryption.Search,
			encryption.Logs, encryption.Alarms, encryption.CloudTrail,
		},
		DeletionDays: days,
	}, st.provider)
	if err != nil {
		return err
	}
	st.out.KeyARN = st.key.ARN
	return nil
}

// makeTopic makes the topic that all alarms of the stack publish to. Who is told subscribes to it.
func (st *stack) makeTopic(ctx *pulumi.Context) error {
	t, err := topic.New(ctx, st.name+"-alarms", &topic.Args{Region: st.settings.Region, AccountID: st.account, KeyARN: st.key.ARN}, st.provider)
	if err != nil {
		return err
	}
	st.alarms, st.out.AlarmTopicARN = []pulumi.StringInput{t.ARN}, t.ARN
	return nil
}
