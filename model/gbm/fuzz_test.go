package gbm_test

import (
	"testing"

	"dolor/model/gbm"
	"dolor/model/modeltest"
)

func FuzzLoad(f *testing.F) { modeltest.FuzzLoad(f, gbm.Family()) }
