package xgbfile

import (
	"slices"
	"strconv"
	"strings"

	"dolor/diag"
	"dolor/internal/tree"
)

// rawModel is what the file said, before it is known to fit together: in XGBoost's order of keys
// the trees come before the number of features that bounds them.
type rawModel struct {
	names, types         []string
	hasNames, hasTypes   bool
	base                 string
	hasBase              bool
	features             int64
	classes, targets     int64
	parallel             int64
	treeCount            int64
	info, indptr         []int32
	hasTrees, hasWeights bool
	weights              []float32
	scalePos             string
	inner                string // booster inside dart
	trees                []treeFacts
	cats                 []catNames
	hasCats              bool
	setBytes             int
}

// treeFacts is what of a tree can be judged only when the features are known.
type treeFacts struct {
	ids         []int32
	maxFeature  int32
	maxAt       int32              // XGBoost's number of the node that splits on it
	categorical map[int32]int32    // feature -> largest code in its sets
	splitAt     map[int32][2]int32 // feature -> a node that splits it on a category
}

func (r *reader) file(objective string) (*File, error) {
	f := &File{Attributes: map[string]string{}}
	r.f = f
	r.raw.parallel, r.raw.targets, r.raw.features, r.raw.treeCount = 1, 1, -1, -1
	var version []int32
	err := r.object(fields{
		"version": r.wholes(&version, 0, maxInt32),
		"learner": func() error { return r.learner(objective) },
	})
	if err != nil {
		return nil, err
	}
	if err := r.at(r.lex.end()); err != nil {
		return nil, err
	}
	if len(version) != 0 && len(version) != 3 {
		return nil, diag.Errorf(diag.Invalid, "version", "expected 3 integers, got %d", len(version))
	}
	for k, v := range version {
		f.Version[k] = int(v)
	}
	if err := r.assemble(objective); err != nil {
		return nil, err
	}
	return f, nil
}

func (r *reader) learner(objective string) error {
	f, m := r.f, &r.raw
	return r.object(fields{
		"attributes": func() error {
			return r.entries(func(key string) error {
				if _, twice := f.Attributes[key]; twice {
					return r.failf("expected once, got it twice")
				}
				s, err := r.text()
				f.Attributes[key] = s
				return err
			})
		},
		"feature_names": func() error { m.hasNames = true; return r.texts(&m.names)() },
		"feature_types": func() error { m.hasTypes = true; return r.texts(&m.types)() },
		"objective": func() error {
			return r.object(fields{
				"name": func() error {
					s, err := r.text()
					if err == nil && s != objective {
						return r.unsupported("expected the objective %s, got %s", objective, describe(s))
					}
					f.Objective = s
					return err
				},
				"reg_loss_param": func() error { return r.object(fields{"scale_pos_weight": r.word(&m.scalePos)}) },
			})
		},
		"learner_model_param": func() error {
			return r.object(fields{
				"base_score":  func() error { m.hasBase = true; return r.word(&m.base)() },
				"num_feature": r.param(&m.features, maxInt32),
				"num_class":   r.param(&m.classes, maxInt32),
				"num_target":  r.param(&m.targets, maxInt32),
			})
		},
		"gradient_booster": func() error { return r.booster(&f.Booster, true) },
	})
}

// describe quotes a short name from the file and describes any other.
func describe(s string) string {
	if len(s) > 40 || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' }) {
		return "another text"
	}
	return strconv.Quote(s)
}

// booster reads gradient_booster, and inside Dart the gbtree it holds.
func (r *reader) booster(name *string, outer bool) error {
	m := &r.raw
	want := fields{
		"name": func() error {
			s, err := r.text()
			if err == nil && s != GBTree && (s != Dart || !outer) {
				return r.unsupported("expected the booster gbtree or dart, got %s", describe(s))
			}
			*name = s
			return err
		},
		"model": func() error {
			if m.hasTrees {
				return r.failf("expected one model, got two")
			}
			return r.model()
		},
	}
	if outer {
		want["gbtree"] = func() error { return r.booster(&m.inner, false) }
		want["weight_drop"] = func() error { m.hasWeights = true; return r.floats(&m.weights)() }
	}
	return r.object(want)
}

func (r *reader) model() error {
	m := &r.raw
	return r.object(fields{
		"gbtree_model_param": func() error {
			return r.object(fields{
				"num_trees":         r.param(&m.treeCount, maxInt32),
				"num_parallel_tree": r.param(&m.parallel, maxInt32),
			})
		},
		"tree_info":        r.wholes(&m.info, 0, maxInt32),
		"iteration_indptr": r.wholes(&m.indptr, 0, maxInt32),
		"cats":             r.categories,
		"trees": func() error {
			m.hasTrees = true
			return r.array(func(int) error { return r.tree() })
		},
	})
}

