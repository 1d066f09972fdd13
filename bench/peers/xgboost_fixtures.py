"""Small XGBoost models with their margins and leaves, for internal/xgbfile/testdata.

    python3 bench/peers/xgboost_fixtures.py internal/xgbfile/testdata

Run once with XGBoost 1.7 and once with 3.2; the version is in the names of the files. Licence of
the output: that of this repository (the data are generated here).
"""

import json
import sys

import numpy as np
import xgboost as xgb

out = sys.argv[1]
tag = "".join(xgb.__version__.split(".")[:2])
rng = np.random.default_rng(7)
n = 300
X = np.c_[rng.normal(size=(n, 2)), rng.integers(0, 3, n), rng.integers(0, 70, n), rng.integers(0, 9, n)].astype("f4")
X[rng.random(X.shape) < 0.1] = np.nan
y = (np.nan_to_num(X[:, 0]) + (X[:, 2] == 1) + (X[:, 3] % 3 == 0) + rng.normal(size=n) > 1).astype(int)
names, types = ["a", "b", "c", "d", "e"], ["q", "float", "c", "c", "int"]
kinds = {
    "gbtree": {},
    "dart": {"booster": "dart", "rate_drop": 0.5, "one_drop": 1},
    "parallel": {"num_parallel_tree": 3, "subsample": 0.7},
    "deep": {"grow_policy": "lossguide", "max_depth": 0, "max_leaves": 40, "min_child_weight": 0.1},
    "exact": {"tree_method": "exact", "gamma": 2, "max_depth": 5},
    "plain": {"base_score": 0.2},
}


def cell(v):
    return None if np.isnan(v) else float(v)


for kind, extra in kinds.items():
    plain = kind in ("plain", "exact")
    how = {} if plain else {"feature_names": names, "feature_types": types, "enable_categorical": True}
    params = {"objective": "binary:logistic", "tree_method": "hist", "max_depth": 3, "max_cat_to_onehot": 4, "nthread": 1, "seed": 1, **extra}
    b = xgb.train(params, xgb.DMatrix(X, y, **how), 6)
    b.set_attr(note='a "quoted" \\ note\n')
    # Rows on every split value exactly, one float32 below it, missing, and with codes never seen.
    E = X[:40].copy()
    E[0] = np.nan
    E[1, 2:4] = [5, 100]
    E[2, 2:4] = [-1, 69]
    E[3, 2:4] = [0.9, 2.5]
    table = b.trees_to_dataframe()
    at = 4
    for _, s in table[table["Split"].notna()].iterrows():
        if at + 1 < len(E):
            j = names.index(s["Feature"]) if s["Feature"] in names else int(s["Feature"][1:])
            E[at, j], E[at + 1, j] = np.float32(s["Split"]), np.nextafter(np.float32(s["Split"]), np.float32(-np.inf))
            at += 2
    d = xgb.DMatrix(E, **how)
    name = f"{out}/{tag}-{kind}"
    b.save_model(name + ".json")
    if kind in ("gbtree", "dart"):
        b.save_model(name + ".ubj")
    half = b.num_boosted_rounds() // 2
    json.dump(
        {
            "xgboost": xgb.__version__,
            "command": "bench/peers/xgboost_fixtures.py",
            "rows": [[cell(v) for v in r] for r in E],
            "margin": b.predict(d, output_margin=True).astype(float).tolist(),
            "probability": b.predict(d).astype(float).tolist(),
            "half": b.predict(d, output_margin=True, iteration_range=(0, half)).astype(float).tolist(),
            "leaf": b.predict(d, pred_leaf=True).reshape(len(E), -1).astype(int).tolist(),
        },
        open(name + ".expected.json", "w"),
    )

if tag >= "31":  # names of categories are in the file since 3.1
    import pandas as pd

    codes = rng.integers(0, 3, n)
    for name, last in (("names", "w e"), ("damaged", "\u00e9")):
        t = pd.DataFrame({
            "a": X[:, 0],
            "b": pd.Categorical.from_codes(codes, categories=["u", "v", last]),
            "c": pd.Categorical.from_codes(rng.integers(0, 3, n), categories=[10, 20, 35]),
        })
        d = xgb.DMatrix(t, codes == 1, enable_categorical=True)
        xgb.train({"objective": "binary:logistic", "max_depth": 2, "seed": 1}, d, 2).save_model(f"{out}/{name}.json")
