package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/cache"
	"storefront/components/network"
)

func (st *stack) makeCache(ctx *pulumi.Context) (err error) {
	s := st.settings
	st.cache, err = cache.New(ctx, st.name+"-cache", &cache.Args{
		Identifier:       st.name,
		VpcID:            st.net.VpcID,
		SubnetIDs:        st.net.SubnetIDs(network.Data),
		KeyARN:           st.keys.Cache.ARN,
		SecretKeyARN:     st.keys.Secrets.ARN,
		LogKeyARN:        st.keys.Logs.ARN,
		Engine:           cache.Engine(s.CacheEngine),
		Version:          s.CacheVersion,
		NodeType:         s.CacheNodeType,
		Replicas:         s.CacheReplicas,
		NoFailover:       s.CacheReplicas == 0,
		SnapshotDays:     s.BackupDays,
		LogDays:          s.LogDays,
		FinalSnapshot:    s.Protect,
		ApplyImmediately: !s.Protect,
		RecoveryDays:     st.recoveryDays(),
		AlarmActions:     st.alarms,
	}, st.provider)
	if err != nil {
		return err
	}
	c := st.cache
	st.out.CacheID, st.out.CachePrimary, st.out.CacheReader, st.out.CachePort = c.ID, c.PrimaryEndpoint, c.ReaderEndpoint, c.Port
	st.out.CacheSecretARN, st.out.CacheSecurityGroup = c.SecretARN, c.SecurityGroupID
	return nil
}
