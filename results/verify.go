package results

import (
	"encoding/binary"
	"hash/crc32"
)

// Positions of the fields that checkSchema looks at, by the definitions of Arrow's Message.fbs and Schema.fbs.
const (
	messageHeaderType, messageHeader, messageBodyLength, messageMetadata = 1, 2, 3, 4
	schemaFields, schemaMetadata                                         = 1, 2
	fieldTypeType, fieldChildren, fieldMetadata                          = 2, 5, 6

	headerSchema = 1  // of union MessageHeader
	typeUnion    = 14 // of union Type
	maxEntries   = 1024
)

// checkSchema refuses the metadata of a schema message whose vectors are longer than a schema of ours can have or whose
// columns are nested. Arrow's decoder allocates what the lengths say before it looks further, and follows nested columns
// without a bound; one flipped bit there would end the process for want of memory, which no recover can catch. Messages
// of other types pass. It panics where offsets point outside of b.
func checkSchema(b []byte) bool {
	message := flatTable{b, int(binary.LittleEndian.Uint32(b))}
	if kind := message.slot(messageHeaderType); kind == 0 || b[kind] != headerSchema {
		return true
	}
	schema, ok := message.table(messageHeader)
	if !ok || message.length(messageMetadata) > maxEntries || schema.length(schemaMetadata) > maxEntries {
		return false
	}
	n := schema.length(schemaFields)
	if n > maxEntries {
		return false
	}
	for i := range n {
		field := schema.element(schemaFields, i)
		if field.length(fieldChildren) > 0 || field.length(fieldMetadata) > maxEntries {
			return false
		}
		if kind := field.slot(fieldTypeType); kind != 0 && b[kind] == typeUnion {
			return false
		}
	}
	return true
}

// sumSize is the size of the checksum at the end of each batch's body; a multiple of 8 keeps the next message aligned.
const sumSize = 8

// appendSum adds the checksum to an encoded batch, which is one message, and returns it. Arrow has no checksum of its
// own: that of its zstd frames goes unread by Go's decoder and covers no metadata. The sum is put behind the last column
// of the body, whose length in the metadata grows by it; Arrow's readers skip what no column refers to. It covers the
// schema, whose sum is the seed, the batch's metadata as it is then and its body. A batch without a body gets none.
func appendSum(message []byte, seed uint32) []byte {
	meta := message[frameHead : frameHead+int(binary.LittleEndian.Uint32(message[4:]))]
	at := flatTable{meta, int(binary.LittleEndian.Uint32(meta))}.slot(messageBodyLength)
	if at == 0 {
		return message
	}
	length := binary.LittleEndian.Uint64(meta[at:])
	binary.LittleEndian.PutUint64(meta[at:], length+sumSize)
	return binary.LittleEndian.AppendUint64(message, uint64(sum(seed, message[frameHead:])))
}

// sumHolds checks what appendSum added.
func sumHolds(meta, body []byte, seed uint32) bool {
	n := len(body) - sumSize
	if n < 0 {
		return len(body) == 0
	}
	return binary.LittleEndian.Uint64(body[n:]) == uint64(sum(sum(seed, meta), body[:n]))
}

// sum is CRC-32C, continued from a former one.
func sum(former uint32, b []byte) uint32 {
	return crc32.Update(former, crc32.MakeTable(crc32.Castagnoli), b)
}

// flatTable is a table of a FlatBuffer: it begins with the distance back to its vtable, whose third and later 16-bit
// words are the distances from the table's begin to its fields, 0 for a field that is absent.
type flatTable struct {
	b   []byte
	pos int
}

// slot is the position of a field, 0 when it is absent.
func (t flatTable) slot(i int) int {
	vtable := t.pos - int(int32(binary.LittleEndian.Uint32(t.b[t.pos:])))
	size := int(binary.LittleEndian.Uint16(t.b[vtable:]))
	at := 4 + 2*i
	if at+2 > size {
		return 0
	}
	offset := int(binary.LittleEndian.Uint16(t.b[vtable+at:]))
	if offset == 0 {
		return 0
	}
	return t.pos + offset
}

// follow is the position that the offset at pos points to.
func (t flatTable) follow(pos int) int { return pos + int(binary.LittleEndian.Uint32(t.b[pos:])) }

// table is the table that a field refers to.
func (t flatTable) table(i int) (flatTable, bool) {
	pos := t.slot(i)
	if pos == 0 {
		return flatTable{}, false
	}
	return flatTable{t.b, t.follow(pos)}, true
}

// length is the number of elements of a vector; an absent one has none.
func (t flatTable) length(i int) int {
	pos := t.slot(i)
	if pos == 0 {
		return 0
	}
	return int(binary.LittleEndian.Uint32(t.b[t.follow(pos):]))
}

// element is the n-th table of a vector of tables.
func (t flatTable) element(i, n int) flatTable {
	first := t.follow(t.slot(i)) + 4
	return flatTable{t.b, t.follow(first + 4*n)}
}
