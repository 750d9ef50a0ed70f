package chart

// Chart is one figure. Its zero parts are left out; what is drawn twice from the same Chart has the same bytes.
type Chart struct {
	Name  string // of its files, without extension, such as latency-by-verb
	Title string
	Note  string // how to read it: one or two sentences for the page beside it; it is not drawn
	X, Y  Axis
	// Layers are drawn in order, the later over the earlier. Their series are named in the legend.
	Layers     []Layer
	Marks      []Mark      // on the X axis
	References []Reference // on the Y axis
	// Width and Height are in points (1/72 inch); 0 is 600 and 320.
	Width, Height float64
}

// Axis is what a direction means.
type Axis struct {
	Label string // what is measured, without its unit
	Unit  Unit
	// Log makes distances logarithmic. Values at or below 0 have no place on such an axis and are not drawn.
	Log bool
	// Whole keeps ticks at whole numbers, for what is counted.
	Whole bool
	// Min and Max, where they are not nil, widen the axis or cut it; without them it spans the data, on a linear axis that
	// is not about time from 0 on.
	Min, Max *float64
	// Categories name the places 0, 1, 2, … of an axis that is no scale: the groups of bars, the rows of spans. A name can
	// have lines.
	Categories []string
}

// Mark is a time that something happened at, or a span: a phase of a run.
type Mark struct {
	Name     string
	At       float64
	Until    float64 // a span when it is larger than At
	Measured bool    // of a span: what is judged lies in it; it is drawn on a lighter ground
}

// Reference is a value to compare with, such as the threshold of an SLO. It does not stretch the axis beyond three times (on a
// logarithmic one: ten times) what the data need; where it lies further away, the chart says so in words.
type Reference struct {
	Name  string
	Value float64
	// Over, where it is not nil, is the category of the X axis that alone it is the limit of.
	Over *int
}

// Layer is one of Line, Steps, Points, Band, Ranges, Bars, Spans and Heat.
type Layer interface {
	// extent widens e by what the layer covers.
	extent(c *Chart, e *extents)
	// draw puts the layer on a frame; the frame hands out the palette's slots in the order of the layers.
	draw(f *frame)
	// keys are the layer's entries of the legend, in order.
	keys() []key
	// fill adds the layer's data to the table.
	fill(c *Chart, t *table)
}

// Series is what every series of a layer has.
type Series struct {
	Name string // in the legend; "" leaves it out
	N    int64  // observations that it comes from, shown beside the name; 0: not shown
	// Slot is its place in the palette, from 1, so that one thing has one colour in several charts; 0: its place among the
	// series of the chart.
	Slot int
}

// Point is a pair of coordinates. A Y that is NaN interrupts a line.
type Point struct{ X, Y float64 }

// Line joins points by straight lines.
type Line struct {
	Series
	Points  []Point
	Sampled bool // puts a marker on every point: nothing is known between them
}

// Steps keeps each point's Y until the next point's X, as a count over time or an empirical distribution does.
type Steps struct {
	Series
	Points []Point
}

// Points are single observations, with an interval each where Low and High are given (as long as Points; NaN: open).
type Points struct {
	Series
	Points    []Point
	Low, High []float64
	Beside    float64 // points to the right of its place that it is drawn at, to stand beside others
	Labelled  bool    // writes its value to the right of each
}

// Ranges are spans of values without an estimate in them, such as the buckets that quantiles lie in, at the places X. An end that
// is not above 0 on a logarithmic axis is that of the axis; High is +Inf where the range has no end.
type Ranges struct {
	Series
	X, Low, High []float64
	Beside       float64 // as of Points
}

// Band is the area between two lines, such as a confidence band.
type Band struct {
	Series
	X, Low, High []float64
}

// Bars stand on the categories of the X axis: beside each other, or on top of each other when Stacked.
type Bars struct {
	Groups  []BarSeries
	Stacked bool
	Sums    bool // writes its sum above each stack
}

// BarSeries is one value for each category, NaN where there is none. Low and High, where they are given, are the
// intervals of bars that are not stacked (NaN: open).
type BarSeries struct {
	Series
	Values    []float64
	Low, High []float64
}

// Spans are bars along the X axis in the rows that the Y axis' Categories name.
type Spans struct {
	Series
	Items []Span
}

// Span is a time in a row; one that has no length is drawn as a point, with its text beside it.
type Span struct {
	Row      int
	From, To float64
	Text     string // of the table, and in the drawing where it has room
}

// Heat counts observations in the cells of a grid: Count[i][j] lies between X[i] and X[i+1], and Y[j] and Y[j+1]. Empty
// cells are not drawn; the others are shaded by the logarithm of their count.
type Heat struct {
	Of    string // what is counted, such as requests
	X, Y  []float64
	Count [][]int64
}
