package api

import (
	"reflect"

	"storefront/lab/wire"
)

// Model is what AWS's model says of one service. Nothing answers it: a call of one of its operations panics.
type Model struct {
	Package string        // the package's name, which is its directory below lab/api
	Service *wire.Service // as the package's New describes it
	API     reflect.Type  // the package's interface API
}
