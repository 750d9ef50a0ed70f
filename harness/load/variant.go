package load

import "net/http"

// The media types of requests and answers. client-go names JSON as well when it asks for protobuf, because custom
// resources have no protobuf form.
const (
	mediaJSON       = "application/json"
	mediaProtobuf   = "application/vnd.kubernetes.protobuf,application/json"
	mediaMergePatch = "application/merge-patch+json"
	// mediaNames is a list of which only the metadata is sent.
	mediaNames = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
)

// Variant is one form of a verb: what it adds to the URL, and the media types that it sends and asks for.
type Variant struct {
	// Name is what the records call it; "" is the usual form of the verb.
	Name string
	// Query is the URL's query.
	Query string

	header http.Header
}

// newVariant makes a variant. contentType is "" for requests without a body. Compression is offered as client-go does;
// the API server uses it for answers above 128 KiB. plain leaves it out, for answers that the harness itself must read.
func newVariant(name, query, accept, contentType, userAgent string, plain bool) *Variant {
	h := http.Header{"Accept": {accept}, "User-Agent": {userAgent}}
	if !plain {
		h["Accept-Encoding"] = []string{"gzip"}
	}
	if contentType != "" {
		h["Content-Type"] = []string{contentType}
	}
	return &Variant{Name: name, Query: query, header: h}
}

// Encoder writes an object, which templates and the API server's answers give as JSON, in the form in which it is sent.
type Encoder interface {
	// ContentType is the media type of what Encode writes.
	ContentType() string
	// Encode appends the object to dst.
	Encode(dst, object []byte) ([]byte, error)
}

// jsonEncoder sends objects as they are.
type jsonEncoder struct{}

func (jsonEncoder) ContentType() string { return mediaJSON }

func (jsonEncoder) Encode(dst, object []byte) ([]byte, error) { return append(dst, object...), nil }
