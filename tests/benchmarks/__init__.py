"""Benchmarks: figures as ratios to a baseline or limit measured in the same run. `make bench` prints them all."""
