package balancer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

var (
	errHeaderTooLarge = errors.New("the target's response header is over 32 KiB")
	errMalformed      = errors.New("the target's response header is malformed")
)

// head is the head of a target's answer. It is read here and not by http.ReadResponse, whose general result costs a tenth of a request.
type head struct {
	status  int
	fields  []field // as they came, names in canonical form
	length  int64   // of the body; -1: the target tells as it goes
	chunked bool
	close   bool // the connection cannot serve again
}

type field struct{ name, value string }

// readHead reads the head of the final answer to a request with the method, or that of a switch of protocols. Interim ones are passed over.
func (c *targetConn) readHead(method string) (head, error) {
	for {
		c.source.left = maxResponseHeader
		text, err := c.readHeadText()
		if err != nil {
			return head{}, err
		}
		h, err := c.parseHead(text, method)
		if err != nil || h.status >= 200 || h.status == http.StatusSwitchingProtocols {
			c.source.left = math.MaxInt
			return h, err
		}
	}
}

// readHeadText reads up to and including the empty line.
func (c *targetConn) readHeadText() (string, error) {
	c.text = c.text[:0]
	for begin := 0; ; {
		piece, err := c.reader.ReadSlice('\n')
		c.text = append(c.text, piece...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return "", io.ErrUnexpectedEOF
		case err != nil:
			return "", err
		case len(c.text)-begin <= len("\r\n") && strings.TrimRight(string(c.text[begin:]), "\r\n") == "":
			return string(c.text), nil
		}
		begin = len(c.text)
	}
}

// parseHead reads RFC 9112, sections 4 to 6, strictly: what is ambiguous could be understood in another way by the client (section 11.2).
func (c *targetConn) parseHead(text, method string) (head, error) {
	line, rest := cutLine(text)
	status, ok := parseStatusLine(line)
	if !ok {
		return head{}, fmt.Errorf("%w: it begins with %.100q", errMalformed, line)
	}
	h := head{status: status, fields: c.fields[:0], length: -1}
	for line, rest = cutLine(rest); line != ""; line, rest = cutLine(rest) {
		name, value, ok := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return head{}, fmt.Errorf("%w: %.100q", errMalformed, line)
		}
		h.fields = append(h.fields, field{textproto.CanonicalMIMEHeaderKey(name), value})
	}
	c.fields = h.fields
	old := text[len("HTTP/1.")] == '0'
	if err := h.frame(old); err != nil {
		return head{}, err
	}
	switch {
	case method == http.MethodHead || status < 200 || status == http.StatusNoContent || status == http.StatusNotModified:
		h.length, h.chunked = 0, false
	case h.length < 0 && !h.chunked:
		h.close = true // the body ends with the connection
	}
	return h, nil
}

// frame finds out where the answer ends. old is HTTP/1.0, which knows no chunks and closes connections unless it is said otherwise.
func (h *head) frame(old bool) error {
	keep := false
	for _, f := range h.fields {
		switch f.name {
		case "Content-Length":
			n, err := strconv.ParseUint(f.value, 10, 63)
			if err != nil || h.length >= 0 && h.length != int64(n) {
				return fmt.Errorf("%w: Content-Length %.100q", errMalformed, f.value)
			}
			h.length = int64(n)
		case "Transfer-Encoding":
			if !old && (h.chunked || !strings.EqualFold(f.value, "chunked")) {
				return fmt.Errorf("%w: Transfer-Encoding %.100q", errMalformed, f.value)
			}
			h.chunked = !old
		case "Connection":
			h.close = h.close || hasToken([]string{f.value}, "close")
			keep = keep || hasToken([]string{f.value}, "keep-alive")
		}
	}
	if h.chunked {
		h.length = -1
	}
	h.close = h.close || old && !keep
	return nil
}

// copyTo sets the end-to-end fields on the answer to the client.
func (h *head) copyTo(to http.Header) {
	values := make([]string, 0, len(h.fields)) // of all fields, so that one allocation does
	var named []string
	for _, f := range h.fields {
		switch {
		case f.name == "Connection":
			named = append(named, f.value)
		case hopByHop(f.name) || f.name == "Content-Length" && (h.chunked || to[f.name] != nil): // more than one say the same
		case to[f.name] != nil:
			to[f.name] = append(to[f.name], f.value)
		default:
			values = append(values, f.value)
			n := len(values)
			to[f.name] = values[n-1 : n : n]
		}
	}
	dropNamed(to, named)
	for _, name := range []string{"Date", "Content-Type"} { // else net/http makes them up
		if _, ok := to[name]; !ok {
			to[name] = nil
		}
	}
}

func cutLine(text string) (line, rest string) {
	line, rest, _ = strings.Cut(text, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// parseStatusLine reads "HTTP/1.1 200 OK", whose last part may be missing.
func parseStatusLine(line string) (status int, ok bool) {
	const version = "HTTP/1.x "
	if len(line) < len(version)+3 || !strings.HasPrefix(line, "HTTP/1.") || line[7] != '0' && line[7] != '1' || line[8] != ' ' {
		return 0, false
	}
	code, more := line[len(version):len(version)+3], line[len(version)+3:]
	status, err := strconv.Atoi(code)
	return status, err == nil && status >= 100 && (more == "" || more[0] == ' ')
}
