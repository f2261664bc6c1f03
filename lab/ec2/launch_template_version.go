package ec2

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// overlay puts the members of top that are set over those of base and decodes the result into out. The shapes of launch templates and of
// RunInstances differ in their types only: members have the same names.
func overlay(out any, layers ...any) error {
	merged := map[string]json.RawMessage{}
	for _, layer := range layers {
		data, err := json.Marshal(layer)
		if err != nil {
			return fmt.Errorf("merging launch parameters: %w", err)
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(data, &members); err != nil {
			return fmt.Errorf("merging launch parameters: %w", err)
		}
		for name, value := range members {
			if string(value) != "null" {
				merged[name] = value
			}
		}
	}
	data, err := json.Marshal(merged)
	if err != nil {
		return fmt.Errorf("merging launch parameters: %w", err)
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("merging launch parameters: %w", err)
	}
	return nil
}

// CreateLaunchTemplateVersion adds a version, on top of a source version when one is named.
func (s *Service) CreateLaunchTemplateVersion(ctx context.Context, in *api.CreateLaunchTemplateVersionInput) (*api.CreateLaunchTemplateVersionOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateLaunchTemplateVersionOutput) error {
		v, err := findTemplate(tx, in.LaunchTemplateId, in.LaunchTemplateName)
		if err != nil {
			return err
		}
		if in.LaunchTemplateData == nil {
			return missing("LaunchTemplateData")
		}
		data := in.LaunchTemplateData
		if in.SourceVersion != nil {
			source, err := v.version(tx, *in.SourceVersion)
			if err != nil {
				return err
			}
			data = new(api.RequestLaunchTemplateData)
			if err := overlay(data, source.Data, in.LaunchTemplateData); err != nil {
				return err
			}
		}
		number, err := s.once(tx, "CreateLaunchTemplateVersion", in.ClientToken, in, func() (string, error) {
			version, err := s.addVersion(ctx, tx, &v, data, in.VersionDescription)
			return strconv.FormatInt(version.Number, 10), err
		})
		if err != nil {
			return err
		}
		version, err := v.version(tx, number)
		if err != nil {
			return err
		}
		shown, err := showVersion(v, version)
		out.LaunchTemplateVersion = &shown
		return err
	})
}

func showVersion(v template, t templateVersion) (api.LaunchTemplateVersion, error) {
	data := new(api.ResponseLaunchTemplateData)
	if err := overlay(data, t.Data); err != nil {
		return api.LaunchTemplateVersion{}, err
	}
	if m := data.MetadataOptions; m != nil {
		m.State = new("applied")
	}
	return api.LaunchTemplateVersion{
		LaunchTemplateId: &v.ID, LaunchTemplateName: &v.Name, VersionNumber: &t.Number, VersionDescription: wire.Optional(t.Description), DefaultVersion: new(t.Number == v.Default),
		CreateTime: &t.Created, CreatedBy: &t.Creator, LaunchTemplateData: data,
	}, nil
}

// DescribeLaunchTemplateVersions lists versions of one template, or with $Latest and $Default those of all templates.
func (s *Service) DescribeLaunchTemplateVersions(_ context.Context, in *api.DescribeLaunchTemplateVersionsInput) (*api.DescribeLaunchTemplateVersionsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeLaunchTemplateVersionsOutput) error {
		found, err := findVersions(tx, in)
		if err != nil {
			return err
		}
		match, err := versions.matcher(tx, in.Filters)
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(v templateVersion) bool { return !match(v) })
		var failed error
		out.LaunchTemplateVersions, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, templateVersion.id,
			func(tx *state.Tx, t templateVersion) api.LaunchTemplateVersion {
				v, err := findTemplate(tx, &t.Template, nil)
				if err == nil {
					shown, showErr := showVersion(v, t)
					if err = showErr; err == nil {
						return shown
					}
				}
				failed = err
				return api.LaunchTemplateVersion{}
			})
		if err == nil {
			err = failed
		}
		return err
	})
}

