package policy

import "slices"

func trailEverywhere(s *Stack, f *findings) {
	if s.Len() == 0 {
		return
	}
	f.inAccount(slices.ContainsFunc(s.all(trail), func(t *Resource) bool { return t.on("isMultiRegionTrail") && !t.off("enableLogging") }),
		"no trail records the calls of all regions: add one")
}

func trailSealed(s *Stack, f *findings) {
	for _, t := range s.all(trail) {
		f.want(t, t.ownKey("kmsKeyId"), "is encrypted with S3's keys: set kmsKeyId")
		f.on(t, "enableLogFileValidation", "cannot prove that its files are whole: set enableLogFileValidation")
	}
}

func trailWatched(s *Stack, f *findings) {
	for _, t := range s.all(trail) {
		f.given(t, "cloudWatchLogsGroupArn", "goes to no log group: set cloudWatchLogsGroupArn")
		for _, b := range s.all(bucketTypes...) {
			if refers(t, "s3BucketName", b) {
				f.want(b, s.blocksPublic(b), "holds the trail and may be made public: block public access")
				f.want(b, s.logged(b), "holds the trail, and nobody sees who reads it: log access to it")
			}
		}
		watched := slices.ContainsFunc(s.all(metricFilter), func(m *Resource) bool {
			return slices.ContainsFunc(s.all(logGroup), func(g *Resource) bool { return refers(t, "cloudWatchLogsGroupArn", g) && refers(m, "logGroupName", g) })
		})
		f.want(t, watched, "no alarm watches it: add metric filters and alarms on its log group")
	}
}
