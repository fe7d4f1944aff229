// declarations of the DuckDB C API that are used
