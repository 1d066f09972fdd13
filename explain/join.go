package explain

import (
	"fmt"
	"slices"
	"strings"
)

// JoinBackgrounds describes the backgrounds of several fits in one phrase: "the 240 to 243
// training rows of each fit". One fit keeps its text.
func JoinBackgrounds(texts []string, fits int) string {
	texts = slices.Compact(slices.Sorted(slices.Values(texts)))
	if len(texts) == 1 {
		if fits > 1 {
			return strings.Replace(texts[0], " training rows", " training rows of each fit", 1)
		}
		return texts[0]
	}
	least, most, how := 0, 0, ""
	for k, t := range texts {
		var n int
		if _, err := fmt.Sscanf(t, "the %d training rows", &n); err != nil {
			return strings.Join(texts, "; ")
		}
		_, after, _ := strings.Cut(t, "training rows")
		if k > 0 && after != how {
			return strings.Join(texts, "; ")
		}
		if how = after; k == 0 {
			least = n
		}
		least, most = min(least, n), max(most, n)
	}
	if len(texts) == 0 {
		return ""
	}
	return fmt.Sprintf("the %d to %d training rows of each fit%s", least, most, how)
}
