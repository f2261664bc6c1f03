package main

import (
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/database"
)

func (st *stack) makeDatabase(ctx *pulumi.Context) error {
	s := st.settings
	args := &database.Args{
		Identifier:          st.name,
		VpcID:               st.net.VpcID,
		SubnetGroup:         st.net.DatabaseSubnetGroup,
		KeyARN:              st.keys.Database.ARN,
		SecretKeyARN:        st.keys.Secrets.ARN,
		LogKeyARN:           st.keys.Logs.ARN,
		Version:             s.DatabaseVersion,
		Name:                databaseName,
		AdminName:           s.DatabaseAdmin,
		Port:                s.DatabasePort,
		Writer:              database.Instance{Class: s.DatabaseClass, Zone: s.Zones[0]},
		Readers:             map[string]database.Instance{},
		BackupDays:          s.BackupDays,
		LogDays:             s.LogDays,
		DeletionProtection:  s.Protect,
		SkipFinalSnapshot:   !s.Protect,
		ApplyImmediately:    !s.Protect,
		PerformanceInsights: s.Monitoring,
		AlarmActions:        st.alarms,
	}
	for i := 1; i <= s.Readers; i++ {
		args.Readers[strconv.Itoa(i)] = database.Instance{Class: s.DatabaseClass, Zone: s.Zones[i%len(s.Zones)]}
	}
	if s.MaxReaders > s.Readers {
		args.Scaling = &database.Scaling{Min: s.Readers, Max: s.MaxReaders, TargetCPU: 60}
	}
	if s.Monitoring {
		args.MonitoringSeconds = 60
	}
	db, err := database.New(ctx, st.name, args, st.provider)
	if err != nil {
		return err
	}
	st.db = db
	st.out.DatabaseCluster, st.out.DatabaseSecretARN, st.out.DatabaseLogGroup = db.ClusterID, db.SecretARN, db.LogGroup
	st.out.DatabaseWriter, st.out.DatabaseReader, st.out.DatabasePort = db.WriterEndpoint, db.ReaderEndpoint, db.Port
	st.out.DatabaseSecurityGroup = db.SecurityGroupID
	return nil
}
