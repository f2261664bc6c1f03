package balancer

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// statusClientClosed and statusTooManyForwards are status codes of AWS's own: see "HTTP 460" and "HTTP 463".
const (
	statusClientClosed    = 460
	statusTooManyForwards = 463
)

// titles are the reason phrases in the load balancer's own pages, where they differ from net/http's.
var titles = map[int]string{
	http.StatusRequestURITooLong:  "Request-URI Too Large",
	http.StatusServiceUnavailable: "Service Temporarily Unavailable",
	http.StatusGatewayTimeout:     "Gateway Time-out",
	http.StatusMethodNotAllowed:   "Not Allowed",
	statusTooManyForwards:         "",
}

// page answers with the load balancer's own small HTML page.
func page(w http.ResponseWriter, status int) int {
	title, ok := titles[status]
	if !ok {
		title = http.StatusText(status)
	}
	title = strings.TrimSpace(fmt.Sprintf("%d %s", status, title))
	return answer(w, status, "text/html", "<html>\r\n<head><title>"+title+"</title></head>\r\n<body>\r\n<center><h1>"+title+"</h1></center>\r\n</body>\r\n</html>\r\n")
}

func answer(w http.ResponseWriter, status int, contentType, body string) int {
	h := w.Header()
	h.Set("Server", "awselb/2.0")
	h["Content-Type"] = nil
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	if status != http.StatusNoContent && status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	n, _ := w.Write([]byte(body)) // the client is gone: nothing to tell it
	return n
}

// answer is a fixed-response action. AWS defaults the type to text/plain.
func (f *FixedResponse) answer(w http.ResponseWriter) int {
	contentType := f.ContentType
	if contentType == "" {
		contentType = "text/plain"
	}
	return answer(w, f.Status, contentType, f.Body)
}

// location is where a redirect action leads a request.
func (r *Redirect) location(p *port, request *http.Request) string {
	port := strconv.Itoa(p.publicPort())
	host := hostname(request.Host)
	replace := strings.NewReplacer("#{protocol}", p.scheme(), "#{host}", host, "#{port}", port,
		"#{path}", strings.TrimPrefix(request.URL.EscapedPath(), "/"), "#{query}", request.URL.RawQuery)
	part := func(value, original string) string {
		if value == "" {
			value = original
		}
		return replace.Replace(value)
	}
	location := strings.ToLower(part(r.Protocol, "#{protocol}")) + "://" +
		net.JoinHostPort(strings.Trim(part(r.Host, "#{host}"), "[]"), part(r.Port, "#{port}")) + part(r.Path, "/#{path}")
	if query := part(r.Query, "#{query}"); query != "" {
		location += "?" + query
	}
	return location
}

func (r *Redirect) answer(w http.ResponseWriter, location string) int {
	w.Header().Set("Location", location)
	return page(w, r.Status)
}
