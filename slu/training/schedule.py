"""Learning-rate schedules as functions of (optimizer, total_steps)."""

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau


def cosine_with_warmup(optimizer: Optimizer, total_steps: int, *, warmup: float = 0.1, floor: float = 0.0) -> LambdaLR:
    """Linear rise over the first `warmup` share of the steps, then half a cosine down to `floor` x the peak."""
    if not (0 <= warmup < 1 and 0 <= floor <= 1):
        raise ValueError(f"warmup is a share of the steps, and floor one of the peak, got {warmup} and {floor}")
    rise = max(1, int(warmup * total_steps))

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        progress = min(1.0, (step - rise) / max(1, total_steps - rise))
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))

    return LambdaLR(optimizer, factor)


def constant(optimizer: Optimizer, total_steps: int) -> LambdaLR:
    return LambdaLR(optimizer, lambda step: 1.0)


def plateau(
    optimizer: Optimizer, total_steps: int, *, factor: float = 0.5, patience: int = 4, min_lr: float = 1e-5
) -> ReduceLROnPlateau:
    """Times `factor` after more than `patience` epochs without a better validation objective, down to `min_lr`."""
    return ReduceLROnPlateau(optimizer, mode="max", factor=factor, patience=patience, min_lr=min_lr)
