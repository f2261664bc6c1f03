package web

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// answerFor bounds what a request may take, below the time to write its answer: a client that waits for something which hangs is told so, and the
// connections that the request holds meanwhile are free again.
const answerFor = 25 * time.Second

// observe says who served, bounds and logs each request, and turns a panic into a 500 without ending the process.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w}
		rec.Header().Set("X-Served-By", s.config.ServedBy)
		defer func() {
			if p := recover(); p != nil {
				s.config.Log.ErrorContext(r.Context(), "panic", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					s.writeProblem(rec, r, problem{Status: http.StatusInternalServerError})
				}
			}
			s.log(r, rec.status, time.Since(start))
		}()
		ctx, cancel := context.WithTimeout(r.Context(), answerFor)
		defer cancel()
		next.ServeHTTP(rec, r.WithContext(ctx))
	})
}

func (s *Server) log(r *http.Request, status int, took time.Duration) {
	level := slog.LevelInfo
	if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
		level = slog.LevelDebug // the load balancer asks every few seconds
	}
	s.config.Log.LogAttrs(r.Context(), level, "request", slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", status),
		slog.Duration("took", took), slog.String("trace", r.Header.Get("X-Amzn-Trace-Id")))
}

// withProblems answers in problem+json where the mux itself would answer in plain text: an unknown path and a wrong method.
func (s *Server) withProblems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		probe := &silent{header: http.Header{}}
		handler.ServeHTTP(probe, r)
		if allow := probe.header.Get("Allow"); allow != "" {
			w.Header().Set("Allow", allow)
		}
		s.writeProblem(w, r, problem{Status: probe.status})
	})
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController and http.MaxBytesReader reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// silent takes an answer and keeps only its status and header.
type silent struct {
	header http.Header
	status int
}

func (s *silent) Header() http.Header         { return s.header }
func (s *silent) Write(b []byte) (int, error) { return len(b), nil }
func (s *silent) WriteHeader(status int)      { s.status = status }
