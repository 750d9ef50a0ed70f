package report

import (
	"cmp"
	"fmt"

	"windtunnel/analysis"
	"windtunnel/analysis/chart"
	"windtunnel/results"
)

// record is one of the slowest requests: what took its time, and every column.
type record struct {
	Rank                       int
	Took, Waited, Server, Rest string
	What, Object, Code, At     string
	Fields                     []item
}

func slowestBlocks(s analysis.Study) []block {
	var records []record
	for i, r := range s.Slowest {
		end := r.Done
		if r.Verb == "WATCH" {
			end = r.FirstByte
		}
		rec := record{Rank: i + 1, Took: span(r.Planned, end), Waited: span(r.Planned, r.Sent), Server: span(r.Sent, r.FirstByte), Rest: span(r.FirstByte, end),
			What: r.Verb + " " + cmp.Or(join(r.Resource, r.Subresource), "–"), Object: r.Object, At: chart.Elapsed.Format(float64(r.Planned) / 1e9), Fields: fields(r)}
		if r.Variant != "" {
			rec.What += " (" + r.Variant + ")"
		}
		rec.Code = fmt.Sprint(r.Code)
		if r.Error != "" {
			rec.Code += " " + r.Error
		}
		records = append(records, rec)
	}
	if len(records) == 0 {
		return nil
	}
	return []block{{Records: records}}
}

func join(resource, subresource string) string {
	if subresource == "" {
		return resource
	}
	return resource + "/" + subresource
}

// span is the time between two instants, – where one of them never came.
func span(from, to results.Instant) string {
	if from == 0 || to == 0 {
		return "–"
	}
	return chart.Seconds.Format(float64(to-from) / 1e9)
}

// fields are all columns of a record, by their names in results/README.md.
func fields(r results.Request) []item {
	n := func(v any) string { return fmt.Sprint(v) }
	all := []item{{"planned", n(r.Planned)}, {"sent", n(r.Sent)}, {"first_byte", n(r.FirstByte)}, {"done", n(r.Done)}, {"phase", r.Phase}, {"track", r.Track},
		{"verb", r.Verb}, {"group", r.Group}, {"version", r.Version}, {"resource", r.Resource}, {"subresource", r.Subresource}, {"scope", r.Scope}, {"variant", r.Variant},
		{"object", r.Object}, {"code", n(r.Code)}, {"error", r.Error}, {"bytes_out", n(r.BytesOut)}, {"bytes_in", n(r.BytesIn)}, {"attempt", n(r.Attempt)},
		{"identity", r.Identity}, {"flow_schema", r.FlowSchema}, {"priority_level", r.PriorityLevel}, {"part", n(r.Part)}, {"resource_version", n(r.ResourceVersion)}}
	var some []item
	for _, f := range all {
		if f.Text != "" {
			some = append(some, f)
		}
	}
	return some
}
