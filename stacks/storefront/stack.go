package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/backup"
	"storefront/components/cache"
	"storefront/components/compute"
	"storefront/components/database"
	"storefront/components/encryption"
	"storefront/components/loadbalancer"
	"storefront/components/network"
	"storefront/components/queue"
	"storefront/components/search"
	"storefront/components/secret"
	"storefront/stacks/internal/administration"
	"storefront/stacks/internal/settings"
	"storefront/stacks/storefront/outputs"
)

// stack is what the layers share. Each layer is a file and adds what those after it use.
type stack struct {
	settings    settings.Settings
	administers administration.Asks // of Firewall Manager
	name        string              // "storefront-lab": begins the names that AWS wants unique
	account     pulumi.StringOutput
	tags        map[string]string
	aws         *aws.Provider
	provider    pulumi.ResourceOption // aws, as an option
	out         outputs.Live

	keys     *encryption.Keys
	alarms   []pulumi.StringInput // the topics that alarms are told to
	net      *network.Network
	db       *database.Database
	backup   *backup.Backup
	orders   *queue.Queue
	orderKey *secret.Secret
	cache    *cache.Cache
	role     *compute.Role // of the summary fleet
	search   *search.Domain
	balancer *loadbalancer.LoadBalancer
}

// deploy declares the whole stack. What cannot be declared without it is asked of administers.
func deploy(ctx *pulumi.Context, s settings.Settings, administers administration.Asks) error {
	st := &stack{
		settings:    s,
		administers: administers,
		name:        ctx.Project() + "-" + ctx.Stack(),
		tags:        map[string]string{"Project": ctx.Project(), "Stack": ctx.Stack(), "ManagedBy": "pulumi"},
	}
	var err error
	if st.aws, err = st.newProvider(ctx); err != nil {
		return err
	}
	st.provider = pulumi.Provider(st.aws)
	st.account = aws.GetCallerIdentityOutput(ctx, aws.GetCallerIdentityOutputArgs{}, pulumi.Provider(st.aws)).AccountId()
	st.out.Region = pulumi.String(s.Region)
	for _, layer := range []func(*pulumi.Context) error{
		st.makeKeys, st.makeTopic, st.makeNetwork, st.makeDatabase, st.makeBackup, st.makeQueue, st.makeCache, st.makeSearch, st.makeBalancer, st.makeFirewall, st.makeFirewallManager, st.makeFleets, st.makeAccount, st.makeAudit,
	} {
		if err := layer(ctx); err != nil {
			return err
		}
	}
	return st.out.Export(ctx)
}

// recoveryDays is how long a deleted secret can be restored.
func (st *stack) recoveryDays() int {
	if st.settings.Protect {
		return 30
	}
	return 0
}
