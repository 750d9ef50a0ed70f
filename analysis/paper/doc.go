// Package paper writes a scientific paper about one density run and one load run, with the tables 1 to 3 and the figures 3 to 9 of
// Lei Qing's study of 2020 by the same definitions, the check of its findings, and what may be wrong with all of it.
//
// Read makes an Experiment of a run directory, Write a Document of experiments, and a Format its files. The document is one
// model of sections, paragraphs, tables and figures; the three formats differ in how they are written and in nothing else.
// Everything is a pure function of the runs and of one seed: the same runs give the same bytes.
package paper