// assemble checks that the parts of the file agree and completes the File.
func (r *reader) assemble(objective string) error {
	f, m := r.f, &r.raw
	const learner, model = "learner", "learner.gradient_booster.model"
	missing := func(path string) error { return diag.Errorf(diag.Missing, path, "missing") }
	switch {
	case f.Booster == "":
		return missing("learner.gradient_booster.name")
	case !m.hasTrees:
		return missing(model + ".trees")
	case f.Objective == "":
		return missing("learner.objective.name")
	case !m.hasBase:
		return missing("learner.learner_model_param.base_score")
	case m.features < 0:
		return missing("learner.learner_model_param.num_feature")
	case m.classes > 1:
		return diag.Errorf(diag.Unsupported, "learner.learner_model_param.num_class", "expected a single outcome, got %d classes", m.classes)
	case m.targets > 1:
		return diag.Errorf(diag.Unsupported, "learner.learner_model_param.num_target", "expected a single outcome, got %d", m.targets)
	case m.treeCount >= 0 && m.treeCount != int64(len(m.trees)):
		return diag.Errorf(diag.Invalid, model+".gbtree_model_param.num_trees", "expected %d, the number of trees, got %d", len(m.trees), m.treeCount)
	case len(m.info) != 0 && len(m.info) != len(m.trees):
		return diag.Errorf(diag.Invalid, model+".tree_info", "expected %d integers, one a tree, got %d", len(m.trees), len(m.info))
	case f.Booster == Dart && !m.hasWeights && len(m.trees) > 0:
		return missing("learner.gradient_booster.weight_drop")
	case f.Booster == GBTree && m.hasWeights:
		return diag.Errorf(diag.Invalid, "learner.gradient_booster.weight_drop", "expected in the booster dart only, got it in gbtree")
	case m.hasWeights && len(m.weights) != len(m.trees):
		return diag.Errorf(diag.Invalid, "learner.gradient_booster.weight_drop", "expected %d numbers, one a tree, got %d", len(m.trees), len(m.weights))
	}
	for i, g := range m.info {
		if g != 0 {
			return diag.Errorf(diag.Unsupported, model+".tree_info["+strconv.Itoa(i)+"]", "expected 0, the only output, got %d", g)
		}
	}
	for i, w := range m.weights {
		if !finite(w) {
			return diag.Errorf(diag.Invalid, "learner.gradient_booster.weight_drop["+strconv.Itoa(i)+"]", "expected a finite number")
		}
	}
	if f.Booster == Dart {
		f.Ensemble.Scale = slices.Concat([]float32{}, m.weights)
	}
	if err := r.baseScore(objective); err != nil {
		return err
	}
	if err := r.rounds(model); err != nil {
		return err
	}
	return r.features(learner, model)
}

// baseScore reads base_score: "5E-1", or "[5E-1]" since XGBoost 3.1.
func (r *reader) baseScore(objective string) error {
	const path = "learner.learner_model_param.base_score"
	f, s := r.f, r.raw.base
	if in, ok := strings.CutPrefix(s, "["); ok {
		if s, ok = strings.CutSuffix(in, "]"); !ok {
			return diag.Errorf(diag.Invalid, path, "expected a number or a list of one in quotes, got something else")
		}
		if strings.Contains(s, ",") {
			return diag.Errorf(diag.Unsupported, path, "expected one number, got %d", 1+strings.Count(s, ","))
		}
	}
	p, err := strconv.ParseFloat(strings.TrimSpace(s), 32)
	if err != nil || len(s) > 64 {
		return diag.Errorf(diag.Invalid, path, "expected a number or a list of one in quotes, got something else")
	}
	f.BaseScore = float32(p)
	base, fault := baseMargin(objective, f.BaseScore)
	if fault != nil {
		fault.Field = path
		return fault
	}
	f.Ensemble.Base = base
	if w := r.raw.scalePos; w != "" {
		v, err := strconv.ParseFloat(w, 32)
		if err != nil || !(v >= 0) || len(w) > 64 {
			return diag.Errorf(diag.Invalid, "learner.objective.reg_loss_param.scale_pos_weight", "expected a finite number of 0 or more in quotes, got something else")
		}
		f.ScalePosWeight = float32(v)
	}
	return nil
}

