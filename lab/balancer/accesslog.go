package balancer

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// logInterval is how often a node delivers its access log, and maxLogBytes the size at which it does so earlier.
const (
	logInterval = 5 * time.Minute
	maxLogBytes = 8 << 20
)

// LogSink stores access log files; the lab's puts them into the bucket that the attributes name.
type LogSink interface {
	// Put stores one gzip file under the key, below the prefix that the attributes name. An error is logged, and the file is lost, as AWS delivers logs on a best-effort basis.
	Put(ctx context.Context, key string, gz []byte) error
}

// LogName is what the names of access log files are made of.
type LogName struct {
	Account string
	Region  string
}

// accessLog gathers the entries of one node and delivers them every five minutes, on the clock's fives.
type accessLog struct {
	sink    LogSink
	naming  LogName
	name    string // of the load balancer
	address netip.Addr
	logger  *slog.Logger

	mu     sync.Mutex
	buffer bytes.Buffer
	gz     *gzip.Writer
	timer  *time.Timer
}

func newAccessLog(sink LogSink, naming LogName, name string, address netip.Addr, logger *slog.Logger) *accessLog {
	return &accessLog{sink: sink, naming: naming, name: name, address: address, logger: logger}
}

func (l *accessLog) write(line logLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gz == nil {
		l.gz, _ = gzip.NewWriterLevel(&l.buffer, gzip.BestSpeed) // a known level is no error; a better one costs each request more than all the rest of its line
		now := time.Now()
		l.timer = time.AfterFunc(now.Truncate(logInterval).Add(logInterval).Sub(now), l.deliver)
	}
	_, _ = l.gz.Write(line) // to memory
	if l.buffer.Len() >= maxLogBytes {
		go l.deliver()
	}
}

// deliver hands over what was gathered.
func (l *accessLog) deliver() {
	l.mu.Lock()
	if l.gz == nil {
		l.mu.Unlock()
		return
	}
	l.timer.Stop()
	_ = l.gz.Close() // to memory
	file := bytes.Clone(l.buffer.Bytes())
	l.buffer.Reset()
	l.gz = nil
	l.mu.Unlock()
	key := l.naming.key(l.name, l.address, time.Now())
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := l.sink.Put(ctx, key, file); err != nil {
		l.logger.Warn("access log was not delivered", "load balancer", l.name, "key", key, "error", err)
	}
}

func (l *accessLog) close() { l.deliver() }

// key names a log file as in "Access log files".
func (n LogName) key(balancer string, address netip.Addr, end time.Time) string {
	end = end.UTC()
	return fmt.Sprintf("AWSLogs/%s/elasticloadbalancing/%s/%s/%s_elasticloadbalancing_%s_%s_%s_%s_%s.log.gz", n.Account, n.Region,
		end.Format("2006/01/02"), n.Account, n.Region, strings.ReplaceAll(balancer, "/", "."), end.Format("20060102T1504Z"), address, strings.ToLower(rand.Text()[:8]))
}
