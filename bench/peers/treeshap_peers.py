"""Exact attributions by XGBoost, woodelf_explainer and shap on one model.

usage: treeshap_peers.py make DIR ROWS DEPTH       writes model.json, rows.f32, background.f32
       treeshap_peers.py PEER DIR THREADS REPEATS  prints "task seconds", best of REPEATS, and writes
                                                   PEER-task.f64 with the attributions
PEER is xgboost, woodelf or shap; "none" for seconds says that a peer is not installed.
Tables are little-endian float32 by column. background has 1,000 rows. shap compares every row
with every background row, so it attributes the first 50 rows and its time is scaled to all.
"""
import os
import sys
import time

what, folder = sys.argv[1], sys.argv[2]
COLUMNS, BACKGROUND = 50, 1000
if what != "make":
    os.environ["OMP_NUM_THREADS"] = sys.argv[3]
import numpy as np  # noqa: E402 (after the number of threads)


def path(name):
    return os.path.join(folder, name)


def table(name):
    return np.fromfile(path(name), dtype="<f4").reshape(COLUMNS, -1).T.copy()


def make(rows, depth):
    import xgboost as xgb

    r = np.random.default_rng(1)
    n = max(rows, 20000)
    x = r.normal(size=(n, COLUMNS)).astype(np.float32)
    z = x.copy()
    x[r.random(x.shape) < 0.05] = np.nan
    score = z[:, 0] + z[:, 1] * z[:, 2] + np.sin(2 * z[:, 3]) + 0.5 * z[:, 4:10].sum(1)
    y = score + r.normal(size=n) > 0
    model = xgb.train(
        {"objective": "binary:logistic", "max_depth": depth, "tree_method": "hist", "eta": 0.1},
        xgb.DMatrix(x, y), 100)
    model.save_model(path("model.json"))
    x[:rows].T.astype("<f4").tofile(path("rows.f32"))
    x[-BACKGROUND:].T.astype("<f4").tofile(path("background.f32"))


def best(task, repeats, run, times=1.0):
    seconds, phi = float("inf"), None
    for _ in range(repeats):
        start = time.perf_counter()
        phi = run()
        seconds = min(seconds, time.perf_counter() - start)
    np.asarray(phi, dtype="<f8").tofile(path(f"{what}-{task}.f64"))
    print(task, f"{seconds * times:.4f}", flush=True)


def peer(threads, repeats):
    import xgboost as xgb

    x, ground = table("rows.f32"), table("background.f32")
    model = xgb.Booster({"nthread": threads})
    model.load_model(path("model.json"))
    if what == "xgboost":
        rows, one = xgb.DMatrix(x, nthread=threads), xgb.DMatrix(x[:1], nthread=threads)
        few = xgb.DMatrix(x[:200], nthread=threads)
        best("path", repeats, lambda: model.predict(rows, pred_contribs=True)[:, :-1])
        best("one", repeats, lambda: model.predict(one, pred_contribs=True)[:, :-1])
        best("pairs", 1, lambda: model.predict(few, pred_interactions=True)[:, :-1, :-1])
    elif what == "woodelf":
        import pandas as pd
        from woodelf import WoodelfExplainer

        rows, base = pd.DataFrame(x), pd.DataFrame(ground)
        best("path", repeats, lambda: WoodelfExplainer(model).shap_values(rows, verbose=False))
        best("background", repeats, lambda: WoodelfExplainer(model, base).shap_values(rows, verbose=False))
    else:
        import shap

        few = x[:50]
        whole = shap.maskers.Independent(ground, max_samples=len(ground))
        explainer = shap.TreeExplainer(model, whole, feature_perturbation="interventional")
        best("background", 1, lambda: explainer.shap_values(few, check_additivity=False), len(x) / len(few))


if what == "make":
    make(int(sys.argv[3]), int(sys.argv[4]))
else:
    try:
        peer(int(sys.argv[3]), int(sys.argv[4]))
    except ImportError as gone:
        print("none", gone.name)