// rounds finds where the trees of each boosting round start.
func (r *reader) rounds(model string) error {
	m, n := &r.raw, len(r.raw.trees)
	if m.indptr == nil {
		k := int(max(1, m.parallel))
		if n%k != 0 {
			return diag.Errorf(diag.Invalid, model+".gbtree_model_param.num_parallel_tree", "expected a divisor of %d, the number of trees, got %d", n, k)
		}
		for at := 0; at <= n; at += k {
			r.f.Rounds = append(r.f.Rounds, at)
		}
		return nil
	}
	for i, at := range m.indptr {
		path := model + ".iteration_indptr[" + strconv.Itoa(i) + "]"
		switch {
		case i == 0 && at != 0:
			return diag.Errorf(diag.Invalid, path, "expected 0, got %d", at)
		case i > 0 && int(at) <= r.f.Rounds[i-1]:
			return diag.Errorf(diag.Invalid, path, "expected more than %d, got %d", r.f.Rounds[i-1], at)
		case i == len(m.indptr)-1 && int(at) != n:
			return diag.Errorf(diag.Invalid, path, "expected %d, the number of trees, got %d", n, at)
		}
		r.f.Rounds = append(r.f.Rounds, int(at))
	}
	if len(r.f.Rounds) == 0 && n > 0 {
		return diag.Errorf(diag.Invalid, model+".iteration_indptr", "expected the rounds of %d trees, got none", n)
	}
	if len(r.f.Rounds) == 0 {
		r.f.Rounds = []int{0}
	}
	return nil
}

// features makes the ensemble's features from names, types, categories and splits.
func (r *reader) features(learner, model string) error {
	f, m := r.f, &r.raw
	n := int(m.features)
	for _, c := range []struct {
		name string
		got  []string
	}{{"feature_names", m.names}, {"feature_types", m.types}} {
		if len(c.got) != 0 && len(c.got) != n {
			return diag.Errorf(diag.Invalid, learner+"."+c.name, "expected %d texts, one a feature, got %d", n, len(c.got))
		}
	}
	if m.hasCats && len(m.cats) != 0 && len(m.cats) != n {
		return diag.Errorf(diag.Invalid, model+".cats.enc", "expected %d objects, one a feature, got %d", n, len(m.cats))
	}
	// Without names a feature has to be split for its name to be in the file, so this bounds what
	// num_feature may claim.
	if n > 1<<16 && n > r.size {
		return diag.Errorf(diag.Unsupported, "learner.learner_model_param.num_feature", "expected no more than the file's bytes, got %d", n)
	}
	f.Named = len(m.names) > 0
	f.Ensemble.Features = make([]tree.Feature, n)
	seen := make(map[string]bool, n)
	for j := range n {
		name := "f" + strconv.Itoa(j)
		if f.Named {
			name = m.names[j]
		}
		path := learner + ".feature_names[" + strconv.Itoa(j) + "]"
		switch {
		case name == "":
			return diag.Errorf(diag.Invalid, path, "expected a name, got an empty text")
		case seen[name]:
			return diag.Errorf(diag.Invalid, path, "expected a name of its own, got one that stands before")
		}
		seen[name] = true
		f.Ensemble.Features[j].Name = name
	}
	if len(m.types) > 0 {
		f.Types = m.types
		for j, t := range f.Types {
			if !slices.Contains([]string{"float", "int", "i", "q", "c"}, t) {
				return diag.Errorf(diag.Unsupported, learner+".feature_types["+strconv.Itoa(j)+"]", "expected float, int, i, q or c, got %s", describe(t))
			}
			if t == "c" {
				f.Ensemble.Features[j].Levels = 1
			}
		}
	}
	return r.levels(model)
}

// levels settles how many categories each feature has, and that every split fits its feature.
func (r *reader) levels(model string) error {
	f, m := r.f, &r.raw
	if len(m.cats) > 0 {
		any := false
		f.Levels, f.whole = make([][]string, len(m.cats)), make([]bool, len(m.cats))
		for j, c := range m.cats {
			if c.count > 0 {
				f.Ensemble.Features[j].Levels = c.count
			}
			if len(c.names) > 0 {
				f.Levels[j], f.whole[j], any = c.names, c.whole, true
			}
		}
		if !any {
			f.Levels = nil
		}
	}
	for t, facts := range m.trees {
		at := func(node int32, field string) string {
			return model + ".trees[" + strconv.Itoa(t) + "]." + field + "[" + strconv.Itoa(int(node)) + "]"
		}
		if int64(facts.maxFeature) >= m.features {
			return diag.Errorf(diag.Invalid, at(facts.maxAt, "split_indices"), "expected a feature below %d, got %d", m.features, facts.maxFeature)
		}
		features := make([]int32, 0, len(facts.categorical))
		for j := range facts.categorical {
			features = append(features, j)
		}
		slices.Sort(features)
		for _, j := range features {
			if f.Types != nil && f.Types[j] != "c" {
				return diag.Errorf(diag.Invalid, at(facts.splitAt[j][0], "split_type"), "expected a split on a number, as feature_types says, got one on categories")
			}
			got, feature := facts.categorical[j], &f.Ensemble.Features[j]
			if len(m.cats) > 0 && m.cats[j].count > 0 && int(got) >= m.cats[j].count {
				return diag.Errorf(diag.Invalid, at(facts.splitAt[j][1], "categories_nodes"), "expected categories below %d, as cats says, got %d", m.cats[j].count, got)
			}
			feature.Levels = max(feature.Levels, int(got)+1)
		}
	}
	return nil
}
