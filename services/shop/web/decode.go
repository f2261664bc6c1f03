package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"storefront/services/shop"
)

// decodeProduct reads a product from the body of a request for /products/{id}. Every refusal is an Invalid error that names the field.
func decodeProduct(w http.ResponseWriter, r *http.Request) (shop.Product, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return shop.Product{}, shop.Invalidf("Content-Type", "must be application/json")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		return shop.Product{}, err
	}
	id := r.PathValue("id")
	p, err := parseProduct(body, id)
	if err != nil {
		return shop.Product{}, err
	}
	return p, p.Validate()
}

// parseProduct decodes one JSON object without unknown fields. The ID comes from the path; in the body it may only repeat it.
func parseProduct(body []byte, id string) (shop.Product, error) {
	// encoding/json replaces broken UTF-8 silently; what a client sends and what is stored must be the same.
	if !utf8.Valid(body) {
		return shop.Product{}, shop.Invalidf("body", "must be valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	p := shop.Product{ID: id}
	if err := d.Decode(&p); err != nil {
		return p, decodeError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return p, shop.Invalidf("body", "must be one JSON object and nothing after it")
	}
	if p.ID != id {
		return p, shop.Invalidf("id", "must be the one in the path, or be left out")
	}
	return p, nil
}

func decodeError(err error) error {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		field := wrongType.Field
		if field == "" {
			field = "body"
		}
		return shop.Invalidf(field, "must not be a JSON %s", wrongType.Value)
	}
	if name, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		return shop.Invalidf(strings.Trim(name, `"`), "is not a field of a product")
	}
	return shop.Invalidf("body", "must be a JSON object")
}
