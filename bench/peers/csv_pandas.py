"""Read one CSV file with pandas; print seconds, peak MiB, rows, columns, sum."""
import resource
import sys
import time

import pandas as pd

start = time.perf_counter()
t = pd.read_csv(sys.argv[1])
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{seconds:.3f} {peak:.0f} {t.shape[0]} {t.shape[1]} {t.sum().sum():.6g} pandas-{pd.__version__}")
