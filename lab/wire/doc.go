// Package wire speaks AWS's protocols on the server side: it recognises the service and operation of a request, checks its signature
// and constraints, decodes it into the generated input type, and encodes the answer or the error as AWS does.
package wire
