package cloudtrail

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	s3api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// deliverEvery is how often trails deliver. AWS delivers within 5 minutes on average.
const deliverEvery = 5 * time.Second

// settle is how long after StopLogging the call itself is waited for.
const settle = 2 * time.Second

// maxLogFile bounds the events of one log file, in bytes before compression.
const maxLogFile = 8 << 20

// delivery is how far the events of a trail have been delivered.
type delivery struct {
	Open                           bool // from StartLogging to the last digest
	Next, NextLogs                 position
	Bucket, Logs, Digest, Notified attempt
	DigestStart                    time.Time // zero: no digests
	Files                          []logFile // since DigestStart
	Previous                       *signed
}

// attempt is what a trail's status tells of one destination.
type attempt struct {
	Tried, Done time.Time
	Error       string
}

var deliveries = state.NewTable[delivery]("cloudtrail.delivery") // by trail name

func (a *attempt) note(now time.Time, err error) {
	if a.Tried = now.UTC(); err == nil {
		a.Done, a.Error = a.Tried, ""
		return
	}
	a.Error = err.Error()
	if e, ok := errors.AsType[*wire.Error](err); ok {
		a.Error = e.Code
	}
}

// begin opens the delivery of a trail from a position on. A trail that logs already goes on.
func (s *Service) begin(ref string, now time.Time, from position) error {
	return s.Store.Update(func(tx *state.Tx) error {
		t, err := s.find(tx, ref)
		if err != nil {
			return err
		}
		d, _, err := deliveries.Get(tx, t.Name)
		if err != nil || d.Open {
			return err
		}
		return deliveries.Put(tx, t.Name, delivery{Open: true, Next: from, NextLogs: from, Bucket: d.Bucket, Logs: d.Logs, Digest: d.Digest, Notified: d.Notified})
	})
}

// Deliver brings what was recorded to the destinations of all trails, and the digests that are due. A destination that refuses is tried again with the next
// delivery; the trail's status tells of it.
func (s *Service) Deliver(ctx context.Context) error {
	s.tasks.Lock()
	defer s.tasks.Unlock()
	now := s.Now().UTC()
	if err := s.spool.flush(now); err != nil {
		return err
	}
	var all []trail
	if err := s.Store.View(func(tx *state.Tx) error {
		for _, t := range trails.All(tx) {
			all = append(all, t)
		}
		return nil
	}); err != nil {
		return err
	}
	var problems []error
	for _, t := range all {
		problems = append(problems, s.advance(ctx, t, now, !t.Logging && now.Sub(t.Stopped) >= settle))
	}
	return errors.Join(problems...)
}

// finish delivers all that there is and ends the delivery.
func (s *Service) finish(ctx context.Context, t trail) error {
	now := s.Now().UTC()
	if err := s.spool.flush(now); err != nil {
		return err
	}
	return s.advance(ctx, t, now, true)
}

// advance delivers for one trail; last says that nothing more comes. Only errors of the lab itself are returned.
func (s *Service) advance(ctx context.Context, t trail, now time.Time, last bool) error {
	var d delivery
	if err := s.Store.View(func(tx *state.Tx) (err error) {
		d, _, err = deliveries.Get(tx, t.Name)
		return err
	}); err != nil || !d.Open {
		return err
	}
	if err := s.digestOnTheHour(ctx, t, &d, now); err != nil {
		return err
	}
	if err := s.drain(t, &d.Next, maxLogFile, func(events []entry) error {
		return s.deliverFile(ctx, t, &d, events)
	}, &d); err != nil {
		return err
	}
	if t.LogGroup == "" {
		d.NextLogs = d.Next
	} else if err := s.drain(t, &d.NextLogs, maxLogBatch, func(events []entry) error { return s.deliverLogs(ctx, t, &d, events) }, &d); err != nil {
		return err
	}
	if last && (d.Bucket.Error == "" || s.bucketGone(ctx, t)) {
		if t.Validation {
			s.digest(ctx, t, &d, now)
		}
		d.Open = false
	}
	return s.save(t, d)
}

