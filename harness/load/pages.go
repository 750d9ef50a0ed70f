package load

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"

	"google.golang.org/protobuf/encoding/protowire"
	v1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"

	"windtunnel/profiles"
	"windtunnel/results"
)

// pages is a LIST with a limit: it asks for the next page as soon as it has the one before, as pagers do, and each page is a request
// with a record of its own.
type pages struct{ read }

// Do implements Operation.
func (o *pages) Do(ctx context.Context, x *Exchange, p profiles.Pick, planned results.Instant) {
	call, ok := o.call(p, planned)
	if !ok {
		o.unsent(x, call.Record, ClassNoTarget)
		return
	}
	call.Keep = true
	query := call.Query
	for {
		answer := x.Send(ctx, call)
		if answer.Class != "" {
			return
		}
		next, err := continueToken(answer)
		if err != nil {
			x.fail(fmt.Errorf("read a page of %s: %w", o.base.Resource, err))
			return
		}
		if next == "" {
			return
		}
		call.Query = join(query, "continue="+url.QueryEscape(next))
		call.Record.Planned = answer.Done
		call.Record.Part++
	}
}

// continueToken reads where the next page begins; "" after the last one.
func continueToken(a Answer) (string, error) {
	body := a.Body
	if a.Compressed {
		unpacked, err := gunzip(body)
		if err != nil {
			return "", err
		}
		body = unpacked
	}
	if bytes.HasPrefix(body, []byte(protobufMagic)) {
		return protobufContinue(body[len(protobufMagic):]), nil
	}
	if len(body) > 0 && body[0] == '{' {
		var meta v1.ListMeta
		at, err := member(body, 0, "metadata")
		if err != nil || at.begin < 0 {
			return "", err
		}
		err = json.Unmarshal(body[at.begin:at.end], &meta)
		return meta.Continue, err
	}
	list, err := cborMap(body)
	token, _, _ := unstructured.NestedString(list, "metadata", "continue")
	return token, err
}

// cborMap decodes a map whatever its fields.
func cborMap(data []byte) (map[string]any, error) {
	var m map[string]any
	err := direct.Unmarshal(data, &m)
	return m, err
}

func gunzip(body []byte) ([]byte, error) {
	in, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return io.ReadAll(in)
}

// protobufMagic begins every object that the API server encodes as protobuf; a runtime.Unknown follows, whose field 2 is the list,
// whose field 1 is the ListMeta, whose field 3 is the token.
const protobufMagic = "k8s\x00"

func protobufContinue(unknown []byte) string {
	for _, number := range []int{2, 1, 3} {
		unknown = protobufField(unknown, number)
	}
	return string(unknown)
}

// protobufField finds the first field of that number in a message, which may be cut off at its end: then it is the part that is
// there. nil when there is none.
func protobufField(message []byte, number int) []byte {
	for len(message) > 0 {
		n, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return nil
		}
		message = message[size:]
		if int(n) == number && kind == protowire.BytesType {
			length, size := protowire.ConsumeVarint(message)
			if size < 0 {
				return nil
			}
			message = message[size:]
			return message[:min(length, uint64(len(message)))]
		}
		if size = protowire.ConsumeFieldValue(n, kind, message); size < 0 {
			return nil
		}
		message = message[size:]
	}
	return nil
}
