package secretsmanager

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"

	api "storefront/lab/api/secretsmanager"
	"storefront/lab/wire"
)

// GetRandomPassword implements the operation of that name.
func (s *Service) GetRandomPassword(_ context.Context, in *api.GetRandomPasswordInput) (*api.GetRandomPasswordOutput, error) {
	length := int64(32)
	if in.PasswordLength != nil {
		length = *in.PasswordLength
	}
	var classes []string
	for _, c := range []struct {
		excluded *bool
		letters  string
	}{
		{in.ExcludeLowercase, "abcdefghijklmnopqrstuvwxyz"}, {in.ExcludeUppercase, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}, {in.ExcludeNumbers, "0123456789"},
		{in.ExcludePunctuation, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}, {new(!wire.Value(in.IncludeSpace)), " "},
	} {
		letters := strings.Map(func(r rune) rune {
			if strings.ContainsRune(wire.Value(in.ExcludeCharacters), r) {
				return -1
			}
			return r
		}, c.letters)
		if !wire.Value(c.excluded) && letters != "" {
			classes = append(classes, letters)
		}
	}
	if len(classes) == 0 || int64(len(classes)) > length {
		return nil, invalidParameter("The password length and the excluded characters leave no password.")
	}
	password, err := RandomPassword(int(length), classes)
	return &api.GetRandomPasswordOutput{RandomPassword: new(password)}, err
}

// RandomPassword draws a password that has at least one character of each class.
func RandomPassword(length int, classes []string) (string, error) {
	all, out := strings.Join(classes, ""), make([]byte, length)
	for i := range out {
		from := all
		if i < len(classes) {
			from = classes[i]
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(from))))
		if err != nil {
			return "", fmt.Errorf("drawing a password: %w", err)
		}
		out[i] = from[n.Int64()]
	}
	for i := len(out) - 1; i > 0; i-- {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(i+1)))
		if err != nil {
			return "", fmt.Errorf("drawing a password: %w", err)
		}
		out[i], out[n.Int64()] = out[n.Int64()], out[i]
	}
	return string(out), nil
}