// drain hands the trail's events behind a position to send, and moves the position behind those that it took. Each step is kept.
func (s *Service) drain(t trail, at *position, limit int64, send func([]entry) error, d *delivery) error {
	m := t.matcher()
	for {
		events, next, err := s.spool.read(*at, limit)
		if err != nil || next == *at {
			return err
		}
		events = slices.DeleteFunc(events, func(e entry) bool { return !m.wants(&e) || !t.Logging && e.Time.After(t.Stopped) })
		if len(events) > 0 && send(events) != nil {
			return nil // the status tells
		}
		*at = next
		if err := s.save(t, *d); err != nil {
			return err
		}
	}
}

func (s *Service) save(t trail, d delivery) error {
	return s.Store.Update(func(tx *state.Tx) error {
		if _, ok, err := trails.Get(tx, t.Name); err != nil || !ok {
			return err
		}
		return deliveries.Put(tx, t.Name, d)
	})
}

func (s *Service) bucketGone(ctx context.Context, t trail) bool {
	_, err := s.Buckets.HeadBucket(ctx, &s3api.HeadBucketInput{Bucket: &t.Bucket})
	return err != nil
}

// logFile is a log file as digests list it.
type logFile struct {
	Bucket    string `json:"s3Bucket"`
	Object    string `json:"s3Object"`
	Hash      string `json:"hashValue"` // of the content before compression, in hexadecimal digits
	Algorithm string `json:"hashAlgorithm"`
	Newest    string `json:"newestEventTime"`
	Oldest    string `json:"oldestEventTime"`
}

// deliverFile writes one log file and tells the trail's topic of it.
func (s *Service) deliverFile(ctx context.Context, t trail, d *delivery, events []entry) error {
	now := s.Now().UTC()
	var file struct {
		Records []json.RawMessage
	}
	f := logFile{Bucket: t.Bucket, Algorithm: "SHA-256"}
	for _, e := range events {
		file.Records = append(file.Records, e.Record)
		when := e.Time.Format(eventTimeForm)
		if f.Oldest == "" || when < f.Oldest {
			f.Oldest = when
		}
		f.Newest = max(f.Newest, when)
	}
	content, err := json.Marshal(file)
	if err != nil {
		return err
	}
	f.Hash = hexHash(content)
	account, region := s.Region.Account, s.Region.Name
	f.Object = fmt.Sprintf("%sCloudTrail/%s/%s/%s_CloudTrail_%s_%s_%s.json.gz", t.folder(account), region, now.Format("2006/01/02"), account, region, now.Format("20060102T1504Z"), rand.Text()[:16])
	err = s.put(ctx, t, f.Object, content, nil)
	if d.Bucket.note(now, err); err != nil {
		return err
	}
	if t.Validation {
		d.Files = append(d.Files, f)
	}
	if t.Topic != "" {
		d.Notified.note(now, s.notify(t, f.Object))
	}
	return nil
}

// put writes an object to the trail's bucket, when the policies of bucket and key still allow it.
func (s *Service) put(ctx context.Context, t trail, key string, content []byte, metadata map[string]string) error {
	if err := s.mayDeliver(ctx, t); err != nil {
		return err
	}
	if err := s.checkKey(ctx, &t, nil); err != nil {
		return err
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(content); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	in := &s3api.PutObjectInput{Bucket: &t.Bucket, Key: &key, ACL: new("bucket-owner-full-control"), ContentType: new("application/json"), ContentEncoding: new("gzip"), Metadata: metadata,
		ContentLength: new(int64(zipped.Len())), Body: io.NopCloser(&zipped)}
	if t.Key != "" {
		in.ServerSideEncryption, in.SSEKMSKeyId = new("aws:kms"), &t.Key
	}
	_, err := s.Buckets.PutObject(s.self(ctx), in)
	return err
}

// notify publishes where a log file is: "Configuring Amazon SNS notifications for CloudTrail".
func (s *Service) notify(t trail, object string) error {
	message, err := json.Marshal(map[string]any{"s3Bucket": t.Bucket, "s3ObjectKey": []string{object}})
	if err != nil {
		return err
	}
	return s.Store.Update(func(tx *state.Tx) error { return s.Publish(tx, t.Topic, string(message), t.ARN) })
}
