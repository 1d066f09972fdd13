package evaluate

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"

	"dolor/diag"
	"dolor/model"
	"dolor/rng"
)

// The values of Task.Kind.
const (
	kindInternal  = "internal"
	kindSite      = "site"
	kindFinal     = "final" // learnt from all development rows; predicts temporal and external ones
	kindBootstrap = "bootstrap"
)

// Task is one fit of one recipe.
type Task struct {
	Kind   string `json:"kind"`
	Family string `json:"family"`
	Repeat int    `json:"repeat"`
	Fold   int    `json:"fold"`
	Site   string `json:"site,omitempty"`

	recipe      int
	train, test []int
	unseen      int // final: the rows at the end of test that are not development
}

// Key names the task in checkpoints and trial logs.
func (t *Task) Key() string {
	switch t.Kind {
	case kindInternal:
		return fmt.Sprintf("internal-r%d-f%d-%s", t.Repeat, t.Fold, t.Family)
	case kindSite:
		return fmt.Sprintf("site-%d-%s", t.Fold, t.Family)
	case kindBootstrap:
		return fmt.Sprintf("bootstrap-%d-%s", t.Fold, t.Family)
	default:
		return "final-" + t.Family
	}
}

// stream is keyed by meaning, so adding a family or a validation moves nobody else's numbers.
func (t *Task) stream(s rng.Stream) rng.Stream {
	return s.Child(t.Kind, t.Repeat, t.Fold).Child(t.Family)
}

// planTasks lists the fits of a plan in a fixed order.
func planTasks(d *Data, plan *Plan, p *parts, s rng.Stream) ([]Task, error) {
	var tasks []Task
	each := func(t Task) {
		for i, r := range plan.Recipes {
			t.Family, t.recipe = r.Family.Name, i
			tasks = append(tasks, t)
		}
	}
	dev := d.take(p.development)
	if plan.Outer > 0 {
		for r := range max(1, plan.Repeats) {
			folds, err := foldsOf(dev, plan.Outer, s.Child("outer", r))
			if err != nil {
				return nil, err
			}
			for k, f := range folds {
				each(Task{Kind: kindInternal, Repeat: r, Fold: k, train: pick(p.development, f.Train), test: pick(p.development, f.Test)})
			}
		}
	}
	if plan.LeaveSiteOut {
		sites := distinct(dev.Site)
		if len(sites) < 2 {
			return nil, diag.Errorf(diag.Unfit, "validation.sites", "expected at least 2 sites to leave one out, got %d", len(sites))
		}
		for k, site := range sites {
			t := Task{Kind: kindSite, Fold: k, Site: site}
			for i, row := range p.development {
				if dev.Site[i] == site {
					t.test = append(t.test, row)
				} else {
					t.train = append(t.train, row)
				}
			}
			// A patient seen at two sites belongs to neither side: the left-out site keeps the rows.
			t.train = withoutPatients(d, t.train, t.test)
			if n := events(d.Y, t.train); n == 0 || n == len(t.train) {
				return nil, diag.Errorf(diag.Unfit, "validation.sites", "without site %q the other rows have one class only", site)
			}
			each(t)
		}
	}
	for b := range plan.Bootstrap {
		each(Task{Kind: kindBootstrap, Fold: b, train: resample(p.development, dev.Patient, s.Child("bootstrap", b)), test: p.development})
	}
	test := append(append([]int(nil), p.temporal...), p.external...)
	train := withoutPatients(d, p.development, test)
	if n := events(d.Y, train); n == 0 || n == len(train) {
		return nil, diag.Errorf(diag.Unfit, "outcome", "the rows of development have one class only")
	}
	each(Task{Kind: kindFinal, train: train, test: append(append([]int(nil), p.development...), test...), unseen: len(test)})
	return tasks, nil
}

// withoutPatients drops the rows of train whose patient is also in test.
func withoutPatients(d *Data, train, test []int) []int {
	if d.Patient == nil || len(test) == 0 {
		return train
	}
	in := make(map[string]bool, len(test))
	for _, r := range test {
		in[d.Patient[r]] = true
	}
	var out []int
	for _, r := range train {
		if !in[d.Patient[r]] {
			out = append(out, r)
		}
	}
	return out
}

// resample draws patients with replacement, all rows of a patient together.
func resample(rows []int, patient []string, s rng.Stream) []int {
	var members [][]int
	place := make(map[string]int)
	for i, r := range rows {
		g := len(members)
		if patient != nil {
			if k, ok := place[patient[i]]; ok {
				g = k
			}
			place[patient[i]] = g
		}
		if g == len(members) {
			members = append(members, nil)
		}
		members[g] = append(members[g], r)
	}
	random := s.Rand()
	var out []int
	for range members {
		out = append(out, members[random.IntN(len(members))]...)
	}
	return out
}

// outcomeOfTask is what a task leaves; its JSON is the checkpoint.
type outcomeOfTask struct {
	Report   TaskReport      `json:"report"`
	P        []float64       `json:"p,omitempty"`
	Raw      []float64       `json:"raw,omitempty"`
	Trials   []Trial         `json:"trials,omitempty"`
	Optimism []OptimismStat  `json:"optimism,omitempty"`
	Explain  *Explained      `json:"explain,omitempty"`
	Fitted   json.RawMessage `json:"fitted,omitempty"`
	Warnings []diag.Warning  `json:"warnings,omitempty"`

	fitted *Fitted
}

