package sns

import (
	"strings"
	"testing"

	"storefront/lab/sqs"
)

// TestFilterAttributes has the examples of "Filter policies in Amazon SNS" and its pages about matching.
func TestFilterAttributes(t *testing.T) {
	message := map[string]sqs.Attribute{
		"store": {Type: "String", Text: "example_corp"}, "event": {Type: "String", Text: "order_placed"}, "price": {Type: "Number", Text: "210.75"}, "ip": {Type: "String", Text: "10.0.0.255"},
		"interests": {Type: "String.Array", Text: `["soccer", "rugby", "Hockey", 7, true, null]`}, "picture": {Type: "Binary", Bytes: []byte{1}},
	}
	for policy, want := range map[string]bool{
		`{"store": ["example_corp"]}`: true,
		`{"store": ["Example_corp"]}`: false,
		`{"store": ["other", "example_corp"], "interests": ["rugby", "football"]}`:    true,
		`{"store": ["example_corp"], "interests": ["football"]}`:                      false,
		`{"store": [{"prefix": "example"}]}`:                                          true,
		`{"store": [{"suffix": "_corp"}]}`:                                            true,
		`{"store": [{"suffix": "_co"}]}`:                                              false,
		`{"store": [{"equals-ignore-case": "EXAMPLE_CORP"}]}`:                         true,
		`{"event": [{"anything-but": "order_cancelled"}]}`:                            true,
		`{"event": [{"anything-but": ["order_cancelled", "order_placed"]}]}`:          false,
		`{"event": [{"anything-but": {"prefix": "order_"}}]}`:                         false,
		`{"event": [{"anything-but": {"suffix": "_cancelled"}}]}`:                     true,
		`{"missing": [{"anything-but": "x"}]}`:                                        false,
		`{"interests": [{"anything-but": ["soccer"]}]}`:                               true,
		`{"price": [210.75]}`:                                                         true,
		`{"price": ["210.75"]}`:                                                       false,
		`{"price": [{"numeric": ["=", 210.75]}]}`:                                     true,
		`{"price": [{"numeric": [">=", 100, "<", 210.75]}]}`:                          false,
		`{"price": [{"numeric": [">", 0, "<=", 300]}]}`:                               true,
		`{"price": [{"anything-but": [100, 500]}]}`:                                   true,
		`{"price": [{"anything-but": 210.75}]}`:                                       false,
		`{"store": [{"exists": true}]}`:                                               true,
		`{"store": [{"exists": false}]}`:                                              false,
		`{"missing": [{"exists": false}]}`:                                            true,
		`{"picture": [{"exists": true}]}`:                                             false,
		`{"ip": [{"cidr": "10.0.0.0/24"}]}`:                                           true,
		`{"ip": [{"cidr": "10.0.1.0/24"}]}`:                                           false,
		`{"store": [{"cidr": "10.0.1.0/24"}]}`:                                        false,
		`{"interests": [7]}`:                                                          true,
		`{"interests": [true]}`:                                                       true,
		`{"interests": [null]}`:                                                       true,
		`{"interests": [false]}`:                                                      false,
		`{"store": ["no", {"prefix": "ex"}]}`:                                         true,
		`{"store": ["example_corp"], "$or": [{"event": ["x"]}, {"price": [210.75]}]}`: true,
		`{"store": ["example_corp"], "$or": [{"event": ["x"]}, {"price": [1]}]}`:      false,
		`{"$or": ["example_corp"]}`:                                                   false, // a key of that name
	} {
		f, err := parseFilter(policy)
		if err != nil {
			t.Errorf("%s: %v", policy, err)
		} else if got := f.matchesAttributes(message); got != want {
			t.Errorf("%s: got %t, want %t", policy, got, want)
		}
	}
}

