package web

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"

	"storefront/services/shop"
)

type productList struct {
	Items []shop.Product `json:"items"`
	Next  string         `json:"next"` // cursor of the next page; empty on the last one
}

func (s *Server) listProducts(w http.ResponseWriter, r *http.Request) {
	q, err := parseQuery(r.URL.Query())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	page, err := s.config.Catalog.Products(r.Context(), q)
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
	s.answer(w, r, http.StatusOK, list)
}

func parseQuery(values url.Values) (shop.Query, error) {
	q := shop.Query{Limit: shop.DefaultLimit, Search: values.Get("q")}
	if text := values.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return q, shop.Invalidf("limit", "must be a whole number")
		}
		q.Limit = n
	}
	if cursor := values.Get("cursor"); cursor != "" {
		id, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil || len(id) == 0 {
			return q, shop.Invalidf("cursor", "is not one that this service gave out")
		}
		q.After = string(id)
	}
	return q, q.Validate()
}

func (s *Server) getProduct(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if err := shop.ValidateProductID(id); err != nil {
		s.fail(w, r, err)
		return
	}
	p, err := s.config.Catalog.Product(r.Context(), id)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, http.StatusOK, p)
}

func (s *Server) putProduct(w http.ResponseWriter, r *http.Request) {
	p, err := decodeProduct(w, r)
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
