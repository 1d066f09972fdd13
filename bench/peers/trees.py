"""Trains one peer on the table that `bench/trees make` wrote and prints the line described there.

Usage: trees.py PEER KIND THREADS TRAIN TEST; PEER is xgboost, lightgbm, sklearn-hist or
sklearn-forest; KIND is depth (level by level, depth 6), leaves (64 leaves, best first) or forest.
"""
import sys
import time

import numpy as np
import pyarrow.parquet as pq

peer, kind, threads, train, test = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5]
TREES, RATE = 100, 0.1


def status(key):
    try:
        with open("/proc/self/status") as f:
            return next(float(line.split()[1]) / 1024 for line in f if line.startswith(key))
    except OSError:
        return 0.0


def clear_peak():
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
    except OSError:
        pass


def read(path):
    """The predictors as the row-major float32 that every peer takes as it is, and the outcome."""
    t = pq.read_table(path, use_threads=threads > 1)
    names = [n for n in t.column_names if n != "y"]
    x = np.empty((t.num_rows, len(names)), dtype=np.float32)
    for j, n in enumerate(names):
        x[:, j] = t.column(n).to_numpy()
    return x, t.column("y").to_numpy().astype(np.float32)


def fit_xgboost(x, y):
    import xgboost as xgb
    params = {"objective": "binary:logistic", "tree_method": "hist", "max_bin": 256, "eta": RATE, "nthread": threads, "max_depth": 6}
    if kind == "leaves":
        params |= {"grow_policy": "lossguide", "max_leaves": 64, "max_depth": 0}
    d = xgb.QuantileDMatrix(x, y, max_bin=256, nthread=threads)
    began = time.perf_counter()
    b = xgb.train(params, d, TREES)
    return b.inplace_predict, began, xgb.__version__


def fit_lightgbm(x, y):
    import lightgbm as lgb
    params = {"objective": "binary", "max_bin": 255, "learning_rate": RATE, "num_threads": threads, "num_leaves": 64, "verbose": -1,
              "max_depth": 6 if kind == "depth" else -1, "min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 1.0, "lambda_l2": 1.0}
    d = lgb.Dataset(x, y, params=params).construct()
    began = time.perf_counter()
    b = lgb.train(params, d, TREES)
    return (lambda x: b.predict(x, num_threads=threads)), began, lgb.__version__


def fit_sklearn_hist(x, y):
    import sklearn
    from sklearn.ensemble import HistGradientBoostingClassifier
    leaves = {"max_leaf_nodes": 64, "max_depth": 6 if kind == "depth" else None}
    m = HistGradientBoostingClassifier(learning_rate=RATE, max_iter=TREES, max_bins=255, min_samples_leaf=1,
                                       l2_regularization=1.0, early_stopping=False, **leaves)
    m.fit(x, y)
    return (lambda x: m.predict_proba(x)[:, 1]), None, sklearn.__version__


def fit_sklearn_forest(x, y):
    import sklearn
    from sklearn.ensemble import RandomForestClassifier
    m = RandomForestClassifier(n_estimators=500, n_jobs=threads, random_state=1)
    m.fit(x, y)
    return (lambda x: m.predict_proba(x)[:, 1]), None, sklearn.__version__


def main():
    fit = {"xgboost": fit_xgboost, "lightgbm": fit_lightgbm, "sklearn-hist": fit_sklearn_hist, "sklearn-forest": fit_sklearn_forest}[peer]
    __import__({"sklearn-hist": "sklearn.ensemble", "sklearn-forest": "sklearn.ensemble"}.get(peer, peer))  # not training's time
    start = time.perf_counter()
    x, y = read(train)
    xt, yt = read(test)
    read_seconds = time.perf_counter() - start
    import gc
    import pyarrow
    gc.collect()
    pyarrow.default_memory_pool().release_unused()
    held = status("VmRSS:")
    clear_peak()

    start = time.perf_counter()
    predict, began, version = fit(x, y)
    end = time.perf_counter()
    peak = status("VmHWM:")
    best = float("inf")
    for _ in range(5):
        t = time.perf_counter()
        p = predict(xt)
        best = min(best, time.perf_counter() - t)
    boost = "-" if began is None else f"{end - began:.3f}"
    name = "sklearn" if peer.startswith("sklearn") else peer
    print(f"{name}/{kind} {version} {threads} {read_seconds:.3f} {end - start:.3f} {boost} {best:.4f} {read_seconds + end - start + best:.3f} "
          f"{held:.0f} {peak:.0f} {auc(yt, p):.5f} {log_loss(yt, p):.5f}")


def auc(y, p):
    order = np.argsort(p, kind="stable")
    _, first, count = np.unique(p[order], return_index=True, return_counts=True)
    rank = np.empty(len(p))
    rank[order] = np.repeat(first + (count + 1) / 2, count)
    n = y.sum()
    return (rank[y == 1].sum() - n * (n + 1) / 2) / (n * (len(y) - n))


def log_loss(y, p):
    p = np.clip(p.astype(np.float64), 1e-15, 1 - 1e-15)
    return -np.mean(np.where(y == 1, np.log(p), np.log1p(-p)))


main()
