package upstream

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// WaitScale is the environment variable of the plugin, 0 to 1, that every fixed delay, poll interval and back-off of
// the provider is multiplied by; a pause never gets shorter than 10 ms. Unset, empty or out of range means 1: upstream
// behaviour. For the lab only: against AWS the pauses protect from throttling and eventual consistency.
const WaitScale = "STOREFRONT_WAIT_SCALE"

// scale is added to the plugin SDK's package retry, which all waiters of the provider go through. What a waiter paused for is told to the trace of
// the engine, if it asked for one (` + "`--otel-traces`" + `): nobody else can tell waiting from working.
const scale = `package retry

import (
	"context"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/opentracing/opentracing-go"
)

const shortestPause = 10 * time.Millisecond

var waitScale = func() float64 {
	f, err := strconv.ParseFloat(os.Getenv("` + WaitScale + `"), 64)
	if err != nil || !(f >= 0 && f <= 1) {
		return 1
	}
	return f
}()

// Scaled returns the pause to make instead of d.
func Scaled(d time.Duration) time.Duration {
	return max(time.Duration(float64(d)*waitScale), min(d, shortestPause))
}

// Sleep pauses for Scaled(d).
func Sleep(d time.Duration) { time.Sleep(Scaled(d)) }

// waiting adds up the pauses of a waiter.
type waiting struct {
	span        opentracing.Span
	asked, made atomic.Int64
}

func startWaiting(ctx context.Context) *waiting {
	span, _ := opentracing.StartSpanFromContext(ctx, "wait")
	return &waiting{span: span}
}

// pause returns the pause to make instead of d, and counts both.
func (w *waiting) pause(d time.Duration) time.Duration {
	w.asked.Add(int64(d))
	w.made.Add(int64(Scaled(d)))
	return Scaled(d)
}

func (w *waiting) end() {
	w.span.SetTag("asked", w.asked.Load())
	w.span.SetTag("made", w.made.Load())
	w.span.Finish()
}
`

// scaleWaits makes the SDK's waiters, and the provider's few plain sleeps, honour WaitScale.
func scaleWaits(sdk, provider string) error {
	retry := filepath.Join(sdk, "helper/retry")
	if err := os.WriteFile(filepath.Join(retry, "scale.go"), []byte(scale), 0o644); err != nil {
		return err
	}
	waiter := filepath.Join(retry, "state.go")
	const begin = "\tnotfoundTick := 0\n"
	if err := replaceOnce(waiter, begin, "\twaiting := startWaiting(ctx)\n\tdefer waiting.end()\n"+begin); err != nil {
		return err
	}
	for _, pause := range []string{"conf.Delay", "wait"} {
		if err := replaceOnce(waiter, "case <-time.After("+pause+"):", "case <-time.After(waiting.pause("+pause+")):"); err != nil {
			return err
		}
	}
	return scaleSleeps(filepath.Join(provider, serviceDir))
}

// scaleSleeps replaces time.Sleep in all services; at least one is known to be there (S3 lifecycle configuration).
func scaleSleeps(root string) error {
	const sleep = "time.Sleep("
	found := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(text), sleep) {
			return err
		}
		found++
		edited := strings.ReplaceAll(string(text), sleep, "waits.Sleep(")
		edited = strings.Replace(edited, "import (\n", "import (\n\twaits \""+sdkModule+"/helper/retry\"\n", 1)
		if !strings.Contains(strings.Replace(edited, "\t\"time\"\n", "", 1), "time.") {
			edited = strings.Replace(edited, "\t\"time\"\n", "", 1)
		}
		return os.WriteFile(name, []byte(edited), 0o644)
	})
	if err == nil && found == 0 {
		return fmt.Errorf("%s: no %s is left to scale: upstream has changed", root, sleep)
	}
	return err
}
