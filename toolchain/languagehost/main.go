// Command pulumi-language-go lets the Pulumi engine run programs written in Go.
//
// The engine starts it with its own address as the last argument, reads the port from the first line of standard
// output, and talks the LanguageRuntime gRPC service to it. Pulumi ships its own host of this name; that one is no
// importable module, so a machine that reaches only a Go module mirror gets this one.
//
// Exit status: 0 when the engine went away or asked to stop, 1 when the service cannot be offered, 2 for a wrong call.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// engineCheck is how often the engine is asked whether it still lives, so that a killed engine leaves no host behind.
const engineCheck = 5 * time.Second

func main() {
	flag.String("tracing", "", "accepted for compatibility with Pulumi's host; traces are not recorded")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: pulumi-language-go [-tracing endpoint] ENGINE-ADDRESS (started by the Pulumi engine)")
		os.Exit(2)
	}
	if err := serve(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-language-go:", err)
		os.Exit(1)
	}
}

func serve(engine string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := rpcutil.Healthcheck(ctx, engine, engineCheck, stop); err != nil {
		return fmt.Errorf("watch the engine at %s: %w", engine, err)
	}
	cancel := make(chan bool)
	go func() {
		<-ctx.Done()
		close(cancel)
	}()
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(s *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(s, newHost(ctx, engine))
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("listen for the engine: %w", err)
	}
	fmt.Println(handle.Port)
	return <-handle.Done
}
