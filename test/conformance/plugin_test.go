//go:build linux

package conformance

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// pulumiPlugin is the AWS plugin that `make tools` installs, spoken to as the engine does.
type pulumiPlugin struct {
	pulumirpc.ResourceProviderClient
}

// engine takes what the plugin has to say while it works. Errors come with its answers.
type engine struct {
	pulumirpc.UnimplementedEngineServer
}

func (engine) Log(context.Context, *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// startPlugin starts the plugin against the lab, and ends it with the test.
func startPlugin(t *testing.T, l *labProcess) pulumiPlugin {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, ".pulumi/plugins/resource-aws-*/pulumi-resource-aws"))
	if err != nil || len(found) == 0 {
		t.Fatal("the AWS plugin is missing: run `make tools`")
	}
	program, err := filepath.Abs(found[len(found)-1])
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), program, serveEngine(t))
	c.Env = append(l.environ(), "STOREFRONT_WAIT_SCALE=0.001")
	c.Stderr = io.Discard
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		_ = c.Wait() // of a program that was interrupted
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("the AWS plugin names no port: ", err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	connection, err := grpc.NewClient("127.0.0.1:"+strings.TrimSpace(port), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	p := pulumiPlugin{pulumirpc.NewResourceProviderClient(connection)}
	_, err = p.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: marshal(t, resource.NewPropertyMapFromMap(map[string]any{
		"region": region, "accessKey": l.env["AWS_ACCESS_KEY_ID"], "secretKey": l.env["AWS_SECRET_ACCESS_KEY"], "s3UsePathStyle": "true",
	}))})
	if err != nil {
		t.Fatal("configuring the AWS plugin: ", err)
	}
	return p
}

func serveEngine(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pulumirpc.RegisterEngineServer(server, engine{})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

var properties = plugin.MarshalOptions{SkipInternalKeys: false, KeepUnknowns: true}

func marshal(t *testing.T, m resource.PropertyMap) *structpb.Struct {
	t.Helper()
	s, err := plugin.MarshalProperties(m, properties)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func unwire(t *testing.T, s *structpb.Struct) resource.PropertyMap {
	t.Helper()
	m, err := plugin.UnmarshalProperties(s, properties)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// check returns the inputs that the engine would keep for a resource.
func (p pulumiPlugin) check(t *testing.T, urn string, inputs resource.PropertyMap) (*structpb.Struct, error) {
	t.Helper()
	out, err := p.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: marshal(t, inputs), RandomSeed: []byte("0123456789abcdef0123456789abcdef")})
	if err != nil {
		return nil, err
	}
	for _, f := range out.Failures {
		err = fmt.Errorf("%s: %s", f.Property, f.Reason)
	}
	return out.Inputs, err
}
