// Command nested compares dolor's tree families with their peers by nested cross-validation: the
// same outer and inner folds, the same candidate settings, the same rows for early stopping and the
// same censoring weights on both sides, because both sides run through package evaluate and differ
// in the learner alone.
//
//	nested -data DIR -work DIR -out docs/results.md PROTOCOL...
//
// In a protocol's paths DATA, TESTDATA and WORK stand for the folders of the tables. Every held-out
// prediction and every trial is kept in the work folder, a file of each a side; a side that is there is
// not run again.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"dolor/evaluate"
	"dolor/internal/builtin"
	"dolor/model"
	"dolor/rng"
	"dolor/study"
)

// pair is a family of dolor and who it is compared with. Fixed are settings that every candidate gets,
// because the peer lacks the choice or for time.
type pair struct{ family, peer, title, fixed string }

var pairs = []pair{
	{"gbm", "xgboost", "XGBoost", `{}`},
	// scikit-learn draws fewer rows than there are with replacement only.
	{"forest", "sklearn-forest", "scikit-learn", `{"n_estimators": 200, "bootstrap": true}`},
}

type options struct {
	data, work, out, python, only string
	workers                       int
	sides                         string
}

func main() {
	var o options
	flag.StringVar(&o.data, "data", "", "folder of the public tables")
	flag.StringVar(&o.work, "work", "", "folder for predictions and trials")
	flag.StringVar(&o.out, "out", "", "page to write; empty prints it")
	flag.StringVar(&o.python, "python", "python3", "Python with the peers")
	flag.StringVar(&o.only, "family", "", "compare this family only")
	flag.StringVar(&o.sides, "sides", "dolor,peer", "sides to run")
	flag.IntVar(&o.workers, "workers", 0, "tasks at once; 0 means the cores")
	flag.Parse()
	if err := run(context.Background(), &o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "nested:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func run(ctx context.Context, o *options, protocols []string) error {
	if err := os.MkdirAll(o.work, 0o777); err != nil {
		return err
	}
	w := &workers{python: o.python, script: filepath.Join("bench", "peers", "learner.py")}
	defer w.close()
	var page []result
	for _, path := range protocols {
		d, plan, p, err := load(ctx, o, path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, pr := range pairs {
			if o.only != "" && o.only != pr.family {
				continue
			}
			r, err := both(ctx, o, w, d, plan, p, pr)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", p.Study, pr.family, err)
			}
			if r != nil {
				page = append(page, *r)
			}
		}
	}
	if len(page) == 0 {
		return nil
	}
	out := io.Writer(os.Stdout)
	if o.out != "" {
		f, err := os.Create(o.out)
		if err != nil {
			return err
		}
		defer f.Close() //nolint:errcheck // write below reports
		out = f
	}
	return write(out, page)
}

// load reads the protocol with its folders put in.
func load(ctx context.Context, o *options, path string) (*evaluate.Data, *evaluate.Plan, *study.Protocol, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, nil, err
	}
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		return nil, nil, nil, err
	}
	work, err := filepath.Abs(o.work)
	if err != nil {
		return nil, nil, nil, err
	}
	src := strings.NewReplacer("TESTDATA/", testdata+"/", "DATA/", o.data+"/", "WORK/", work+"/").Replace(string(b))
	file := filepath.Join(work, filepath.Base(path))
	if err := os.WriteFile(file, []byte(src), 0o666); err != nil {
		return nil, nil, nil, err
	}
	env := &study.Env{Families: builtin.Families()}
	p, err := study.Read(file, env)
	if err != nil {
		return nil, nil, nil, err
	}
	d, plan, err := study.Prepare(ctx, env, p, o.workers)
	return d, plan, p, err
}

// both runs the two sides of a pair, or reads what an earlier run kept, and compares them. nil
// when a side is neither asked for nor kept.
func both(ctx context.Context, o *options, w *workers, d *evaluate.Data, plan *evaluate.Plan, p *study.Protocol, pr pair) (*result, error) {
	fam, ok := family(pr.family)
	if !ok {
		return nil, fmt.Errorf("not compiled in")
	}
	fam = common(fam, pr.fixed)
	var held [2]*kept
	for i, side := range []string{"dolor", "peer"} {
		f := fam
		name := "dolor"
		if side == "peer" {
			f, name = w.family(fam, pr.peer), pr.peer
		}
		file := filepath.Join(o.work, p.Study+"-"+pr.family+"-"+name+".json")
		if b, err := os.ReadFile(file); err == nil {
			held[i] = &kept{}
			if err := json.Unmarshal(b, held[i]); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			continue
		}
		if !strings.Contains(o.sides, side) {
			continue
		}
		k, err := side1(ctx, o, d, plan, p, f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		b, err := json.MarshalIndent(k, "", " ")
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, b, 0o666); err != nil {
			return nil, err
		}
		held[i] = k
	}
	if held[0] == nil || held[1] == nil {
		return nil, nil
	}
	return compare(d, p, pr, held[0], held[1])
}

// side1 runs the plan with one family.
func side1(ctx context.Context, o *options, d *evaluate.Data, plan *evaluate.Plan, p *study.Protocol, f model.Family) (*kept, error) {
	one := *plan
	one.Recipes = []evaluate.Recipe{{
		Family: f, Params: f.Default(), Calibration: p.Calibration.Method,
		Tuning: evaluate.Tuning{Method: p.Tuning.Method, Trials: p.Tuning.Trials, Metric: p.Tuning.Metric},
	}}
	res, err := evaluate.Run(ctx, d, &one, &evaluate.Options{
		Stream: rng.New(p.Seed).Child("evaluate"), Workers: o.workers,
		Progress: func(stage string, done, total int) {
			fmt.Fprintf(os.Stderr, "%s %s %s %d/%d\n", p.Study, f.Name, stage, done, total)
		},
	})
	if err != nil {
		return nil, err
	}
	return keep(res), nil
}

// common is fam with the fixed settings in its default and every draw of its search space.
func common(fam model.Family, fixed string) model.Family {
	fix := func(p model.Params) model.Params {
		if err := json.Unmarshal([]byte(fixed), p); err != nil {
			panic("nested: fixed settings of " + fam.Name + ": " + err.Error()) // a fault of this program
		}
		return p
	}
	out := fam
	out.Default = func() model.Params { return fix(fam.Default()) }
	out.Space = func(s rng.Stream) model.Params { return fix(fam.Space(s)) }
	return out
}

func family(name string) (model.Family, bool) {
	for _, f := range builtin.Families() {
		if f.Name == name {
			return f, true
		}
	}
	return model.Family{}, false
}
