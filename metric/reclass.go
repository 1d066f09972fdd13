package metric

import (
	"math"
	"sort"

	"dolor/diag"
)

// IDI is the integrated discrimination improvement of q over p: Pencina, D'Agostino,
// D'Agostino and Vasan, "Evaluating the added predictive ability of a new marker",
// Statistics in Medicine 2008;27:157-172, doi:10.1002/sim.2929.
type IDI struct {
	IDI       Estimate
	Events    float64 // mean rise of the probability in events
	NonEvents float64 // and in the others; IDI is the difference
	SE, Z, P  float64 // P two-sided
	Relative  float64 // IDI over the discrimination slope of p
	Warnings  []diag.Warning
}

// NRI is a net reclassification improvement of q over p, with the shares that move up and
// down among events and others.
type NRI struct {
	NRI                                         Estimate
	UpEvents, DownEvents, UpOthers, DownOthers  float64
	Events, NonEvents                           float64     // the two halves of the NRI
	SEEvents, SENonEvents, SE                   float64     // sqrt((up+down-(up-down)^2)/n): interval
	NullSEEvents, NullSENonEvents, NullSE, Z, P float64     // sqrt((up+down)/n), Pencina 2008: test
	TableEvents, TableOthers                    [][]float64 // [categories by p][categories by q]; nil when continuous
	Warnings                                    []diag.Warning
}

// reclassWarnings go with every index of this file.
func reclassWarnings() []diag.Warning {
	return []diag.Warning{
		{Code: "nri_idi_not_proper", Count: 1, Msg: "NRI and IDI can favour a miscalibrated or uninformative addition (Hilden and Gerds 2014, doi:10.1002/sim.5804); judge added value by likelihood, Brier score or net benefit"},
		{Code: "nri_idi_test_invalid", Count: 1, Msg: "tests and intervals of NRI and IDI are not valid for nested models or models fitted on these rows (Pepe, Fan, Feng, Gerds and Hilden 2015, doi:10.1007/s12561-014-9118-0)"},
	}
}

// paired checks that q scores the rows of d.
func paired(d Data, q []float64, level float64) error {
	if err := checkCal(d, level); err != nil {
		return err
	}
	return Data{Y: d.Y, P: q, W: d.W}.Check()
}

// IntegratedDiscrimination returns the IDI of q over d.P with a normal interval. NaN with
// one class.
func IntegratedDiscrimination(d Data, q []float64, level float64) (IDI, error) {
	if err := paired(d, q, level); err != nil {
		return IDI{}, err
	}
	nan := math.NaN()
	if why := d.totals().oneClass(); why != "" {
		return IDI{calUndefined("idi", level, why), nan, nan, nan, nan, nan, nan, nil}, nil
	}
	diff := make([]float64, len(q))
	for i := range q {
		diff[i] = q[i] - d.P[i]
	}
	m, v := classMeans(d, diff)
	base, _ := classMeans(d, d.P)
	r := IDI{Events: m[1], NonEvents: m[0], SE: math.Sqrt(v[0] + v[1]), Warnings: reclassWarnings()}
	idi := m[1] - m[0]
	r.IDI = calWald("idi", idi, r.SE, level, "normal, two means")
	r.Z, r.P, r.Relative = nan, nan, nan
	if r.SE > 0 {
		r.Z = idi / r.SE
		r.P = calP(r.Z)
	}
	if s := base[1] - base[0]; s != 0 {
		r.Relative = idi / s
	}
	return r, nil
}

// NetReclassification returns the NRI of q over d.P. cuts are the category limits, strictly
// increasing inside (0, 1), categories closed on the left; no cuts gives the continuous NRI
// (Pencina, D'Agostino and Steyerberg, Statistics in Medicine 2011;30:11-21,
// doi:10.1002/sim.4085), in which any rise counts. With weights n is (sum w)^2/sum w^2 of the
// class. NaN with one class.
func NetReclassification(d Data, q, cuts []float64, level float64) (NRI, error) {
	if err := paired(d, q, level); err != nil {
		return NRI{}, err
	}
	for i, c := range cuts {
		if !(c > 0 && c < 1) || i > 0 && c <= cuts[i-1] {
			return NRI{}, diag.Errorf(diag.Usage, "cuts", "expected increasing values inside 0 and 1")
		}
	}
	name := "nri_continuous"
	if len(cuts) > 0 {
		name = "nri_categorical"
	}
	if why := d.totals().oneClass(); why != "" {
		nan := math.NaN()
		return NRI{
			NRI: calUndefined(name, level, why), UpEvents: nan, DownEvents: nan, UpOthers: nan, DownOthers: nan,
			Events: nan, NonEvents: nan, SEEvents: nan, SENonEvents: nan, SE: nan,
			NullSEEvents: nan, NullSENonEvents: nan, NullSE: nan, Z: nan, P: nan,
		}, nil
	}
	r := NRI{Warnings: reclassWarnings()}
	var tables [2][][]float64
	if len(cuts) > 0 {
		for k := range tables {
			for range len(cuts) + 1 {
				tables[k] = append(tables[k], make([]float64, len(cuts)+1))
			}
		}
		r.TableOthers, r.TableEvents = tables[0], tables[1]
	}
	category := func(p float64) int { return sort.Search(len(cuts), func(j int) bool { return cuts[j] > p }) }
	var up, down, w, w2 [2]float64
	for i := range q {
		k, wi := 0, d.Weight(i)
		if d.Y[i] {
			k = 1
		}
		w[k] += wi
		w2[k] += wi * wi
		rise := q[i] - d.P[i]
		if len(cuts) > 0 {
			a, b := category(d.P[i]), category(q[i])
			tables[k][a][b] += wi
			rise = float64(b - a)
		}
		switch {
		case rise > 0:
			up[k] += wi
		case rise < 0:
			down[k] += wi
		}
	}
	var n [2]float64
	for k := range 2 {
		up[k] /= w[k]
		down[k] /= w[k]
		n[k] = w[k] * w[k] / w2[k]
	}
	r.UpEvents, r.DownEvents, r.UpOthers, r.DownOthers = up[1], down[1], up[0], down[0]
	r.Events, r.NonEvents = up[1]-down[1], down[0]-up[0]
	se := func(k int) float64 { return math.Sqrt((up[k] + down[k] - (up[k]-down[k])*(up[k]-down[k])) / n[k]) }
	r.SEEvents, r.SENonEvents = se(1), se(0)
	r.SE = math.Hypot(r.SEEvents, r.SENonEvents)
	r.NullSEEvents, r.NullSENonEvents = math.Sqrt((up[1]+down[1])/n[1]), math.Sqrt((up[0]+down[0])/n[0])
	r.NullSE = math.Hypot(r.NullSEEvents, r.NullSENonEvents)
	v := r.Events + r.NonEvents
	r.NRI = calWald(name, v, r.SE, level, "normal, multinomial")
	r.Z, r.P = math.NaN(), math.NaN()
	if r.NullSE > 0 {
		r.Z = v / r.NullSE
		r.P = calP(r.Z)
	}
	return r, nil
}
