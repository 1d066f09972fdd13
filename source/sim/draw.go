package sim

import (
	"math"
	"math/rand/v2"

	"dolor/diag"
	"dolor/rng"
)

// Options say what cohort is drawn.
type Options struct {
	N          int
	Seed       uint64
	Preset     string  // see Presets; empty: table4_deployed
	Exact      bool    // counts of outcome and group fixed as in the source paper's Table 1, scaled to N
	Missing    string  // none, mcar, mar (default), mnar
	SiteEffect string  // none (default), prevalence, measurement, both
	Items      float64 // share of single items missing within an observed modality; 0 none
	Shifts     bool    // site E is external and the last 9 of 36 months are shifted
}

// Patient is one simulated patient: the features, never the records.
type Patient struct {
	ID    int
	Y     bool
	Group int // index into the groups
	Site  int // 0 to 4: A to E
	Month int // 0 to 35 of the calendar
	Has   Subset
	Woman bool

	// Gaussian features, N(d Y, 1) unless stated.
	ZAge, ZInv, ZHet, ZVol, ZEsc, ZOME, ZSleep, ZAnx, ZPF, ZTrend float64
	ZInflammation                                                 [4]float64
	// Latent values behind the ordinal features.
	DN4, NRS, ECOG, Stage, Mets, Lesions int
	OPRM1, COMT                          int // count of G, of A
	CYP                                  int // PM, IM, NM, UM
	Rescue, Rotation, Breakthrough       int
	DLT                                  bool

	items   uint64 // bit set of items that are missing
	eff     *effects
	offset  float64 // of the prior, for the site
	inexact bool    // missing not at random
}

// The items that may be missing on their own.
const (
	itemDN4 = iota
	itemNRS
	itemECOG
	itemStage
	itemMets
	itemAge
	itemInv
	itemHet
	itemVol
	itemLesions
	itemOPRM1
	itemCOMT
	itemCYP
	itemCRP
	itemIL6
	itemAlb
	itemNLR
	itemEsc
	itemRescue
	itemDLT
	itemRotation
	itemOME
	itemBreakthrough
	itemSleep
	itemAnx
	itemPF
	itemTrend
	itemCount
)

// Missing reports whether an item is missing on its own.
func (p *Patient) missing(item int) bool { return p.items>>item&1 != 0 }

// Draw returns the N patients of o, in order; patient i depends on the seed and i only. Errors are of kind Invalid.
func Draw(o Options) ([]*Patient, error) {
	if o.Preset == "" {
		o.Preset = "table4_deployed"
	}
	if o.Missing == "" {
		o.Missing = "mar"
	}
	if o.SiteEffect == "" {
		o.SiteEffect = "none"
	}
	var faults diag.List
	if o.N < 1 || o.N > 50_000_000 {
		faults.Addf(diag.Invalid, "n", "expected 1 to 50,000,000 patients, got %d", o.N)
	}
	switch o.Missing {
	case "none", "mcar", "mar", "mnar":
	default:
		faults.Addf(diag.Invalid, "missing", "expected none, mcar, mar or mnar, got %s", diag.Describe(o.Missing))
	}
	switch o.SiteEffect {
	case "none", "prevalence", "measurement", "both":
	default:
		faults.Addf(diag.Invalid, "site_effect", "expected none, prevalence, measurement or both, got %s", diag.Describe(o.SiteEffect))
	}
	if !(o.Items >= 0 && o.Items < 1) {
		faults.Addf(diag.Invalid, "items", "expected a share from 0 to below 1, got %g", o.Items)
	}
	plain, err := effectsOf(o.Preset, 1)
	faults.AddErr(err)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	later, _ := effectsOf(o.Preset, params().Shift["temporal"].Attenuation)
	external, _ := effectsOf(o.Preset, params().Shift["external"].Attenuation)
	root := rng.New(o.Seed).Child("sim")
	var fixed [][2]int // outcome and group by patient
	if o.Exact {
		fixed = exactCounts(o.N, root.Child("exact"))
	}
	out := make([]*Patient, o.N)
	for i := range out {
		r := root.Child("patient", i).Rand()
		p := &Patient{ID: i, eff: plain}
		p.Site = pick(r, params().Sites.Share)
		p.Month = r.IntN(36)
		if o.Shifts {
			switch {
			case p.Site == 4:
				p.eff = external
			case p.Month >= 27:
				p.eff = later
			}
		}
		if o.SiteEffect == "prevalence" || o.SiteEffect == "both" {
			p.offset = params().Sites.Offset[p.Site]
		}
		p.Y = r.Float64() < expit(logit(params().Prevalence)+p.offset)
		p.Group = pick(r, groupShares(p.Y))
		if fixed != nil {
			p.Y, p.Group = fixed[i][0] == 1, fixed[i][1]
		}
		p.draw(r)
		p.drawMissing(r, &o)
		out[i] = p
	}
	return out, nil
}

