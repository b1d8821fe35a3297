"""The answer of a learning curve in words, made of its numbers alone."""

from collections.abc import Sequence

from slu.studies.curve import Curve, Difference

LITTLE = 0.2
"""Shares up to this one count as little data; the smallest does in any case."""


def answer(curve: Curve, question: str, *, synthetic: bool) -> str:
    """One paragraph. With two models it answers the question about the first of them."""
    if len(curve.models) == 2:
        told = [_told(curve, condition) for condition in curve.conditions]
        changes = [_change(curve, condition) for condition in curve.changes]
        parts = [question, _verdict(curve), *told, *changes]
    else:
        parts = [question, *(_ends(curve, model) for model in curve.models)]
    return " ".join([*parts, *_caveats(curve, synthetic=synthetic)])


def _caveats(curve: Curve, *, synthetic: bool) -> list[str]:
    seeds = len(curve.points[0].by_seed)
    draws = f"the {seeds} seeds show how far that matters" if seeds > 1 else "a single seed does not show its part"
    caveats = [
        f"The intervals (95 %, bootstrap over {curve.resampled}) cover who is tested, not which voices were drawn "
        f"for training: {draws}."
    ]
    if synthetic:
        caveats.append("All these voices are synthetic, in training and in the test: people may give another picture.")
    return caveats


def _verdict(curve: Curve) -> str:
    first, second = curve.models
    little = [share for share in curve.shares if share <= LITTLE] or [curve.shares[0]]
    signs = [curve.differences[condition][share].sign for condition in curve.conditions for share in little]
    ahead, behind = signs.count(1), signs.count(-1)
    if ahead and behind:
        word = "It depends"
    elif ahead:
        word = "Yes" if ahead == len(signs) else "In part"
    elif behind:
        word = "No, on the contrary"
    else:
        none = f"no difference between {first} and {second} excludes zero"
        return f"It cannot be told: with {_numbers(curve, little)} {none}."
    return (
        f"{word}: with {_numbers(curve, little)} {first} is ahead of {second} in {ahead} of {len(signs)} comparisons, "
        f"and {second} of {first} in {behind or 'none'}."
    )


def _told(curve: Curve, condition: str) -> str:
    first, second = curve.models
    found = curve.differences[condition]
    parts = []
    for model, sign in ((first, 1), (second, -1)):
        if shares := [share for share in curve.shares if found[share].sign == sign]:
            each = [f"{_numbers(curve, [s])} by {_points(found[s], sign)}{_unless_one_seed(found[s])}" for s in shares]
            parts.append(f"{model} is ahead with {_list(each)}")
    if open_ := [share for share in curve.shares if found[share].sign == 0]:
        parts.append(f"with {_numbers(curve, open_)} no difference can be told")
    return _sentence(f"{_where(condition)}, {'; '.join(parts)}")


def _unless_one_seed(difference: Difference) -> str:
    """The interval knows nothing of the draw of training voices, so a seed that disagrees has to be named."""
    agree = all(value * difference.sign > 0 for value in difference.by_seed)
    return "" if agree else ", though not with every seed"


def _change(curve: Curve, condition: str) -> str:
    first, second = curve.models
    few, many = curve.voices(curve.shares[0]), curve.voices(curve.shares[-1])
    change = curve.changes[condition]
    if not change.sign:
        return _sentence(
            f"{_where(condition)}, it cannot be told whether {few} or {many} voices make the larger difference"
        )
    more = "larger" if change.sign > 0 else "smaller"
    return _sentence(
        f"{_where(condition)}, the difference {first} minus {second} is {more} with {few} voices than with {many}, "
        f"by {_points(change, change.sign)}"
    )


def _ends(curve: Curve, model: str) -> str:
    ends = []
    for condition in curve.conditions:
        few, many = curve.at(condition, model)[0], curve.at(condition, model)[-1]
        ends.append(
            f"{_where(condition)} {few.mean:.3f} with {few.voices} and {many.mean:.3f} with {many.voices} voices"
        )
    return f"{model} has all labels right: {'; '.join(ends)}."


def _where(condition: str) -> str:
    return "in clean speech" if condition == "clean" else f"in noise at {condition}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _points(difference: Difference, sign: int) -> str:
    """Percentage points in favour of whoever `sign` means, with the interval."""
    value = f"{100 * sign * difference.value:.1f} points"
    if difference.interval is None:
        return value
    low, high = sorted(100 * sign * end for end in difference.interval)
    return f"{value} ({low:.1f} to {high:.1f})"


def _numbers(curve: Curve, shares: Sequence[float]) -> str:
    numbers = [str(curve.voices(share)) for share in shares]
    return f"{_list(numbers)} {'voice' if numbers == ['1'] else 'voices'}"


def _list(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
