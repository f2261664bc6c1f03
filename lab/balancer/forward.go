package balancer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"os"
	"time"
)

// forward sends the request to a target and its answer to the client. It reports false when the target was taken away before it got the request.
func (x *exchange) forward(f *Forward) (done bool) {
	arn, g := x.chooseGroup(f)
	x.record.group = arn
	if g == nil {
		x.page(http.StatusServiceUnavailable)
		return true
	}
	settings := g.current.Load()
	jar := x.port.node.b.cookies
	t := settings.pick(g, x.port.node.Zone, settings.Stickiness.wanted(jar, x.r, arn))
	if t == nil {
		x.page(http.StatusServiceUnavailable)
		return true
	}
	t.outstanding.Add(1)
	defer t.outstanding.Add(-1)
	if t.leaving.Load() { // looked at only now that the request counts: who drains the target sees it, or it sees that the target drains
		return false
	}
	x.record.target = t
	if !x.prepared {
		x.prepared, x.upgrade = true, x.port.prepare(x.r, x.client, &x.routing.attributes, x.record.start)
	}
	sent := time.Now()
	call, err := x.call(t, settings.TLS, sent)
	if errors.Is(err, errTargetClosed) {
		return false
	}
	if err != nil {
		x.fail(err)
		return true
	}
	x.record.targetTime, x.record.targetStatus = time.Since(sent), call.head.status
	reuse := false
	defer func() { call.end(t, reuse) }() // also when the client is cut off
	header := x.w.Header()
	call.head.copyTo(header)
	settings.Stickiness.remember(jar, header, arn, t)
	if f.Stickiness > 0 {
		jar.set(header, cookieGroup, x.listener.ARN, arn, f.Stickiness)
	}
	if call.head.status == http.StatusSwitchingProtocols {
		x.switchProtocols(call)
		return true
	}
	reuse = x.relay(call)
	return true
}

// call is a request that a target has begun to answer.
type call struct {
	conn    *targetConn
	head    head
	upload  *upload     // nil when the request has no body
	release func() bool // ends the watch for the client's going; false when the client has gone; nil before the watch
}

// watchAfter is how long a target may take before the balancer looks out for the client's going. Most requests are answered sooner, and save the watch.
const watchAfter = 200 * time.Millisecond

// watch closes the target's connection when the client goes, so that the target need not finish for nobody.
func (c *call) watch(r *http.Request) {
	if c.release == nil {
		c.release = context.AfterFunc(r.Context(), func() { _ = c.conn.Close() })
	}
}

// call sends the request to the target and waits for the head of its answer. A request without a body that is safe to repeat goes out
// again when the target had closed the idle connection on which it was sent, and no byte of an answer came.
func (x *exchange) call(t *target, useTLS bool, now time.Time) (*call, error) {
	replayable := x.r.ContentLength == 0 && idempotent(x.r.Method) && x.upgrade == ""
	for {
		conn := t.conns.take(x.port.node.Place, now.Add(-x.port.idle()), !replayable)
		if conn == nil {
			var err error
			if conn, err = t.connect(x.r.Context(), x.port.node.Place, useTLS); err != nil {
				return nil, err
			}
		}
		c := &call{conn: conn}
		err := x.send(c)
		if err == nil {
			err = x.await(c)
		}
		again := err != nil && conn.reused && replayable && lost(err)
		if err == nil {
			c.head, err = conn.readHead(x.r.Method)
		}
		if err == nil {
			return c, nil
		}
		clientErr := c.upload.clientError()
		c.end(t, false)
		if clientErr != nil {
			return nil, clientErr
		}
		if !again || x.r.Context().Err() != nil {
			return nil, err
		}
	}
}

