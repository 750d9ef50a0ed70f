package load

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"

	"k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"

	"google.golang.org/protobuf/encoding/protowire"

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
		return protobufContinue(body[len(protobufMagic):])
	}
	var list struct {
		Metadata v1.ListMeta `json:"metadata"`
	}
	if len(body) > 0 && body[0] == '{' {
		at, err := member(body, 0, "metadata")
		if err != nil || at.begin < 0 {
			return "", err
		}
		err = json.Unmarshal(body[at.begin:at.end], &list.Metadata)
		return list.Metadata.Continue, err
	}
	err := direct.Unmarshal(body, &list)
	return list.Metadata.Continue, err
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

func protobufContinue(unknown []byte) (string, error) {
	token := unknown
	for _, number := range []protowire.Number{2, 1, 3} {
		var err error
		if token, err = protobufField(token, number); err != nil {
			return "", err
		}
	}
	return string(token), nil
}

// protobufField finds a field of bytes in a message; nil when there is none.
func protobufField(message []byte, number protowire.Number) ([]byte, error) {
	for len(message) > 0 {
		n, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return nil, protowire.ParseError(size)
		}
		message = message[size:]
		if n == number && kind == protowire.BytesType {
			value, size := protowire.ConsumeBytes(message)
			if size < 0 {
				return nil, protowire.ParseError(size)
			}
			return value, nil
		}
		if size = protowire.ConsumeFieldValue(n, kind, message); size < 0 {
			return nil, protowire.ParseError(size)
		}
		message = message[size:]
	}
	return nil, nil
}
