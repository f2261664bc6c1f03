package policy

import (
	"slices"

	"storefront/internal/inventory"
)

func trailEverywhere(s *inventory.Stack, f *findings) {
	if s.Len() == 0 {
		return
	}
	f.inAccount(slices.ContainsFunc(s.All(trail), func(t *inventory.Resource) bool { return t.On("isMultiRegionTrail") && !t.Off("enableLogging") }),
		"no trail records the calls of all regions: add one")
}

func trailSealed(s *inventory.Stack, f *findings) {
	for _, t := range s.All(trail) {
		f.want(t, t.OwnKey("kmsKeyId"), "is encrypted with S3's keys: set kmsKeyId")
		f.on(t, "enableLogFileValidation", "cannot prove that its files are whole: set enableLogFileValidation")
	}
}

func trailWatched(s *inventory.Stack, f *findings) {
	for _, t := range s.All(trail) {
		f.given(t, "cloudWatchLogsGroupArn", "goes to no log group: set cloudWatchLogsGroupArn")
		for _, b := range s.All(bucketTypes...) {
			if inventory.Refers(t, "s3BucketName", b) {
				f.want(b, blocksPublic(s, b), "holds the trail and may be made public: block public access")
				f.want(b, logged(s, b), "holds the trail, and nobody sees who reads it: log access to it")
			}
		}
		watched := slices.ContainsFunc(s.All(metricFilter), func(m *inventory.Resource) bool {
			return slices.ContainsFunc(s.All(logGroup), func(g *inventory.Resource) bool {
				return inventory.Refers(t, "cloudWatchLogsGroupArn", g) && inventory.Refers(m, "logGroupName", g)
			})
		})
		f.want(t, watched, "no alarm watches it: add metric filters and alarms on its log group")
	}
}
