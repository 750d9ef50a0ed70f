package api

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
)

// NewID returns an identifier of the length that container runtimes use, since it shows in every pod's status.
func NewID() string {
	var raw [32]byte
	for i := 0; i < len(raw); i += 8 {
		v := rand.Uint64()
		for j := range 8 {
			raw[i+j] = byte(v >> (8 * j))
		}
	}
	return hex.EncodeToString(raw[:])
}

// ImageID is the digest that stands for an image: it follows from its name.
func ImageID(image string) string {
	sum := sha256.Sum256([]byte(image))
	return "sha256:" + hex.EncodeToString(sum[:])
}
