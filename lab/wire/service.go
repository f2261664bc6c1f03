package wire

import "context"

// Protocol is one of AWS's wire protocols.
type Protocol int

// The protocols that the lab serves, named as AWS's API models name them.
const (
	Query    Protocol = iota + 1 // form-encoded request, XML answer
	EC2                          // the query dialect of Amazon EC2
	JSON                         // JSON 1.0 or 1.1, operation in X-Amz-Target
	RESTJSON                     // operation in method and path, JSON bodies
	RESTXML                      // operation in method and path, XML bodies
	CBOR                         // Smithy RPC v2 CBOR: operation in the path, the service in it is TargetPrefix
)

// Service describes one AWS service: how its requests are recognised and which operations answer them. The generated packages under lab/api build it.
type Service struct {
	Name         string // signing name, the service part of the credential scope: "elasticloadbalancing"
	ID           string // the service ID of the model: "Elastic Load Balancing v2"
	Protocol     Protocol
	JSONVersion  string // "1.0" or "1.1", JSON only
	TargetPrefix string // X-Amz-Target up to the dot; JSON and CBOR
	APIVersion   string // "2016-11-15"; sent as Version in query requests
	XMLNamespace string // namespace of XML answers
	QueryToo     bool   // served over the query protocol besides JSON, as services are that came from there ("awsQueryCompatible")
	NewerToo     bool   // served over JSON and Smithy RPC v2 CBOR besides the query protocol, as services are that went on from there
	Operations   []Operation
	Enums        map[string][]string // values by the name in an input's `enum` tag; EC2 has none here
}

// Operation is one operation of a service, bound to its implementation.
type Operation struct {
	Name     string
	Method   string // HTTP method
	Path     string // request URI of the model, with {labels}, REST protocols only
	Status   int    // HTTP status of a success; 0 is 200
	NewInput func() any
	Call     func(ctx context.Context, input any) (any, error)
}

// Op binds one operation to the method that implements it.
func Op[I, O any](name, method, path string, call func(context.Context, *I) (*O, error)) Operation {
	return Operation{
		Name: name, Method: method, Path: path,
		NewInput: func() any { return new(I) },
		Call: func(ctx context.Context, input any) (any, error) {
			return call(ctx, input.(*I))
		},
	}
}

// WithStatus returns the operation with the HTTP status of its success.
func (o Operation) WithStatus(status int) Operation {
	o.Status = status
	return o
}

func (o *Operation) status() int {
	if o.Status == 0 {
		return 200
	}
	return o.Status
}

// isGlobal tells whether the service is one for all regions, whose requests may be signed for us-east-1.
func (s *Service) isGlobal() bool { return s.Name == "iam" || s.Name == "sts" }
