package main

import "fmt"

// design says how the simulation is made.
func (s *simulation) design(put func(string, ...any)) {
	put("## Design\n")
	put("- Ten independent standard normal predictors, effects in the ratio %v, so four are noise; logit of the", effects)
	put("  true risk linear; scaled to a true AUC of %.2f and to the prevalence. (Maximum likelihood is equivariant", trueAUC)
	put("  under linear maps: correlated predictors would give the same predictions.)")
	for _, st := range s.studies {
		put("- %s: logit risk = %s + %s x the ratios. Outcomes are drawn, so their number varies.", st.name,
			fmt.Sprintf("%.3f", st.coef[0]), fmt.Sprintf("%.3f", st.coef[1]))
	}
	put("- Model: logistic regression by maximum likelihood on all ten predictors, no selection, no tuning, no missing")
	put("  values. Net benefit at a threshold of %.1f.", threshold)
	put("- (a) The fixed model was fitted once to %d other patients of the same population.", development)
	put("- (b) The true value of a refitted model comes from integration over the population (its logit and the true")
	put("  logit are bivariate normal); the same integral agrees with drawn patients in (a).")
	put("- AUC is computed within folds and averaged, never on scores pooled over folds; what does pool them is there")
	put("  to show the bias, and is never chosen. Folds are stratified by outcome.")
	put("- Resamples: %d in (a); in (b) 200 of held-out predictions, %d with refitting, %d cross-validated anew;", resamples, refits, cvResamples)
	put("  %d rounds of nested cross-validation (its authors advise 200). An undefined interval counts as a miss.", nestedRounds)
	put("- Width is the mean width, bias the mean of estimate minus truth. Intervals are on the metric's own scale")
	put("  (AUC on the logit, O/E on the log) unless said otherwise.\n")
	put("What this does not show: other families, tuning or selection inside the folds, missing values, clustered")
	put("patients, other sample sizes. Where a study differs, its coverage may.\n")
}

// sources says what each method is.
const sources = `## Methods and sources

- DeLong: DeLong, DeLong and Clarke-Pearson 1988, doi:10.2307/2531595. Hanley-McNeil: 1982, doi:10.1148/radiology.143.1.7063747.
- Log-normal O/E: Debray and others 2017, doi:10.1136/bmj.i6460, expected count taken as fixed; the sandwich lets it vary.
- Recalibration: Cox 1958, doi:10.1093/biomet/45.3-4.562; sandwich: White 1982, doi:10.2307/1912526.
- Mover, Wilson limits: Zou and Donner 2008, doi:10.1002/sim.3095. Wald for net benefit: Marsh, Janes and Pepe 2020, doi:10.1002/sim.8512.
- Bootstrap percentile, basic, normal, BCa: Davison and Hinkley 1997, chapter 5; Efron 1987, doi:10.1080/01621459.1987.10478410.
- Influence curve: LeDell, Petersen and van der Laan 2015, doi:10.1214/15-EJS1035, for the AUC within folds; the same
  construction for the other metrics on all held-out rows of a repeat (for means of losses: Bayle and others 2020,
  arXiv:2007.12671). With repeats, each patient's influence is averaged before it is squared.
- Influence curve, n - 1 in each fold: the AUC's influence scaled so that each class of each fold gives an unbiased
  variance, as DeLong's does. With few events in a fold the plain curve is too short.
- Influence curve of the apparent value: the standard error is that of the refitted model on the rows it was fitted to.
- Mean within folds with Hanley-McNeil's or the pooled scores' DeLong standard error: the estimate is within folds,
  the standard error that of one model on all rows.
- Nadeau-Bengio: 2003, doi:10.1023/A:1024068626366; over repeats as Bouckaert and Frank 2004, doi:10.1007/978-3-540-24775-3_3.
- Burman's correction: estimate + value of the refitted model on all rows - mean value of the fold models on all rows
  (1989, doi:10.1093/biomet/76.3.503); it removes the bias from training on fewer patients.
- Bootstrap of held-out predictions: patients drawn with replacement, nothing refitted. Bias-corrected
  cross-validation: Tsamardinos, Greasidou and Borboudakis 2018, doi:10.1007/s10994-018-5714-4; with one
  configuration it is the held-out predictions of the patients not drawn.
- Optimism bootstrap: Harrell, Lee and Mark 1996; its location-shifted interval: Noma and others 2021, doi:10.1002/sim.9148.
  The apparent O/E, intercept and slope of a maximum likelihood fit are always 1, 0 and 1, so the percentile form has no
  width for them.
- Variance between training sets: that of the values, on the original rows, of models fitted to resamples, added to
  the influence curve's.
- Out-of-bag losses: Efron and Tibshirani 1997, doi:10.1080/01621459.1997.10474007, leave-one-out bootstrap; the standard
  error here is that of the patients' mean losses. Bootstrapped cross-validation: Jiang, Varma and Simon 2008,
  doi:10.2202/1544-6115.1322, with the standard deviation over resamples about the estimate.
- Nested cross-validation: Bates, Hastie and Tibshirani 2023, doi:10.1080/01621459.2023.2197686, with the influence
  curve in the place of the fold variance for metrics that are no means.`
