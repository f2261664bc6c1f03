package sigv4_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"storefront/lab/wire/sigv4"
)

const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

// request builds one of the documented examples, whose time is 20130524T000000Z.
func request(method, url string, headers ...string) *http.Request {
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func authorize(r *http.Request, signed, signature string) *http.Request {
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="+signed+",Signature="+signature)
	r.Header.Set("X-Amz-Date", "20130524T000000Z")
	return r
}

// TestDocumentedSignatures verifies the examples of "Authenticating Requests: Using the Authorization Header" and "Using Query Parameters"
// in the Amazon S3 API Reference.
func TestDocumentedSignatures(t *testing.T) {
	const host = "https://examplebucket.s3.amazonaws.com"
	for name, r := range map[string]*http.Request{
		"GET object": authorize(request("GET", host+"/test.txt", "Range", "bytes=0-9", "X-Amz-Content-Sha256", sigv4.EmptyPayload),
			"host;range;x-amz-content-sha256;x-amz-date", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
		"PUT object": authorize(request("PUT", host+"/test$file.text", "Date", "Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Storage-Class", "REDUCED_REDUNDANCY",
			"X-Amz-Content-Sha256", sigv4.Hash([]byte("Welcome to Amazon S3."))),
			"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
		"GET lifecycle": authorize(request("GET", host+"/?lifecycle", "X-Amz-Content-Sha256", sigv4.EmptyPayload),
			"host;x-amz-content-sha256;x-amz-date", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
		"list": authorize(request("GET", host+"/?max-keys=2&prefix=J", "X-Amz-Content-Sha256", sigv4.EmptyPayload),
			"host;x-amz-content-sha256;x-amz-date", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
		"presigned": request("GET", host+"/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"+
			"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"),
	} {
		a, err := sigv4.Parse(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		hash := a.PayloadHash
		if a.Presigned {
			hash = sigv4.UnsignedPayload
		}
		if err := a.Verify(r, secret, hash); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := a.Verify(r, secret+"x", hash); !errors.Is(err, sigv4.ErrMismatch) {
			t.Errorf("%s with another secret: got %v", name, err)
		}
		r.Method = "DELETE"
		if err := a.Verify(r, secret, hash); !errors.Is(err, sigv4.ErrMismatch) {
			t.Errorf("%s with another method: got %v", name, err)
		}
	}
}

func TestSignAndPresignAreVerified(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := sigv4.Credentials{AccessKeyID: "AKIA", SecretAccessKey: secret, SessionToken: "token/with+signs="}
	for _, service := range []string{"s3", "sts", "execute-api"} {
		const url = "http://host.example:4566/a b/%2Bü//x?b=2&a=1&empty&q=%2F%20+"
		signed := request("PUT", url, "X-Amz-Meta-Spaces", "  a   b ")
		sigv4.Sign(signed, sigv4.Hash([]byte("body")), c, "eu-west-1", service, at)
		a, err := sigv4.Parse(signed)
		if err != nil || a.SessionToken != c.SessionToken || a.Scope.Service != service || !a.Time.Equal(at) {
			t.Fatalf("got %+v, %v", a, err)
		}
		if err := a.Verify(signed, secret, sigv4.Hash([]byte("body"))); err != nil {
			t.Errorf("%s header: %v", service, err)
		}
		if err := a.Verify(signed, secret, sigv4.Hash([]byte("other"))); !errors.Is(err, sigv4.ErrMismatch) {
			t.Errorf("%s with another body: got %v", service, err)
		}
		presigned := request("GET", url)
		sigv4.Presign(presigned, c, "eu-west-1", service, at, time.Minute)
		hash := sigv4.UnsignedPayload
		if service != "s3" {
			hash = sigv4.EmptyPayload
		}
		if a, err = sigv4.Parse(presigned); err != nil || a.Expires != time.Minute || !a.Presigned {
			t.Fatalf("got %+v, %v", a, err)
		}
		if err := a.Verify(presigned, secret, hash); err != nil {
			t.Errorf("%s query: %v", service, err)
		}
	}
}

func TestIncomplete(t *testing.T) {
	if _, err := sigv4.Parse(request("GET", "http://h/")); !errors.Is(err, sigv4.ErrUnsigned) {
		t.Errorf("got %v", err)
	}
	for _, r := range []*http.Request{request("GET", "http://h/", "Authorization", "AWS AKIA:signature"), request("GET", "http://h/?AWSAccessKeyId=a&Signature=s&Expires=1")} {
		if _, err := sigv4.Parse(r); !errors.Is(err, sigv4.ErrMethod) {
			t.Errorf("got %v", err)
		}
	}
	for _, header := range []string{
		"AWS4-HMAC-SHA256 Credential=a/20130524/r/s/aws4_request, SignedHeaders=host",
		"AWS4-HMAC-SHA256 Credential=a/20130524/r/aws4_request, SignedHeaders=host, Signature=00",
		"AWS4-HMAC-SHA256 Credential=a/20130525/r/s/aws4_request, SignedHeaders=host, Signature=00",
		"AWS4-HMAC-SHA256 Credential=a/20130524/r/s/aws4_request, SignedHeaders=x-amz-date, Signature=00",
	} {
		r := request("GET", "http://h/", "Authorization", header, "X-Amz-Date", "20130524T000000Z")
		if _, err := sigv4.Parse(r); !errors.Is(err, sigv4.ErrIncomplete) {
			t.Errorf("%s: got %v", header, err)
		}
	}
}

// The chunked bodies of "Transferring Payload in Multiple Chunks" in the Amazon S3 API Reference, without and with a trailer.
const (
	chunkedHeaders = "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class"
	seed           = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
	trailerSeed    = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
)

func chunkedBody() string {
	return "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + strings.Repeat("a", 65536) + "\r\n" +
		"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + strings.Repeat("a", 1024) + "\r\n" +
		"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
}

func trailerBody() string {
	return "10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" + strings.Repeat("a", 65536) + "\r\n" +
		"400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" + strings.Repeat("a", 1024) + "\r\n" +
		"0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
		"x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
}

func chunked(hash, signature string) *sigv4.Authorization {
	return &sigv4.Authorization{Scope: sigv4.Scope{Date: "20130524", Region: "us-east-1", Service: "s3"}, Signature: signature,
		Time: time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC), PayloadHash: hash}
}

func TestChunkedBody(t *testing.T) {
	r := authorize(request("PUT", "https://s3.amazonaws.com/examplebucket/chunkObject.txt", "X-Amz-Storage-Class", "REDUCED_REDUNDANCY", "X-Amz-Content-Sha256", sigv4.StreamingPayload,
		"Content-Encoding", "aws-chunked", "X-Amz-Decoded-Content-Length", "66560", "Content-Length", "66824"), chunkedHeaders, seed)
	a, err := sigv4.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Verify(r, secret, a.PayloadHash); err != nil {
		t.Error(err)
	}
	data, err := io.ReadAll(sigv4.NewChunkedReader(strings.NewReader(chunkedBody()), a, secret))
	if err != nil || string(data) != strings.Repeat("a", 66560) {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
}

func TestTrailer(t *testing.T) {
	c := sigv4.NewChunkedReader(strings.NewReader(trailerBody()), chunked(sigv4.StreamingPayloadTrailer, trailerSeed), secret)
	data, err := io.ReadAll(c)
	if err != nil || len(data) != 66560 || c.Trailer().Get("x-amz-checksum-crc32c") != "sOO8/Q==" {
		t.Errorf("got %d bytes, %v, %v", len(data), c.Trailer(), err)
	}
	c = sigv4.NewChunkedReader(strings.NewReader("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:abc=\r\n\r\n"), chunked(sigv4.StreamingUnsignedTrailer, ""), "")
	if data, err := io.ReadAll(c); err != nil || string(data) != "hello" || c.Trailer().Get("x-amz-checksum-crc32") != "abc=" {
		t.Errorf("unsigned: got %q, %v, %v", data, c.Trailer(), err)
	}
}

func TestBrokenChunks(t *testing.T) {
	good := chunkedBody()
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"changed content":   {strings.Replace(good, "\r\naaa", "\r\nbaa", 1), sigv4.ErrMismatch},
		"changed last mark": {strings.Replace(good, "b6c6", "b6c7", 1), sigv4.ErrMismatch},
		"cut in a chunk":    {good[:1000], sigv4.ErrChunk},
		"cut before an end": {good[:strings.LastIndex(good, "0;chunk")], sigv4.ErrChunk},
		"bad size":          {"zz;chunk-signature=00\r\n", sigv4.ErrChunk},
		"negative size":     {"-1;chunk-signature=00\r\n", sigv4.ErrChunk},
		"huge size":         {"ffffffffffff;chunk-signature=00\r\n", sigv4.ErrChunk},
		"endless line":      {strings.Repeat("1", 1<<16), sigv4.ErrChunk},
		"data after it":     {good + "more", sigv4.ErrChunk},
	} {
		_, err := io.ReadAll(sigv4.NewChunkedReader(strings.NewReader(c.body), chunked(sigv4.StreamingPayload, seed), secret))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=a/20130524/r/s/aws4_request, SignedHeaders=host, Signature=00", "X-Amz-Algorithm=AWS4-HMAC-SHA256", "20130524T000000Z")
	f.Add("", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F20130524%2Fr%2Fs%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Signature=00", "")
	f.Add("AWS4-HMAC-SHA256 ,,=,", "%zz&=&;", "x")
	f.Fuzz(func(t *testing.T, header, query, date string) {
		r := request("GET", "http://h/p")
		r.URL.RawQuery = query
		r.Header["Authorization"], r.Header["X-Amz-Date"] = []string{header}, []string{date}
		a, err := sigv4.Parse(r)
		if err != nil {
			return
		}
		if a.AccessKeyID == "" && a.Scope.Service == "" || a.Time.IsZero() {
			t.Errorf("accepted %q %q as %+v", header, query, a)
		}
		if err := a.Verify(r, secret, sigv4.EmptyPayload); err == nil {
			t.Error("a signature made up by the fuzzer is right")
		}
	})
}

func FuzzChunkedReader(f *testing.F) {
	f.Add([]byte(chunkedBody()), uint8(0))
	f.Add([]byte(trailerBody()), uint8(1))
	f.Add([]byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:abc=\r\n\r\n"), uint8(2))
	f.Add([]byte("0\r\n\r\n"), uint8(2))
	f.Fuzz(func(t *testing.T, body []byte, kind uint8) {
		hash := []string{sigv4.StreamingPayload, sigv4.StreamingPayloadTrailer, sigv4.StreamingUnsignedTrailer}[kind%3]
		out, err := io.ReadAll(sigv4.NewChunkedReader(strings.NewReader(string(body)), chunked(hash, seed), secret))
		if len(out) > len(body) {
			t.Errorf("%d bytes out of %d", len(out), len(body))
		}
		if err != nil && !errors.Is(err, sigv4.ErrChunk) && !errors.Is(err, sigv4.ErrMismatch) {
			t.Errorf("untyped error %v", err)
		}
	})
}
