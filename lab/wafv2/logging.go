package wafv2

import (
	"context"
	"strings"

	api "storefront/lab/api/wafv2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// PutLoggingConfiguration implements the operation of that name.
func (s *Service) PutLoggingConfiguration(_ context.Context, in *api.PutLoggingConfigurationInput) (*api.PutLoggingConfigurationOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.PutLoggingConfigurationOutput) error {
		c := *in.LoggingConfiguration
		if _, err := acls.byARN(tx, *c.ResourceArn); err != nil {
			return err
		}
		if err := s.checkLogging(tx, &c); err != nil {
			return err
		}
		c.ManagedByFirewallManager, c.LogType, c.LogScope = new(false), new(wire.Or(c.LogType, api.LogTypeWafLogs)), new(wire.Or(c.LogScope, api.LogScopeCustomer))
		out.LoggingConfiguration = &c
		return logging.Put(tx, *c.ResourceArn, c)
	})
}

func (s *Service) checkLogging(tx *state.Tx, c *api.LoggingConfiguration) error {
	if len(c.LogDestinationConfigs) != 1 {
		return invalid("LOG_DESTINATION", strings.Join(c.LogDestinationConfigs, ","), "A web ACL logs to exactly one destination.")
	}
	group, ours := strings.CutPrefix(strings.TrimSuffix(c.LogDestinationConfigs[0], ":*"), s.Region.ARN("logs", "log-group:"))
	if !ours {
		return invalid("LOG_DESTINATION", c.LogDestinationConfigs[0], "The ARN isn't valid: this region logs to log groups of CloudWatch Logs, not to S3 or Firehose.")
	}
	if !strings.HasPrefix(group, "aws-waf-logs-") {
		return invalid("LOG_DESTINATION", c.LogDestinationConfigs[0], "The log group's name must begin with aws-waf-logs-.")
	}
	if s.LogGroup == nil {
		return invalid("LOG_DESTINATION", c.LogDestinationConfigs[0], "There is no such log group.")
	}
	if known, err := s.LogGroup(tx, c.LogDestinationConfigs[0]); err != nil {
		return err
	} else if !known {
		return fault("WAFLogDestinationPermissionIssueException", "The operation failed because you don't have the permissions that your logging configuration requires: there is no log group "+group+".")
	}
	for _, f := range c.RedactedFields {
		if f.SingleHeader == nil && f.UriPath == nil && f.QueryString == nil && f.Method == nil {
			return invalid("LOGGING_REDACTED_FIELDS", "RedactedFields", "The field to redact is not a single header, the URI path, the query string or the method.")
		}
	}
	return nil
}

// GetLoggingConfiguration implements the operation of that name.
func (s *Service) GetLoggingConfiguration(_ context.Context, in *api.GetLoggingConfigurationInput) (*api.GetLoggingConfigurationOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetLoggingConfigurationOutput) error {
		c, ok, err := logging.Get(tx, *in.ResourceArn)
		if err == nil && !ok {
			err = errMissing()
		}
		out.LoggingConfiguration = &c
		return err
	})
}

// DeleteLoggingConfiguration implements the operation of that name.
func (s *Service) DeleteLoggingConfiguration(_ context.Context, in *api.DeleteLoggingConfigurationInput) (*api.DeleteLoggingConfigurationOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteLoggingConfigurationOutput) error {
		if _, ok, err := logging.Get(tx, *in.ResourceArn); err != nil || !ok {
			if err == nil {
				err = errMissing()
			}
			return err
		}
		return logging.Delete(tx, *in.ResourceArn)
	})
}

// ListLoggingConfigurations implements the operation of that name.
func (s *Service) ListLoggingConfigurations(_ context.Context, in *api.ListLoggingConfigurationsInput) (*api.ListLoggingConfigurationsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListLoggingConfigurationsOutput) error {
		if err := checkScope(in.Scope); err != nil {
			return err
		}
		out.LoggingConfigurations, out.NextMarker = state.Page(logging.All(tx), wire.Value(in.NextMarker), wire.Or(in.Limit, 100))
		return nil
	})
}
