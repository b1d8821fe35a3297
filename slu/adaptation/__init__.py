"""A bundle made to fit a few clips of its user: with labels by fine-tuning, without by self-training."""
