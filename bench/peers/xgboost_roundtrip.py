"""Load pairs of model files with XGBoost and compare their margins on random rows.

    python3 bench/peers/xgboost_roundtrip.py DIR

DIR holds ORIGINAL.json|ubj and, beside each, ORIGINAL.json|ubj.written.json and .written.ubj made by
dolor. Prints one line for each written file; exits 1 when a margin differs by more than 1e-6. A file
that this version of XGBoost cannot load in the original (UBJSON of 3.x in 1.7), or misreads (base_score in
brackets in 1.7), is said and not compared.
"""

import glob
import os
import sys

import numpy as np
import xgboost as xgb

bad = 0
old = int(xgb.__version__.split(".")[0]) < 3
for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.written.*"))):
    source = path.rsplit(".written.", 1)[0]
    written = xgb.Booster(model_file=path)
    name = os.path.basename(path)
    if old and os.path.basename(source).startswith(("3", "names", "damaged")):
        print(f"{xgb.__version__} {name}: loads; the original is of a later version")
        continue
    original = xgb.Booster(model_file=source)
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(1000, original.num_features())) * 3).astype("f4")
    for j, kind in enumerate(original.feature_types or []):
        if kind == "c":
            X[:, j] = rng.integers(0, 3, len(X))
    X[rng.random(X.shape) < 0.1] = np.nan
    margins = [
        b.predict(xgb.DMatrix(X, feature_names=b.feature_names, feature_types=b.feature_types, enable_categorical=True), output_margin=True)
        for b in (original, written)
    ]
    worst = float(np.abs(margins[0] - margins[1]).max())
    same = original.attributes() == written.attributes()
    bad += worst > 1e-6 or not same
    print(f"{xgb.__version__} {name}: largest difference {worst:.3g}, attributes {'kept' if same else 'LOST'}")
sys.exit(bad > 0)
