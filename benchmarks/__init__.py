"""Measurements of speed and memory, as ratios within one run; what was measured lies in `results/`."""
