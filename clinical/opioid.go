package clinical

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Route is how a drug enters the body, as table ome-factors.csv names it.
type Route string

// The routes.
const (
	Oral         Route = "oral"
	Transdermal  Route = "transdermal"
	Subcutaneous Route = "subcutaneous"
	Intravenous  Route = "intravenous"
	Rectal       Route = "rectal"
	Sublingual   Route = "sublingual"
	Transmucosal Route = "transmucosal" // buccal tablet, lozenge, film, spray
	Intranasal   Route = "intranasal"
	Neuraxial    Route = "neuraxial"  // intrathecal, epidural: no factor
	Parenteral   Route = "parenteral" // an injection whose route was not said
	NoRoute      Route = ""
)

var routeCodes = map[string]Route{ // SNOMED CT
	"26643006": Oral, "47625008": Intravenous, "34206005": Subcutaneous, "45890007": Transdermal, "37161004": Rectal,
	"37839007": Sublingual, "54471007": Transmucosal, "46713006": Intranasal, "72607000": Neuraxial, "404820008": Neuraxial,
	"78421000": Parenteral, "418401004": Transmucosal, "372459003": Oral,
}

// routeWords are looked for in texts, in this order.
var routeWords = []struct {
	word  string
	route Route
}{
	{"transdermal", Transdermal},
	{"patch", Transdermal},
	{"td", Transdermal},
	{"intrathecal", Neuraxial},
	{"epidural", Neuraxial},
	{"neuraxial", Neuraxial},
	{"sublingual", Sublingual},
	{"buccal", Transmucosal},
	{"mucosal", Transmucosal},
	{"lozenge", Transmucosal},
	{"transmucosal", Transmucosal},
	{"nasal", Intranasal},
	{"intranasal", Intranasal},
	{"rectal", Rectal},
	{"suppository", Rectal},
	{"subcutaneous", Subcutaneous},
	{"sc", Subcutaneous},
	{"sq", Subcutaneous},
	{"intravenous", Intravenous},
	{"iv", Intravenous},
	{"injection", Parenteral},
	{"injectable", Parenteral},
	{"prefilled", Parenteral},
	{"cartridge", Parenteral},
	{"injector", Parenteral},
	{"intramuscular", Parenteral},
	{"oral", Oral},
	{"po", Oral},
	{"tablet", Oral},
	{"tablets", Oral},
	{"capsule", Oral},
	{"mouth", Oral},
}

// RouteOf returns the route that codes state, or NoRoute.
func RouteOf(codes []Code) Route {
	for _, c := range codes {
		if r, ok := routeCodes[c.Code]; ok && c.System == SNOMED {
			return r
		}
	}
	for _, c := range codes {
		if r := routeIn(c.Display); r != NoRoute {
			return r
		}
		if c.System == Unknown {
			if r := routeIn(c.Code); r != NoRoute {
				return r
			}
		}
	}
	return NoRoute
}

func routeIn(text string) Route {
	for _, w := range routeWords {
		if HasWord(text, w.word) {
			return w.route
		}
	}
	return NoRoute
}

// Opioid is the opioid part of a product; the parts beside it (paracetamol, naloxone) are left out.
type Opioid struct {
	Ingredient  string // lower case, as in table ome-factors.csv: morphine, oxycodone, ...
	Route       Route
	Strength    Quantity // of one unit: mg (tablet), mg/mL, ug/h (patch), mg per actuation as mg; Unit empty: not known
	Combination bool
	Dependence  bool // ATC N07BC: substitution, not analgesia
}

// product is a row of table rxnorm-opioid-products.csv.
type product struct {
	ingredient, form string
	strength         Quantity
	combination      bool
}

var products = sync.OnceValue(func() map[string]product {
	out := make(map[string]product)
	for _, r := range rows("rxnorm-opioid-products.csv") {
		v, err := strconv.ParseFloat(r["strength_value"], 64)
		if err != nil {
			continue // strength not given
		}
		out[r["rxcui"]] = product{r["ingredient"], r["dose_form"], strengthOf(v, r["strength_unit"]), r["combination"] == "1"}
	}
	return out
})

// strengthOf converts the table's units: MG, MG/ML, MG/HR, MG/ACTUAT.
func strengthOf(v float64, unit string) Quantity {
	switch strings.ToUpper(unit) {
	case "MG/HR", "MG/H":
		return Quantity{math.Round(v*1e6) / 1e3, "ug/h"}
	case "MCG/HR", "MCG/H", "UG/H", "UG/HR":
		return Quantity{v, "ug/h"}
	case "MG/ML":
		return Quantity{v, "mg/mL"}
	case "MCG/ML", "UG/ML":
		return Quantity{v / 1000, "mg/mL"}
	case "MG", "MG/ACTUAT":
		return Quantity{v, "mg"}
	case "MCG", "UG", "MCG/ACTUAT", "UG/ACTUAT":
		return Quantity{v / 1000, "mg"}
	}
	return Quantity{}
}

