"""Read one CSV file with polars; print seconds, peak MiB, rows, columns, sum."""
import resource
import sys
import time

import polars as pl

start = time.perf_counter()
t = pl.read_csv(sys.argv[1])
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{seconds:.3f} {peak:.0f} {t.height} {t.width} {t.sum().sum_horizontal()[0]:.6g} polars-{pl.__version__}")
