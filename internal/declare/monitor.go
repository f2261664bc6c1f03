package declare

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"storefront/internal/inventory"
)

// marshal keeps what is secret marked as that.
var marshal = plugin.MarshalOptions{KeepSecrets: true, KeepResources: true, KeepUnknowns: true}

// monitor is the resource monitor that the program speaks to.
type monitor struct {
	pulumirpc.UnimplementedResourceMonitorServer
	program *Program

	mu        sync.Mutex
	resources []*inventory.Resource
	errors    []string // that the program logged
	root      string   // URN of the stack
}

func (m *monitor) GetDeploymentInfo(context.Context, *emptypb.Empty) (*pulumirpc.DeploymentInfo, error) {
	return &pulumirpc.DeploymentInfo{
		Project: m.program.Project, Stack: m.program.Stack,
		SupportedFeatures: []pulumirpc.ResourceMonitorFeature{
			pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_SECRETS,
			pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
			pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
			pulumirpc.ResourceMonitorFeature_RESOURCE_MONITOR_FEATURE_DELETED_WITH,
		},
	}, nil
}

func (m *monitor) RegisterResource(_ context.Context, in *pulumirpc.RegisterResourceRequest) (*pulumirpc.RegisterResourceResponse, error) {
	urn := m.urn(in.GetParent(), in.GetType(), in.GetName())
	inputs, err := plugin.UnmarshalProperties(in.GetObject(), marshal)
	if err != nil {
		return nil, fmt.Errorf("inputs of %s: %w", urn, err)
	}
	r := &inventory.Resource{
		Type: in.GetType(), URN: string(urn), Name: in.GetName(), Parent: in.GetParent(),
		Inputs: resource.FromResourcePropertyMap(inputs), Dependencies: map[string][]string{},
	}
	for input, d := range in.GetPropertyDependencies() {
		r.Dependencies[input] = d.GetUrns()
	}
	outputs := inputs
	if in.GetCustom() {
		r.ID = in.GetName() + "-" + digest(urn)
		outputs = m.made(in, urn, inputs)
	}
	r.Outputs = resource.FromResourcePropertyMap(outputs)
	m.mu.Lock()
	m.resources = append(m.resources, r)
	m.mu.Unlock()
	object, err := plugin.MarshalProperties(outputs, marshal)
	if err != nil {
		return nil, fmt.Errorf("outputs of %s: %w", urn, err)
	}
	return &pulumirpc.RegisterResourceResponse{Urn: string(urn), Id: r.ID, Object: object}, nil
}

// made returns the outputs of a resource: what was said of it, and names that no other resource has.
func (m *monitor) made(in *pulumirpc.RegisterResourceRequest, urn resource.URN, inputs resource.PropertyMap) resource.PropertyMap {
	unique := strings.ToLower(strings.NewReplacer(":", "-", "/", "-").Replace(in.GetType())) + "/" + in.GetName() + "-" + digest(urn)
	service, _, _ := strings.Cut(strings.TrimPrefix(in.GetType(), "aws:"), "/")
	made := resource.NewPropertyMapFromMap(map[string]any{
		"arn": "arn:aws:" + service + ":us-east-1:" + account + ":" + unique, "name": in.GetName(), "bucket": in.GetName(), "url": "https://" + unique,
		"arnSuffix": unique, "keyId": in.GetName(), "latestVersion": 1.0,
		"masterUserSecrets": []any{map[string]any{"secretArn": "arn:aws:secretsmanager:us-east-1:" + account + ":secret:" + in.GetName()}},
	})
	maps.Copy(made, inputs)
	return made
}

// digest tells resources of the same type and name apart, which components may have.
func digest(urn resource.URN) string {
	sum := sha256.Sum256([]byte(urn))
	return hex.EncodeToString(sum[:4])
}

// account is the account in what is made up: AWS's own example.
const account = "123456789012"

func (m *monitor) urn(parent, typ, name string) resource.URN {
	var parents tokens.Type
	if p := resource.URN(parent); p != "" && p.QualifiedType() != resource.RootStackType {
		parents = p.QualifiedType()
	}
	return resource.NewURN(tokens.QName(m.program.Stack), tokens.PackageName(m.program.Project), parents, tokens.Type(typ), name)
}

func (m *monitor) RegisterResourceOutputs(context.Context, *pulumirpc.RegisterResourceOutputsRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// Invoke answers every function with the same answers: a function reads from them what it has as output.
func (m *monitor) Invoke(context.Context, *pulumirpc.ResourceInvokeRequest) (*pulumirpc.ResourceInvokeResponse, error) {
	answers, err := plugin.MarshalProperties(resource.NewPropertyMapFromMap(m.program.Answers), marshal)
	return &pulumirpc.ResourceInvokeResponse{Return: answers}, err
}

func (m *monitor) SignalAndWaitForShutdown(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// engine is where the program logs.
type engine struct {
	pulumirpc.UnimplementedEngineServer
	monitor *monitor
}

func (e *engine) Log(_ context.Context, in *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	if in.GetSeverity() == pulumirpc.LogSeverity_ERROR {
		e.monitor.mu.Lock()
		e.monitor.errors = append(e.monitor.errors, in.GetMessage())
		e.monitor.mu.Unlock()
	}
	return &emptypb.Empty{}, nil
}

func (e *engine) SetRootResource(_ context.Context, in *pulumirpc.SetRootResourceRequest) (*pulumirpc.SetRootResourceResponse, error) {
	e.monitor.mu.Lock()
	defer e.monitor.mu.Unlock()
	e.monitor.root = in.GetUrn()
	return &pulumirpc.SetRootResourceResponse{}, nil
}

func (e *engine) GetRootResource(context.Context, *pulumirpc.GetRootResourceRequest) (*pulumirpc.GetRootResourceResponse, error) {
	e.monitor.mu.Lock()
	defer e.monitor.mu.Unlock()
	return &pulumirpc.GetRootResourceResponse{Urn: e.monitor.root}, nil
}
