package sqs

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"storefront/lab/state"
	"storefront/lab/wire"
)

// Keys are the customer's keys. kms.Service implements it.
type Keys interface {
	Seal(tx *state.Tx, ref string, encryptionContext map[string]string, plaintext []byte) (ciphertext []byte, keyARN string, err error)
	Unseal(tx *state.Tx, encryptionContext map[string]string, ciphertext []byte) (plaintext []byte, keyARN string, err error)
}

// sealed is the body of a message in a queue with a KMS key. As at AWS, attributes are not encrypted.
type sealed struct {
	Queue string // ARN of the queue that it was sent to, the key's encryption context
	Key   []byte // the data key, encrypted under the KMS key
	Body  []byte // nonce and AES-256-GCM output
}

// dataKey is a data key in use. It is used again for the queue's KmsDataKeyReusePeriodSeconds, in which KMS is not asked: a key that is disabled
// keeps working for so long.
type dataKey struct {
	master string // the KMS key, as the queue names it
	sealed []byte
	aead   cipher.AEAD
	until  time.Time
}

// maxDataKeys bounds how many data keys are held to read messages.
const maxDataKeys = 1000

// writingKey returns the data key for messages to q, which has a KMS key.
func (s *Service) writingKey(tx *state.Tx, q *queue) (dataKey, error) {
	master, arn, now := q.Attributes["KmsMasterKeyId"], s.arn(q.Name), s.Now()
	k, ok := s.writing[arn]
	if ok && k.master == master && now.Before(k.until) {
		return k, nil
	}
	plain := make([]byte, 32)
	_, _ = rand.Read(plain) // never fails
	encrypted, _, err := s.Keys.Seal(tx, master, encryptionContext(arn), plain)
	if err != nil {
		return k, keyError(err)
	}
	k = dataKey{master: master, sealed: encrypted, until: now.Add(q.reusePeriod())}
	if k.aead, err = newAEAD(plain); err == nil {
		s.writing[arn] = k
	}
	return k, err
}

func (q *queue) reusePeriod() time.Duration {
	return time.Duration(q.number("KmsDataKeyReusePeriodSeconds")) * time.Second
}

// prepareKey sees that q can encrypt, before a send changes anything.
func (s *Service) prepareKey(q *queue) error {
	if q.Attributes["KmsMasterKeyId"] == "" || s.Now().Before(s.writing[s.arn(q.Name)].until) {
		return nil
	}
	return s.Store.Update(func(tx *state.Tx) error {
		_, err := s.writingKey(tx, q)
		return err
	})
}

// seal encrypts the body of a message for q, if q has a KMS key.
func (s *Service) seal(tx *state.Tx, q *queue, c *content) error {
	if q.Attributes["KmsMasterKeyId"] == "" {
		return nil
	}
	k, err := s.writingKey(tx, q)
	if err != nil {
		return err
	}
	nonce := make([]byte, k.aead.NonceSize(), k.aead.NonceSize()+len(c.Body)+k.aead.Overhead())
	_, _ = rand.Read(nonce)
	c.Sealed = &sealed{Queue: s.arn(q.Name), Key: k.sealed, Body: k.aead.Seal(nonce, nonce, []byte(c.Body), nil)}
	c.Body = ""
	return nil
}

// open decrypts the body of a message that q, where it is now, holds.
func (s *Service) open(tx *state.Tx, q *queue, c *content) error {
	if c.Sealed == nil {
		return nil
	}
	k, ok := s.reading[string(c.Sealed.Key)]
	if now := s.Now(); !ok || !now.Before(k.until) {
		plain, _, err := s.Keys.Unseal(tx, encryptionContext(c.Sealed.Queue), c.Sealed.Key)
		if err != nil {
			return keyError(err)
		}
		k = dataKey{until: now.Add(q.reusePeriod())}
		if k.aead, err = newAEAD(plain); err != nil {
			return err
		}
		if len(s.reading) >= maxDataKeys {
			clear(s.reading)
		}
		s.reading[string(c.Sealed.Key)] = k
	}
	if len(c.Sealed.Body) < k.aead.NonceSize() {
		return errors.New("the encrypted body of a message is too short")
	}
	nonce, body := c.Sealed.Body[:k.aead.NonceSize()], c.Sealed.Body[k.aead.NonceSize():]
	plain, err := k.aead.Open(nil, nonce, body, nil)
	if err != nil {
		return fmt.Errorf("decrypting the body of a message of %s: %w", c.Sealed.Queue, err)
	}
	c.Body = string(plain)
	return nil
}

// checkKey sees that the next message of a queue can be read, before a receive changes anything.
func (s *Service) checkKey(q *queue) error {
	first := q.ready.first()
	if first == nil || !first.Sealed {
		return nil
	}
	return s.Store.View(func(tx *state.Tx) error {
		c, _, err := contents.Get(tx, first.ID)
		if err != nil {
			return err
		}
		return s.open(tx, q, &c)
	})
}

func encryptionContext(arn string) map[string]string {
	return map[string]string{"aws:sqs:arn": arn}
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	return cipher.NewGCM(block)
}

// keyError answers an error of KMS as SQS does.
func keyError(err error) error {
	refused, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return err
	}
	code, known := map[string]string{"NotFoundException": "KmsNotFound", "DisabledException": "KmsDisabled", "KMSInvalidStateException": "KmsInvalidState",
		"AccessDeniedException": "KmsAccessDenied"}[refused.Code]
	if !known {
		return err
	}
	return fail(code, "%s", refused.Message)
}
