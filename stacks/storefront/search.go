package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/compute"
	"storefront/components/network"
	"storefront/components/search"
)

// makeSearch makes the search domain, open to the role of the summary fleet alone, which is therefore made here.
func (st *stack) makeSearch(ctx *pulumi.Context) (err error) {
	s := st.settings
	if st.role, err = compute.NewRole(ctx, st.name+"-"+summary, st.provider); err != nil {
		return err
	}
	// Names are unique over both engines: with a name of its own, the domain of another engine is made before the old one goes.
	name := st.name
	if s.SearchEngine == string(search.OpenSearch) {
		name += "-os"
	}
	st.search, err = search.New(ctx, st.name+"-search", &search.Args{
		Name:          name,
		Region:        s.Region,
		AccountID:     st.account,
		VpcID:         st.net.VpcID,
		SubnetIDs:     st.net.SubnetIDs(network.Data),
		KeyARN:        st.keys.Search.ARN,
		LogKeyARN:     st.keys.Logs.ARN,
		Engine:        search.Engine(s.SearchEngine),
		Version:       s.SearchVersion,
		InstanceType:  s.SearchInstanceType,
		Nodes:         s.SearchNodes,
		MasterType:    s.SearchMasterType,
		VolumeGiB:     s.SearchVolumeGiB,
		MasterRoleARN: st.role.ARN,
		RoleARNs:      []pulumi.StringInput{st.role.ARN},
		RoleExists:    s.SearchRole == "exists",
		LogDays:       s.LogDays,
		AlarmActions:  st.alarms,
	}, st.provider)
	if err != nil {
		return err
	}
	st.out.SearchDomain, st.out.SearchURL, st.out.SearchSecurityGroup = st.search.Name, st.search.URL, st.search.SecurityGroupID
	return nil
}
