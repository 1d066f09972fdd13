"""Reference trees of XGBoost's tree_method=exact for model/gbm.

Usage: python bench/peers/gbm_exact.py > testdata/ref/gbm/exact.expected.json

Every case is trained with one thread on the same simulated table, with ties, missing cells, a
column without a value and a constant one. Trees are dumped as [column, threshold, missing
left, left child, right child, leaf value] by node.
"""
import json
import sys

import numpy as np
import xgboost as xgb

ROUNDS = 6
rng = np.random.default_rng(20260630)
n = 150
x = np.round(rng.normal(size=(n, 7)), 2).astype(np.float32)
x[:, 1] = np.round(x[:, 1])
x[rng.random((n, 7)) < 0.15] = np.nan
x[:, 3] = np.where(np.isnan(x[:, 3]), 0, x[:, 3])  # complete
x[:, 5] = np.nan
x[:, 6] = np.where(np.isnan(x[:, 6]), np.nan, 1)  # one value, sometimes missing
eta = np.nan_to_num(x[:, 0]) - np.nan_to_num(x[:, 1]) * np.nan_to_num(x[:, 2]) + 0.5 * np.isnan(x[:, 4])
y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
w = np.round(rng.gamma(2, 0.5, n), 2)
offset = np.round(rng.normal(size=n), 2)

CASES = {
    "plain": {},
    "no penalty": {"reg_lambda": 0, "min_child_weight": 0, "max_depth": 3},
    "lasso": {"reg_alpha": 1.5},
    "pruned": {"gamma": 1.2, "max_depth": 6},
    "children": {"min_child_weight": 4},
    "step": {"max_delta_step": 0.3, "_weights": True},  # without weights gains tie
    "step and lasso": {"max_delta_step": 0.7, "reg_alpha": 0.4},
    "stumps": {"max_depth": 1, "learning_rate": 1},
    "deep": {"max_depth": 9, "min_child_weight": 0.2},
    "monotone": {"monotone_constraints": [1, -1, 1, 0, 0, 0, 0], "max_depth": 5},
    "monotone against": {"monotone_constraints": [-1, 1, -1, 1, 0, 0, 0], "reg_alpha": 0.1},
    "interactions": {"interaction_constraints": [[0, 1], [1, 2, 3]], "max_depth": 6},
    "weights": {"_weights": True},
    "weights and prevalence": {"_weights": True, "scale_pos_weight": 2.5, "gamma": 0.4},
    "offset": {"_offset": True},
    "all": {
        "_weights": True, "_offset": True, "max_depth": 5, "reg_alpha": 0.2, "gamma": 0.1, "max_delta_step": 2,
        "monotone_constraints": [1, 0, 0, -1, 0, 0, 0], "interaction_constraints": [[0, 2, 3], [1, 4, 6]],
    },
}


def dump(booster):
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"]
    out = []
    for t in model:
        nodes = []
        for k in range(len(t["left_children"])):
            nodes.append([t["split_indices"][k], t["split_conditions"][k], t["default_left"][k], t["left_children"][k],
                          t["right_children"][k], t["loss_changes"][k]])
        out.append(nodes)
    return out


def clean(v):
    return None if np.isnan(v) else float(v)


cases = []
for name, params in CASES.items():
    p = {k: v for k, v in params.items() if k[0] != "_"}
    d = xgb.DMatrix(x, y, weight=w if "_weights" in params else None, base_margin=offset if "_offset" in params else None)
    given = dict(p, objective="binary:logistic", tree_method="exact", base_score=0.5, nthread=1)
    if "monotone_constraints" in p:
        given["monotone_constraints"] = "(" + ",".join(map(str, p["monotone_constraints"])) + ")"
    if "interaction_constraints" in p:
        given["interaction_constraints"] = json.dumps(p["interaction_constraints"])
    b = xgb.train(given, d, ROUNDS)
    margin = b.predict(d, output_margin=True)
    cases.append({"name": name, "parameters": p, "weights": "_weights" in params, "offset": "_offset" in params,
                  "margin": [float(v) for v in margin], "trees": dump(b)})
json.dump({"made_with": f"xgboost {xgb.__version__}, numpy {np.__version__}", "command": "python bench/peers/gbm_exact.py",
           "rounds": ROUNDS, "x": [[clean(v) for v in row] for row in x], "y": y.tolist(), "weight": w.tolist(),
           "offset": offset.tolist(), "cases": cases}, sys.stdout, separators=(",", ":"))
