"""Write the Parquet files of this folder with pandas, polars and pyarrow."""
import datetime as dt
import decimal

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

noon = [dt.datetime(2024, 3, 1), dt.datetime(2024, 3, 1, 12), None]
pd.DataFrame({
    "i32": pd.array([1, None, -3], dtype="Int32"), "i64": pd.array([1, 2, None], dtype="Int64"),
    "u8": pd.array([1, 255, 0], dtype="uint8"), "f32": pd.array([0.5, None, 2], dtype="float32"),
    "f64": [0.1, float("nan"), 3.0], "b": pd.array([True, None, False], dtype="boolean"),
    "s": ["x", "é", None], "cat": pd.Categorical(["hi", "lo", "hi"]), "ts": pd.Series(noon),
}).to_parquet("pandas.parquet")
pl.DataFrame({
    "i32": pl.Series([1, None, -3], dtype=pl.Int32), "i64": [1, 2, None], "u8": pl.Series([1, 255, 0], dtype=pl.UInt8),
    "f32": pl.Series([0.5, None, 2], dtype=pl.Float32), "f64": [0.1, None, 3.0], "b": [True, None, False],
    "s": ["x", "é", None], "cat": pl.Series(["hi", "lo", "hi"], dtype=pl.Categorical), "ts": noon,
}).write_parquet("polars.parquet")
t = pa.table({
    "i32": pa.array([1, None, -3], pa.int32()), "i64": pa.array([1, 2, None], pa.int64()), "u8": pa.array([1, 255, 0], pa.uint8()),
    "f32": pa.array([0.5, None, 2], pa.float32()), "f64": pa.array([0.1, None, 3.0]), "b": pa.array([True, None, False]),
    "s": ["x", "é", None], "cat": pa.array(["hi", "lo", "hi"]).dictionary_encode(), "ts": pa.array(noon, pa.timestamp("ns")),
    "d": pa.array([dt.date(2024, 3, 1), None, dt.date(1969, 12, 31)]),
    "dec": pa.array([decimal.Decimal("1.25"), None, decimal.Decimal("-3.10")]), "nul": pa.nulls(3),
})
pq.write_table(t, "pyarrow.parquet")
pq.write_table(t, "pyarrow-v2-zstd.parquet", data_page_version="2.0", compression="zstd")
pq.write_table(t, "pyarrow-int96.parquet", use_deprecated_int96_timestamps=True)
pq.write_table(pa.table({"l": [[1], [2]]}), "nested.parquet")
