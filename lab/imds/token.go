package imds

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strconv"
	"time"
)

// The headers of IMDSv2.
const (
	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
)

// maxTTL is the longest life of a token, in seconds.
const maxTTL = 21600

// issue answers PUT /latest/api/token.
func (h *Handler) issue(w http.ResponseWriter, r *http.Request) {
	if len(r.Header.Values("X-Forwarded-For")) > 0 { // the request came through a proxy, perhaps one that an attacker talked into it
		refuse(w, http.StatusForbidden)
		return
	}
	ttl, err := strconv.Atoi(r.Header.Get(ttlHeader))
	if err != nil || ttl < 1 || ttl > maxTTL {
		refuse(w, http.StatusBadRequest)
		return
	}
	w.Header().Set(ttlHeader, strconv.Itoa(ttl))
	w.Header().Set("Content-Type", "text/plain")
	w.Write([]byte(h.token(h.now().Add(time.Duration(ttl) * time.Second))))
}

// token makes a token that carries its own expiry, so that nothing has to be remembered.
func (h *Handler) token(expires time.Time) string {
	text := binary.BigEndian.AppendUint64(nil, uint64(expires.Unix()))
	mac := hmac.New(sha256.New, h.key)
	mac.Write(text)
	return base64.URLEncoding.EncodeToString(mac.Sum(text))
}

// remaining returns how long a token is still valid: 0 when it is not ours or has expired.
func (h *Handler) remaining(token string) time.Duration {
	text, err := base64.URLEncoding.DecodeString(token)
	if err != nil || len(text) != 8+sha256.Size {
		return 0
	}
	mac := hmac.New(sha256.New, h.key)
	mac.Write(text[:8])
	if !hmac.Equal(mac.Sum(nil), text[8:]) {
		return 0
	}
	return max(0, time.Unix(int64(binary.BigEndian.Uint64(text)), 0).Sub(h.now()))
}
