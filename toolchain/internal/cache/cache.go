// Package cache keeps built tools in the user's cache directory, so that a second clone of the project reuses them.
//
// An entry is a directory whose name holds a key made of everything that went into it. It is filled under another name
// and renamed when complete: an interrupted or failed build leaves nothing that looks finished. One lock per tool keeps
// two runs from building the same thing twice.
package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	unfinished = ".unfinished"       // suffix of a directory that is being filled
	retention  = 30 * 24 * time.Hour // an entry that no run has used for so long is removed by the next build
	lockPoll   = 200 * time.Millisecond
)

// Cache is a directory of built tools.
type Cache struct{ dir string }

// Open returns the cache in dir, or in the user's cache directory when dir is empty.
func Open(dir string) (Cache, error) {
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return Cache{}, fmt.Errorf("no place for built tools (set HOME or XDG_CACHE_HOME): %w", err)
		}
		dir = filepath.Join(user, "storefront", "tools")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Cache{}, fmt.Errorf("no place for built tools: %w", err)
	}
	return Cache{dir}, nil
}

// Find returns the entry of a tool under key, when it is there.
func (c Cache) Find(tool, key string) (dir string, found bool) {
	dir = c.path(tool, key)
	if stat, err := os.Stat(dir); err != nil || !stat.IsDir() {
		return "", false
	}
	now := time.Now()
	_ = os.Chtimes(dir, now, now) // only retention reads it; a cache that cannot be written still serves
	return dir, true
}

// Fill returns the entry of a tool under key. When it is missing, fill must write it into the directory that it is
// given; waiting is called once if another run holds the tool's lock.
func (c Cache) Fill(
	ctx context.Context, tool, key string, waiting func(), fill func(ctx context.Context, dir string) error,
) (string, error) {
	if dir, found := c.Find(tool, key); found {
		return dir, nil
	}
	unlock, err := c.lock(ctx, tool, waiting)
	if err != nil {
		return "", err
	}
	defer unlock()
	if dir, found := c.Find(tool, key); found { // the run that held the lock has built it
		return dir, nil
	}
	if err := c.sweep(tool); err != nil {
		return "", err
	}
	final := c.path(tool, key)
	work := final + unfinished
	defer os.RemoveAll(work)
	if err := os.Mkdir(work, 0o755); err != nil {
		return "", fmt.Errorf("build %s: %w", tool, err)
	}
	if err := fill(ctx, work); err != nil {
		return "", err
	}
	if err := os.Rename(work, final); err != nil {
		return "", fmt.Errorf("keep %s: %w", tool, err)
	}
	return final, nil
}

// Clean removes all entries.
func (c Cache) Clean() error {
	if err := os.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("remove built tools: %w", err)
	}
	return nil
}

func (c Cache) path(tool, key string) string { return filepath.Join(c.dir, tool+"-"+key) }

// sweep removes what killed runs of the tool have left and entries that nobody has used for long. The tool's lock is
// held, so nothing unfinished is in use.
func (c Cache) sweep(tool string) error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("read %s: %w", c.dir, err)
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), tool+"-") {
			continue
		}
		stat, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return fmt.Errorf("read %s: %w", c.dir, err)
		}
		if strings.HasSuffix(e.Name(), unfinished) || time.Since(stat.ModTime()) > retention {
			if err := os.RemoveAll(filepath.Join(c.dir, e.Name())); err != nil {
				return fmt.Errorf("remove an old build: %w", err)
			}
		}
	}
	return nil
}

// lock takes the tool's lock, which ends with the process at the latest.
func (c Cache) lock(ctx context.Context, tool string, waiting func()) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(c.dir, tool+".lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", tool, err)
	}
	ticker := time.NewTicker(lockPoll)
	defer ticker.Stop()
	for first := true; ; first = false {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", tool, err)
		}
		if first {
			waiting()
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, context.Cause(ctx)
		case <-ticker.C:
		}
	}
}