// groupShares is P(group | Y) of Table 1.
func groupShares(y bool) []float64 {
	out := make([]float64, len(groupNames))
	var sum float64
	for k, g := range groupNames {
		c := params().Groups[g]
		out[k] = float64(c[1])
		if y {
			out[k] = float64(c[0])
		}
		sum += out[k]
	}
	for k := range out {
		out[k] /= sum
	}
	return out
}

// exactCounts deals outcome and group in the proportions of Table 1, largest remainder first,
// in random order.
func exactCounts(n int, s rng.Stream) [][2]int {
	type cell struct {
		y, g int
		rest float64
	}
	var cells []cell
	var out [][2]int
	for g, name := range groupNames {
		c := params().Groups[name]
		for k, y := range []int{1, 0} {
			want := float64(c[k]) * float64(n) / float64(params().N)
			for range int(want) {
				out = append(out, [2]int{y, g})
			}
			cells = append(cells, cell{y, g, want - math.Floor(want)})
		}
	}
	for len(out) < n {
		best := 0
		for k := range cells {
			if cells[k].rest > cells[best].rest {
				best = k
			}
		}
		out = append(out, [2]int{cells[best].y, cells[best].g})
		cells[best].rest = -1
	}
	r := s.Rand()
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func pick(r *rand.Rand, share []float64) int {
	u := r.Float64()
	for k, s := range share {
		if u -= s; u < 0 {
			return k
		}
	}
	return len(share) - 1
}

// draw draws the features given Y.
func (p *Patient) draw(r *rand.Rand) {
	e, y0 := p.eff, &params().Y0
	y := 0.0
	if p.Y {
		y = 1
	}
	z := func(d float64) float64 { return d*y + r.NormFloat64() }
	p.Woman = r.Float64() < params().SexFemale[groupNames[p.Group]]
	p.DN4, p.NRS = cut(z(e.dn4), y0.DN4.cuts()), cut(z(e.nrs), y0.NRS.cuts())
	p.ECOG, p.Stage, p.Mets = cut(z(e.ecog), y0.ECOG), cut(z(e.stage), y0.Stage)+1, cut(z(e.mets), y0.Mets)
	p.ZAge = z(e.age)
	p.ZInv, p.ZHet, p.ZVol = z(e.inv), z(e.het), z(e.vol)
	p.Lesions = cut(z(e.cnt), y0.Lesions) + 1
	q, qa := y0.OPRM1, y0.COMT
	cyp := y0.CYP
	dlt := y0.DLT
	if p.Y {
		q, qa, cyp, dlt = e.q1OPRM1, e.q1COMT, e.cyp1, e.pDLT1
	}
	p.OPRM1, p.COMT = alleles(r, q), alleles(r, qa)
	p.CYP = pick(r, cyp[:])
	// One shared and four own parts give correlation rho s_i s_j.
	shared := r.NormFloat64()
	for k := range p.ZInflammation {
		p.ZInflammation[k] = e.inflammation[k]*y + math.Sqrt(y0.Rho)*y0.Signs[k]*shared + math.Sqrt(1-y0.Rho)*r.NormFloat64()
	}
	p.ZEsc = r.NormFloat64() + y*e.esc*(1+params().Interaction.Kappa*(float64(p.OPRM1)-e.gBar))
	p.Rescue = y0.Rescue.draw(r, e.rescue*y)
	p.Rotation = y0.Rotation.draw(r, e.rot*y)
	p.Breakthrough = y0.Breakthrough.draw(r, e.bt*y)
	p.DLT = r.Float64() < dlt
	p.ZOME = z(e.ome)
	p.ZSleep, p.ZAnx, p.ZPF = z(e.sleep), z(e.anx), z(e.pf)
	p.ZTrend = math.Exp(e.trend*y) * r.NormFloat64()
}

// cuts are the boundaries between the whole numbers of a scale.
func (s scale) cuts() []float64 {
	out := make([]float64, 0, s.Max-s.Min)
	for k := s.Min; k < s.Max; k++ {
		out = append(out, (float64(k)+0.5-s.Mu)/s.SD)
	}
	return out
}

func cut(z float64, cuts []float64) int {
	k := 0
	for k < len(cuts) && z >= cuts[k] {
		k++
	}
	return k
}

func alleles(r *rand.Rand, q float64) int {
	n := 0
	for range 2 {
		if r.Float64() < q {
			n++
		}
	}
	return n
}

// draw draws a negative binomial count with mean m exp(b) as a gamma mixture of Poissons.
func (n negbin) draw(r *rand.Rand, b float64) int {
	return poisson(r, gamma(r, n.Size)*n.Mean*math.Exp(b)/n.Size)
}

// gamma draws from Gamma(shape, 1) (Marsaglia and Tsang 2000, doi:10.1145/358407.358414).
func gamma(r *rand.Rand, shape float64) float64 {
	boost := 1.0
	if shape < 1 {
		boost = math.Pow(r.Float64(), 1/shape)
		shape++
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if u := r.Float64(); math.Log(u) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return boost * d * v
		}
	}
}

