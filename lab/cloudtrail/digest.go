package cloudtrail

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// digestEvery is how often digests are due, on the clock.
const digestEvery = time.Hour

const signatureAlgorithm = "SHA256withRSA"

// digest is a digest file: "CloudTrail digest file structure".
type digest struct {
	AccountID             string    `json:"awsAccountId"`
	Start                 string    `json:"digestStartTime"`
	End                   string    `json:"digestEndTime"`
	Bucket                string    `json:"digestS3Bucket"`
	Object                string    `json:"digestS3Object"`
	Fingerprint           string    `json:"digestPublicKeyFingerprint"`
	SignatureAlgorithm    string    `json:"digestSignatureAlgorithm"`
	Newest                *string   `json:"newestEventTime"`
	Oldest                *string   `json:"oldestEventTime"`
	PreviousBucket        *string   `json:"previousDigestS3Bucket"`
	PreviousObject        *string   `json:"previousDigestS3Object"`
	PreviousHash          *string   `json:"previousDigestHashValue"`
	PreviousHashAlgorithm *string   `json:"previousDigestHashAlgorithm"`
	PreviousSignature     *string   `json:"previousDigestSignature"`
	Files                 []logFile `json:"logFiles"`
}

// signed is what a digest says of the one before it.
type signed struct{ Bucket, Object, Hash, Signature string }

// digestOnTheHour writes the digest of the hours that have ended, begins digests when validation was turned on and ends them when it was turned off.
func (s *Service) digestOnTheHour(ctx context.Context, t trail, d *delivery, now time.Time) error {
	hour := now.Truncate(digestEvery)
	switch {
	case !t.Validation:
		d.DigestStart, d.Files, d.Previous = time.Time{}, nil, nil
		return nil
	case d.DigestStart.IsZero():
		d.DigestStart, d.Files, d.Previous = now.Truncate(time.Second), nil, nil
	case hour.After(d.DigestStart):
		s.digest(ctx, t, d, hour)
	default:
		return nil
	}
	return s.save(t, *d)
}

// digest writes the digest of what was delivered until end. When it fails the next one covers the time as well; the trail's status tells.
func (s *Service) digest(ctx context.Context, t trail, d *delivery, end time.Time) {
	end = end.Truncate(time.Second)
	if !end.After(d.DigestStart) {
		end = d.DigestStart.Add(time.Second) // the name of a digest is its end
	}
	previous, err := s.putDigest(ctx, t, d, end)
	if d.Digest.note(s.Now(), err); err != nil {
		return
	}
	d.DigestStart, d.Files, d.Previous = end, nil, previous
}

func (s *Service) putDigest(ctx context.Context, t trail, d *delivery, end time.Time) (*signed, error) {
	key, err := s.signingKey()
	if err != nil {
		return nil, err
	}
	account, region := s.Region.Account, s.Region.Name
	x := digest{AccountID: account, Start: d.DigestStart.Format(eventTimeForm), End: end.Format(eventTimeForm), Bucket: t.Bucket, Fingerprint: key.Fingerprint, SignatureAlgorithm: signatureAlgorithm,
		Object: fmt.Sprintf("%sCloudTrail-Digest/%s/%s/%s_CloudTrail-Digest_%s_%s_%s_%s.json.gz", t.folder(account), region, end.Format("2006/01/02"), account, region, t.Name, region, end.Format("20060102T150405Z")),
		Files:  append([]logFile{}, d.Files...)}
	for _, f := range d.Files {
		if x.Newest == nil || f.Newest > *x.Newest {
			x.Newest = new(f.Newest)
		}
		if x.Oldest == nil || f.Oldest < *x.Oldest {
			x.Oldest = new(f.Oldest)
		}
	}
	previous := "null"
	if p := d.Previous; p != nil {
		x.PreviousBucket, x.PreviousObject, x.PreviousHash, x.PreviousHashAlgorithm, x.PreviousSignature = &p.Bucket, &p.Object, &p.Hash, new("SHA-256"), &p.Signature
		previous = p.Signature
	}
	content, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	hash := hexHash(content)
	signature, err := key.sign(x.End + "\n" + x.Bucket + "/" + x.Object + "\n" + hash + "\n" + previous)
	if err != nil {
		return nil, err
	}
	metadata := map[string]string{"signature": signature, "signature-algorithm": signatureAlgorithm}
	return &signed{t.Bucket, x.Object, hash, signature}, s.put(ctx, t, x.Object, content, metadata)
}

func hexHash(content []byte) string {
	hash := sha256.Sum256(content)
	return hex.EncodeToString(hash[:])
}

// sign signs as digests are signed: PKCS #1 v1.5 with SHA-256, in hexadecimal digits.
func (k signingKey) sign(text string) (string, error) {
	hash := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.private, crypto.SHA256, hash[:])
	return hex.EncodeToString(signature), err
}
