package dataplane

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/logs"
	"storefront/lab/elasticache"
	"storefront/lab/redis"
	"storefront/lab/state"
)

// logBatch is how much of an engine log is delivered at a time: a batch of CloudWatch Logs takes a mebibyte, with 26 bytes an event on top.
const logBatch = 256 << 10

// LogEvents takes log lines. logs.Service implements it.
type LogEvents interface {
	CreateLogStream(context.Context, *api.CreateLogStreamInput) (*api.CreateLogStreamOutput, error)
	PutLogEvents(context.Context, *api.PutLogEventsInput) (*api.PutLogEventsOutput, error)
}

// CacheLogs delivers the logs of cache nodes to the log groups that their replication groups name, at least once ("Log delivery"). A log group that is not
// there gets nothing until it is.
type CacheLogs struct {
	Caches *Caches
	Logs   LogEvents
	Log    *slog.Logger
	Every  time.Duration // how often it looks; 0 is as often as Measure

	slow map[string]slowMark // by node
}

// slowMark is the last slow command of a node that was delivered.
type slowMark struct {
	node *redis.Node
	id   int64
}

// delivered is how far engine logs have been delivered, in bytes by node and the time of its group's creation.
var delivered = state.NewTable[int64]("dataplane.cache-log")

// engineLine is a line of Redis's log: process and role, time, level, message.
var engineLine = regexp.MustCompile(`^\d+:([A-Z]) (\d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2}\.\d{3}) ([.\-*#]) (.*)$`)

// Run delivers until ctx ends.
func (c *CacheLogs) Run(ctx context.Context) error {
	c.slow = map[string]slowMark{}
	every := c.Every
	if every == 0 {
		every = measureEvery
	}
	return loop(ctx, ticks(ctx, every), c.Log, c.deliver)
}

func (c *CacheLogs) deliver(ctx context.Context) error {
	var groups []elasticache.Group
	if err := c.Caches.Store.View(func(tx *state.Tx) (err error) { groups, err = c.Caches.Cache.Groups(tx); return err }); err != nil {
		return err
	}
	live := c.Caches.nodes()
	for _, g := range groups {
		for _, d := range g.Logs {
			for _, n := range g.Nodes {
				var err error
				if server := live[n.ID]; d.Type == "slow-log" && server != nil {
					err = c.slowLog(ctx, d, n.ID, server)
				} else if d.Type == "engine-log" {
					err = c.engineLog(ctx, d, n.ID, fmt.Sprintf("%s/%d", n.ID, g.Created))
				}
				if err != nil { // the others go on
					c.Log.Warn("delivering a log of a cache node", "node", n.ID, "log", d.Type, "group", d.Group, "error", err)
				}
			}
		}
	}
	return nil
}

func (c *CacheLogs) engineLog(ctx context.Context, d elasticache.Delivery, node, key string) error {
	f, err := os.Open(c.Caches.Engine.LogPath(node))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	var from int64
	if err := c.Caches.Store.View(func(tx *state.Tx) (err error) { from, _, err = delivered.Get(tx, key); return err }); err != nil {
		return err
	}
	if info, err := f.Stat(); err != nil || info.Size() < from { // the log began anew
		from = 0
	}
	text := make([]byte, logBatch)
	n, err := f.ReadAt(text, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	text = text[:bytes.LastIndexByte(text[:n], '\n')+1] // whole lines
	if len(text) == 0 {
		return nil
	}
	if err := c.put(ctx, d, node, engineEvents(d, node, text)); err != nil {
		return err
	}
	return c.Caches.Store.Update(func(tx *state.Tx) error { return delivered.Put(tx, key, from+int64(len(text))) })
}

// engineEvents are the lines of a log that have a time; those of the server's banner have none.
func engineEvents(d elasticache.Delivery, node string, text []byte) (events []api.InputLogEvent) {
	levels := map[string]string{".": "DEBUG", "-": "VERBOSE", "*": "NOTICE", "#": "WARNING"}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		m := engineLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		at, err := time.Parse("02 Jan 2006 15:04:05.000", m[2])
		if err != nil {
			continue
		}
		message := lines.Text()
		if d.Format == "json" {
			message = object("CacheClusterId", node, "CacheNodeId", "0001", "LogLevel", levels[m[3]], "Role", m[1], "Time", at.Format(time.RFC3339Nano), "Message", m[4])
		}
		events = append(events, api.InputLogEvent{Timestamp: new(at.UnixMilli()), Message: &message})
	}
	return events
}

func (c *CacheLogs) slowLog(ctx context.Context, d elasticache.Delivery, node string, server *redis.Node) error {
	asked, cancel := context.WithTimeout(ctx, cacheCheckTime)
	defer cancel()
	list, err := server.SlowCommands(asked)
	if err != nil {
		return err
	}
	mark := c.slow[node]
	if mark.node != server {
		mark = slowMark{node: server, id: -1}
	}
	var events []api.InputLogEvent
	for _, s := range slices.Backward(list) {
		if s.ID <= mark.id {
			continue
		}
		mark.id = s.ID
		command := strings.Join(s.Args, " ")
		message := fmt.Sprintf("%s,0001,%d,%d,%d,%s,%s,%s", node, s.ID, s.Time.Unix(), s.Duration.Microseconds(), command, s.ClientAddr, s.ClientName)
		if d.Format == "json" {
			message = object("CacheClusterId", node, "CacheNodeId", "0001", "Id", s.ID, "Timestamp", s.Time.Unix(), "Duration (us)", s.Duration.Microseconds(),
				"Command", command, "ClientAddress", s.ClientAddr, "ClientName", s.ClientName)
		}
		events = append(events, api.InputLogEvent{Timestamp: new(s.Time.UnixMilli()), Message: &message})
	}
	if err := c.put(ctx, d, node, events); err != nil {
		return err
	}
	c.slow[node] = mark
	return nil
}

// put delivers events in the order of their times, and makes the log stream when it is not there. A batch spans less than a day.
func (c *CacheLogs) put(ctx context.Context, d elasticache.Delivery, node string, events []api.InputLogEvent) error {
	slices.SortStableFunc(events, func(a, b api.InputLogEvent) int { return cmp.Compare(*a.Timestamp, *b.Timestamp) })
	stream := "elasticache/redis/" + node + "/0001/" + d.Type
	for len(events) > 0 {
		limit := *events[0].Timestamp + (24 * time.Hour).Milliseconds()
		n := slices.IndexFunc(events, func(e api.InputLogEvent) bool { return *e.Timestamp >= limit })
		if n < 0 {
			n = len(events)
		}
		in := &api.PutLogEventsInput{LogGroupName: &d.Group, LogStreamName: &stream, LogEvents: events[:n]}
		if _, err := c.Logs.PutLogEvents(ctx, in); err != nil {
			if _, failed := c.Logs.CreateLogStream(ctx, &api.CreateLogStreamInput{LogGroupName: &d.Group, LogStreamName: &stream}); failed != nil {
				return errors.Join(err, failed)
			}
			if _, err := c.Logs.PutLogEvents(ctx, in); err != nil {
				return err
			}
		}
		events = events[n:]
	}
	return nil
}

// object is a JSON object of names and values, in their order.
func object(namesAndValues ...any) string {
	var b strings.Builder
	for pair := range slices.Chunk(namesAndValues, 2) {
		value, _ := json.Marshal(pair[1]) // texts and numbers always have a form
		fmt.Fprintf(&b, ",%q:%s", pair[0], value)
	}
	return "{" + strings.TrimPrefix(b.String(), ",") + "}"
}
