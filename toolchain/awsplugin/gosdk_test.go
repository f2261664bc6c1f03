package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// goSDK is what the source of pulumi-aws' Go SDK says about resources and functions, by token.
type goSDK struct {
	resources map[string]sdkResource
	functions map[string]sdkFunction
	version   string
	packages  map[string]*sdkPackage // by directory
}

type sdkResource struct {
	inputs, outputs object
	required        map[string]bool
}

type sdkFunction struct{ inputs, outputs object }

// sdkPackage holds the declarations of one directory.
type sdkPackage struct {
	dir     string
	structs map[string]*ast.StructType
	shapes  map[string]object // of structs that were already read, and of those being read
}

// parseGoSDK reads the SDK that the project's programs are built with. Parsing it all takes seconds; compiling it, to
// reflect over it, takes minutes.
func parseGoSDK(t *testing.T) *goSDK {
	t.Helper()
	out, err := exec.Command("go", "list", "-C", "../..", "-m", "-f", "{{.Version}} {{.Dir}}",
		"github.com/pulumi/pulumi-aws/sdk/v6").Output()
	if err != nil {
		t.Fatalf("find the Go SDK: %v", err)
	}
	fields := strings.Fields(string(out))
	if len(fields) != 2 {
		t.Fatalf("the Go SDK is not in the module cache (go mod download): %q", out)
	}
	sdk := &goSDK{
		resources: map[string]sdkResource{}, functions: map[string]sdkFunction{}, packages: map[string]*sdkPackage{},
		version: strings.TrimPrefix(fields[0], "v"),
	}
	root := filepath.Join(fields[1], "go", "aws")
	for dir := range modulesOf(t) {
		if err := sdk.readPackage(filepath.Join(root, dir)); err != nil {
			t.Fatal(err)
		}
	}
	return sdk
}

// modulesOf returns the SDK directories that tokens.txt needs.
func modulesOf(t *testing.T) map[string]bool {
	t.Helper()
	resources, functions, err := tokenTable()
	if err != nil {
		t.Fatal(err)
	}
	dirs := map[string]bool{".": true}
	for _, r := range resources {
		dirs[string(r.Tok.Module().Name())] = true
	}
	for _, f := range functions {
		dirs[string(f.Tok.Module().Name())] = true
	}
	found := map[string]bool{}
	for name := range dirs {
		dir, _, _ := strings.Cut(name, "/")
		if dir == "index" {
			dir = "."
		}
		found[dir] = true
	}
	return found
}

func (s *goSDK) readPackage(dir string) error {
	pkg := &sdkPackage{dir: dir, structs: map[string]*ast.StructType{}, shapes: map[string]object{}}
	s.packages[dir] = pkg
	var constructors, invokers []*ast.FuncDecl
	files := token.NewFileSet()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && path != dir {
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return err
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					if ts, ok := spec.(*ast.TypeSpec); ok {
						if st, ok := ts.Type.(*ast.StructType); ok {
							pkg.structs[ts.Name.Name] = st
						}
					}
				}
			case *ast.FuncDecl:
				if decl.Recv == nil && strings.HasPrefix(decl.Name.Name, "New") {
					constructors = append(constructors, decl)
				} else if decl.Recv == nil {
					invokers = append(invokers, decl)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range constructors {
		s.readConstructor(pkg, f)
	}
	for _, f := range invokers {
		s.readInvoker(pkg, f)
	}
	return nil
}

// readConstructor takes a resource's properties from its NewX.
func (s *goSDK) readConstructor(pkg *sdkPackage, f *ast.FuncDecl) {
	tok := callToken(f, "RegisterResource")
	if tok == "" {
		return
	}
	name := strings.TrimPrefix(f.Name.Name, "New")
	r := sdkResource{outputs: pkg.object(name), inputs: pkg.object(strings.ToLower(name[:1]) + name[1:] + "Args")}
	r.required = requiredArgs(f, pkg.structs[strings.ToLower(name[:1])+name[1:]+"Args"])
	s.resources[tok] = r
}

// readInvoker takes a function's arguments and results from its GetX or LookupX.
func (s *goSDK) readInvoker(pkg *sdkPackage, f *ast.FuncDecl) {
	tok := callToken(f, "Invoke")
	if tok == "" {
		return
	}
	fn := sdkFunction{outputs: pkg.object(f.Name.Name + "Result"), inputs: object{}}
	if _, has := pkg.structs[f.Name.Name+"Args"]; has {
		fn.inputs = pkg.object(f.Name.Name + "Args")
	}
	s.functions[tok] = fn
}

// callToken returns the first argument of f's call of ctx.METHOD, when it is a token of the aws package.
func callToken(f *ast.FuncDecl, method string) string {
	found := ""
	ast.Inspect(f.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); !ok || sel.Sel.Name != method {
			return true
		}
		if lit, ok := call.Args[0].(*ast.BasicLit); ok {
			text, err := strconv.Unquote(lit.Value)
			if err == nil && (strings.HasPrefix(text, "aws:") || text == "pulumi:providers:aws") {
				found = text
			}
		}
		return true
	})
	return found
}