func findVersions(tx *state.Tx, in *api.DescribeLaunchTemplateVersionsInput) ([]templateVersion, error) {
	var found []templateVersion
	if in.LaunchTemplateId == nil && in.LaunchTemplateName == nil {
		if len(in.Versions) == 0 {
			return nil, missing("LaunchTemplateId or LaunchTemplateName")
		}
		for _, v := range templates.table.All(tx) {
			for _, version := range in.Versions {
				if version != "$Latest" && version != "$Default" {
					return nil, fault("InvalidParameterCombination", "Only $Latest and $Default are allowed when no launch template is named.")
				}
				t, err := v.version(tx, version)
				if err != nil {
					return nil, err
				}
				found = append(found, t)
			}
		}
		return found, nil
	}
	v, err := findTemplate(tx, in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	for _, version := range in.Versions {
		t, err := v.version(tx, version)
		if err != nil {
			return nil, err
		}
		found = append(found, t)
	}
	if len(in.Versions) > 0 {
		return found, nil
	}
	for _, t := range versions.table.WithPrefix(tx, v.ID+"/") {
		if between(t.Number, in.MinVersion, in.MaxVersion) {
			found = append(found, t)
		}
	}
	return found, nil
}

// between reports whether a number lies within textual bounds that may be left out.
func between(number int64, low, high *string) bool {
	if n, err := strconv.ParseInt(wire.Value(low), 10, 64); err == nil && number < n {
		return false
	}
	n, err := strconv.ParseInt(wire.Value(high), 10, 64)
	return err != nil || number <= n
}

// DeleteLaunchTemplateVersions deletes versions one by one; the default version stays.
func (s *Service) DeleteLaunchTemplateVersions(_ context.Context, in *api.DeleteLaunchTemplateVersionsInput) (*api.DeleteLaunchTemplateVersionsOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.DeleteLaunchTemplateVersionsOutput) error {
		v, err := findTemplate(tx, in.LaunchTemplateId, in.LaunchTemplateName)
		if err != nil {
			return err
		}
		for _, version := range in.Versions {
			number, _ := strconv.ParseInt(version, 10, 64)
			t, err := v.version(tx, version)
			code, message := "", ""
			if item, ok := unsuccessful(version, err); ok {
				code, message = "launchTemplateVersionDoesNotExist", *item.Error.Message
			} else if err != nil {
				return err
			} else if t.Number == v.Default {
				code, message = "unexpectedError", fmt.Sprintf("The default version %d cannot be deleted.", t.Number)
			}
			if code != "" {
				out.UnsuccessfullyDeletedLaunchTemplateVersions = append(out.UnsuccessfullyDeletedLaunchTemplateVersions, api.DeleteLaunchTemplateVersionsResponseErrorItem{
					LaunchTemplateId: &v.ID, LaunchTemplateName: &v.Name, VersionNumber: &number, ResponseError: &api.ResponseError{Code: &code, Message: &message},
				})
				continue
			}
			if err := versions.table.Delete(tx, t.id()); err != nil {
				return err
			}
			out.SuccessfullyDeletedLaunchTemplateVersions = append(out.SuccessfullyDeletedLaunchTemplateVersions, api.DeleteLaunchTemplateVersionsResponseSuccessItem{
				LaunchTemplateId: &v.ID, LaunchTemplateName: &v.Name, VersionNumber: &t.Number,
			})
		}
		return nil
	})
}

// GetLaunchTemplateData answers the launch template data of an instance.
func (s *Service) GetLaunchTemplateData(_ context.Context, in *api.GetLaunchTemplateDataInput) (*api.GetLaunchTemplateDataOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.GetLaunchTemplateDataOutput) error {
		v, err := s.instance(tx, wire.Value(in.InstanceId))
		if err != nil {
			return err
		}
		data := &api.ResponseLaunchTemplateData{
			ImageId: &v.Image, InstanceType: &v.Type, KeyName: wire.Optional(v.KeyName), UserData: wire.Optional(v.UserData), EbsOptimized: &v.EBSOptimized,
			DisableApiTermination: &v.NoTermination, DisableApiStop: &v.NoStop, InstanceInitiatedShutdownBehavior: &v.ShutdownBehavior,
			Monitoring: &api.LaunchTemplatesMonitoring{Enabled: &v.Monitoring}, Placement: &api.LaunchTemplatePlacement{AvailabilityZone: &v.Zone.Name, Tenancy: new("default")},
		}
		if v.Profile != nil {
			data.IamInstanceProfile = &api.LaunchTemplateIamInstanceProfileSpecification{Arn: &v.Profile.ARN}
		}
		out.LaunchTemplateData = data
		return overlay(&data.MetadataOptions, v.showMetadata())
	})
}
