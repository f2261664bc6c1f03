package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"storefront/services/shop"
)

// problem is the body of every error, as RFC 9457 defines it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Field  string `json:"field,omitempty"` // the input at fault
}

func status(code shop.Code) int {
	switch code {
	case shop.Invalid:
		return http.StatusBadRequest
	case shop.NotFound:
		return http.StatusNotFound
	case shop.Conflict:
		return http.StatusConflict
	case shop.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// fail answers with the problem that err is. Causes and internal errors are logged and not shown.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problem{Status: status(shop.CodeOf(err))}
	var known *shop.Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		p.Status, p.Field, p.Detail = http.StatusRequestEntityTooLarge, "body", fmt.Sprintf("must have at most %d bytes", MaxBody)
	case errors.As(err, &known) && known.Code != shop.Internal:
		p.Field, p.Detail = known.Field, known.Message
	}
	if p.Status >= http.StatusInternalServerError {
		s.config.Log.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "error", err)
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	s.writeProblem(w, r, p)
}

func (s *Server) writeProblem(w http.ResponseWriter, r *http.Request, p problem) {
	p.Type, p.Title = "about:blank", http.StatusText(p.Status)
	w.Header().Set("Content-Type", "application/problem+json")
	s.write(w, r, p.Status, p)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	s.write(w, r, status, body)
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		s.config.Log.ErrorContext(r.Context(), "encoding an answer", "path", r.URL.Path, "error", err)
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store") // errors, orders and health change from one moment to the next
	}
	w.WriteHeader(status)
	if _, err := w.Write(append(data, '\n')); err != nil {
		s.config.Log.DebugContext(r.Context(), "the client went away", "error", err)
	}
}
