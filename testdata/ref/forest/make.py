"""Reference trees and forests by scikit-learn. Usage: python make.py OUTDIR"""
import json, sys
import numpy as np, sklearn
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.tree import DecisionTreeClassifier

out = sys.argv[1]
about = {"tool": "scikit-learn " + sklearn.__version__, "numpy": np.__version__,
         "python": sys.version.split()[0], "command": "python make.py testdata/ref/forest",
         "licence": "computed for this project; same licence as the code; data simulated"}


def simulate(n, p, missing, seed):
    r = np.random.default_rng(seed)
    x = r.normal(size=(n, p))
    eta = x[:, 0] - 0.8 * x[:, 1] + 0.6 * x[:, 2] * x[:, 3]
    y = (r.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
    x = np.round(x, 3)
    if missing:
        # more often missing without the outcome in one column, more often with it in another
        x[r.random((n, p)) < 0.08] = np.nan
        x[(r.random(n) < 0.35) & (y == 0), 1] = np.nan
        x[(r.random(n) < 0.35) & (y == 1), 2] = np.nan
    return x.astype(np.float32), y


def rows(x):
    return [[None if np.isnan(v) else round(float(v), 3) for v in row] for row in x]


def tree(t):
    def node(i):
        d = {"p": float(t.value[i][0][1]), "n": int(t.n_node_samples[i]), "impurity": float(t.impurity[i])}
        if t.children_left[i] >= 0:
            d["feature"] = int(t.feature[i])
            d["threshold"] = None if np.isinf(t.threshold[i]) else float(t.threshold[i])
            d["missing_left"] = bool(t.missing_go_to_left[i])
            d["left"], d["right"] = node(t.children_left[i]), node(t.children_right[i])
        return d
    return node(0)


def same(a, b):
    if a.keys() != b.keys() or any(a[k] != b[k] for k in a if k not in ("left", "right")):
        return False
    return "left" not in a or same(a["left"], b["left"]) and same(a["right"], b["right"])


for name, missing in (("tree", False), ("tree-missing", True)):
    x, y = simulate(500, 5, missing, 4)
    probe, _ = simulate(60, 5, True, 5)
    doc = {"about": about, "x": rows(x), "y": y.tolist(), "probe": rows(probe), "cases": []}
    for criterion in ("gini", "log_loss"):
        for kw in ({"min_samples_leaf": 20}, {"min_samples_leaf": 3, "max_depth": 4}, {"min_samples_leaf": 1},
                   {"min_samples_leaf": 4, "max_leaf_nodes": 9}, {"min_samples_leaf": 5, "min_samples_split": 60},
                   {"min_samples_leaf": 1, "min_weight_fraction_leaf": 0.03}):
            for weighted in (False, True):
                w = 1 + np.arange(len(y)) * 7919 % 101 if weighted else None
                fits = [DecisionTreeClassifier(criterion=criterion, random_state=s, **kw).fit(x, y, w) for s in range(15)]
                trees = [tree(m.tree_) for m in fits]
                if not all(same(trees[0], t) for t in trees):
                    print(name, criterion, kw, weighted, "has ties: left out")
                    continue
                m = fits[0]
                doc["cases"].append({
                    "criterion": criterion, "params": kw, "weighted": weighted, "tree": trees[0],
                    "importance": m.feature_importances_.tolist(),
                    # Where a node had no missing values they follow the more numerous child there,
                    # the heavier child here: the same without weights only.
                    "proba": m.predict_proba(np.nan_to_num(probe, nan=0.0) if weighted else probe)[:, 1].tolist()})
    print(name, len(doc["cases"]), "cases")
    json.dump(doc, open(f"{out}/{name}.expected.json", "w"), separators=(",", ":"))

doc = {"about": about, "cases": []}
xt, yt = simulate(400, 8, True, 11)
xv, yv = simulate(1500, 8, True, 12)
doc.update({"x": rows(xt), "y": yt.tolist(), "test_x": rows(xv), "test_y": yv.tolist()})
for kind in (RandomForestClassifier, ExtraTreesClassifier):
    for leaf in (1, 10):
        res = []
        for s in range(20):
            m = kind(300, min_samples_leaf=leaf, bootstrap=True, oob_score=True, random_state=s, n_jobs=2).fit(xt, yt)
            p, o = m.predict_proba(xv)[:, 1], m.oob_decision_function_[:, 1]
            c = np.clip(p, 1e-3, 1 - 1e-3)
            res.append({"auc": roc_auc_score(yv, p), "log_loss": log_loss(yv, c), "brier": brier_score_loss(yv, p),
                        "oob_auc": roc_auc_score(yt, o), "oob_brier": brier_score_loss(yt, o),
                        "nodes": float(np.mean([e.tree_.node_count for e in m.estimators_]))})
        doc["cases"].append({"splitter": "best" if kind is RandomForestClassifier else "random", "min_samples_leaf": leaf, "n_estimators": 300,
                             **{k: [r[k] for r in res] for k in res[0]}})
json.dump(doc, open(f"{out}/forest.expected.json", "w"), separators=(",", ":"))
