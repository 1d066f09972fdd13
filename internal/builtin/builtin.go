// Package builtin is the one list of families compiled into the binary.
package builtin

import (
	"dolor/model"
	"dolor/model/elasticnet"
	"dolor/model/forest"
	"dolor/model/gbm"
	"dolor/model/logistic"
)

// Families lists every model family, in the order reports name them.
func Families() []model.Family {
	return []model.Family{logistic.Family(), elasticnet.Family(), forest.Family(), gbm.Family()}
}
