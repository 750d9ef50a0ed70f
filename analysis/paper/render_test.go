package paper

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// evil is text that every format could read as its own.
const evil = "a\\b {c} $d$ #e_f% g^h~i & <j> \"k\" 'l' `m` |n| *o* [p](q) --r !s 5 µs ≥ 3 × γ → é 世 \x01 \n t"

// evilDocument has such text wherever text can stand.
func evilDocument() Document {
	p := para(evil, code(evil), strong(evil), cite("lei"), table("1"))
	d := Document{Title: evil, Subtitle: evil, Mark: evil, Abstract: []Block{p},
		Sections: []Section{{Title: evil, Blocks: []Block{p, List{p, p}, Listing{evil, "$(rm -rf x) `y`"},
			Table{Number: "1", Caption: p, Header: []string{evil, "[b]"}, Left: []int{0}, Rows: [][]string{{evil, "[1 pt]"}, {"[2pt]", evil}}, Note: p},
			Table{Number: "2", Caption: p, Header: []string{evil, "w"}, Wide: []int{1}, Rows: [][]string{{"x", evil}}}}}}}
	for range 60 {
		long := d.Sections[0].Blocks[3].(Table)
		long.Number = "3"
		if len(d.Sections[0].Blocks) < 6 {
			d.Sections[0].Blocks = append(d.Sections[0].Blocks, long)
		}
		last := d.Sections[0].Blocks[5].(Table)
		last.Rows = append(last.Rows, []string{"x", evil})
		d.Sections[0].Blocks[5] = last
	}
	d.resolve(references())
	return d
}

func TestLatexText(t *testing.T) {
	for in, want := range map[string]string{
		`\`: `\textbackslash{}`, `{}`: `\{\}`, `$&#_%`: `\$\&\#\_\%`, "^~": `\textasciicircum{}\textasciitilde{}`, "--x---": "-{}-x-{}-{}-", "a\nb": "a b",
		"5 µs ≥ 3": `5 $\mu$s $\ge$ 3`, "é": "é", "世": "[U+4E16]", "\x00": "", "“x”": `\textquotedblleft{}x\textquotedblright{}`,
	} {
		if got := latexText(in); got != want {
			t.Errorf("%q becomes %q, not %q", in, got, want)
		}
	}
}

// FuzzLatexText: whatever the text, no character of it is a command.
func FuzzLatexText(f *testing.F) {
	f.Add(evil)
	commands := regexp.MustCompile(`\\text[a-z]+\{\}|\\ldots\{\}|\\S\{\}|\$(\\[a-z]+|-)\$|\\[{}$&#_%]|-\{\}`)
	f.Fuzz(func(t *testing.T, s string) {
		got := latexText(s)
		if rest := commands.ReplaceAllString(got, ""); strings.ContainsAny(rest, "\\{}$&#_%^\n\r") {
			t.Errorf("%q leaves %q", s, rest)
		}
	})
}

// TestLatexCompiles compiles the made-up paper and one of nothing but special characters, where there is a TeX.
func TestLatexCompiles(t *testing.T) {
	tex, err := exec.LookPath("pdflatex")
	if err != nil {
		t.Skip("there is no pdflatex here")
	}
	for name, d := range map[string]Document{"made-up": Write(pair(t, 1)), "evil": evilDocument()} {
		dir := t.TempDir()
		for file, data := range rendered(t, d, "latex") {
			if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, file), []byte(data), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			cmd := exec.Command(tex, "-interaction=nonstopmode", "-halt-on-error", "paper.tex")
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, out[max(0, len(out)-2000):])
			}
		}
		log, err := os.ReadFile(filepath.Join(dir, "paper.log"))
		if err != nil {
			t.Fatal(err)
		}
		if undefined := regexp.MustCompile(`(?m)^LaTeX Warning: .*undefined.*$`).FindAllString(string(log), -1); len(undefined) > 0 {
			t.Errorf("%s: %q", name, undefined)
		}
	}
}

// TestMarkdownTables: whatever is in the cells, every row has as many as its header.
func TestMarkdownTables(t *testing.T) {
	text := paperOf(t, evilDocument(), "markdown")
	bars := regexp.MustCompile(`(^|[^\\])\|`)
	rows := 0
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "| ") {
			rows++
			if n := len(bars.FindAllString(line, -1)); n != 3 {
				t.Errorf("%d bars in %q", n, line)
			}
		}
	}
	if rows < 60 {
		t.Errorf("%d rows", rows)
	}
	for in, want := range map[string]string{"a`b": "``a`b``", "`": "`` ` ``", "x": "`x`"} {
		if got := markdownCode(in); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// TestHTMLIsSelfContained: nothing is fetched, no script runs, and text stays text.
func TestHTMLIsSelfContained(t *testing.T) {
	for name, d := range map[string]Document{"made-up": Write(pair(t, 1)), "evil": evilDocument()} {
		page := paperOf(t, d, "html")
		if m := regexp.MustCompile(`url\(|@import|@font-face`).FindString(page); m != "" {
			t.Errorf("%s: the style sheet fetches by %s", name, m)
		}
		root, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		ids, targets, text := map[string]bool{}, []string{}, strings.Builder{}
		for n := range root.Descendants() {
			switch {
			case n.Type == html.TextNode:
				text.WriteString(n.Data)
			case n.Type == html.ElementNode && strings.Contains(" script link img iframe object embed use image j ", " "+n.Data+" "):
				t.Errorf("%s: there is a <%s>", name, n.Data)
			}
			for _, a := range n.Attr {
				switch {
				case a.Key == "id" && ids[a.Val]:
					t.Errorf("%s: two things have the id %s", name, a.Val)
				case a.Key == "id":
					ids[a.Val] = true
				case a.Key == "href" && n.Data == "a" && strings.HasPrefix(a.Val, "#"):
					targets = append(targets, a.Val[1:])
				case a.Key == "href" && n.Data == "a" && strings.HasPrefix(a.Val, "https://"):
				case a.Key == "src", a.Key == "href", a.Key == "srcset", strings.HasPrefix(a.Key, "on"):
					t.Errorf("%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
				}
			}
		}
		for _, target := range targets {
			if !ids[target] {
				t.Errorf("%s: a link leads to #%s, which is not there", name, target)
			}
		}
		if name == "evil" && strings.Count(text.String(), "<j>") < 15 {
			t.Error("text was read as markup")
		}
	}
}
