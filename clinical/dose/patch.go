package dose

import (
	"dolor/clinical"
)

// worn is one patch on the skin.
type worn struct {
	o        clinical.Opioid
	from, to int64 // seconds of the local calendar
	rate     float64
	ok       bool
	strength float64
	order    string
}

// replaceWithin is how near to the expected change a new patch replaces the old one.
const replaceWithin = 12 * 3600

// patches adds administrations of transdermal products: rate x share of the day worn. A new
// patch of the same ingredient replaces the old one unless both were ordered, differ in strength
// and are worn together for more than 12 hours.
func (k *calc) patches(events []clinical.Event) {
	var on []worn
	for i := range events {
		e := &events[i]
		if e.Kind != clinical.Administration || e.Drug == nil || e.Status == "not-done" || len(e.Drug.Doses) == 0 {
			continue
		}
		o, ok := clinical.OpioidOf(e.Drug)
		if !ok || o.Route != clinical.Transdermal {
			continue
		}
		q := e.Drug.Doses[0].Dose
		if q.Unit == "" && q.Value == 0 {
			if q = e.Drug.Doses[0].Rate; q.Unit == "" {
				q = clinical.Quantity{Value: 1}
			}
		}
		rate, ok := k.amount(q, o)
		w := worn{o: o, from: local(e.Start), rate: rate, ok: ok, strength: o.Strength.Value, order: e.Order}
		if w.to = w.from + int64(wearDays(o))*86400; !e.End.IsZero() {
			w.to = local(e.End)
		}
		for j := range on {
			p := &on[j]
			if p.o.Ingredient != o.Ingredient || p.to <= w.from {
				continue
			}
			together := p.to-w.from > replaceWithin
			if together && p.strength != w.strength && p.order != "" && w.order != "" && p.order != w.order {
				continue // two patches on purpose
			}
			p.to = w.from
		}
		on = append(on, w)
	}
	for _, p := range on {
		k.wear(p)
	}
}

// wear adds one patch to its days; with the tail linear24h it falls to 0 over a day after
// removal, which adds half a day's worth.
func (k *calc) wear(p worn) {
	end := p.to
	if k.c.PatchTail == "linear24h" {
		end += 86400
	}
	for day := max(clinical.Day(floor(p.from)), k.from); day <= min(clinical.Day(floor(end-1)), k.to); day++ {
		lo, hi := int64(day)*86400, int64(day+1)*86400
		share := float64(max(0, min(p.to, hi)-max(p.from, lo))) / 86400
		if k.c.PatchTail == "linear24h" {
			a, b := max(p.to, lo), min(end, hi)
			if b > a {
				// Mean of the falling share between a and b.
				fall := func(t int64) float64 { return 1 - float64(t-p.to)/86400 }
				share += (fall(a) + fall(b)) / 2 * float64(b-a) / 86400
			}
		}
		if share > 0 {
			k.put(day, p.o, given, false, p.rate*share, p.ok, nil)
		}
	}
}

func floor(sec int64) int64 {
	q := sec / 86400
	if sec%86400 < 0 {
		q--
	}
	return q
}
