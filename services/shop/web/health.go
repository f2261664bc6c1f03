package web

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// checkTimeout bounds one dependency's answer; it lies below the load balancer's health check timeout of 5 s.
const checkTimeout = 3 * time.Second

type health struct {
	Status       string            `json:"status"` // "ok" or "unavailable"
	Dependencies map[string]string `json:"dependencies,omitempty"`
	Refused      *int              `json:"refused_summaries,omitempty"` // orders that cannot be found until somebody acts
}

// healthz says that the process is alive. The fleet replaces instances that fail it, so it must not depend on anything else.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, http.StatusOK, health{Status: "ok"})
}

// readyz asks every dependency at the same time and says which one does not answer. Refused summaries are told and make no server less ready: it serves
// as well as any other could.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	results := make([]error, len(s.config.Dependencies))
	var wg sync.WaitGroup
	for i, d := range s.config.Dependencies {
		wg.Go(func() { results[i] = d.Check(ctx) })
	}
	h, code := health{Status: "ok", Dependencies: map[string]string{}}, http.StatusOK
	if s.config.Outbox != nil {
		wg.Go(func() {
			if n, err := s.config.Outbox.Refused(ctx); err == nil { // else its dependency says so
				h.Refused = &n
			}
		})
	}
	wg.Wait()
	for i, d := range s.config.Dependencies {
		h.Dependencies[d.Name] = "ok"
		if err := results[i]; err != nil {
			s.config.Log.WarnContext(r.Context(), "dependency does not answer", "dependency", d.Name, "error", err)
			h.Status, h.Dependencies[d.Name], code = "unavailable", "unavailable", http.StatusServiceUnavailable
		}
	}
	s.answer(w, r, code, h)
}
