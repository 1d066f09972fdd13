package sim

import "math"

// LLR are the log-likelihood ratios ln p(x | Y=1) / p(x | Y=0) of a patient's observed features,
// by name, in a fixed order. Escalation is listed given the genotype when that is observed.
type LLR struct {
	Name   string
	Domain Domain
	Value  float64
}

// LLRs returns the ratios of the features observed within the subset. Of what is not in s, or missing,
// nothing is used. e nil means the effects the patient was drawn with.
func (p *Patient) llrs(s Subset, e *effects) []LLR {
	if e == nil {
		e = p.eff
	}
	s &= p.Has
	y0 := &params().Y0
	out := make([]LLR, 0, itemCount+1)
	add := func(d Domain, item int, name string, v float64) {
		if s.Has(d) && !p.missing(item) {
			out = append(out, LLR{name, d, v})
		}
	}
	if s.Has(Clinical) {
		out = append(out, LLR{"group", Clinical, math.Log(groupShares(true)[p.Group] / groupShares(false)[p.Group])})
	}
	add(Clinical, itemDN4, "dn4", ordinal(p.DN4, y0.DN4.cuts(), e.dn4))
	add(Clinical, itemNRS, "nrs", ordinal(p.NRS, y0.NRS.cuts(), e.nrs))
	add(Clinical, itemECOG, "ecog", ordinal(p.ECOG, y0.ECOG, e.ecog))
	add(Clinical, itemStage, "stage", ordinal(p.Stage-1, y0.Stage, e.stage))
	add(Clinical, itemMets, "mets", ordinal(p.Mets, y0.Mets, e.mets))
	add(Clinical, itemAge, "age", gaussian(p.ZAge, e.age))
	add(Imaging, itemInv, "invasion", gaussian(p.ZInv, e.inv))
	add(Imaging, itemHet, "heterogeneity", gaussian(p.ZHet, e.het))
	add(Imaging, itemVol, "volume", gaussian(p.ZVol, e.vol))
	add(Imaging, itemLesions, "lesions", ordinal(p.Lesions-1, y0.Lesions, e.cnt))
	add(Genomic, itemOPRM1, "oprm1", genotype(p.OPRM1, y0.OPRM1, e.q1OPRM1))
	add(Genomic, itemCOMT, "comt", genotype(p.COMT, y0.COMT, e.q1COMT))
	add(Genomic, itemCYP, "cyp2d6", math.Log(e.cyp1[p.CYP]/y0.CYP[p.CYP]))
	if s.Has(Genomic) {
		out = append(out, LLR{"inflammation", Genomic, p.inflammation(e)})
	}
	add(Opioid, itemEsc, "escalation", p.escalation(s, e))
	add(Opioid, itemRescue, "rescue", y0.Rescue.llr(p.Rescue, e.rescue))
	dlt := math.Log((1 - e.pDLT1) / (1 - y0.DLT))
	if p.DLT {
		dlt = math.Log(e.pDLT1 / y0.DLT)
	}
	add(Opioid, itemDLT, "dlt", dlt)
	add(Opioid, itemRotation, "rotation", y0.Rotation.llr(p.Rotation, e.rot))
	add(Opioid, itemOME, "ome", gaussian(p.ZOME, e.ome))
	add(PRO, itemBreakthrough, "breakthrough", y0.Breakthrough.llr(p.Breakthrough, e.bt))
	add(PRO, itemSleep, "sleep", gaussian(p.ZSleep, e.sleep))
	add(PRO, itemAnx, "anxiety", gaussian(p.ZAnx, e.anx))
	add(PRO, itemPF, "function", gaussian(p.ZPF, e.pf))
	add(PRO, itemTrend, "trend", -e.trend-0.5*p.ZTrend*p.ZTrend*(math.Exp(-2*e.trend)-1))
	return out
}

// LLRs returns the log-likelihood ratios of everything observed.
func (p *Patient) LLRs() []LLR { return p.llrs(All, nil) }

// Posterior returns P(Y = 1 | the observed features of the domains in s), exact unless
// the patient's data are missing not at random.
func (p *Patient) Posterior(s Subset) float64 { return p.posterior(s, nil) }

func (p *Patient) posterior(s Subset, e *effects) float64 {
	sum := logit(params().Prevalence) + p.offset
	for _, l := range p.llrs(s, e) {
		sum += l.Value
	}
	return expit(sum)
}

// Exact reports whether the posterior is exact.
func (p *Patient) Exact() bool { return !p.inexact }

func gaussian(z, d float64) float64 { return d*z - d*d/2 }

// ordinal is the ratio of category k of N(dY, 1) cut at cuts.
func ordinal(k int, cuts []float64, d float64) float64 {
	lo, hi := math.Inf(-1), math.Inf(1)
	if k > 0 {
		lo = cuts[k-1]
	}
	if k < len(cuts) {
		hi = cuts[k]
	}
	return math.Log(between(lo-d, hi-d) / between(lo, hi))
}

// between is Phi(hi) - Phi(lo), computed in the tail where both are on one side.
func between(lo, hi float64) float64 {
	if lo > 0 {
		lo, hi = -hi, -lo
	}
	return 0.5 * (math.Erfc(-hi/math.Sqrt2) - math.Erfc(-lo/math.Sqrt2))
}

func genotype(k int, q0, q1 float64) float64 {
	n := float64(k)
	return n*math.Log(q1/q0) + (2-n)*math.Log((1-q1)/(1-q0))
}

// llr is the ratio of count k of negative binomials of one size and means m and m exp(b).
func (n negbin) llr(k int, b float64) float64 {
	m1 := n.Mean * math.Exp(b)
	p0, p1 := n.Size/(n.Size+n.Mean), n.Size/(n.Size+m1)
	return n.Size*math.Log(p1/p0) + float64(k)*math.Log((1-p1)/(1-p0))
}

// inflammation is z' R^-1 d - d' R^-1 d / 2 over the observed markers; R is compound symmetric
// after the signs: R^-1 v = (v - rho s (s'v) / (1 + (k-1) rho)) / (1 - rho).
func (p *Patient) inflammation(e *effects) float64 {
	rho, s := params().Y0.Rho, params().Y0.Signs
	var k, sz, sd, zd, dd float64
	for j := range s {
		if p.missing(itemCRP + j) {
			continue
		}
		k++
		z, d := p.ZInflammation[j], e.inflammation[j]
		sz, sd, zd, dd = sz+s[j]*z, sd+s[j]*d, zd+z*d, dd+d*d
	}
	if k == 0 {
		return 0
	}
	c := rho / (1 + (k-1)*rho)
	return ((zd - c*sz*sd) - (dd-c*sd*sd)/2) / (1 - rho)
}

// escalation is the ratio of the dose slope: given the genotype when it is observed in s, else
// averaged over the genotypes of the refractory.
func (p *Patient) escalation(s Subset, e *effects) float64 {
	kappa := params().Interaction.Kappa
	at := func(g int) float64 { return gaussian(p.ZEsc, e.esc*(1+kappa*(float64(g)-e.gBar))) }
	if s.Has(Genomic) && !p.missing(itemOPRM1) {
		return at(p.OPRM1)
	}
	var sum float64
	q := e.q1OPRM1
	for g, prob := range [3]float64{(1 - q) * (1 - q), 2 * q * (1 - q), q * q} {
		sum += prob * math.Exp(at(g))
	}
	return math.Log(sum)
}
