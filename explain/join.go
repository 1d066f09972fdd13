package explain

import (
	"fmt"
	"slices"
	"strings"
)

// JoinBackgrounds describes the backgrounds of several fits in one phrase: "the 240 to 243
// training rows of each fit". Texts that are all equal stay as they are.
func JoinBackgrounds(texts []string) string {
	texts = slices.Compact(slices.Sorted(slices.Values(texts)))
	if len(texts) == 1 {
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
