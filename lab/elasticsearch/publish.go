package elasticsearch

import (
	"errors"
	"strings"

	"storefront/lab/access"
	api "storefront/lab/api/opensearch"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// message is the text of an AWS error without its code.
func message(err error) string {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// publish merges where logs go. The groups must be there, and their resource policies must let the service write.
func (s *Service) publish(tx *state.Tx, d *domain, given map[string]api.LogPublishingOption) error {
	for kind, option := range given {
		if err := s.checkLog(tx, d, kind, option); err != nil {
			return err
		}
		if d.Logs == nil {
			d.Logs = map[string]api.LogPublishingOption{}
		}
		if option.CloudWatchLogsLogGroupArn == nil {
			option.CloudWatchLogsLogGroupArn = d.Logs[kind].CloudWatchLogsLogGroupArn
		}
		if option.Enabled == nil {
			option.Enabled = new(true)
		}
		d.Logs[kind] = option
	}
	return nil
}

func (s *Service) checkLog(tx *state.Tx, d *domain, kind string, option api.LogPublishingOption) error {
	switch kind {
	case api.LogTypeAuditLogs:
		if !wire.Value(d.Security.Enabled) && wire.Or(option.Enabled, true) {
			return invalid("audit log publishing cannot be enabled as you do not have advanced security options configured.")
		}
	case api.LogTypeIndexSlowLogs, api.LogTypeSearchSlowLogs, api.LogTypeEsApplicationLogs:
	default:
		return invalid("Unknown log type: %s", kind)
	}
	arn := wire.Value(option.CloudWatchLogsLogGroupArn)
	if !wire.Or(option.Enabled, true) {
		return nil
	}
	if arn == "" && wire.Value(d.Logs[kind].CloudWatchLogsLogGroupArn) == "" {
		return invalid("CloudWatch Logs log group ARN is required to publish %s.", kind)
	}
	if arn == "" {
		return nil
	}
	if ok, err := s.Logs.Group(tx, arn); err != nil || !ok {
		return errors.Join(err, conflict("ResourceNotFoundException", "The CloudWatch Logs log group specified in %s does not exist", arn))
	}
	if !s.mayWrite(tx, d, arn) {
		return invalid("The Resource Access Policy specified for the CloudWatch Logs log group %s does not grant sufficient permissions for Amazon Elasticsearch Service to create a log stream. Please check the Resource Access Policy.", logGroup(arn))
	}
	return nil
}

// logGroup is the name in the ARN of a log group.
func logGroup(arn string) string {
	_, name, _ := strings.Cut(arn, ":log-group:")
	return strings.TrimSuffix(name, ":*")
}

// mayWrite tells whether the resource policies of the log groups let the service create streams in a group and write to them.
func (s *Service) mayWrite(tx *state.Tx, d *domain, arn string) bool {
	documents := s.Logs.ResourcePolicies(tx)
	resource := strings.TrimSuffix(arn, ":*") + ":log-stream:" + d.Name
	for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
		r := &access.Request{Principal: access.Principal{Service: "es.amazonaws.com"}, Action: action, Resource: resource,
			Context: map[string][]string{"aws:sourceaccount": {s.Region.Account}, "aws:sourcearn": {s.arn(d.Name)}}}
		allowed := false
		for _, text := range documents {
			policy, err := access.Parse(text)
			if err != nil {
				continue
			}
			decision := access.Decide(r, access.Policies{Resource: &policy})
			if decision.Explicit {
				return false
			}
			allowed = allowed || decision.Allowed
		}
		if !allowed {
			return false
		}
	}
	return true
}
