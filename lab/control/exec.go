package control

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// The answer to an exec request is a sequence of frames: one byte that tells the kind, four bytes with the length, and the content.
const (
	frameOut    = 'o' // standard output
	frameErr    = 'e' // standard error
	frameStatus = 's' // exit status as four bytes; the last frame
	frameFailed = 'f' // why the command could not run; the last frame
)

// Exec runs a command inside an instance, and returns its exit status. What in yields is its standard input.
func (c *Client) Exec(ctx context.Context, instance string, args []string, in io.Reader, out, errOut io.Writer) (int, error) {
	query := url.Values{"instance": {instance}, "arg": args}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://lab/exec?"+query.Encode(), io.NopCloser(in))
	if err != nil {
		return 0, fmt.Errorf("asking the lab: %w", err)
	}
	resp, err := c.do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return readFrames(resp.Body, out, errOut)
}

func readFrames(r io.Reader, out, errOut io.Writer) (status int, err error) {
	for {
		var head [5]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return 0, fmt.Errorf("the lab broke off the command: %w", err)
		}
		body := io.LimitReader(r, int64(binary.BigEndian.Uint32(head[1:])))
		switch head[0] {
		case frameOut:
			_, err = io.Copy(out, body)
		case frameErr:
			_, err = io.Copy(errOut, body)
		case frameStatus:
			var code [4]byte
			if _, err := io.ReadFull(body, code[:]); err != nil {
				return 0, fmt.Errorf("the lab broke off the command's status: %w", err)
			}
			return int(int32(binary.BigEndian.Uint32(code[:]))), nil
		case frameFailed:
			var text strings.Builder
			_, err = io.Copy(&text, body)
			return 0, errors.Join(errors.New(text.String()), err)
		default:
			return 0, fmt.Errorf("the lab sent a frame of the unknown kind %q", head[0])
		}
		if err != nil {
			return 0, fmt.Errorf("reading the command's output: %w", err)
		}
	}
}

// frames writes frames from several goroutines.
type frames struct {
	mu    sync.Mutex
	w     io.Writer
	flush func()
}

func (f *frames) send(kind byte, content []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(content)))
	if _, err := f.w.Write(append(head, content...)); err != nil {
		return err
	}
	f.flush()
	return nil
}

// stream is one of the command's output streams.
type stream struct {
	frames *frames
	kind   byte
}

// Write implements io.Writer.
func (s stream) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if err := s.frames.send(s.kind, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// exec serves Client.Exec.
func exec(lab Lab) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		// The command reads its input while its output is being sent.
		if err := c.EnableFullDuplex(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusOK)
		f := &frames{w: w, flush: func() { _ = c.Flush() }}
		query := r.URL.Query()
		status, err := lab.Exec(r.Context(), query.Get("instance"), query["arg"], r.Body, stream{f, frameOut}, stream{f, frameErr})
		if err != nil {
			_ = f.send(frameFailed, []byte(err.Error()))
		} else {
			_ = f.send(frameStatus, binary.BigEndian.AppendUint32(nil, uint32(int32(status))))
		}
		// The client hangs up. A connection that is closed while it still sends input is a failure to it, whatever was answered.
		_, _ = io.Copy(io.Discard, r.Body)
	}
}
