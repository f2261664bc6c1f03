package balancer

import (
	"io"
	"net"
	"net/http"
	"time"
)

// switchProtocols joins client and target after a 101: from here on bytes pass both ways until either side ends or both are idle.
func (x *exchange) switchProtocols(c *call) {
	x.record.status, x.record.upgraded = http.StatusSwitchingProtocols, true
	idle := x.port.idle()
	client, buffered, err := http.NewResponseController(x.w).Hijack()
	if err != nil { // HTTP/2 has no Upgrade, so the target answered what nobody asked for
		x.page(http.StatusBadGateway)
		return
	}
	defer func() { _ = client.Close() }()
	header := x.w.Header() // with what is end-to-end
	header.Del("Connection")
	for _, f := range c.head.fields {
		if hopByHop(f.name) {
			header.Add(f.name, f.value)
		}
	}
	head := http.Response{StatusCode: http.StatusSwitchingProtocols, ProtoMajor: 1, ProtoMinor: 1, Header: header}
	_ = client.SetDeadline(time.Now().Add(idle))
	if err := head.Write(client); err != nil {
		return
	}
	done := make(chan struct{})
	touch := func() {
		deadline := time.Now().Add(idle)
		_ = client.SetDeadline(deadline)
		_ = c.conn.SetDeadline(deadline)
	}
	go func() {
		defer close(done)
		x.record.received.Add(pipe(c.conn, buffered.Reader, touch))
		_ = c.conn.Close()
		_ = client.Close()
	}()
	x.record.sent += pipe(client, c.conn.reader, touch)
	_ = c.conn.Close()
	_ = client.Close()
	<-done
}

// pipe copies until an error or the end of from, and calls touch for every piece.
func pipe(to net.Conn, from io.Reader, touch func()) (total int64) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			touch()
			if _, err := to.Write(buffer[:n]); err != nil {
				return total
			}
			total += int64(n)
		}
		if err != nil {
			return total
		}
	}
}
