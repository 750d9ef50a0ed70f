package profiles

import (
	"fmt"
	"slices"
	"strings"
)

// longestList is how many choices a hint lists.
const longestList = 20

// suggest is a hint for a word that is none of the choices: the nearest one, or all of them when none is near.
func suggest(word string, choices []string) string {
	if best, ok := nearest(word, choices); ok {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(choices) == 0 || len(choices) > longestList {
		return ""
	}
	return "one of: " + strings.Join(choices, ", ")
}

// nearest is the choice that differs least from the word, if it is near enough to be a slip: at most one edit in every
// three characters. Upper and lower case count as the same.
func nearest(word string, choices []string) (string, bool) {
	const longest = 100 // a longer word is no slip of a name, and the distance costs the product of the lengths
	if word == "" || len(word) > longest {
		return "", false
	}
	folded := []rune(strings.ToLower(word))
	best, bestDistance := "", len(folded)
	for _, choice := range slices.Sorted(slices.Values(choices)) {
		other := []rune(strings.ToLower(choice))
		d := editDistance(folded, other)
		if limit := (max(len(folded), len(other)) + 1) / 3; d <= limit && d < bestDistance {
			best, bestDistance = choice, d
		}
	}
	return best, best != ""
}

// editDistance is the optimal string alignment distance: insertions, deletions, substitutions, and swaps of neighbours.
func editDistance(a, b []rune) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		current, previous, before := rows[i%3], rows[(i+2)%3], rows[(i+1)%3]
		current[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}
