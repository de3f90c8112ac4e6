"""The lake: events and gold tables as Parquet files (zstd), one for each table and day, with a manifest per table.

The warehouse's engine writes and reads the Parquet itself over HTTP, so the lean image needs no library for it. Content is
compared by the engine's own order-free hash of every row: a day is written when it differs from what the manifest says.
"""
