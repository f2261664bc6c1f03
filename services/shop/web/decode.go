package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"storefront/services/shop"
)

// readBody returns the body of a request that brings JSON.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, shop.Invalidf("Content-Type", "must be application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	if err != nil && !errors.As(err, &tooLarge) {
		return nil, shop.Invalidf("body", "ended before its announced end, or came too slowly")
	}
	return body, err
}

// parseProduct decodes a product. The ID comes from the path; in the body it may only repeat it.
func parseProduct(body []byte, id string) (shop.Product, error) {
	o, err := parseObject(body)
	if err != nil {
		return shop.Product{}, err
	}
	p := shop.Product{ID: id, Name: o.text("name"), Description: o.text("description"), PriceCents: o.integer("price_cents"), Currency: o.text("currency"), Stock: o.integer("stock")}
	if o.has("id") && o.text("id") != id {
		o.refuse("id", "must be the one in the path, or be left out")
	}
	if err := o.end(); err != nil {
		return shop.Product{}, err
	}
	return p, p.Validate()
}

// parseLines decodes what an order asks for: {"items": [{"product_id": ..., "quantity": ...}]}.
func parseLines(body []byte) ([]shop.Line, error) {
	o, err := parseObject(body)
	if err != nil {
		return nil, err
	}
	var lines []shop.Line
	for _, item := range o.objects("items", shop.MaxItems) {
		lines = append(lines, shop.Line{ProductID: item.text("product_id"), Quantity: item.integer("quantity")})
		if err := item.end(); err != nil {
			return nil, err
		}
	}
	if err := o.end(); err != nil {
		return nil, err
	}
	return lines, shop.ValidateLines(lines)
}

// idempotencyKey returns the request's Idempotency-Key.
func idempotencyKey(h http.Header) (string, error) {
	if len(h.Values("Idempotency-Key")) > 1 {
		return "", shop.Invalidf("Idempotency-Key", "must be sent once")
	}
	key := h.Get("Idempotency-Key")
	return key, shop.ValidateKey(key)
}

// parseParameters decodes a query string in which every parameter occurs once at most. net/url's own reader drops what it cannot decode, and a client
// that misspelt its cursor would get the first page for ever.
func parseParameters(raw string) (url.Values, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, shop.Invalidf("query", "is not a well-formed query string")
	}
	for name, all := range values {
		if len(all) > 1 {
			return nil, shop.Invalidf(shorten(name), "must be given once")
		}
	}
	return values, nil
}

// parseLimit returns the size of a page; its bounds are checked with the rest of the query.
func parseLimit(values url.Values) (int, error) {
	if !values.Has("limit") {
		return shop.DefaultLimit, nil
	}
	n, err := strconv.Atoi(values.Get("limit"))
	if err != nil {
		return 0, shop.Invalidf("limit", "must be a whole number")
	}
	return n, nil
}
