"""Benchmarks: speed and memory as ratios side by side, because machines are noisy; and recordings of people."""
