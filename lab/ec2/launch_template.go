package ec2

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"time"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// template is a launch template; its versions are in a table of their own.
type template struct {
	ID      string
	Name    string
	Default int64
	Latest  int64 // highest number given so far
	Created time.Time
	Creator string // ARN
}

func (v template) id() string { return v.ID }

// templateVersion is one version of a launch template.
type templateVersion struct {
	Template    string
	Number      int64
	Description string
	Data        api.RequestLaunchTemplateData
	Created     time.Time
	Creator     string
}

func (v templateVersion) id() string { return versionKey(v.Template, v.Number) }

var templates = kind[template]{
	table: state.NewTable[template]("ec2.launch-template"), prefix: "lt", tagType: "launch-template", absent: "InvalidLaunchTemplateId.NotFound", noun: "launch template ID",
	filters: map[string]func(template) []string{
		"launch-template-id":   one(template.id),
		"launch-template-name": one(func(v template) string { return v.Name }),
		"create-time":          one(func(v template) string { return v.Created.Format(time.RFC3339) }),
	},
}

var versions = kind[templateVersion]{
	table: state.NewTable[templateVersion]("ec2.launch-template-version"),
	filters: map[string]func(templateVersion) []string{
		"create-time":   one(func(v templateVersion) string { return v.Created.Format(time.RFC3339) }),
		"image-id":      one(func(v templateVersion) string { return wire.Value(v.Data.ImageId) }),
		"instance-type": one(func(v templateVersion) string { return wire.Value(v.Data.InstanceType) }),
		"ebs-optimized": flag(func(v templateVersion) bool { return wire.Value(v.Data.EbsOptimized) }),
		"iam-instance-profile": one(func(v templateVersion) string {
			p := wire.Or(v.Data.IamInstanceProfile, api.LaunchTemplateIamInstanceProfileSpecificationRequest{})
			return wire.Value(p.Arn) + wire.Value(p.Name)
		}),
	},
}

func versionKey(template string, number int64) string {
	return fmt.Sprintf("%s/%010d", template, number)
}

// findTemplate finds a launch template by exactly one of ID and name.
func findTemplate(tx *state.Tx, id, name *string) (template, error) {
	switch {
	case id != nil && name != nil:
		return template{}, fault("InvalidParameterCombination", "You must specify either the launch template ID or the launch template name, not both.")
	case id != nil:
		v, ok, err := templates.table.Get(tx, *id)
		if err == nil && !ok {
			err = fault("InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID %s, does not exist.", *id)
		}
		return v, err
	case name != nil:
		for _, v := range templates.table.All(tx) {
			if v.Name == *name {
				return v, nil
			}
		}
		return template{}, fault("InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name %s, does not exist.", *name)
	}
	return template{}, missing("LaunchTemplateId or LaunchTemplateName")
}

// version finds a version by its number, $Latest or $Default; "" is the default one.
func (v template) version(tx *state.Tx, version string) (templateVersion, error) {
	number := v.Default
	switch version {
	case "", "$Default":
	case "$Latest":
		for _, t := range versions.table.WithPrefix(tx, v.ID+"/") {
			number = t.Number
		}
	default:
		n, err := strconv.ParseInt(version, 10, 64)
		if err != nil || n < 1 {
			return templateVersion{}, fault("InvalidLaunchTemplateId.VersionNotFound", "Launch template version '%s' is not valid.", version)
		}
		number = n
	}
	t, ok, err := versions.table.Get(tx, versionKey(v.ID, number))
	if err == nil && !ok {
		err = fault("InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version %d for the launch template with ID %s.", number, v.ID)
	}
	return t, err
}

// addVersion stores data as the template's next version. Neither is an error of AWS's for data whose references do not exist: launching tells.
func (s *Service) addVersion(ctx context.Context, tx *state.Tx, v *template, data *api.RequestLaunchTemplateData, description *string) (templateVersion, error) {
	if err := checkUserData(data.UserData); err != nil {
		return templateVersion{}, err
	}
	if data.InstanceType != nil && data.InstanceRequirements != nil {
		return templateVersion{}, fault("InvalidParameterCombination", "You can't specify both InstanceType and InstanceRequirements in the same launch template.")
	}
	if t := data.InstanceType; t != nil {
		if _, ok := FindInstanceType(*t); !ok {
			return templateVersion{}, fault("InvalidParameterValue", "The following supplied instance types do not exist: [%s]", *t)
		}
	}
	v.Latest++
	version := templateVersion{Template: v.ID, Number: v.Latest, Description: wire.Value(description), Data: *data, Created: s.Now().UTC(), Creator: s.creator(ctx)}
	if err := versions.put(tx, version); err != nil {
		return version, err
	}
	return version, templates.put(tx, *v)
}

// creator is the ARN of who calls.
func (s *Service) creator(ctx context.Context) string {
	if arn := wire.Caller(ctx).ARN; arn != "" {
		return arn
	}
	return s.Region.GlobalARN("iam", "root")
}

