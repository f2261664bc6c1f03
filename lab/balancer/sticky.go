package balancer

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"
)

// Cookies of an Application Load Balancer, see "Sticky sessions". The CORS twins carry SameSite=None.
const (
	cookieTarget = "AWSALB"
	cookieApp    = "AWSALBAPP-0"
	cookieGroup  = "AWSALBTG"
	cookieCORS   = "CORS"
)

// cookieJar seals what stickiness cookies say, so that clients can neither read nor choose targets.
type cookieJar struct{ aead cipher.AEAD }

func newCookieJar(key []byte) (*cookieJar, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%w: cookie key: %w", ErrConfig, err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("%w: cookie key: %w", ErrConfig, err)
	}
	return &cookieJar{aead}, nil
}

func (j *cookieJar) seal(scope, value string) string {
	return base64.StdEncoding.EncodeToString(j.aead.Seal(nil, nil, []byte(value), []byte(scope)))
}

// open returns what seal was given for the same scope, or "" for anything else.
func (j *cookieJar) open(scope, cookie string) string {
	sealed, err := base64.StdEncoding.DecodeString(cookie)
	if err != nil {
		return ""
	}
	value, err := j.aead.Open(nil, nil, sealed, []byte(scope))
	if err != nil {
		return ""
	}
	return string(value)
}

// read returns what the request's cookie of that name says for the scope, or "".
func (j *cookieJar) read(r *http.Request, name, scope string) string {
	for _, c := range r.CookiesNamed(name) {
		if value := j.open(scope, c.Value); value != "" {
			return value
		}
	}
	return ""
}

// set adds a sealed cookie and, for cross-origin use, its twin.
func (j *cookieJar) set(h http.Header, name, scope, value string, life time.Duration) {
	sealed := j.seal(scope, value)
	expires := time.Now().Add(life)
	for _, c := range []*http.Cookie{
		{Name: name, Value: sealed, Path: "/", Expires: expires},
		{Name: name + cookieCORS, Value: sealed, Path: "/", Expires: expires, SameSite: http.SameSiteNoneMode, Secure: true},
	} {
		h.Add("Set-Cookie", c.String())
	}
}

// wanted returns the target that the client sticks to, or "".
func (s Stickiness) wanted(j *cookieJar, r *http.Request, groupARN string) string {
	switch s.Type {
	case LBCookie:
		return j.read(r, cookieTarget, groupARN)
	case AppCookie:
		if _, err := r.Cookie(s.Cookie); err != nil { // without the application's session there is nothing to stick to
			return ""
		}
		return j.read(r, cookieApp, groupARN)
	}
	return ""
}

// remember sets the cookies that bring the client back to the target. With app_cookie that happens when the application sets its own.
func (s Stickiness) remember(j *cookieJar, h http.Header, groupARN string, t *target) {
	switch s.Type {
	case LBCookie:
		j.set(h, cookieTarget, groupARN, t.cookie, s.Duration)
	case AppCookie:
		response := http.Response{Header: h}
		for _, c := range response.Cookies() {
			if c.Name == s.Cookie {
				j.set(h, cookieApp, groupARN, t.cookie, s.Duration)
				return
			}
		}
	}
}
