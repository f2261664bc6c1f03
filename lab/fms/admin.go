package fms

import (
	"context"

	api "storefront/lab/api/fms"
	"storefront/lab/state"
)

// AssociateAdminAccount implements the operation of that name. The region's only account can be the administrator.
func (s *Service) AssociateAdminAccount(_ context.Context, in *api.AssociateAdminAccountInput) (*api.AssociateAdminAccountOutput, error) {
	if *in.AdminAccount != s.Region.Account {
		return nil, invalid("The account %s is not a member of the organization.", *in.AdminAccount)
	}
	return state.Change(s.Store, func(tx *state.Tx, _ *api.AssociateAdminAccountOutput) error {
		return settings.Put(tx, administrator, *in.AdminAccount)
	})
}

// DisassociateAdminAccount implements the operation of that name.
func (s *Service) DisassociateAdminAccount(context.Context, *api.DisassociateAdminAccountInput) (*api.DisassociateAdminAccountOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DisassociateAdminAccountOutput) error {
		if _, ok, err := settings.Get(tx, administrator); err != nil {
			return err
		} else if !ok {
			return fault("AccessDeniedException", "No default admin could be found for account %s", s.Region.Account)
		}
		for range policies.All(tx) {
			return fault("InvalidOperationException", "The administrator has policies: delete them first.")
		}
		return settings.Delete(tx, administrator)
	})
}

// GetAdminAccount implements the operation of that name.
func (s *Service) GetAdminAccount(context.Context, *api.GetAdminAccountInput) (*api.GetAdminAccountOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetAdminAccountOutput) error {
		if s.administered(tx) != nil {
			return fault("ResourceNotFoundException", "The account %s has no administrator of AWS FM.", s.Region.Account)
		}
		out.AdminAccount, out.RoleStatus = &s.Region.Account, new(api.AccountRoleStatusReady)
		return nil
	})
}

// ListMemberAccounts implements the operation of that name.
func (s *Service) ListMemberAccounts(context.Context, *api.ListMemberAccountsInput) (*api.ListMemberAccountsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListMemberAccountsOutput) error {
		out.MemberAccounts = []string{s.Region.Account}
		return s.administered(tx)
	})
}

// PutNotificationChannel implements the operation of that name.
func (s *Service) PutNotificationChannel(_ context.Context, in *api.PutNotificationChannelInput) (*api.PutNotificationChannelOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.PutNotificationChannelOutput) error {
		if err := s.administered(tx); err != nil {
			return err
		}
		return channels.Put(tx, administrator, *in)
	})
}

// GetNotificationChannel implements the operation of that name.
func (s *Service) GetNotificationChannel(context.Context, *api.GetNotificationChannelInput) (*api.GetNotificationChannelOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetNotificationChannelOutput) error {
		if err := s.administered(tx); err != nil {
			return err
		}
		c, _, err := channels.Get(tx, administrator)
		out.SnsTopicArn, out.SnsRoleName = c.SnsTopicArn, c.SnsRoleName
		return err
	})
}

// DeleteNotificationChannel implements the operation of that name.
func (s *Service) DeleteNotificationChannel(context.Context, *api.DeleteNotificationChannelInput) (*api.DeleteNotificationChannelOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteNotificationChannelOutput) error {
		if err := s.administered(tx); err != nil {
			return err
		}
		return channels.Delete(tx, administrator)
	})
}
