// Package render writes a run's summary for people (text, Markdown) and for machines (CSV, JUnit). The summary holds base
// units; scaling to one unit a column happens only here. A verdict is always a mark and a word, never a colour alone.
package render