// await waits for the first byte of the answer.
func (x *exchange) await(c *call) error {
	in, idle := c.conn.source, x.port.idle()
	in.left = maxResponseHeader
	if c.upload == nil && idle > watchAfter {
		in.patience = watchAfter
		_, err := c.conn.reader.Peek(1)
		in.patience = idle
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
	in.patience = idle
	c.watch(x.r)
	_, err := c.conn.reader.Peek(1)
	return err
}

// send writes the request; its body is sent by a goroutine, since a target may answer before it has read it.
func (x *exchange) send(c *call) error {
	x.writeHead(c.conn)
	if x.r.ContentLength == 0 { // a head always fits into the socket's buffer, so that this cannot block
		return c.conn.writer.Flush()
	}
	c.watch(x.r)
	c.upload = x.startUpload(c.conn)
	return nil
}

// end gives the connection back, for reuse when everything on it was read and written.
func (c *call) end(t *target, reuse bool) {
	complete := c.upload.stop(c.conn)
	here := c.release == nil || c.release()
	t.release(c.conn, reuse && complete && here && c.conn.reader.Buffered() == 0)
}

func (x *exchange) writeHead(c *targetConn) {
	w, r := c.writer, x.r // errors stick to the writer and come out of Flush
	uri := r.RequestURI
	if uri == "" || uri[0] != '/' {
		uri = r.URL.RequestURI() // absolute form
	}
	for _, s := range [...]string{r.Method, " ", uri, " HTTP/1.1\r\nHost: ", r.Host, "\r\n"} {
		_, _ = w.WriteString(s)
	}
	_ = r.Header.Write(w)
	switch {
	case r.ContentLength > 0:
		_, _ = w.WriteString("Content-Length: " + itoa(r.ContentLength) + "\r\n")
	case r.ContentLength < 0:
		_, _ = w.WriteString("Transfer-Encoding: chunked\r\n")
	case r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch:
		_, _ = w.WriteString("Content-Length: 0\r\n")
	}
	if x.upgrade != "" {
		_, _ = w.WriteString("Connection: upgrade\r\nUpgrade: " + x.upgrade + "\r\n")
	}
	_, _ = w.WriteString("\r\n")
}

// relay copies the target's answer to the client. It reports whether the target's connection can serve again.
func (x *exchange) relay(c *call) bool {
	x.record.status = c.head.status
	x.w.WriteHeader(c.head.status)
	if c.head.length == 0 {
		return !c.head.close
	}
	var body io.Reader = c.conn.reader
	if c.head.chunked {
		body = httputil.NewChunkedReader(c.conn.reader)
	}
	pooled, _ := x.port.node.b.buffers.Get().(*[]byte)
	defer x.port.node.b.buffers.Put(pooled)
	for left := c.head.length; left != 0; { // -1: until the target says so
		if c.conn.reader.Buffered() == 0 {
			c.watch(x.r)
		}
		buffer := *pooled
		if left > 0 {
			buffer = buffer[:min(left, int64(len(buffer)))]
		}
		n, err := body.Read(buffer)
		if n > 0 {
			x.record.sent += int64(n)
			if _, err := x.w.Write(buffer[:n]); err != nil {
				x.record.status = statusClientClosed
				return false
			}
			if left > 0 {
				left -= int64(n)
			}
			if left != 0 && err == nil { // more is to come, maybe much later
				_ = http.NewResponseController(x.w).Flush()
			}
		}
		switch {
		case left < 0 && errors.Is(err, io.EOF):
			left = 0
		case left != 0 && err != nil:
			x.cutOff()
		}
	}
	if c.head.chunked {
		x.relayTrailer(c)
	}
	return !c.head.close
}

// relayTrailer copies what follows the last chunk.
func (x *exchange) relayTrailer(c *call) {
	c.conn.source.left = maxResponseHeader
	trailer, err := textproto.NewReader(c.conn.reader).ReadMIMEHeader()
	if err != nil {
		x.cutOff()
	}
	for name, values := range trailer {
		if !hopByHop(name) && !requestOnly(name) {
			x.w.Header()[http.TrailerPrefix+name] = values
		}
	}
}

// cutOff tears the client's connection down, so that a broken answer cannot pass for a whole one. net/http defines this panic for that.
func (x *exchange) cutOff() { panic(http.ErrAbortHandler) }

// fail answers for a target that did not, see "Troubleshoot your Application Load Balancers".
func (x *exchange) fail(err error) {
	var bad *bodyError
	switch {
	case x.r.Context().Err() != nil:
		x.record.status = statusClientClosed
		x.cutOff()
	case errors.As(err, &bad) && errors.Is(err, os.ErrDeadlineExceeded):
		x.page(http.StatusRequestTimeout)
	case errors.As(err, &bad):
		x.page(http.StatusBadRequest)
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded):
		x.page(http.StatusGatewayTimeout)
	default:
		x.page(http.StatusBadGateway)
	}
}

// idempotent reports whether repeating a request has no further effect (RFC 9110, 9.2.2).
func idempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
