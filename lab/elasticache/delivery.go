package elasticache

import (
	"slices"

	api "storefront/lab/api/elasticache"
	"storefront/lab/wire"
)

// delivery is where one of a group's logs goes.
type delivery struct {
	Type   string // "slow-log" or "engine-log"
	Format string // "json" or "text"
	Group  string // of CloudWatch Logs
}

// setDeliveries changes the deliveries by a request. One that is not enabled ends.
func setDeliveries(have []delivery, given []api.LogDeliveryConfigurationRequest) ([]delivery, error) {
	list := slices.Clone(have)
	for _, r := range given {
		kind := wire.Value(r.LogType)
		if kind != api.LogTypeSlowLog && kind != api.LogTypeEngineLog {
			return nil, invalidValue("Invalid log type: %s", kind)
		}
		list = slices.DeleteFunc(list, func(d delivery) bool { return d.Type == kind })
		if !wire.Or(r.Enabled, true) {
			continue
		}
		d := delivery{Type: kind, Format: wire.Value(r.LogFormat)}
		if d.Format != api.LogFormatJson && d.Format != api.LogFormatText {
			return nil, invalidValue("Invalid log format: %s", d.Format)
		}
		if wire.Value(r.DestinationType) != api.DestinationTypeCloudwatchLogs {
			return nil, unsupported("Delivery of logs to another destination than cloudwatch-logs")
		}
		if r.DestinationDetails == nil || r.DestinationDetails.CloudWatchLogsDetails == nil || wire.Value(r.DestinationDetails.CloudWatchLogsDetails.LogGroup) == "" {
			return nil, invalidCombination("DestinationDetails must have CloudWatchLogsDetails with a log group for the destination type cloudwatch-logs.")
		}
		d.Group = *r.DestinationDetails.CloudWatchLogsDetails.LogGroup
		list = append(list, d)
	}
	return list, nil
}

func showDeliveries(list []delivery) []api.LogDeliveryConfiguration {
	out := []api.LogDeliveryConfiguration{}
	for _, d := range list {
		out = append(out, api.LogDeliveryConfiguration{
			LogType: &d.Type, LogFormat: &d.Format, DestinationType: new(api.DestinationTypeCloudwatchLogs), Status: new(api.LogDeliveryConfigurationStatusActive),
			DestinationDetails: &api.DestinationDetails{CloudWatchLogsDetails: &api.CloudWatchLogsDestinationDetails{LogGroup: &d.Group}},
		})
	}
	return out
}