// ingredientNames maps words of product names to the ingredient of the factor table.
var ingredientNames = []struct{ word, ingredient string }{
	{"morphine", "morphine"},
	{"oxycodone", "oxycodone"},
	{"hydromorphone", "hydromorphone"},
	{"hydrocodone", "hydrocodone"},
	{"fentanyl", "fentanyl"},
	{"methadone", "methadone"},
	{"tramadol", "tramadol"},
	{"tapentadol", "tapentadol"},
	{"codeine", "codeine"},
	{"oxymorphone", "oxymorphone"},
	{"buprenorphine", "buprenorphine"},
	{"dihydrocodeine", "dihydrocodeine"},
	{"meperidine", "pethidine (meperidine)"},
	{"pethidine", "pethidine (meperidine)"},
	{"alfentanil", "alfentanil"},
	{"diamorphine", "diamorphine"},
	{"pentazocine", "pentazocine"},
	{"butorphanol", "butorphanol"},
	{"levorphanol", "levorphanol"},
	{"levomethadone", "levomethadone"},
	{"sufentanil", "sufentanil"},
	{"remifentanil", "remifentanil"},
	{"nalbuphine", "nalbuphine"},
	{"propoxyphene", "propoxyphene"},
	{"piritramide", "piritramide"},
	{"opium", "opium"},
}

// antagonists have factor 0; given by injection or nose they are a sign of toxicity.
var antagonists = []string{"naloxone", "naltrexone", "nalmefene"}

var opioidATC = sync.OnceValue(func() map[string]string {
	out := map[string]string{
		"N02AA55": "oxycodone", "N02AJ06": "codeine", "N02AJ07": "codeine", "N02AJ08": "codeine", "N02AJ09": "codeine",
		"N02AJ13": "tramadol", "N02AJ14": "tramadol", "N02AJ15": "tramadol", "N02AJ17": "oxycodone", "N02AJ18": "oxycodone", "N02AJ19": "oxycodone",
		"N07BC01": "buprenorphine", "N07BC02": "methadone", "N07BC51": "buprenorphine",
	}
	for _, r := range rows("ome-factors.csv") {
		if a := r["atc"]; a != "" && out[a] == "" {
			out[a] = r["ingredient"]
		}
	}
	return out
})

var opioidRxNorm = sync.OnceValue(func() map[string]string {
	out := make(map[string]string)
	for _, r := range rows("ome-factors.csv") {
		out[r["rxnorm_ingredient"]] = r["ingredient"]
	}
	return out
})

// OpioidOf recognises the opioid in d: by RxNorm product, RxNorm ingredient, ATC, then by the
// words of the display. Route and strength come from what the record states, then from the
// product. ok is false when no opioid is found, and for antagonists alone.
func OpioidOf(d *Drug) (o Opioid, ok bool) {
	var form string
	for _, c := range d.Codes {
		switch c.System {
		case RxNorm:
			if p, found := products()[c.Code]; found {
				o.Ingredient, o.Strength, o.Combination, form = canonical(p.ingredient), p.strength, p.combination, p.form
			} else if i, found := opioidRxNorm()[c.Code]; found && o.Ingredient == "" {
				o.Ingredient = i
			}
		case ATC:
			if i, found := opioidATC()[c.Code]; found && o.Ingredient == "" {
				o.Ingredient = i
			}
			o.Dependence = o.Dependence || strings.HasPrefix(c.Code, "N07BC0") && c.Code != "N07BC02" || c.Code == "N07BC51"
		default: // by its words, below
		}
	}
	for _, c := range d.Codes {
		if o.Ingredient != "" && o.Strength.Unit != "" {
			break
		}
		if i, s, comb := readName(c.Display); i != "" && (o.Ingredient == "" || o.Ingredient == i) {
			o.Ingredient, o.Combination = i, o.Combination || comb
			if o.Strength.Unit == "" {
				o.Strength = s
			}
			if form == "" {
				form = c.Display
			}
		}
	}
	if o.Ingredient == "" {
		return Opioid{}, false
	}
	if d.Strength.Unit != "" {
		if v, err := Convert(d.Strength.Value, d.Strength.Unit, "mg"); err == nil {
			o.Strength = Quantity{v, "mg"}
		} else if v, err := Convert(d.Strength.Value, d.Strength.Unit, "ug/h"); err == nil {
			o.Strength = Quantity{v, "ug/h"}
		} else if v, err := Convert(d.Strength.Value, d.Strength.Unit, "mg/mL"); err == nil {
			o.Strength = Quantity{v, "mg/mL"}
		}
	}
	for _, dose := range d.Doses {
		if o.Route = RouteOf(dose.Route); o.Route != NoRoute {
			break
		}
	}
	if o.Route == NoRoute {
		if o.Route = RouteOf(d.Form); o.Route == NoRoute {
			o.Route = routeIn(form)
		}
	}
	if o.Route == NoRoute && o.Strength.Unit == "ug/h" {
		o.Route = Transdermal
	}
	return o, true
}

