package ec2

import (
	"context"
	"strings"
	"time"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// flowLog is a flow log of a VPC, subnet or interface.
type flowLog struct {
	ID          string
	Resource    string
	Traffic     string // "ACCEPT", "REJECT" or "ALL"
	Type        string // "cloud-watch-logs" or "s3"
	Destination string // ARN
	Group       string // name of the log group, when that is how it was given
	Role        string
	Format      string
	Interval    int64 // seconds
	Options     *api.DestinationOptionsRequest
	Created     time.Time
}

func (v flowLog) id() string { return v.ID }

var flowLogs = kind[flowLog]{
	table: state.NewTable[flowLog]("ec2.flow-log"), prefix: "fl", tagType: "vpc-flow-log", absent: "InvalidFlowLogId.NotFound", noun: "flow log ID",
	filters: map[string]func(flowLog) []string{
		"flow-log-id":          one(flowLog.id),
		"resource-id":          one(func(v flowLog) string { return v.Resource }),
		"traffic-type":         one(func(v flowLog) string { return v.Traffic }),
		"log-destination-type": one(func(v flowLog) string { return v.Type }),
		"log-group-name":       one(func(v flowLog) string { return v.Group }),
	},
}

const defaultLogFormat = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"

// CreateFlowLogs creates a flow log for each resource. The lab keeps the configuration; it delivers no records.
func (s *Service) CreateFlowLogs(ctx context.Context, in *api.CreateFlowLogsInput) (*api.CreateFlowLogsOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateFlowLogsOutput) error {
		base, err := s.flowLogOf(in)
		if err != nil {
			return err
		}
		for _, resource := range in.ResourceIds {
			id, err := s.once(tx, "CreateFlowLogs/"+resource, in.ClientToken, in, func() (string, error) { return s.newFlowLog(ctx, tx, base, resource, in) })
			if item, ok := unsuccessful(resource, err); ok && strings.HasSuffix(*item.Error.Code, ".NotFound") {
				out.Unsuccessful = append(out.Unsuccessful, item)
				continue
			}
			if err != nil {
				return err
			}
			out.FlowLogIds = append(out.FlowLogIds, id)
		}
		out.ClientToken = in.ClientToken
		return nil
	})
}

// flowLogOf checks a request and makes a flow log of what is the same for all resources.
func (s *Service) flowLogOf(in *api.CreateFlowLogsInput) (flowLog, error) {
	v := flowLog{
		Traffic: wire.Or(in.TrafficType, api.TrafficTypeAll), Type: wire.Or(in.LogDestinationType, api.LogDestinationTypeCloudWatchLogs), Destination: wire.Value(in.LogDestination),
		Group: wire.Value(in.LogGroupName), Role: wire.Value(in.DeliverLogsPermissionArn), Format: wire.Or(in.LogFormat, defaultLogFormat), Interval: wire.Or(in.MaxAggregationInterval, 600),
		Options: in.DestinationOptions, Created: s.Now().UTC(),
	}
	if err := checkSpecifications(in.TagSpecifications, "vpc-flow-log"); err != nil {
		return v, err
	}
	switch {
	case v.Interval != 60 && v.Interval != 600:
		return v, fault("InvalidParameter", "Invalid MaxAggregationInterval '%d'. Valid values are 60 and 600.", v.Interval)
	case v.Traffic != api.TrafficTypeAll && v.Traffic != api.TrafficTypeAccept && v.Traffic != api.TrafficTypeReject:
		return v, fault("InvalidParameter", "Invalid TrafficType '%s'", v.Traffic)
	case v.Type == api.LogDestinationTypeS3 && !strings.HasPrefix(v.Destination, "arn:aws:s3:::"):
		return v, fault("InvalidParameter", "LogDestination '%s' is not the ARN of a bucket", v.Destination)
	case v.Type == api.LogDestinationTypeCloudWatchLogs && v.Destination == "" && v.Group == "":
		return v, fault("InvalidParameter", "LogDestination or LogGroupName must be specified")
	case v.Type == api.LogDestinationTypeCloudWatchLogs && v.Role == "":
		return v, fault("InvalidParameter", "DeliverLogsPermissionArn must be specified")
	case v.Type != api.LogDestinationTypeS3 && v.Type != api.LogDestinationTypeCloudWatchLogs:
		return v, unsupported("LogDestinationType " + v.Type)
	}
	if v.Type == api.LogDestinationTypeCloudWatchLogs {
		if v.Destination == "" {
			v.Destination = s.Region.ARN("logs", "log-group:"+v.Group)
		} else if _, name, ok := strings.Cut(v.Destination, ":log-group:"); ok {
			v.Group = strings.TrimSuffix(name, ":*")
		} else {
			return v, fault("InvalidParameter", "LogDestination '%s' is not the ARN of a log group", v.Destination)
		}
	}
	return v, nil
}

