// Package vectors holds AWS's protocol test vectors, generated from the models' protocol_tests by lab/internal/generate.
package vectors

// Case is one vector: a value of an operation's input or output, and the message that carries it.
type Case struct {
	Name          string
	Protocol      string // as AWS's models name it: "ec2", "json", "query", "rest-json", "rest-xml"
	JSONVersion   string
	TargetPrefix  string
	APIVersion    string
	XMLNamespace  string
	ResultWrapper string // outputs of the query protocol
	Operation     string
	Method, Path  string     // of the operation in the model, REST protocols
	New           func() any // a pointer to a new value of the input or output type
	Params        string     // the value as JSON, by member names of the model
	Message       Message
}

// Message is the request (Method, URI, Host) or the response (Status).
type Message struct {
	Method, URI, Host string
	Status            int
	Headers           map[string]string
	Body              string
}
