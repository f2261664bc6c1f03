package wire

import (
	"net/http"
	"reflect"
	"strings"
)

// ec2Codec is the dialect of the query protocol that Amazon EC2 speaks: lists are always flattened, and names are capitalised.
type ec2Codec struct{}

func (ec2Codec) decode(_ *call, r *request, in reflect.Value) error {
	root, ok := parseForm(r.form)
	if !ok {
		return Errorf(http.StatusBadRequest, "InvalidParameter", "A parameter is nested too deep")
	}
	d := formDecoder{names: ec2Name, flatten: true, refuse: func(path string, err error) error {
		return Errorf(http.StatusBadRequest, "InvalidParameterValue", "Invalid value for parameter %s: %v", path, err)
	}}
	if err := d.structure(root, in, ""); err != nil {
		return err
	}
	for _, name := range []string{"Action", "Version"} {
		root.child(name)
	}
	if name, found := root.unused(""); found && !strings.HasPrefix(name, "X-Amz-") {
		return Errorf(http.StatusBadRequest, "UnknownParameter", "The parameter %s is not recognized", name)
	}
	return nil
}

// ec2Name is the name of the parameter that carries a member: queryName as it is, or else the element's name capitalised.
func ec2Name(m member) string {
	if name := m.Get("queryName"); name != "" {
		return name
	}
	name := m.elementName()
	return strings.ToUpper(name[:1]) + name[1:]
}
