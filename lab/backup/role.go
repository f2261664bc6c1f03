package backup

import (
	"errors"
	"strings"

	"storefront/lab/access"
	rds "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// principal is AWS Backup, which assumes the roles of jobs.
const principal = "backup.amazonaws.com"

// act is what AWS Backup does in a role on behalf of one of its resources. Without an action it is the assumption of the role alone.
func act(role, source string) access.Act {
	return access.Act{Service: principal, Role: role, Session: "AWSBackup-" + role[strings.LastIndexByte(role, '/')+1:], Source: source, Via: "rds"}
}

// checkRole wants the ARN of a role of this account that AWS Backup can assume.
func (s *Service) checkRole(tx *state.Tx, arn *string, source string) error {
	role := wire.Value(arn)
	if !strings.HasPrefix(role, s.Region.GlobalARN("iam", "role/")) {
		return invalidValue("Invalid role ARN: %s", role)
	}
	err := s.Permits(tx, act(role, source))
	if errors.Is(err, access.ErrRole) {
		return invalidValue("IAM Role %s cannot be assumed by AWS Backup", role)
	}
	return err
}

// may decides whether a job's role can be assumed, and may take actions on resources; the error is for the job's status message.
func (s *Service) may(role, source string, resources []string, actions ...string) error {
	return s.Store.View(func(tx *state.Tx) error {
		if err := s.checkRole(tx, &role, source); err != nil {
			return err
		}
		for _, resource := range resources {
			for _, action := range actions {
				a := act(role, source)
				a.Action, a.Resource = action, resource
				if err := s.Permits(tx, a); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// snapshotARN is the ARN that AWS gives a job's snapshot: policies name it so.
func (s *Service) snapshotARN(snapshot string) string {
	return s.Region.ARN("rds", "cluster-snapshot:"+strings.Replace(snapshot, "awsbackup-", "awsbackup:", 1))
}

// mayBackUp decides whether a job's role may take the snapshot, by AWSBackupServiceRolePolicyForBackup.
func (s *Service) mayBackUp(j job) error {
	source := s.vaultARN(j.Vault)
	if err := s.may(j.Role, source, nil); err != nil {
		return err
	}
	err := s.may(j.Role, source, []string{j.Resource}, "rds:DescribeDBClusters", "rds:ListTagsForResource")
	if refusal(err) != "" {
		return invalidRequest("Your backup job failed as AWS Backup does not have permission to describe resource %s. Please review your IAM policies to ensure AWS Backup can protect your resources.", j.Resource)
	}
	if err != nil {
		return err
	}
	snapshot := s.snapshotARN(j.snapshot())
	if err := s.may(j.Role, source, []string{j.Resource, snapshot}, "rds:CreateDBClusterSnapshot"); err != nil {
		return err
	}
	return s.may(j.Role, source, []string{snapshot}, "rds:AddTagsToResource", "rds:DescribeDBClusterSnapshots")
}

// restorable decides whether a restore job's role may restore its recovery point.
func (s *Service) restorable(r restore, in *rds.RestoreDBClusterFromSnapshotInput) error {
	var p point
	err := s.Store.View(func(tx *state.Tx) (err error) {
		var ok bool
		if p, ok, err = points.Get(tx, r.Point); err == nil && !ok {
			err = notFound("Cannot find recovery point %s", r.Point)
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.mayRestore(r, p, in)
}

// mayRestore decides whether a restore job's role may make the cluster, by AWSBackupServiceRolePolicyForRestores, and use the key of its storage.
func (s *Service) mayRestore(r restore, p point, in *rds.RestoreDBClusterFromSnapshotInput) error {
	cluster := s.Region.ARN("rds", "cluster:"+*in.DBClusterIdentifier)
	resources := []string{cluster, s.snapshotARN(p.snapshot())}
	if in.DBSubnetGroupName != nil {
		resources = append(resources, s.Region.ARN("rds", "subgrp:"+*in.DBSubnetGroupName))
	}
	if in.DBClusterParameterGroupName != nil {
		resources = append(resources, s.Region.ARN("rds", "cluster-pg:"+*in.DBClusterParameterGroupName))
	}
	source := s.vaultARN(p.Vault)
	if err := s.may(r.Role, source, resources, "rds:RestoreDBClusterFromSnapshot"); err != nil {
		return err
	}
	if err := s.may(r.Role, source, []string{cluster}, "rds:DescribeDBClusters"); err != nil {
		return err
	}
	if key := wire.Or(in.KmsKeyId, p.Key); key != "" {
		return s.may(r.Role, source, []string{key}, "kms:DescribeKey", "kms:CreateGrant")
	}
	return nil
}
