package command

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"storefront/lab/wire/sigv4"
)

// operation is an operation of AWS that is a command of the CLI.
type operation struct {
	service  string
	name     string
	version  string   // of the query protocol; empty for JSON
	target   string   // X-Amz-Target's prefix, JSON only
	options  []string // required first
	required int
	list     string // the option that is a list of structures, of which the command line gives one: "Id=i-1"
}

var operations = map[string]operation{
	"sts get-caller-identity": {service: "sts", name: "GetCallerIdentity", version: "2011-06-15"},
	"secretsmanager get-secret-value": {service: "secretsmanager", name: "GetSecretValue", target: "secretsmanager",
		options: []string{"secret-id", "version-id", "version-stage"}, required: 1},
	"autoscaling complete-lifecycle-action": {service: "autoscaling", name: "CompleteLifecycleAction", version: "2011-01-01",
		options: []string{"lifecycle-hook-name", "auto-scaling-group-name", "lifecycle-action-result", "instance-id", "lifecycle-action-token"}, required: 3},
	"autoscaling record-lifecycle-action-heartbeat": {service: "autoscaling", name: "RecordLifecycleActionHeartbeat", version: "2011-01-01",
		options: []string{"lifecycle-hook-name", "auto-scaling-group-name", "instance-id", "lifecycle-action-token"}, required: 2},
	"elbv2 deregister-targets": {service: "elasticloadbalancing", name: "DeregisterTargets", version: "2015-12-01",
		options: []string{"target-group-arn", "targets"}, required: 2, list: "targets"},
}

// call calls an operation and prints its answer.
func (in invocation) call(o operation) error {
	if err := in.only(o.options...); err != nil {
		return usageError(err.Error())
	}
	members := map[string]string{}
	for i, option := range o.options {
		value, given := in.options[option]
		if !given && i < o.required {
			return usageError("the following arguments are required: --" + option)
		}
		switch {
		case given && option == o.list:
			field, plain, ok := strings.Cut(value, "=")
			if !ok || strings.ContainsAny(plain, ",= ") {
				return usageError("the lab's aws takes one member of one structure as --" + option + ", like Id=i-0123456789abcdef0, not " + value)
			}
			members[pascal(option)+".member.1."+field] = plain
		case given:
			members[pascal(option)] = value
		}
	}
	c, err := in.newClient()
	if err != nil {
		return err
	}
	answer, err := c.call(o, members)
	if err != nil {
		return fmt.Errorf("calling the %s operation: %w", o.name, err)
	}
	return in.print(answer)
}

// pascal is a member's name by its option: "secret-id" is SecretId.
func pascal(option string) string {
	var b strings.Builder
	for _, word := range strings.Split(option, "-") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// call sends the request in the operation's protocol and returns the members of the answer.
func (c *client) call(o operation, members map[string]string) (map[string]any, error) {
	var body []byte
	kind := "application/x-www-form-urlencoded; charset=utf-8"
	if o.target != "" {
		text, err := json.Marshal(members)
		if err != nil {
			return nil, err
		}
		body, kind = text, "application/x-amz-json-1.1"
	} else {
		form := url.Values{"Action": {o.name}, "Version": {o.version}}
		for name, value := range members {
			form.Set(name, value)
		}
		body = []byte(form.Encode())
	}
	endpoint := firstOf(c.endpoint, fmt.Sprintf("https://%s.%s.amazonaws.com", o.service, c.region))
	response, err := c.do(o.service, sigv4.Hash(body), func() (*http.Request, error) {
		request, err := http.NewRequest(http.MethodPost, endpoint+"/", bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", kind)
		if o.target != "" {
			request.Header.Set("X-Amz-Target", o.target+"."+o.name)
		}
		return request, nil
	})
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if o.target == "" {
		return leaves(response.Body)
	}
	answer := map[string]any{}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return answer, nil
}

// leaves returns the text of the elements right below the result element of a query answer, which are all that the operations here have.
func leaves(body io.Reader) (map[string]any, error) {
	answer := map[string]any{}
	var at []string
	var text strings.Builder
	for decoder := xml.NewDecoder(body); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return answer, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the answer: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			at = append(at, t.Name.Local)
			text.Reset()
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			if len(at) == 3 && strings.HasSuffix(at[1], "Result") {
				answer[t.Name.Local] = text.String()
			}
			at = at[:len(at)-1]
		}
	}
}

// print prints an answer; --query may name one member.
func (in invocation) print(answer map[string]any) error {
	asText := in.options["output"] == "text"
	if query := in.options["query"]; query != "" {
		if strings.ContainsAny(query, ".[]{}|*@&`'\"") {
			return usageError("the lab's aws takes the name of one member as --query, not " + query)
		}
		value, ok := answer[query]
		switch {
		case !ok && asText:
			fmt.Println("None")
			return nil
		case asText:
			fmt.Println(value)
			return nil
		}
		return printJSON(value)
	}
	if len(answer) == 0 {
		return nil
	}
	if asText {
		return usageError("the lab's aws prints text for one member only: add --query NAME")
	}
	return printJSON(answer)
}

func printJSON(value any) error {
	text, err := json.MarshalIndent(value, "", "    ")
	if err != nil {
		return err
	}
	fmt.Println(string(text))
	return nil
}
