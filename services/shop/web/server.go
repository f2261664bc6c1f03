// Package web serves the shop over HTTP: the catalogue, orders, and the summaries of orders.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"storefront/services/shop"
)

// MaxBody bounds a request's body, in bytes.
const MaxBody = 64 << 10

// Config is what a Server needs. The routes of a part of the shop that is nil do not exist.
type Config struct {
	Address      string            // to listen on, such as ":8080"
	Catalog      shop.Catalog      // behind /products
	Intake       shop.Intake       // behind /orders
	Index        shop.Index        // behind /summaries
	Outbox       shop.Outbox       // whose refused summaries /readyz counts
	Dependencies []shop.Dependency // what /readyz asks
	ServedBy     string            // sent as X-Served-By: instance and zone
	Log          *slog.Logger
}

// Server is the shop's HTTP server.
type Server struct {
	config   Config
	http     http.Server
	listener net.Listener
}

// New prepares a server; Open starts it.
func New(c Config) *Server {
	s := &Server{config: c}
	s.http = http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		// Longer than the load balancer keeps its side open (60 s), so that it never reuses a connection we are just closing.
		IdleTimeout:    75 * time.Second,
		MaxHeaderBytes: 32 << 10,
		ErrorLog:       slog.NewLogLogger(c.Log.Handler(), slog.LevelWarn),
	}
	return s
}

// Open listens and serves in the background. It fails at once when the address cannot be had.
func (s *Server) Open() error {
	l, err := net.Listen("tcp", s.config.Address)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", s.config.Address, err)
	}
	s.listener = l
	go func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.config.Log.Error("serving ended", "error", err)
		}
	}()
	return nil
}

// URL is where an open server answers.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Close stops listening, lets the requests under way finish until ctx ends, and then cuts them off.
func (s *Server) Close(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(err, s.http.Close())
	}
	return nil
}

// Handler returns the routes, with logging and limits around them.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	if s.config.Catalog != nil {
		mux.HandleFunc("GET /products", s.listProducts)
		mux.HandleFunc("GET /products/{id}", s.getProduct)
		mux.HandleFunc("PUT /products/{id}", s.putProduct)
	}
	if s.config.Intake != nil {
		mux.HandleFunc("POST /orders", s.postOrder)
		mux.HandleFunc("GET /orders/{id}", s.getOrder)
	}
	if s.config.Index != nil {
		mux.HandleFunc("GET /summaries", s.listSummaries)
	}
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	return s.observe(s.withProblems(mux))
}
