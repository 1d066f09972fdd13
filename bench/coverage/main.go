// Command coverage judges, by simulation with known truth, every candidate 95 % interval for
// AUC, Brier score, O/E, calibration intercept, calibration slope and net benefit: of one
// fixed model on new patients, and of cross-validation. It writes docs/coverage.md and
// docs/coverage.json. Everything it says is about simulated patients.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"dolor/diag"
	"dolor/internal/par"
	"dolor/rng"
)

// plan says what to simulate.
type plan struct {
	fixed, crossValidated int // replications; 0 leaves the part out
	population            int // new patients that give a fixed model's true value
	seed                  uint64
	workers               int
}

// full is the plan of the published page.
var full = plan{fixed: 2000, crossValidated: 1000, population: 1_000_000, seed: 20261123}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	p := full
	f := flag.NewFlagSet("coverage", flag.ContinueOnError)
	f.SetOutput(stderr)
	replications := f.Int("replications", 0, "replications of each part (0: 2,000 for fixed, 1,000 for cv)")
	only := f.String("only", "", "one part only: fixed or cv")
	f.IntVar(&p.workers, "workers", 0, "workers (0: the cores); they change nothing")
	f.Uint64Var(&p.seed, "seed", full.seed, "seed of the simulation")
	out := f.String("out", "", "folder for coverage.md and coverage.json (default: docs for a full run, else the page is printed)")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *replications < 0 {
		return diag.Errorf(diag.Usage, "replications", "expected a number of at least 0, got %d", *replications)
	}
	if *replications > 0 {
		p.fixed, p.crossValidated = *replications, *replications
	}
	switch *only {
	case "":
	case "fixed":
		p.crossValidated = 0
	case "cv":
		p.fixed = 0
	default:
		return diag.Errorf(diag.Usage, "only", "expected fixed or cv, got %q", *only)
	}
	s, err := simulate(ctx, p, stderr)
	if err != nil {
		return err
	}
	if *out == "" {
		if *replications > 0 || *only != "" {
			_, err = stdout.Write(s.page())
			return err
		}
		*out = "docs"
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(*out, "coverage.md"), s.page(), 0o644); err != nil {
		return err
	}
	table, err := s.table()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(*out, "coverage.json"), table, 0o644)
}

// study is one population with everything found in it.
type study struct {
	*world
	model       []float64 // the fixed model
	integrated  values    // its true value by integration
	drawn       values    // the same from plan.population new patients
	fixedBooks  []*book
	cvBooks     []*book
	meanTruth   values // mean over training sets of the refitted model's true value
	spreadTruth values // its standard deviation
}

// simulation is the whole run.
type simulation struct {
	plan
	studies []*study
}

// development is the number of patients behind the fixed model of truth (a).
const development = 500

// simulate does not depend on workers: every replication has its own stream and slot.
func simulate(ctx context.Context, p plan, progress io.Writer) (*simulation, error) {
	sim := &simulation{plan: p}
	for _, w := range []*world{newWorld("n = 200, 20 % events", 200, 0.2), newWorld("n = 640, 38.6 % events", 640, 0.386)} {
		root := rng.New(p.seed).Child("coverage", w.n)
		st := &study{world: w}
		dev := w.sample(development, root.Child("development"))
		st.model, _ = fit(dev, rowsOf(development), nil)
		st.integrated = w.truth(st.model)
		if p.fixed > 0 {
			var err error
			if st.drawn, err = w.simulated(ctx, st.model, p.population, p.workers, root.Child("population")); err != nil {
				return nil, err
			}
		}
		replicate := func(what string, n int, one func(rng.Stream) (*book, error)) ([]*book, error) {
			books := make([]*book, n)
			err := par.For(ctx, n, p.workers, func(_ context.Context, i int) error {
				b, err := one(root.Child(what, i))
				books[i] = b
				if i%100 == 99 {
					_, _ = fmt.Fprintf(progress, "%s: %s %d of %d\n", w.name, what, i+1, n)
				}
				return err
			})
			return books, err
		}
		var err error
		if st.fixedBooks, err = replicate("fixed", p.fixed, func(s rng.Stream) (*book, error) { return fixed(w, st.model, s) }); err != nil {
			return nil, err
		}
		if st.cvBooks, err = replicate("cross-validation", p.crossValidated, func(s rng.Stream) (*book, error) { return crossValidated(w, s) }); err != nil {
			return nil, err
		}
		truths := make([]values, len(st.cvBooks))
		for i, b := range st.cvBooks {
			truths[i] = b.truth
		}
		for k := range metrics {
			st.meanTruth[k], st.spreadTruth[k], _ = meanSD(column(truths, k))
		}
		sim.studies = append(sim.studies, st)
	}
	return sim, nil
}
