package shop

import (
	"regexp"
	"unicode"
	"unicode/utf8"
)

// Bounds of a product's fields.
const (
	MaxName        = 200           // characters
	MaxDescription = 4_000         // characters
	MaxPriceCents  = 1_000_000_000 // hundredths of the currency
	MaxStock       = 1_000_000_000 // pieces
)

var (
	productID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	currency  = regexp.MustCompile(`^[A-Z]{3}$`)
)

// Product is one article of the catalogue.
type Product struct {
	ID          string `json:"id"` // lower-case letters, digits and hyphens, 1 to 64
	Name        string `json:"name"`
	Description string `json:"description"`
	PriceCents  int64  `json:"price_cents"`
	Currency    string `json:"currency"` // ISO 4217, such as "EUR"
	Stock       int64  `json:"stock"`
}

// Validate reports the first rule that p breaks, as an Invalid error that names the field.
func (p Product) Validate() error {
	if err := ValidateProductID(p.ID); err != nil {
		return err
	}
	if p.Name == "" {
		return Invalidf("name", "must not be empty")
	}
	if err := text("name", p.Name, MaxName); err != nil {
		return err
	}
	if err := text("description", p.Description, MaxDescription); err != nil {
		return err
	}
	if p.PriceCents < 0 || p.PriceCents > MaxPriceCents {
		return Invalidf("price_cents", "must be between 0 and %d", MaxPriceCents)
	}
	if !currency.MatchString(p.Currency) {
		return Invalidf("currency", "must be three capital letters, as in ISO 4217")
	}
	if p.Stock < 0 || p.Stock > MaxStock {
		return Invalidf("stock", "must be between 0 and %d", MaxStock)
	}
	return nil
}

// ValidateProductID reports whether id can name a product.
func ValidateProductID(id string) error {
	if !productID.MatchString(id) {
		return Invalidf("id", "must be 1 to 64 lower-case letters, digits and hyphens, and start with a letter or digit")
	}
	return nil
}

// text reports the first rule of texts that s breaks; the nil it may return must not become an error unseen.
func text(field, s string, limit int) *Error {
	if !utf8.ValidString(s) {
		return Invalidf(field, "must be valid UTF-8")
	}
	if utf8.RuneCountInString(s) > limit {
		return Invalidf(field, "must have at most %d characters", limit)
	}
	for _, r := range s {
		// U+FFFE and U+FFFF are no characters, and SQS takes no message that has them.
		if unicode.IsControl(r) && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF {
			return Invalidf(field, "must not contain control characters")
		}
	}
	return nil
}
