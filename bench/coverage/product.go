package main

import (
	"fmt"
	"strings"
)

// product names the methods that dolor uses, as the tables call them. They were fixed on runs
// with other seeds; a run with a new seed judges them without having chosen them.
var product = map[string][]struct {
	metric int
	method string
}{
	fixedTruth: {
		{auc, "DeLong, logit"},
		{brier, "standard error of the mean"},
		{oe, "log-normal, binomial"},
		{citl, "Wald"},
		{slope, "Wald"},
		{benefit, "mover, Wilson limits"},
	},
	refitTruth:   crossValidatedProduct,
	averageTruth: crossValidatedProduct,
}

var crossValidatedProduct = []struct {
	metric int
	method string
}{
	{auc, "mean within folds, Hanley-McNeil, logit, 5 folds x 1"},
	{auc, "mean within folds, Hanley-McNeil, logit, 5 folds x 4"},
	{brier, "influence curve, 5 folds x 1"},
	{brier, "influence curve, 5 folds x 4"},
	{oe, "influence curve, 5 folds x 1"},
	{oe, "influence curve, 5 folds x 4"},
	{citl, "influence curve, 5 folds x 1"},
	{citl, "influence curve, 5 folds x 4"},
	{slope, "fold mean +- t SD / sqrt K"},
	{slope, "optimism bootstrap, influence curve of the apparent value"},
	{benefit, "as one fixed model, pooled: mover, Wilson limits"},
	{benefit, "mover, Wilson limits, counts averaged over repeats, 5 folds x 4"},
}

// used lists the coverage of the product's methods, holding or not.
func (s *simulation) used(put func(string, ...any)) {
	put("## What the product uses\n")
	put("The methods below were fixed on runs with other seeds, after candidates had been added and the rule of choice")
	put("changed in the light of those runs. In this run, whose seed is new, they were not chosen: their coverage is not")
	put("flattered by selection. The best methods in the next section, chosen on this run, are.\n")
	for _, t := range s.truths() {
		lines := s.judge(t.name)
		put("**%s**\n", t.text)
		put("| | used | coverage %s | |", strings.Join(s.labels(), " / "))
		put("|---|---|---|---|")
		for _, u := range product[t.name] {
			for _, l := range lines {
				if l.metric != u.metric || l.method != u.method {
					continue
				}
				verdict := "holds"
				if !l.holds() {
					var fails []string
					for j, c := range l.cells {
						if v := c.verdict(); v != "holds" {
							fails = append(fails, fmt.Sprintf("%s at %s", v, s.labels()[j]))
						}
					}
					verdict = "**fails**: " + strings.Join(fails, "; ")
				}
				put("| %s | %s | %s | %s |", titles[u.metric], u.method, shares(l), verdict)
			}
		}
		put("")
	}
	put("The slope of the optimism bootstrap is shown by a study whose protocol asks for `validation: {bootstrap: N}`.\n")
}
