package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/encryption"
	"storefront/components/topic"
)

// makeKeys makes the keys of all data that the stack keeps, one for each class.
func (st *stack) makeKeys(ctx *pulumi.Context) (err error) {
	days := 7
	if st.settings.Protect {
		days = 30
	}
	st.keys, err = encryption.NewKeys(ctx, st.name, &encryption.KeysArgs{
		Region: st.settings.Region, AccountID: st.account, Admins: st.settings.KeyAdmins, DeletionDays: days,
	}, st.provider)
	if err != nil {
		return err
	}
	st.out.KeyARNs = st.keys.ARNs()
	return nil
}

// makeTopic makes the topic that all alarms of the stack publish to. Who is told subscribes to it.
func (st *stack) makeTopic(ctx *pulumi.Context) error {
	t, err := topic.New(ctx, st.name+"-alarms", &topic.Args{Region: st.settings.Region, AccountID: st.account, KeyARN: st.keys.Messages.ARN}, st.provider)
	if err != nil {
		return err
	}
	st.alarms, st.out.AlarmTopicARN = []pulumi.StringInput{t.ARN}, t.ARN
	return nil
}