// maxUserData is AWS's limit of user-data, before it is encoded.
const maxUserData = 16 << 10

func checkUserData(encoded *string) error {
	data, err := base64.StdEncoding.DecodeString(wire.Value(encoded))
	if err != nil {
		return fault("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.")
	}
	if len(data) > maxUserData {
		return fault("InvalidParameterValue", "User data is limited to 16384 bytes")
	}
	return nil
}

var templateName = regexp.MustCompile(`^[a-zA-Z0-9().\-/_]{3,128}$`)

// CreateLaunchTemplate creates a template with its version 1.
func (s *Service) CreateLaunchTemplate(ctx context.Context, in *api.CreateLaunchTemplateInput) (*api.CreateLaunchTemplateOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateLaunchTemplateOutput) error {
		if !templateName.MatchString(wire.Value(in.LaunchTemplateName)) {
			return fault("InvalidLaunchTemplateName.MalformedException", "A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the following characters: - ( ) . / _.")
		}
		if in.LaunchTemplateData == nil {
			return missing("LaunchTemplateData")
		}
		if err := checkSpecifications(in.TagSpecifications, "launch-template"); err != nil {
			return err
		}
		id, err := s.once(tx, "CreateLaunchTemplate", in.ClientToken, in, func() (string, error) {
			if templates.any(tx, func(v template) bool { return v.Name == *in.LaunchTemplateName }) {
				return "", fault("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
			}
			id, err := templates.newID(tx)
			if err != nil {
				return "", err
			}
			v := template{ID: id, Name: *in.LaunchTemplateName, Default: 1, Created: s.Now().UTC(), Creator: s.creator(ctx)}
			if _, err := s.addVersion(ctx, tx, &v, in.LaunchTemplateData, in.VersionDescription); err != nil {
				return "", err
			}
			return id, tagNew(ctx, tx, id, in.TagSpecifications, "launch-template")
		})
		if err != nil {
			return err
		}
		v, err := findTemplate(tx, &id, nil)
		out.LaunchTemplate = new(s.showTemplate(tx, v))
		return err
	})
}

func (s *Service) showTemplate(tx *state.Tx, v template) api.LaunchTemplate {
	return api.LaunchTemplate{
		LaunchTemplateId: &v.ID, LaunchTemplateName: &v.Name, DefaultVersionNumber: &v.Default, LatestVersionNumber: &v.Latest, CreateTime: &v.Created,
		CreatedBy: &v.Creator, Tags: showTags(tx, v.ID),
	}
}

// DescribeLaunchTemplates lists launch templates by ID, name or filter.
func (s *Service) DescribeLaunchTemplates(_ context.Context, in *api.DescribeLaunchTemplatesInput) (*api.DescribeLaunchTemplatesOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeLaunchTemplatesOutput) error {
		var ids []string
		for _, id := range in.LaunchTemplateIds {
			if _, err := findTemplate(tx, &id, nil); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		for _, name := range in.LaunchTemplateNames {
			v, err := findTemplate(tx, nil, &name)
			if err != nil {
				return err
			}
			ids = append(ids, v.ID)
		}
		var err error
		out.LaunchTemplates, out.NextToken, err = describe(tx, templates, query{ids, in.Filters, in.MaxResults, in.NextToken}, s.showTemplate)
		return err
	})
}

// ModifyLaunchTemplate chooses the default version.
func (s *Service) ModifyLaunchTemplate(_ context.Context, in *api.ModifyLaunchTemplateInput) (*api.ModifyLaunchTemplateOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.ModifyLaunchTemplateOutput) error {
		v, err := findTemplate(tx, in.LaunchTemplateId, in.LaunchTemplateName)
		if err != nil {
			return err
		}
		if in.DefaultVersion == nil {
			return missing("SetDefaultVersion")
		}
		version, err := v.version(tx, *in.DefaultVersion)
		if err != nil {
			return err
		}
		v.Default = version.Number
		out.LaunchTemplate = new(s.showTemplate(tx, v))
		return templates.put(tx, v)
	})
}

// DeleteLaunchTemplate deletes a template with all its versions.
func (s *Service) DeleteLaunchTemplate(_ context.Context, in *api.DeleteLaunchTemplateInput) (*api.DeleteLaunchTemplateOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.DeleteLaunchTemplateOutput) error {
		v, err := findTemplate(tx, in.LaunchTemplateId, in.LaunchTemplateName)
		if err != nil {
			return err
		}
		for _, old := range versions.where(tx, func(t templateVersion) bool { return t.Template == v.ID }) {
			if err := versions.table.Delete(tx, old.id()); err != nil {
				return err
			}
		}
		out.LaunchTemplate = new(s.showTemplate(tx, v))
		return templates.remove(tx, v.ID)
	})
}
