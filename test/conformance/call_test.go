//go:build linux

package conformance

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"gopkg.in/yaml.v3"
)

// sdk is AWS SDK for Go v2.
type sdk struct{}

// stranger is the input of a call that nobody may make.
const stranger = "stranger"

// send implements client.
func (sdk) send(ctx context.Context, s *service, operation string, input *yaml.Node, known variables) (answer, error) {
	in, err := s.input(operation, input, known)
	if err != nil {
		return answer{}, err
	}
	if input != nil && input.Value == stranger {
		return s.call(ctx, operation, in, byStranger)
	}
	return s.call(ctx, operation, in)
}

// method is the SDK's way to call an operation.
func (s *service) method(operation string) (reflect.Value, error) {
	m := s.client.MethodByName(operation)
	if !m.IsValid() {
		return m, fmt.Errorf("the SDK's client of %s has no %s", s.dir, operation)
	}
	return m, nil
}

// input makes the SDK's input of an operation from a scenario's.
func (s *service) input(operation string, n *yaml.Node, known variables) (reflect.Value, error) {
	m, err := s.method(operation)
	if err != nil {
		return reflect.Value{}, err
	}
	in := reflect.New(m.Type().In(1).Elem())
	if n == nil || n.Kind == yaml.ScalarNode {
		return in, nil // nothing between the colon and the end of the line
	}
	return in, known.assign(in.Elem(), n)
}

// call sends an input through the SDK. The client's own look at it is left out: invalid inputs are for the lab to refuse. The error is one of the
// call itself, not of its answer.
func (s *service) call(ctx context.Context, operation string, in reflect.Value, change ...func(*middleware.Stack) error) (answer, error) {
	m, err := s.method(operation)
	if err != nil {
		return answer{}, err
	}
	options := func(o reflect.Value) {
		list := o.Elem().FieldByName("APIOptions")
		list.Set(reflect.AppendSlice(list, reflect.ValueOf(append(change, unchecked))))
	}
	option := reflect.MakeFunc(m.Type().In(2).Elem(), func(args []reflect.Value) []reflect.Value { options(args[0]); return nil })
	results := m.Call([]reflect.Value{reflect.ValueOf(ctx), in, option})
	if failure, _ := results[1].Interface().(error); failure != nil {
		return refused(failure)
	}
	a := answer{output: results[0].Elem(), status: 200}
	metadata := a.output.FieldByName("ResultMetadata").Interface().(middleware.Metadata)
	if raw, ok := awsmiddleware.GetRawResponse(metadata).(*smithyhttp.Response); ok {
		a.status = raw.StatusCode
	}
	return a, nil
}

// unchecked takes the client's own validation out of a call.
func unchecked(stack *middleware.Stack) error {
	_, _ = stack.Initialize.Remove("OperationInputValidation") // most have it, some do not
	return nil
}

// byStranger signs a call with a key that nobody has.
func byStranger(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("by a stranger", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if r, ok := in.Request.(*smithyhttp.Request); ok {
			authorization := r.Header.Get("Authorization")
			if key, ok := between(authorization, "Credential=", "/"); ok {
				r.Header.Set("Authorization", strings.Replace(authorization, key, "AKIAIOSFODNN7NOBODY0", 1))
			}
		}
		return next.HandleFinalize(ctx, in)
	}), "Signing", middleware.After)
}

func between(text, before, after string) (string, bool) {
	_, rest, ok := strings.Cut(text, before)
	if !ok {
		return "", false
	}
	found, _, ok := strings.Cut(rest, after)
	return found, ok
}

func refused(err error) (answer, error) {
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		return answer{}, err
	}
	return answer{status: response.HTTPStatusCode(), code: api.ErrorCode(), message: api.ErrorMessage()}, nil
}
