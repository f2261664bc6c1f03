package balancer

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"sync/atomic"
	"time"
)

// uploadGrace is how long a target that has answered in full may leave the client's body unread before the client is told to stop.
const uploadGrace = 100 * time.Millisecond

// bodyError is a failure to read the client's request body.
type bodyError struct{ err error }

// Error implements error.
func (e *bodyError) Error() string { return "reading the request's body: " + e.err.Error() }

// Unwrap gives the cause.
func (e *bodyError) Unwrap() error { return e.err }

// upload sends a request body to a target. A nil upload is that of a request without one.
type upload struct {
	done      chan struct{}
	err       error // valid once done is closed
	client    *http.ResponseController
	malformed atomic.Pointer[bodyError]
}

// startUpload sends the body as it arrives. Each piece extends the time that the target has to answer.
func (x *exchange) startUpload(c *targetConn) *upload {
	u := &upload{done: make(chan struct{}), client: http.NewResponseController(x.w)}
	_ = u.client.EnableFullDuplex() // HTTP/2 always is
	idle := x.port.idle()
	go func() {
		defer close(u.done)
		if u.err = x.copyBody(c, u, idle); u.err != nil {
			var bad *bodyError
			if errors.As(u.err, &bad) {
				u.malformed.Store(bad)
				_ = c.Close() // ends the wait for an answer
			}
		}
	}()
	return u
}

func (x *exchange) copyBody(c *targetConn, u *upload, idle time.Duration) error {
	buffer, _ := x.port.node.b.buffers.Get().(*[]byte)
	defer x.port.node.b.buffers.Put(buffer)
	var to io.Writer = c.writer
	chunked := x.r.ContentLength < 0
	if chunked {
		to = httputil.NewChunkedWriter(c.writer)
	}
	for {
		_ = u.client.SetReadDeadline(time.Now().Add(idle))
		n, err := x.r.Body.Read(*buffer)
		if n > 0 {
			x.record.received.Add(int64(n))
			if err := c.SetDeadline(time.Now().Add(idle)); err != nil {
				return err
			}
			if _, err := to.Write((*buffer)[:n]); err != nil {
				return err
			}
			if err := c.writer.Flush(); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			_ = u.client.SetReadDeadline(time.Time{})
			return finishBody(c.writer, to)
		case err != nil:
			return &bodyError{err}
		}
	}
}

// finishBody ends a chunked body, and sends what is still in the buffer: the head, when the body turned out to be empty.
func finishBody(w *bufio.Writer, to io.Writer) error {
	if chunks, ok := to.(io.Closer); ok {
		if err := chunks.Close(); err != nil {
			return err
		}
		if _, err := w.WriteString("\r\n"); err != nil {
			return err
		}
	}
	return w.Flush()
}

// clientError tells of a body that the client did not send as it should have.
func (u *upload) clientError() error {
	if u == nil {
		return nil
	}
	if bad := u.malformed.Load(); bad != nil {
		return bad
	}
	return nil
}

// stop ends the upload and reports whether all of the body was sent.
func (u *upload) stop(c *targetConn) bool {
	if u == nil {
		return true
	}
	timer := time.NewTimer(uploadGrace)
	defer timer.Stop()
	select {
	case <-u.done:
	case <-timer.C:
		_ = u.client.SetReadDeadline(time.Unix(1, 0))
		_ = c.Close()
		<-u.done
	}
	_ = c.SetWriteDeadline(time.Time{})
	return u.err == nil
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