// requiredArgs finds the arguments whose absence NewX refuses (`if args.X == nil { return nil, errors.New(...) }`).
func requiredArgs(f *ast.FuncDecl, args *ast.StructType) map[string]bool {
	tags := map[string]string{}
	if args != nil {
		for _, field := range args.Fields.List {
			for _, name := range field.Names {
				tags[name.Name] = pulumiTag(field)
			}
		}
	}
	required := map[string]bool{}
	for _, statement := range f.Body.List {
		check, ok := statement.(*ast.IfStmt)
		if !ok || len(check.Body.List) != 1 {
			continue
		}
		if _, returns := check.Body.List[0].(*ast.ReturnStmt); !returns {
			continue
		}
		if cond, ok := check.Cond.(*ast.BinaryExpr); ok {
			if sel, ok := cond.X.(*ast.SelectorExpr); ok {
				required[tags[sel.Sel.Name]] = true
			}
		}
	}
	return required
}

func pulumiTag(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	text, err := strconv.Unquote(field.Tag.Value)
	if err != nil {
		return ""
	}
	name, _, _ := strings.Cut(reflect.StructTag(text).Get("pulumi"), ",")
	return name
}

// object reads the properties of a struct of the package.
func (p *sdkPackage) object(name string) object {
	if shape, known := p.shapes[name]; known {
		return shape
	}
	shape := object{}
	p.shapes[name] = shape // types may contain themselves
	st := p.structs[name]
	if st == nil {
		shape["?"] = scalar(fmt.Sprintf("no struct %s in %s", name, filepath.Base(p.dir)))
		return shape
	}
	for _, field := range st.Fields.List {
		if tag := pulumiTag(field); tag != "" {
			shape[tag] = p.shape(field.Type)
		}
	}
	return shape
}

// shape reads a property's type, both as plain Go (*string, []VpcArg) and as Pulumi outputs (pulumi.StringOutput).
func (p *sdkPackage) shape(expr ast.Expr) shape {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return p.shape(e.X)
	case *ast.ArrayType:
		return list{p.shape(e.Elt)}
	case *ast.MapType:
		return dict{p.shape(e.Value)}
	case *ast.InterfaceType:
		return scalar("any")
	case *ast.SelectorExpr:
		return p.named(e.Sel.Name, true)
	case *ast.Ident:
		return p.named(e.Name, false)
	}
	return scalar(fmt.Sprintf("%T", expr))
}

// named resolves string, StringPtrOutput, VpcEndpointDnsEntryArrayOutput and the like.
func (p *sdkPackage) named(name string, foreign bool) shape {
	switch name {
	case "string", "bool", "int", "float64":
		return scalar(name)
	case "AssetOrArchive", "AssetOrArchiveOutput", "Archive", "ArchiveOutput", "Asset":
		return scalar("asset")
	}
	if !foreign && p.structs[name] != nil && !strings.HasSuffix(name, "Output") {
		return p.object(name)
	}
	base, isOutput := strings.CutSuffix(name, "Output")
	if !isOutput {
		return scalar("string") // an enumeration
	}
	if !foreign && p.structs[base] != nil {
		return p.object(base)
	}
	for suffix, wrap := range map[string]func(shape) shape{
		"Ptr":   func(s shape) shape { return s },
		"Array": func(s shape) shape { return list{s} },
		"Map":   func(s shape) shape { return dict{s} },
	} {
		if inner, ok := strings.CutSuffix(base, suffix); ok {
			return wrap(p.named(inner+"Output", foreign))
		}
	}
	scalars := map[string]string{"String": "string", "Bool": "bool", "Int": "int", "Float64": "float64", "Any": "any"}
	if plain, ok := scalars[base]; ok && foreign {
		return scalar(plain)
	}
	return scalar("string") // an enumeration
}
