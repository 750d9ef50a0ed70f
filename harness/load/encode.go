package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor/direct"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/kubernetes/scheme"
	strictjson "sigs.k8s.io/json"

	"windtunnel/profiles"
)

// Encoder writes an object, which templates and the API server's answers give as JSON, in the form in which it is sent.
type Encoder interface {
	// ContentType is the media type of what Encode writes.
	ContentType() string
	// Encode appends the object to dst.
	Encode(dst, object []byte) ([]byte, error)
}

func encoderOf(encoding string) Encoder {
	switch encoding {
	case profiles.EncodingProtobuf:
		return protobufEncoder{protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)}
	case profiles.EncodingCBOR:
		return cborEncoder{}
	}
	return jsonEncoder{}
}

// jsonEncoder sends objects as they are.
type jsonEncoder struct{}

func (jsonEncoder) ContentType() string { return mediaJSON }

func (jsonEncoder) Encode(dst, object []byte) ([]byte, error) { return append(dst, object...), nil }

// protobufEncoder decodes the object into its Go type first, which costs the client more than it saves the server.
type protobufEncoder struct{ serializer *protobuf.Serializer }

func (protobufEncoder) ContentType() string { return mediaProtobuf }

func (e protobufEncoder) Encode(dst, object []byte) ([]byte, error) {
	var meta runtime.TypeMeta
	if err := json.Unmarshal(object, &meta); err != nil {
		return dst, fmt.Errorf("read the object's kind: %w", err)
	}
	typed, err := scheme.Scheme.New(meta.GroupVersionKind())
	if err != nil {
		return dst, fmt.Errorf("find the protobuf form: %w", err)
	}
	if err := json.Unmarshal(object, typed); err != nil {
		return dst, fmt.Errorf("read the object: %w", err)
	}
	out := bytes.NewBuffer(dst)
	if err := e.serializer.Encode(typed, out); err != nil {
		return dst, fmt.Errorf("write the object as protobuf: %w", err)
	}
	return out.Bytes(), nil
}

// cborEncoder writes the same content as CBOR.
type cborEncoder struct{}

func (cborEncoder) ContentType() string { return mediaCBOR }

func (cborEncoder) Encode(dst, object []byte) ([]byte, error) {
	var content any
	if err := utiljson.Unmarshal(object, &content); err != nil {
		return dst, fmt.Errorf("read the object: %w", err)
	}
	encoded, err := direct.Marshal(content)
	if err != nil {
		return dst, fmt.Errorf("write the object as CBOR: %w", err)
	}
	return append(dst, encoded...), nil
}

// CheckObject says what Kubernetes' own types do not take in an object: a field that they do not have, a value of another type.
// Objects of kinds that client-go does not know pass. The object is JSON.
func CheckObject(r profiles.Resource, object []byte) error {
	typed, err := scheme.Scheme.New(schema.GroupVersionKind{Group: r.Group, Version: r.Version, Kind: r.Kind})
	if runtime.IsNotRegisteredError(err) {
		return nil
	}
	if err != nil {
		return err
	}
	unknown, err := strictjson.UnmarshalStrict(object, typed)
	if err != nil {
		return err
	}
	return errors.Join(unknown...)
}
