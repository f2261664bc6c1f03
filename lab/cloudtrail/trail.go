package cloudtrail

import (
	"regexp"
	"strings"
	"time"

	api "storefront/lab/api/cloudtrail"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// trail is a trail with its settings.
type trail struct {
	Name, ARN         string
	Bucket, Prefix    string
	Topic             string // ARN
	TopicName         string // as the customer wrote it
	Global            bool   // events of IAM
	MultiRegion       bool
	Validation        bool // digests
	LogGroup, LogRole string
	Key               string // ARN
	Tags              map[string]string
	Basic             []api.EventSelector
	Advanced          []api.AdvancedEventSelector
	Logging           bool
	Started, Stopped  time.Time // zero: never
}

var trails = state.NewTable[trail]("cloudtrail.trail") // by name

// maxTrails is the quota of trails in a region, from "Quotas in AWS CloudTrail".
const maxTrails = 5

var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]$`)

// checkName checks a trail's name by the rules of CreateTrail's API reference.
func checkName(name string) error {
	switch {
	case len(name) < 3 || len(name) > 128:
		return refuse("InvalidTrailNameException", "Trail name must be between 3 and 128 characters long.")
	case !validName.MatchString(name):
		return refuse("InvalidTrailNameException", "Trail name can only contain ASCII letters, numbers, periods, underscores and hyphens, and must start and end with a letter or number.")
	}
	for _, pair := range []string{"..", "._", ".-", "_.", "__", "_-", "-.", "-_", "--"} {
		if strings.Contains(name, pair) {
			return refuse("InvalidTrailNameException", "Trail name cannot have adjacent periods, underscores or dashes.")
		}
	}
	return nil
}

// find returns a trail by its name or ARN.
func (s *Service) find(tx *state.Tx, ref string) (trail, error) {
	name, isARN := strings.CutPrefix(ref, s.Region.ARN("cloudtrail", "trail/"))
	if !isARN && strings.HasPrefix(ref, "arn:") {
		return trail{}, refuse("CloudTrailARNInvalidException", "The ARN %s is not that of a trail of this account and region.", ref)
	}
	t, ok, err := trails.Get(tx, name)
	if err == nil && !ok {
		err = refuse("TrailNotFoundException", "Unknown trail: %s for the user: %s", ref, s.Region.Account)
	}
	return t, err
}

// change edits a trail.
func (s *Service) change(ref *string, edit func(*trail) error) (t trail, err error) {
	err = s.Store.Update(func(tx *state.Tx) error {
		if t, err = s.find(tx, wire.Value(ref)); err != nil {
			return err
		}
		if err := edit(&t); err != nil {
			return err
		}
		return trails.Put(tx, t.Name, t)
	})
	if err != nil {
		return t, err
	}
	return t, s.choose()
}

func (s *Service) get(ref *string) (t trail, err error) {
	err = s.Store.View(func(tx *state.Tx) error {
		t, err = s.find(tx, wire.Value(ref))
		return err
	})
	return t, err
}

func (t trail) describe(home string) *api.Trail {
	return &api.Trail{
		Name: new(t.Name), TrailARN: new(t.ARN), HomeRegion: new(home), S3BucketName: new(t.Bucket), S3KeyPrefix: wire.Optional(t.Prefix), SnsTopicName: wire.Optional(t.TopicName),
		SnsTopicARN: wire.Optional(t.Topic), IncludeGlobalServiceEvents: new(t.Global), IsMultiRegionTrail: new(t.MultiRegion), IsOrganizationTrail: new(false),
		LogFileValidationEnabled: new(t.Validation), CloudWatchLogsLogGroupArn: wire.Optional(t.LogGroup), CloudWatchLogsRoleArn: wire.Optional(t.LogRole), KmsKeyId: wire.Optional(t.Key),
		HasCustomEventSelectors: new(t.Basic != nil || t.Advanced != nil), HasInsightSelectors: new(false),
	}
}

// folder is where the objects of a trail are in its bucket: "prefix/AWSLogs/123456789012/".
func (t trail) folder(account string) string {
	folder := "AWSLogs/" + account + "/"
	if t.Prefix != "" {
		folder = t.Prefix + "/" + folder
	}
	return folder
}
