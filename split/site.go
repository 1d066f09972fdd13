package split

import (
	"slices"
	"strings"

	"dolor/diag"
	"dolor/rng"
)

// SiteHoldout tests on the rows of the named sites and trains on the others.
type SiteHoldout struct{ Sites []string }

// LeaveSiteOut holds out each site in turn, in order of name. A site whose rows are all of
// one class is still held out: what cannot be computed there is for the evaluation to say.
type LeaveSiteOut struct{}

var (
	_ Splitter = SiteHoldout{}
	_ Splitter = LeaveSiteOut{}
)

const siteOp = "site split"

// Split implements Splitter: one split. It draws nothing.
func (s SiteHoldout) Split(d *Rows, _ rng.Stream) ([]Split, error) {
	sites, err := d.sites()
	if err != nil {
		return nil, err
	}
	if len(s.Sites) == 0 {
		return nil, diag.Errorf(diag.Usage, siteOp, "expected a site to hold out, got none")
	}
	var name strings.Builder
	name.WriteString("site ")
	for i, want := range s.Sites {
		if !slices.Contains(sites, want) {
			e := diag.Errorf(diag.Missing, siteOp, "no row of site %s", want)
			if near := diag.Nearest(want, sites); near != "" {
				e.Hint = "did you mean " + near + "?"
			}
			return nil, e
		}
		if i > 0 {
			name.WriteString(", ")
		}
		name.WriteString(want)
	}
	sp, err := d.withoutSites(s.Sites, name.String())
	if err != nil {
		return nil, err
	}
	return []Split{sp}, nil
}

// Split implements Splitter: one split for each site. It draws nothing.
func (LeaveSiteOut) Split(d *Rows, _ rng.Stream) ([]Split, error) {
	sites, err := d.sites()
	if err != nil {
		return nil, err
	}
	if len(sites) < 2 {
		return nil, diag.Errorf(diag.Unfit, siteOp, "expected at least 2 sites, got %d", len(sites))
	}
	out := make([]Split, len(sites))
	for k, site := range sites {
		if out[k], err = d.withoutSites([]string{site}, "site "+site); err != nil {
			return nil, err
		}
		out[k].Fold = k
	}
	return out, nil
}

// sites returns the site names, sorted, after checking that every row has one and every
// group is in one.
func (d *Rows) sites() ([]string, error) {
	if err := d.check(siteOp); err != nil {
		return nil, err
	}
	if d.Site == nil {
		return nil, diag.Errorf(diag.Missing, siteOp, "expected a site column, got none")
	}
	none := 0
	home := make(map[string]string)
	var roaming []string
	for i, s := range d.Site {
		if s == "" {
			none++
		}
		if d.Group == nil || d.Group[i] == "" {
			continue
		}
		g := d.Group[i]
		if was, ok := home[g]; ok && was != s {
			roaming = append(roaming, g)
			continue
		}
		home[g] = s
	}
	if none > 0 {
		return nil, diag.Errorf(diag.Missing, siteOp, "expected a site in every row, got %s without", rowCount(none))
	}
	slices.Sort(roaming)
	if n := len(slices.Compact(roaming)); n > 0 {
		return nil, diag.Errorf(diag.Invalid, siteOp, "expected each group (patient) in one site, got %d in several", n)
	}
	return slices.Compact(slices.Sorted(slices.Values(d.Site))), nil
}

func (d *Rows) withoutSites(held []string, name string) (Split, error) {
	sp := Split{Name: name}
	for i, s := range d.Site {
		if slices.Contains(held, s) {
			sp.Test = append(sp.Test, i)
		} else {
			sp.Train = append(sp.Train, i)
		}
	}
	return sp, d.trainable(siteOp, " without "+name, sp.Train)
}
