package cl2

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	weak "math/rand"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
)

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// source is the random source of one rendering. It depends on the seed and on what is rendered, not on when: the same seed
// gives the same objects in whatever order they are made.
func source(seed uint64, what ...string) *rand.Rand {
	h := sha256.New()
	var word [8]byte
	binary.BigEndian.PutUint64(word[:], seed)
	h.Write(word[:])
	for _, text := range what {
		binary.BigEndian.PutUint64(word[:], uint64(len(text))) // so that ("ab", "c") and ("a", "bc") differ
		h.Write(word[:])
		h.Write([]byte(text))
	}
	key := h.Sum(nil)
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(key), binary.BigEndian.Uint64(key[8:])))
}

// randInt is a number from 0 to n, both included.
func (s *templates) randInt(n any) (int, error) {
	high, err := number(n)
	switch {
	case err != nil:
		return 0, err
	case int(high) < 0 || int(high)+1 < 0:
		return 0, fmt.Errorf("invalid argument to RandInt: %v", n)
	}
	return s.random.IntN(int(high) + 1), nil
}

// randIntRange is a number from a to b, both included, and a where b is not larger.
func (s *templates) randIntRange(a, b any) (int, error) {
	all, err := numbers([]any{a, b})
	if err != nil {
		return 0, err
	}
	low, high := int(all[0]), int(all[1])
	if low >= high {
		return low, nil
	}
	if span := high - low + 1; span > 0 {
		return low + s.random.IntN(span), nil
	}
	return 0, fmt.Errorf("invalid arguments to RandIntRange: %v, %v", a, b)
}

// randData is a text of n letters and digits, from a source of its own: what is drawn after it is the same whether or not the
// text was made.
func (s *templates) randData(n any) (string, error) {
	size, err := length(n, longestData)
	if err != nil {
		return "", err
	}
	seed := s.random.Uint64()
	if s.sketch {
		return stub(size), nil
	}
	return characters(size, rand.New(rand.NewPCG(seed, 0)).IntN), nil
}

// stub stands for a random text while a plan is made, which asks only for the kinds and counts of objects.
func stub(size int) string { return strings.Repeat("x", min(size, 16)) }

// randDataWithSeed is a text of n letters and digits that depends on the second argument alone. It is the very text that
// ClusterLoader2 makes: its generator is seeded with the first 8 bytes of the argument's SHA-256.
func (s *templates) randDataWithSeed(n, seed any) (string, error) {
	size, err := length(n, longestData)
	if err != nil || size == 0 {
		return "", err
	}
	text, ok := seed.(string)
	if !ok {
		return "", fmt.Errorf("incorrect argument type: got: %T want: string", seed)
	}
	if s.sketch {
		return stub(size), nil
	}
	hash := sha256.Sum256([]byte(text))
	return characters(size, weak.New(weak.NewSource(int64(binary.BigEndian.Uint64(hash[:])))).Intn), nil
}

func characters(n int, draw func(int) int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = alphabet[draw(len(alphabet))]
	}
	return string(text)
}

// includeFile is the content of a file in the directory of the program, or by its absolute path; $NAME in it is expanded.
func (s *templates) includeFile(path any) (string, error) {
	text, ok := path.(string)
	if !ok {
		return "", fmt.Errorf("incorrect argument type: got: %T want: string", path)
	}
	if !filepath.IsAbs(text) {
		if s.includeDir == "" {
			return "", errors.New("unable to read file: there is no directory to include from")
		}
		text = filepath.Join(s.includeDir, text)
	}
	return s.include(s.files.openAt(s.expand(text)))
}

// includeEmbedFile is the content of a file in the directory of the config.
func (s *templates) includeEmbedFile(path any) (string, error) {
	text, ok := path.(string)
	if !ok {
		return "", fmt.Errorf("incorrect argument type: got: %T want: string", path)
	}
	return s.include(s.files.open(text))
}

func (s *templates) include(f *file, err error) (string, error) {
	if err != nil {
		return "", fmt.Errorf("unable to read file: %w", err)
	}
	return string(f.data), nil
}

// ordinal is a number as a part of what identifies a rendering.
func ordinal(n int) string { return strconv.Itoa(n) }
