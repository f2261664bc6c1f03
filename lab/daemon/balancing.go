//go:build linux

package daemon

import (
	"bytes"
	"context"
	"io"

	s3api "storefront/lab/api/s3"
	"storefront/lab/elbv2"
	"storefront/lab/wire"
)

// health tells the load balancing service how a target does.
func (l *lab) health(group, target string, port int) (elbv2.Health, bool) {
	return l.balancers.Health(group, target, port)
}

// putLog writes an access log as the log delivery service of the load balancers.
func (l *lab) putLog(ctx context.Context, bucket, key string, body []byte) error {
	ctx = wire.WithCaller(ctx, wire.Identity{Account: l.region.Account, Service: "logdelivery.elasticloadbalancing.amazonaws.com"})
	_, err := l.s3.PutObject(ctx, &s3api.PutObjectInput{Bucket: &bucket, Key: &key, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: new(int64(len(body)))})
	return err
}
