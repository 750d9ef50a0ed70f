package load

import (
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"windtunnel/profiles"
)

// The media types of requests and answers.
const (
	mediaJSON     = "application/json"
	mediaProtobuf = "application/vnd.kubernetes.protobuf"
	mediaCBOR     = "application/cbor"
	// mediaUsual is what client-go asks for by default in reads: custom resources have no protobuf form.
	mediaUsual = mediaProtobuf + "," + mediaJSON

	mediaMergePatch     = "application/merge-patch+json"
	mediaStrategicPatch = "application/strategic-merge-patch+json"
	mediaJSONPatch      = "application/json-patch+json"
	mediaApplyPatch     = "application/apply-patch+yaml" // JSON is YAML
	mediaApplyCBOR      = "application/apply-patch+cbor"

	// mediaNames is a list of which only the metadata is sent.
	mediaNames = mediaJSON + ";as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
)

// Variant is one form of a verb: what it adds to the URL, and the media types that it sends and asks for.
type Variant struct {
	query  string
	header http.Header

	authorised sync.Map // *lane -> *authorised, for the lanes with a token
}

// authorised is a variant's header with a token.
type authorised struct {
	token  string
	header http.Header
}

// headerOf is the header of an identity's requests. One with a certificate has the variant's own; for one with a token it is made
// once a token.
func (v *Variant) headerOf(l *lane) http.Header {
	if l.token == nil {
		return v.header
	}
	token := l.token()
	if known, ok := v.authorised.Load(l); ok && known.(*authorised).token == token {
		return known.(*authorised).header
	}
	header := maps.Clone(v.header)
	header["Authorization"] = []string{"Bearer " + token}
	v.authorised.Store(l, &authorised{token, header})
	return header
}

// newVariant makes a variant. contentType is "" for requests without a body. Compression is offered as client-go does;
// the API server uses it for answers above 128 KiB. plain leaves it out, for answers that the harness itself must read.
func newVariant(query, accept, contentType, userAgent string, plain bool) *Variant {
	h := http.Header{"Accept": {accept}, "User-Agent": {userAgent}}
	if !plain {
		h["Accept-Encoding"] = []string{"gzip"}
	}
	if contentType != "" {
		h["Content-Type"] = []string{contentType}
	}
	return &Variant{query: query, header: h}
}

// mediaOf is the media type of an encoding.
func mediaOf(encoding, usual string) string {
	switch encoding {
	case profiles.EncodingJSON:
		return mediaJSON
	case profiles.EncodingProtobuf:
		return mediaProtobuf
	case profiles.EncodingCBOR:
		return mediaCBOR
	}
	return usual
}

// acceptOf is what a read asks for.
func acceptOf(r profiles.Request) string {
	list := ""
	if r.Verb == profiles.VerbList {
		list = "List"
	}
	switch r.As {
	case profiles.AsTable:
		return mediaJSON + ";as=Table;v=v1;g=meta.k8s.io"
	case profiles.AsMetadata:
		types := strings.Split(mediaOf(r.Encoding, mediaUsual), ",")
		for i := range types {
			types[i] += ";as=PartialObjectMetadata" + list + ";g=meta.k8s.io;v=v1"
		}
		return strings.Join(types, ",")
	}
	return mediaOf(r.Encoding, mediaUsual)
}

// patchType is the content type of a PATCH.
func patchType(r profiles.Request) string {
	switch r.Patch {
	case profiles.PatchStrategic:
		return mediaStrategicPatch
	case profiles.PatchJSON:
		return mediaJSONPatch
	case profiles.PatchApply:
		if r.Encoding == profiles.EncodingCBOR {
			return mediaApplyCBOR
		}
		return mediaApplyPatch
	}
	return mediaMergePatch
}

// queryOf is the part of the query that is the same for all instances.
func queryOf(r profiles.Request) string {
	query := url.Values{}
	if r.ResourceVersion != "" {
		query.Set("resourceVersion", r.ResourceVersion)
	}
	if r.Limit > 0 {
		query.Set("limit", strconv.Itoa(r.Limit))
	}
	if r.DryRun {
		query.Set("dryRun", "All")
	}
	if r.Patch == profiles.PatchApply {
		query.Set("fieldManager", "windtunnel")
		query.Set("force", "true")
	}
	return query.Encode()
}

// join adds to a query.
func join(query, more string) string {
	if query == "" || more == "" {
		return query + more
	}
	return query + "&" + more
}
