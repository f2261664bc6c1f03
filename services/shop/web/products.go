package web

import (
	"context"
	"encoding/base64"
	"net/http"

	"storefront/services/shop"
)

// productsAge is for how long a client may repeat an answer of the catalogue, which says elsewhere how old it is already.
const productsAge = "public, max-age=5"

type productList struct {
	Items []shop.Product `json:"items"`
	Next  string         `json:"next"` // cursor of the next page; empty on the last one
}

func (s *Server) listProducts(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	page, err := traced(w, r, func(ctx context.Context) (shop.Page, error) { return s.config.Catalog.Products(ctx, q) })
	if err != nil {
		s.fail(w, r, err)
		return
	}
	list := productList{Items: page.Items}
	if list.Items == nil {
		list.Items = []shop.Product{}
	}
	if page.More {
		list.Next = base64.RawURLEncoding.EncodeToString([]byte(page.Items[len(page.Items)-1].ID))
	}
	w.Header().Set("Cache-Control", productsAge)
	s.answer(w, r, http.StatusOK, list)
}

// traced runs a read of the catalogue and says in X-Cache where the answer came from.
func traced[T any](w http.ResponseWriter, r *http.Request, read func(context.Context) (T, error)) (T, error) {
	ctx, origin := shop.WithOrigin(r.Context())
	value, err := read(ctx)
	if *origin != "" {
		w.Header().Set("X-Cache", string(*origin))
	}
	return value, err
}

func parseQuery(raw string) (q shop.Query, err error) {
	values, err := parseParameters(raw)
	if err != nil {
		return q, err
	}
	if q.Limit, err = parseLimit(values); err != nil {
		return q, err
	}
	if cursor := values.Get("cursor"); cursor != "" {
		id, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil || len(id) == 0 {
			return q, shop.Invalidf("cursor", "is not one that this service gave out")
		}
		q.After = string(id)
	}
	q.Search = values.Get("q")
	return q, q.Validate()
}

func (s *Server) getProduct(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if err := shop.ValidateProductID(id); err != nil {
		s.fail(w, r, err)
		return
	}
	p, err := traced(w, r, func(ctx context.Context) (shop.Product, error) { return s.config.Catalog.Product(ctx, id) })
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", productsAge)
	s.answer(w, r, http.StatusOK, p)
}

func (s *Server) putProduct(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	p, err := parseProduct(body, r.PathValue("id"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	created, err := s.config.Catalog.PutProduct(r.Context(), p)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	s.answer(w, r, status, p)
}
