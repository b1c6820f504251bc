"""The stores: Postgres, the record, and DuckDB, its copy. They know neither the business nor screens."""