func (s *Service) newFlowLog(ctx context.Context, tx *state.Tx, v flowLog, resource string, in *api.CreateFlowLogsInput) (string, error) {
	var err error
	switch t := wire.Value(in.ResourceType); t {
	case api.FlowLogsResourceTypeVpc:
		_, err = vpcs.get(tx, resource)
	case api.FlowLogsResourceTypeSubnet:
		_, err = subnets.get(tx, resource)
	case api.FlowLogsResourceTypeNetworkInterface:
		_, err = interfaces.get(tx, resource)
	default:
		err = fault("InvalidParameter", "ResourceType '%s' is invalid", t)
	}
	if err != nil {
		return "", err
	}
	if flowLogs.any(tx, func(o flowLog) bool {
		return o.Resource == resource && o.Destination == v.Destination && o.Traffic == v.Traffic
	}) {
		return "", fault("FlowLogAlreadyExists", "Error. There is an existing Flow Log with the same configuration and log destination.")
	}
	v.Resource = resource
	if v.ID, err = flowLogs.newID(tx); err != nil {
		return "", err
	}
	if err := flowLogs.put(tx, v); err != nil {
		return "", err
	}
	return v.ID, tagNew(ctx, tx, v.ID, in.TagSpecifications, "vpc-flow-log")
}

// removeFlowLogsOf deletes the flow logs of a resource that goes.
func removeFlowLogsOf(tx *state.Tx, resource string) error {
	for _, v := range flowLogs.where(tx, func(v flowLog) bool { return v.Resource == resource }) {
		if err := flowLogs.remove(tx, v.ID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) showFlowLog(tx *state.Tx, v flowLog) api.FlowLog {
	out := api.FlowLog{
		FlowLogId: &v.ID, ResourceId: &v.Resource, TrafficType: &v.Traffic, LogDestinationType: &v.Type, LogDestination: &v.Destination, LogGroupName: wire.Optional(v.Group),
		DeliverLogsPermissionArn: wire.Optional(v.Role), LogFormat: &v.Format, MaxAggregationInterval: &v.Interval, CreationTime: &v.Created,
		FlowLogStatus: new("ACTIVE"), Tags: showTags(tx, v.ID),
	}
	if v.Type == api.LogDestinationTypeS3 {
		o := wire.Or(v.Options, api.DestinationOptionsRequest{})
		out.DestinationOptions = &api.DestinationOptionsResponse{
			FileFormat: new(wire.Or(o.FileFormat, "plain-text")), HiveCompatiblePartitions: new(wire.Value(o.HiveCompatiblePartitions)), PerHourPartition: new(wire.Value(o.PerHourPartition)),
		}
	}
	return out
}

// DescribeFlowLogs lists flow logs.
func (s *Service) DescribeFlowLogs(_ context.Context, in *api.DescribeFlowLogsInput) (*api.DescribeFlowLogsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeFlowLogsOutput) (err error) {
		out.FlowLogs, out.NextToken, err = describe(tx, flowLogs, query{in.FlowLogIds, in.Filter, in.MaxResults, in.NextToken}, s.showFlowLog)
		return err
	})
}

// DeleteFlowLogs deletes flow logs; those that do not exist are reported one by one.
func (s *Service) DeleteFlowLogs(_ context.Context, in *api.DeleteFlowLogsInput) (*api.DeleteFlowLogsOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.DeleteFlowLogsOutput) error {
		for _, id := range in.FlowLogIds {
			_, err := flowLogs.get(tx, id)
			if item, ok := unsuccessful(id, err); ok {
				out.Unsuccessful = append(out.Unsuccessful, item)
				continue
			} else if err != nil {
				return err
			}
			if err := flowLogs.remove(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
}