func TestFilterBody(t *testing.T) {
	const body = `{"store": "a", "order": {"id": 7, "paid": true, "note": null, "lines": [{"product": "x", "n": 1}, {"product": "y", "n": 5}], "tags": ["new", "big"]}, "empty": []}`
	for policy, want := range map[string]bool{
		`{"store": ["a"]}`: true,
		`{"order": {"id": [7], "paid": [true], "note": [null]}}`:         true,
		`{"order": {"id": [8]}}`:                                         false,
		`{"order": {"tags": ["big"]}}`:                                   true,
		`{"order": {"lines": {"product": ["y"], "n": [5]}}}`:             true,
		`{"order": {"lines": {"product": ["x"], "n": [5]}}}`:             false, // no one line has both
		`{"order": {"lines": [{"exists": true}]}}`:                       false, // it has objects, not values
		`{"customer": {"id": [{"exists": false}]}}`:                      true,
		`{"store": {"id": ["a"]}}`:                                       false,
		`{"empty": [{"exists": false}]}`:                                 true,
		`{"order": {"$or": [{"id": [1]}, {"tags": [{"prefix": "n"}]}]}}`: true,
	} {
		f, err := parseFilter(policy)
		if err != nil {
			t.Errorf("%s: %v", policy, err)
		} else if got := f.matchesBody(body); got != want {
			t.Errorf("%s: got %t, want %t", policy, got, want)
		}
	}
	f, err := parseFilter(`{"store": [{"exists": false}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"", "text", "[]", "null", `"store"`} {
		if f.matchesBody(body) {
			t.Errorf("%q is no object and matches", body)
		}
	}
}

func TestFiltersAreChecked(t *testing.T) {
	for policy, part := range map[string]string{
		`x`: "must be an object", `[]`: "must be an object", `{} {}`: "after the object", `{}`: "at least one key", `{"a": "b"}`: "must be an object or an array", `{"a": []}`: "Empty arrays",
		`{"a": [["b"]]}`: "Match value must be", `{"a": [{}]}`: "Only one key", `{"a": [{"prefix": 1}]}`: "must be a string", `{"a": [{"like": "x"}]}`: "Unrecognized match type like",
		`{"a": [{"exists": "yes"}]}`: "true or false", `{"a": [{"numeric": ["=", "1"]}]}`: "numeric match", `{"a": [{"numeric": [">"]}]}`: "pairs", `{"a": [{"numeric": ["~", 1]}]}`: "operator",
		`{"a": [{"numeric": ["<", 1, ">", 0]}]}`: "range operator", `{"a": [2e9]}`: "between", `{"a": [{"cidr": "10.0.0.1"}]}`: "CIDR", `{"a": [{"anything-but": []}]}`: "must not be empty",
		`{"a": [{"anything-but": [null]}]}`: "not supported", `{"a": [{"anything-but": {"numeric": ["=", 1]}}]}`: "anything-but pattern",
		`{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}`:                           "more than 5 keys",
		`{"a":["1","2","3","4","5","6"],"b":["1","2","3","4","5"],"c":["1","2","3","4","5","6"]}`: "too complex",
		strings.Repeat(`{"a":`, 40) + `["x"]` + strings.Repeat(`}`, 40):                           "nested too deep",
	} {
		if _, err := parseFilter(policy); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: got %v, want %q", policy, err, part)
		}
	}
}

// FuzzFilter: whatever a policy and a message say, parsing and matching end, and a message's attributes are not changed by it.
func FuzzFilter(f *testing.F) {
	for _, policy := range []string{`{"a": ["b", 1, null, {"anything-but": ["x"]}]}`, `{"$or": [{"a": [{"numeric": [">", 1, "<", 2]}]}, {"b": {"c": [{"exists": false}]}}]}`, `{"a": [{"cidr": "::/0"}]}`} {
		f.Add(policy, `{"a": ["b", {"c": 1}], "b": {"c": [[]]}}`)
	}
	f.Fuzz(func(t *testing.T, policy, message string) {
		parsed, err := parseFilter(policy)
		if err != nil {
			return
		}
		first := parsed.matchesBody(message)
		if parsed.matchesBody(message) != first {
			t.Error("the same message is not always decided alike")
		}
		parsed.matchesAttributes(map[string]sqs.Attribute{"a": {Type: "String.Array", Text: message}, "b": {Type: "Number", Text: message}})
	})
}