// IsAntagonist reports whether d is an opioid antagonist without an opioid.
func IsAntagonist(d *Drug) bool {
	if _, opioid := OpioidOf(d); opioid {
		return false
	}
	for _, c := range d.Codes {
		if c.System == ATC && (c.Code == "V03AB15" || c.Code == "V03AB04" || c.Code == "N07BB04") {
			return true
		}
		if c.System == RxNorm && (c.Code == "7242" || c.Code == "7243") {
			return true
		}
		if slices.ContainsFunc(antagonists, func(w string) bool { return HasWord(c.Display, w) }) {
			return true
		}
	}
	return false
}

func canonical(name string) string {
	for _, n := range ingredientNames {
		if n.word == name {
			return n.ingredient
		}
	}
	return name
}

// readName reads ingredient and strength from a product name such as "Acetaminophen 325 MG /
// Oxycodone Hydrochloride 5 MG Oral Tablet".
func readName(name string) (ingredient string, strength Quantity, combination bool) {
	parts := strings.Split(name, " / ")
	for _, part := range parts {
		for _, n := range ingredientNames {
			if !HasWord(part, n.word) {
				continue
			}
			low := strings.ToLower(part)
			return n.ingredient, strengthIn(low[strings.Index(low, n.word):]), len(parts) > 1 || strings.Contains(name, "/") && !strings.ContainsAny(name, "0123456789")
		}
	}
	return "", Quantity{}, false
}

// strengthIn finds the first "5 mg", "0.075 mg/hr", "10 mg/5 ml" of a lower-case text.
func strengthIn(text string) Quantity {
	f := strings.Fields(text)
	for k := 0; k+1 < len(f); k++ {
		v, err := strconv.ParseFloat(f[k], 64)
		if err != nil || !(v > 0) {
			continue
		}
		unit := strings.Trim(f[k+1], ",;()[]")
		if per, rest, ok := strings.Cut(unit, "/"); ok && rest != "" && k+2 < len(f) {
			if n, err := strconv.ParseFloat(rest, 64); err == nil && n > 0 && strings.HasPrefix(f[k+2], "ml") {
				return strengthOf(v/n, per+"/ml")
			}
		}
		if q := strengthOf(v, unit); q.Unit != "" {
			return q
		}
	}
	return Quantity{}
}

// Factor is a row of table ome-factors.csv.
type Factor struct {
	Set, Ingredient string
	Route           Route
	Unit            string  // mg/day, ug/h, mcg/day
	Value           float64 // mg oral morphine a day for 1 unit
	Status          string
}

// OMESets is the default order of precedence of factor sets.
var OMESets = []string{"cdc2022", "palliative_cdc_consistent", "palliative", "cms2014"}

var factors = sync.OnceValue(func() []Factor {
	var out []Factor
	for _, r := range rows("ome-factors.csv") {
		v, err := strconv.ParseFloat(r["factor_to_oral_morphine_mg_per_day"], 64)
		if err != nil {
			continue
		}
		out = append(out, Factor{r["factor_set"], r["ingredient"], Route(r["route"]), r["input_unit"], v, r["status"]})
	}
	return out
})

// FactorOf returns the factor of ingredient by route from the first of sets that has one.
// Per-patch factors of old tables are never returned: they belong to another formula.
func FactorOf(ingredient string, route Route, sets []string) (Factor, bool) {
	for _, s := range sets {
		for _, f := range factors() {
			if f.Set == s && f.Ingredient == ingredient && (f.Route == route || f.Route == "any") {
				return f, true
			}
		}
	}
	return Factor{}, false
}

// OMEDisclaimer goes with every oral morphine equivalent that is shown.
const OMEDisclaimer = "Oral morphine equivalents describe exposure; never use them to choose a dose when switching opioids."