// poisson draws by multiplication in pieces of mean at most 20.
func poisson(r *rand.Rand, mean float64) int {
	n := 0
	for mean > 0 {
		piece := min(mean, 20)
		mean -= piece
		limit, prod := math.Exp(-piece), r.Float64()
		for prod > limit {
			n++
			prod *= r.Float64()
		}
	}
	return n
}

// drawMissing decides which modalities and items are observed.
func (p *Patient) drawMissing(r *rand.Rand, o *Options) {
	u := [3]float64{r.Float64(), r.Float64(), r.Float64()}
	p.Has = All
	a := [3]float64{params().Available.Imaging, params().Available.Genomic, params().Available.PRO}
	if o.Missing == "mar" || o.Missing == "mnar" {
		s := &params().Sites
		a = [3]float64{s.AvailImaging[p.Site], s.AvailGenomic[p.Site], s.AvailPRO[p.Site]}
		// Fitter and younger patients are examined more: ignorable given ECOG and age, mean about 1.
		f := -0.25*(float64(p.ECOG)-1.3) - 0.15*p.ZAge
		for k := range a {
			a[k] = expit(logit(a[k]) + f)
		}
	}
	if o.Shifts && p.Site == 4 {
		a = params().Shift["external"].Availability
	} else if o.Shifts && p.Month >= 27 {
		a = params().Shift["temporal"].Availability
	}
	if o.Missing == "mnar" {
		p.inexact = true
		if over := float64(p.NRS) - 7; over > 0 {
			a[2] = expit(logit(a[2]) - over*math.Ln2)
		}
	}
	if o.Missing != "none" {
		for k, d := range []Domain{Imaging, Genomic, PRO} {
			if u[k] >= a[k] {
				p.Has &^= 1 << d
			}
		}
	}
	if o.Items > 0 {
		for k := range itemCount {
			if r.Float64() < o.Items {
				p.items |= 1 << k
			}
		}
	}
}
