package bundle_test

import (
	"context"
	"fmt"

	"dolor/bundle"
	"dolor/model"
)

// What is not a bundle is refused before anything of it is used.
func ExampleDecode() {
	none := func(string) (model.Family, bool) { return model.Family{}, false }
	_, err := bundle.Decode(context.Background(), []byte("not a bundle"), none)
	fmt.Println(err)
	// Output: expected a dolor bundle (a zip archive), got something else
}
