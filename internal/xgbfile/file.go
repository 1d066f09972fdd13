// Package xgbfile reads and writes XGBoost's model files, as JSON and as UBJSON.
//
// [Read] takes a file written by XGBoost 1.x, 2.x or 3.x (gbtree or dart, one outcome) and gives
// a [File], whose Ensemble predicts the same margins; [Write] gives a file that XGBoost 1.7 and
// 3.2 load. The layout is that of XGBoost's page "Introduction to Model IO" and of its JSON
// schema (doc/model.schema); docs/format/xgboost.md lists what is read, written and refused.
//
// A file is not trusted: its numbers are bounded by its size, nothing recurses on it, every
// tree is checked to be one, and each error names the place as a JSON path.
package xgbfile

import (
	"math"
	"strconv"
	"strings"

	"dolor/diag"
	"dolor/internal/tree"
)

// The boosters that are read and written.
const (
	GBTree = "gbtree"
	Dart   = "dart"
)

// The objectives that are read and written. A forest that averages probabilities is exported with the
// squared error, whose margin is the prediction itself.
const (
	Logistic     = "binary:logistic"
	SquaredError = "reg:squarederror"
)

// Format is an encoding of a model file.
type Format uint8

// The encodings.
const (
	JSON   Format = iota // text, floats with the fewest digits that read back equal
	UBJSON               // Universal Binary JSON, draft 12, big-endian
)

// File is a model as XGBoost saves it.
type File struct {
	Version   [3]int // of XGBoost that wrote it; Write leaves it out
	Booster   string // GBTree or Dart
	Objective string // Logistic or SquaredError
	// BaseScore is base_score: for Logistic the probability from which boosting starts, so that
	// Ensemble.Base is its log-odds, and for SquaredError the margin itself.
	BaseScore      float32
	ScalePosWeight float32 // weight of rows with the outcome in training; 0 means not recorded
	// Ensemble holds the features, the trees in XGBoost's order, Dart's weights in Scale, and
	// the margin from which sums start. Features without names are f0, f1, ...
	Ensemble tree.Ensemble
	// Types is feature_types (float, int, i, q, c), one a feature; nil when the file has none.
	Types []string
	// Named reports whether the file holds feature names; without them XGBoost matches by position.
	Named bool
	// Levels holds the categories' names of each feature, in the order of their codes; nil for a
	// feature without them, nil as a whole when the file records none (before XGBoost 3.1).
	Levels [][]string
	whole  []bool // features whose levels the file holds as integers; nil means none
	// Rounds says where each boosting round's trees start: Rounds[i] to Rounds[i+1]. It has
	// one entry more than there were rounds, the last being the number of trees.
	Rounds []int
	// Attributes is what the user stored along: best_iteration, best_score, dolor.*.
	Attributes map[string]string
	// NodeIDs holds, for each tree, XGBoost's number of every node; nil for a tree whose nodes
	// stand in XGBoost's order. XGBoost keeps deleted nodes in its arrays and may reuse their
	// numbers below; such trees are renumbered so that children come after their parent.
	NodeIDs [][]int32
}

// NodeID returns XGBoost's number of node of tree t: what its pred_leaf gives.
func (f *File) NodeID(t int, node int32) int32 {
	if f.NodeIDs == nil || f.NodeIDs[t] == nil {
		return node
	}
	return f.NodeIDs[t][node]
}

// BestRound returns the round that early stopping found best, counted from 0, and whether the file
// records one. XGBoost's Booster.predict ignores it in 1.7 and in 3.2; its scikit-learn
// wrapper predicts with the rounds up to and including it.
func (f *File) BestRound() (int, bool) {
	k, err := strconv.Atoi(f.Attributes["best_iteration"])
	if err != nil || k < 0 || k >= len(f.Rounds)-1 {
		return 0, false
	}
	return k, true
}

// Truncate keeps the first rounds boosting rounds, as XGBoost's iteration_range=(0, rounds) does. More
// than there are keeps all.
func (f *File) Truncate(rounds int) {
	if rounds >= len(f.Rounds)-1 {
		return
	}
	k := f.Rounds[rounds]
	f.Rounds = f.Rounds[:rounds+1]
	f.Ensemble.Trees = f.Ensemble.Trees[:k]
	if f.Ensemble.Scale != nil {
		f.Ensemble.Scale = f.Ensemble.Scale[:k]
	}
	if f.NodeIDs != nil {
		f.NodeIDs = f.NodeIDs[:k]
	}
}

// LogOdds returns the margin from which XGBoost starts for the base score p of binary:logistic:
// -log(1/p - 1), with the division in float32 as in its ProbToMargin.
func LogOdds(p float32) float32 {
	return float32(0 - math.Log(float64(1/p-1))) // 0 - x, so that one half gives 0 and not -0
}

// baseMargin checks a base score and returns its margin.
func baseMargin(objective string, p float32) (float32, *diag.Error) {
	switch {
	case objective == SquaredError && !math.IsInf(float64(p), 0) && p == p:
		return p, nil
	case objective == SquaredError:
		return 0, diag.Errorf(diag.Invalid, "", "expected a finite number")
	case !(p > 0 && p < 1):
		return 0, diag.Errorf(diag.Invalid, "", "expected a probability between 0 and 1, got %s", strconv.FormatFloat(float64(p), 'g', -1, 32))
	}
	m := LogOdds(p)
	if math.IsInf(float64(m), 0) {
		return 0, diag.Errorf(diag.Invalid, "", "expected a probability whose log-odds are finite, got %s", strconv.FormatFloat(float64(p), 'g', -1, 32))
	}
	return m, nil
}

// Read reads a model file in either encoding, told apart by the second byte. Errors are of
// kind Invalid, or Unsupported for what XGBoost can do and dolor does not (another objective, more than
// one output, linear boosters); Field is the JSON path. The objective must be Logistic.
func Read(b []byte) (*File, error) { return read(b, Logistic) }

// ReadForest is Read for files of the objective SquaredError, as written for a forest.
func ReadForest(b []byte) (*File, error) { return read(b, SquaredError) }

func read(b []byte, objective string) (*File, error) {
	r := &reader{size: len(b)}
	switch detect(b) {
	case 'j':
		r.lex = &jsonLexer{b: b}
	case 'u':
		r.lex = &ubjLexer{b: b}
	default:
		return nil, &diag.Error{
			Kind: diag.Invalid, Msg: "expected an XGBoost model in JSON or UBJSON, got something else",
			Hint: `write it with save_model("model.json")`,
		}
	}
	return r.file(objective)
}

// detect tells JSON ('j') from UBJSON ('u') and from anything else (0).
func detect(b []byte) byte {
	s := strings.TrimLeft(string(b[:min(len(b), 64)]), " \t\r\n")
	if len(s) < 2 || s[0] != '{' {
		return 0
	}
	switch s[1] {
	case '"', '}', ' ', '\t', '\r', '\n':
		return 'j'
	case 'i', 'U', 'I', 'l', 'L':
		return 'u'
	}
	return 0
}
