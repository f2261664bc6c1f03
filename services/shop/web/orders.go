package web

import (
	"net/http"
	"time"

	"storefront/services/shop"
)

// order is an order as the service shows it; one that is queued has nothing but its ID.
type order struct {
	ID         string           `json:"id"`
	Status     shop.Status      `json:"status"`
	Reason     string           `json:"reason,omitempty"`
	Items      []shop.OrderItem `json:"items,omitempty"`
	TotalCents *int64           `json:"total_cents,omitempty"`
	Currency   string           `json:"currency,omitempty"`
	PlacedAt   time.Time        `json:"placed_at,omitzero"`
}

// postOrder takes an order. It is answered as soon as the order is durable, before it is applied.
func (s *Server) postOrder(w http.ResponseWriter, r *http.Request) {
	key, lines, err := decodeOrder(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	id, err := s.config.Intake.Take(r.Context(), key, lines)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Location", "/orders/"+id)
	s.answer(w, r, http.StatusAccepted, order{ID: id, Status: shop.Queued})
}

func decodeOrder(w http.ResponseWriter, r *http.Request) (key string, lines []shop.Line, err error) {
	if key, err = idempotencyKey(r.Header); err != nil {
		return "", nil, err
	}
	body, err := readBody(w, r)
	if err != nil {
		return "", nil, err
	}
	lines, err = parseLines(body)
	return key, lines, err
}

func (s *Server) getOrder(w http.ResponseWriter, r *http.Request) {
	o, err := s.config.Intake.Order(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	shown := order{ID: o.ID, Status: o.Status, Reason: o.Reason, Items: o.Items, Currency: o.Currency(), PlacedAt: o.PlacedAt}
	if len(o.Items) > 0 {
		shown.TotalCents = new(o.TotalCents())
	}
	s.answer(w, r, http.StatusOK, shown)
}
