// Package chart draws the figures of reports, papers and comparisons. A Chart is data and words, independent of any file
// format: Write draws it as SVG, PNG or PDF in one of the themes, HTML gives it as an element that takes its colours from a
// page's style sheet, and Table gives the data behind it.
//
// The look follows a few rules. Type is a sans serif that gonum brings (Liberation Sans, of the widths of Arial and
// Helvetica), so that text lies where it was measured in every viewer. Colours are those of Okabe and Ito (Color Universal
// Design, 2008), and no colour stands alone: lines differ in their markers, bars in their order. Ticks are round in the
// unit that is shown, every series says from how many observations it comes, and legends have a place of their own above
// the data.
package chart
