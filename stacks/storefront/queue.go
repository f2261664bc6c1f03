package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/queue"
	"storefront/components/secret"
)

// visibility is how long a consumer has for an order before another one may try, in seconds. It extends it while it works.
const visibility = 60

// makeQueue makes the queue of orders, and the key that seals their IDs: who takes an order and who is asked about it later are
// different servers.
func (st *stack) makeQueue(ctx *pulumi.Context) (err error) {
	st.orders, err = queue.New(ctx, st.name+"-orders", &queue.Args{
		KeyARN:            st.keys.Messages.ARN,
		VisibilitySeconds: visibility,
		MaxReceives:       st.settings.QueueMaxReceives,
		AlarmActions:      st.alarms,
	}, st.provider)
	if err != nil {
		return err
	}
	st.orderKey, err = secret.New(ctx, st.name+"-order-key", &secret.Args{
		Description: "Seals the IDs of orders of " + st.name, Field: "key", KeyARN: st.keys.Secrets.ARN, RecoveryDays: st.recoveryDays(),
	}, st.provider)
	if err != nil {
		return err
	}
	st.out.QueueURL, st.out.DeadLetterURL, st.out.OrderSecretARN = st.orders.URL, st.orders.DeadLetterURL, st.orderKey.ARN
	return nil
}
