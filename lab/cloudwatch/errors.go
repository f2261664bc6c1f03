package cloudwatch

import (
	"strconv"

	"storefront/lab/wire"
)

func fault(code, format string, args ...any) error { return wire.Errorf(400, code, format, args...) }

// invalid refuses what the service itself checks.
func invalid(format string, args ...any) error { return fault("ValidationError", format, args...) }

// wrong refuses a value, as the operations on metrics do.
func wrong(format string, args ...any) error {
	return fault("InvalidParameterValue", format, args...)
}

// clash refuses parameters that do not go together.
func clash(format string, args ...any) error {
	return fault("InvalidParameterCombination", format, args...)
}

// missing refuses a request without a parameter.
func missing(name string) error {
	return fault("MissingParameter", "The parameter %s is required.", name)
}

// unsupported refuses what AWS offers and the lab does not.
func unsupported(what string) error { return invalid("%s is not supported in this region.", what) }

// page is the part of a list that a token and a size ask for.
func page[T any](all []T, token *string, size int64) (items []T, next *string, err error) {
	start := 0
	if token != nil {
		if start, err = strconv.Atoi(*token); err != nil || start < 0 || start > len(all) {
			return nil, nil, fault("InvalidNextToken", "The service cannot process the token %q.", *token)
		}
	}
	end := min(len(all), start+int(size))
	if end < len(all) {
		next = new(strconv.Itoa(end))
	}
	return all[start:end], next, nil
}
