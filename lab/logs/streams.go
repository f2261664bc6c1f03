package logs

import (
	"cmp"
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/logs"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateLogStream implements the operation of that name.
func (s *Service) CreateLogStream(_ context.Context, in *api.CreateLogStreamInput) (*api.CreateLogStreamOutput, error) {
	if strings.ContainsAny(*in.LogStreamName, ":*\x00") {
		return nil, invalid("1 validation error detected: Value '%s' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*", *in.LogStreamName)
	}
	return &api.CreateLogStreamOutput{}, s.store.Update(func(tx *state.Tx) error {
		g, err := s.find(tx, in.LogGroupName, nil)
		if err != nil {
			return err
		}
		key := g.Name + "\x00" + *in.LogStreamName
		if _, ok, err := streams.Get(tx, key); err != nil {
			return err
		} else if ok {
			return exists("log stream")
		}
		return streams.Put(tx, key, stream{Name: *in.LogStreamName, Created: s.millis()})
	})
}

// DeleteLogStream implements the operation of that name.
func (s *Service) DeleteLogStream(_ context.Context, in *api.DeleteLogStreamInput) (*api.DeleteLogStreamOutput, error) {
	return &api.DeleteLogStreamOutput{}, s.store.Update(func(tx *state.Tx) error {
		g, err := s.find(tx, in.LogGroupName, nil)
		if err != nil {
			return err
		}
		key := g.Name + "\x00" + *in.LogStreamName
		if _, ok, err := streams.Get(tx, key); err != nil {
			return err
		} else if !ok {
			return notFound("log stream")
		}
		if err := deleteAll(tx, events, key+"\x00"); err != nil {
			return err
		}
		return streams.Delete(tx, key)
	})
}

// DescribeLogStreams implements the operation of that name.
func (s *Service) DescribeLogStreams(_ context.Context, in *api.DescribeLogStreamsInput) (*api.DescribeLogStreamsOutput, error) {
	byTime := wire.Value(in.OrderBy) == "LastEventTime"
	if byTime && in.LogStreamNamePrefix != nil {
		return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	out := &api.DescribeLogStreamsOutput{LogStreams: []api.LogStream{}}
	return out, s.store.View(func(tx *state.Tx) error {
		g, err := s.find(tx, in.LogGroupName, in.LogGroupIdentifier)
		if err != nil {
			return err
		}
		var all []stream
		for _, st := range streams.WithPrefix(tx, g.Name+"\x00"+wire.Value(in.LogStreamNamePrefix)) {
			all = append(all, st)
		}
		if byTime {
			slices.SortStableFunc(all, func(a, b stream) int { return cmp.Compare(a.Last, b.Last) })
		}
		if wire.Value(in.Descending) {
			slices.Reverse(all)
		}
		limit := 50
		if in.Limit != nil {
			limit = int(*in.Limit)
		}
		from := 0
		if in.NextToken != nil {
			// The token is the stream that the page before ended with; when it is gone since, the listing is over.
			from = 1 + slices.IndexFunc(all, func(st stream) bool { return st.Name == *in.NextToken })
			if from == 0 {
				return invalid("The specified nextToken is invalid.")
			}
		}
		to := min(from+limit, len(all))
		for _, st := range all[from:to] {
			out.LogStreams = append(out.LogStreams, s.describeStream(g, st))
		}
		if to < len(all) {
			out.NextToken = new(all[to-1].Name)
		}
		return nil
	})
}

func (s *Service) describeStream(g group, st stream) api.LogStream {
	d := api.LogStream{LogStreamName: new(st.Name), Arn: new(s.arn(g.Name) + ":log-stream:" + st.Name), CreationTime: new(st.Created), StoredBytes: new(int64(0)), UploadSequenceToken: new("0")}
	if st.Ingested > 0 {
		d.FirstEventTimestamp, d.LastEventTimestamp, d.LastIngestionTime = new(st.First), new(st.Last), new(st.Ingested)
	}
	return d
}
