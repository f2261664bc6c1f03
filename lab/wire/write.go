package wire

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// write sends an answer. A stream that fails part way closes the connection, so that the client does not take a short body for a whole one.
func (s *Server) write(w http.ResponseWriter, r *http.Request, c *call, a *answer) (int64, error) {
	h := w.Header()
	for name, values := range a.header {
		h[headerName(name)] = values
	}
	if c.service.isS3() {
		h.Set("Server", "AmazonS3")
		h.Set("X-Amz-Request-Id", c.requestID)
		h.Set("X-Amz-Id-2", hostID(c.requestID))
		if a.status == http.StatusOK && h.Get("Content-Range") != "" {
			a.status = http.StatusPartialContent
		}
	}
	if a.stream == nil {
		if a.status != http.StatusNoContent && a.status != http.StatusNotModified && (r.Method != http.MethodHead || h.Get("Content-Length") == "") {
			h.Set("Content-Length", strconv.Itoa(a.body.Len()))
		}
		if r.ContentLength > 0 && a.body.Len() > bufferedByClients {
			s.pace(r, c)
		}
		w.WriteHeader(a.status)
		n, err := a.body.WriteTo(w)
		return n, ignoreNoBody(err)
	}
	defer a.stream.Close()
	w.WriteHeader(a.status)
	n, err := io.Copy(w, a.stream)
	if err != nil {
		s.options.Logger.Warn("answer cut short", "request_id", c.requestID, "error", err)
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

// headerName is how a header's name is written. S3 writes those of metadata in lower case, and the AWS CLI goes by it.
func headerName(name string) string {
	if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-meta-") {
		return lower
	}
	return http.CanonicalHeaderKey(name)
}

// bufferedByClients is how much of an answer Go's HTTP client reads at once, less what headers take.
const bufferedByClients = 3 << 10

// pace waits until a call has taken Options.Pace. AWS SDK for Go v2 closes a request's body as soon as it sees the answer's header; when the HTTP client is not
// quite done with sending by then, it cuts the connection from which the rest of the answer is still to be read. AWS is never near enough to provoke that.
func (s *Server) pace(r *http.Request, c *call) {
	wait := time.NewTimer(s.options.Pace - time.Since(c.received))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-r.Context().Done():
	}
}

// ignoreNoBody drops the error of a body that HTTP does not send: of a HEAD request, or with 204 and 304.
func ignoreNoBody(err error) error {
	if err == nil || errors.Is(err, http.ErrBodyNotAllowed) {
		return nil
	}
	return fmt.Errorf("writing the answer: %w", err)
}