// runOrLoad returns a finished task from the checkpoint, or runs and stores it.
func runOrLoad(ctx context.Context, d *Data, plan *Plan, t *Task, o *Options) (*outcomeOfTask, error) {
	if o.Checkpoint != nil {
		b, ok, err := o.Checkpoint.Load(t.Key())
		if err != nil {
			return nil, err
		}
		if ok {
			var r outcomeOfTask
			if err := json.Unmarshal(b, &r); err != nil {
				return nil, &diag.Error{Kind: diag.Invalid, Field: t.Key(), Msg: "expected a checkpoint of this study", Err: err}
			}
			if r.Fitted != nil {
				fam := plan.Recipes[t.recipe].Family
				r.fitted, err = LoadFitted(r.Fitted, func(n string) (model.Family, bool) { return fam, n == fam.Name })
				if err != nil {
					return nil, err
				}
			}
			return &r, nil
		}
	}
	r, err := runTask(ctx, d, plan, t, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Key(), err)
	}
	if o.Checkpoint != nil {
		if r.fitted != nil {
			if r.Fitted, err = json.Marshal(r.fitted); err != nil {
				return nil, err
			}
		}
		b, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		if err := o.Checkpoint.Store(t.Key(), b); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func runTask(ctx context.Context, d *Data, plan *Plan, t *Task, o *Options) (*outcomeOfTask, error) {
	recipe := plan.Recipes[t.recipe]
	train := d.take(t.train)
	if t.Kind == kindBootstrap && train.Patient == nil {
		// Copies of a row must not sit on both sides of an inner fold.
		for _, r := range t.train {
			train.Patient = append(train.Patient, strconv.Itoa(r))
		}
	}
	inner := plan.Inner
	if inner < 2 {
		inner = 5
	}
	f, trials, err := recipe.Fit(ctx, train, inner, t.Key(), t.stream(o.Stream))
	if err != nil {
		return nil, err
	}
	settings, err := json.Marshal(f.Params)
	if err != nil {
		return nil, err
	}
	r := &outcomeOfTask{Trials: trials, Warnings: f.Warnings}
	r.Report = TaskReport{
		Task: *t, TrainN: len(t.train), TrainEvents: events(d.Y, t.train), TestN: len(t.test),
		TestEvents: events(d.Y, t.test), Calibration: f.Calibration.Name(), Params: settings, Rounds: f.Rounds(),
	}
	switch t.Kind {
	case kindBootstrap:
		r.Trials = nil // thousands of them; the choice is in the report
		r.Optimism, err = optimismOf(ctx, f, train, d.take(t.test), plan.Thresholds)
	case kindFinal:
		r.fitted = f
		fallthrough
	default:
		r.P, r.Raw, err = f.Predict(ctx, d.X.Take(t.test))
	}
	if err != nil {
		return nil, err
	}
	r.Explain, err = t.explain(ctx, d, f, o.Explain)
	return r, err
}

type progressCount struct{ n atomic.Int64 }

func (c *progressCount) add() int { return int(c.n.Add(1)) }

// collect puts the tasks' results together in task order.
func collect(d *Data, p *parts, tasks []Task, done []*outcomeOfTask) *Result {
	res := &Result{Development: p.development, Temporal: p.temporal, External: p.external, Predictions: &Predictions{}}
	where := make(map[int]string, d.Rows())
	for _, r := range p.temporal {
		where[r] = "temporal"
	}
	for _, r := range p.external {
		where[r] = "external"
	}
	for i, r := range done {
		t := &tasks[i]
		res.Tasks = append(res.Tasks, r.Report)
		res.Trials = append(res.Trials, r.Trials...)
		for _, w := range r.Warnings {
			if w.First == "" {
				w.First = t.Key()
			}
			res.Warnings = addByCode(res.Warnings, w)
		}
		res.explained(t, r.Explain, where)
		switch t.Kind {
		case kindBootstrap:
			res.Optimism = append(res.Optimism, Optimism{Family: t.Family, Replicate: t.Fold, Stats: r.Optimism})
		case kindFinal:
			res.Final = append(res.Final, r.fitted)
			for k, row := range t.test {
				v := where[row]
				if v == "" {
					v = "apparent"
				}
				res.Predictions.add(d, row, t, v, r.P[k], r.Raw[k])
			}
		default:
			for k, row := range t.test {
				res.Predictions.add(d, row, t, t.Kind, r.P[k], r.Raw[k])
			}
		}
	}
	return res
}

// addByCode adds w, counting it with an earlier warning of its code: the same fault comes
// with other numbers in every fold, and the first tells the story.
func addByCode(ws []diag.Warning, w diag.Warning) []diag.Warning {
	for i := range ws {
		if ws[i].Code == w.Code {
			ws[i].Count += max(1, w.Count)
			return ws
		}
	}
	return diag.Merge(ws, w)
}
