"""A learner of another library behind bench/nested: reads requests on standard input, one line of
JSON with float32 predictors (by row) and float64 outcome and weight of each row behind it, fits, and
answers. A model is forgotten once it has predicted.
"""
import json
import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np  # noqa: E402

models, count = {}, 0
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer


def floats(n, dtype):
    size = np.dtype(dtype).itemsize
    return np.frombuffer(stdin.read(n * size), dtype=dtype)


def rows(n, cols):
    x = floats(n * cols, "<f4").reshape(n, cols)
    yw = floats(n * 2, "<f8").reshape(n, 2)
    return x, yw[:, 0], yw[:, 1]


def fit_xgboost(q, train, tune):
    import xgboost as xgb
    p = q["params"]
    params = {"objective": "binary:logistic", "seed": q["seed"], "nthread": 1}
    for ours, theirs in {
        "learning_rate": "eta", "max_depth": "max_depth", "max_leaves": "max_leaves", "min_child_weight": "min_child_weight",
        "gamma": "gamma", "reg_lambda": "lambda", "reg_alpha": "alpha", "max_delta_step": "max_delta_step", "subsample": "subsample",
        "colsample_bytree": "colsample_bytree", "colsample_bylevel": "colsample_bylevel", "colsample_bynode": "colsample_bynode",
        "tree_method": "tree_method", "grow_policy": "grow_policy", "max_bin": "max_bin", "scale_pos_weight": "scale_pos_weight",
        "base_score": "base_score", "max_cat_to_onehot": "max_cat_to_onehot", "max_cat_threshold": "max_cat_threshold",
    }.items():
        if p.get(ours) is not None:
            params[theirs] = p[ours]
    if params["tree_method"] == "exact":
        params.pop("max_bin", None)
    kinds = ["c" if k else "float" for k in q["levels"]]

    def matrix(d):
        return xgb.DMatrix(d[0], label=d[1], weight=d[2], feature_types=kinds, enable_categorical=True, nthread=1)

    stop = p["early_stopping_rounds"] if tune else 0
    b = xgb.train(params, matrix(train), p["n_estimators"], verbose_eval=False,
                  **({"evals": [(matrix(tune), "tune")], "early_stopping_rounds": stop} if stop else {}))
    run = b.num_boosted_rounds()
    kept = b.best_iteration + 1 if stop else run

    def predict(x):
        m = xgb.DMatrix(x, feature_types=kinds, enable_categorical=True, nthread=1)
        return b.predict(m, iteration_range=(0, kept))
    return predict, {"staged": True, "kept": kept, "run": run}


def one_hot(x, levels):
    """Categories one column a level with a column for missing, as OneHotEncoder does; numbers as they are."""
    out = []
    for j, k in enumerate(levels):
        c = x[:, j]
        if k:
            gap = np.isnan(c)
            code = np.where(gap, k, c).astype(int)
            out.append(np.eye(k + 1, dtype=np.float32)[code])
        else:
            out.append(c[:, None])
    return np.hstack(out)


def fit_forest(q, train, tune):
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
    p = q["params"]
    kind = ExtraTreesClassifier if p["splitter"] == "random" else RandomForestClassifier
    m = kind(
        n_estimators=p["n_estimators"], criterion=p["criterion"], max_depth=p["max_depth"] or None,
        max_leaf_nodes=p["max_leaf_nodes"] or None, min_samples_split=p["min_samples_split"], min_samples_leaf=p["min_samples_leaf"],
        min_weight_fraction_leaf=p["min_weight_fraction_leaf"], max_features=None if p["max_features"] == "all" else p["max_features"],
        bootstrap=p["bootstrap"], max_samples=p["max_samples"],
        class_weight=None if p["class_weight"] == "none" else p["class_weight"], n_jobs=1, random_state=q["seed"])
    m.fit(one_hot(train[0], q["levels"]), train[1], sample_weight=train[2])
    return (lambda x: m.predict_proba(one_hot(x, q["levels"]))[:, 1]), {}


fits = {"xgboost": fit_xgboost, "sklearn-forest": fit_forest}


def answer(head, numbers=None):
    stdout.write(json.dumps(head).encode() + b"\n")
    if numbers is not None:
        stdout.write(np.ascontiguousarray(numbers, dtype="<f8").tobytes())
    stdout.flush()


while line := stdin.readline():
    q = json.loads(line)
    if q["op"] == "fit":
        cols = len(q["levels"])
        train = rows(q["rows"], cols)
        tune = rows(q["tune"], cols) if q.get("tune") else None
        try:
            predict, told = fits[q["peer"]](q, train, tune)
        except Exception as e:  # the other side names it
            answer({"fault": f"{q['peer']}: {type(e).__name__}: {e}"})
            continue
        count += 1
        models[count] = (predict, cols)
        answer({"id": count} | told)
    else:
        predict, cols = models.pop(q["id"])
        x = floats(q["rows"] * cols, "<f4").reshape(q["rows"], cols)
        answer({"id": q["id"]}, predict(x))
