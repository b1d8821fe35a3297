"""The same sentences with the same meanings in a smaller word graph: what they share is written once."""

from collections.abc import Callable, Iterable

from slu.decoding.graph import Arc, WordGraph


def compact(arcs: Iterable[Arc], start: int, final: int) -> WordGraph:
    """From arcs in any order, between nodes of any numbers, without cycles; nothing may enter `start` or leave `final`.

    Common beginnings and ends are shared, where the same arcs decide; arcs without word and label mostly vanish.
    """
    kept = list(dict.fromkeys(arcs))
    size = -1
    while size != len(kept):
        size = len(kept)
        kept = _join_empty(kept, start, final)
        kept = _merge_ends(kept, start, final)
        kept = _merge_beginnings(kept, start, final)
    order = _order(kept, start, final)
    number = {node: new for new, node in enumerate(order)}
    renamed = sorted(
        (Arc(number[a.source], number[a.target], a.word, a.labels) for a in kept), key=lambda a: (a.source, a.target)
    )
    return WordGraph(len(order), number[final], tuple(renamed))


def _join_empty(arcs: list[Arc], start: int, final: int) -> list[Arc]:
    """Two nodes that only an empty arc separates, with no other way out of the first or into the second, are one."""
    while True:
        leaving, entering = _count(a.source for a in arcs), _count(a.target for a in arcs)
        empty = (
            a
            for a in arcs
            if not a.word
            and not a.labels
            and (leaving[a.source] == 1 or (entering[a.target] == 1 and a.target != final))
            and (a.source, a.target) != (start, final)
        )
        found = next(empty, None)
        if found is None:
            return arcs
        gone, stays = (found.source, found.target) if found.source != start else (found.target, found.source)
        arcs = _rename([a for a in arcs if a != found], {gone: stays})


def _merge_ends(arcs: list[Arc], start: int, final: int) -> list[Arc]:
    """Nodes that the same sentences leave are one."""
    same: dict[int, int] = {}
    seen: dict[frozenset[tuple[str, object, int]], int] = {}
    leaving = _by_node(arcs, lambda a: a.source)
    for node in reversed(_order(arcs, start, final)):
        if node != final:
            key = frozenset((a.word, a.labels, same[a.target]) for a in leaving[node])
            same[node] = seen.setdefault(key, node)
        else:
            same[node] = node
    return _rename(arcs, same)


def _merge_beginnings(arcs: list[Arc], start: int, final: int) -> list[Arc]:
    """Nodes that the same arcs enter are one."""
    same: dict[int, int] = {}
    seen: dict[frozenset[tuple[str, object, int]], int] = {}
    entering = _by_node(arcs, lambda a: a.target)
    for node in _order(arcs, start, final):
        if node not in (start, final):
            key = frozenset((a.word, a.labels, same[a.source]) for a in entering[node])
            same[node] = seen.setdefault(key, node)
        else:
            same[node] = node
    return _rename(arcs, same)


def _order(arcs: list[Arc], start: int, final: int) -> list[int]:
    """Topological: every node after those that lead to it; `final` last."""
    waiting = _count(a.target for a in arcs)
    leaving = _by_node(arcs, lambda a: a.source)
    order, ready = [], [start]
    while ready:
        node = ready.pop()
        order.append(node)
        for arc in leaving.get(node, ()):
            waiting[arc.target] -= 1
            if not waiting[arc.target]:
                ready.append(arc.target)
    order.remove(final)
    return [*order, final]


def _count(nodes: Iterable[int]) -> dict[int, int]:
    times: dict[int, int] = {}
    for node in nodes:
        times[node] = times.get(node, 0) + 1
    return times


def _by_node(arcs: list[Arc], node_of: Callable[[Arc], int]) -> dict[int, list[Arc]]:
    table: dict[int, list[Arc]] = {}
    for arc in arcs:
        table.setdefault(node_of(arc), []).append(arc)
    return table


def _rename(arcs: list[Arc], names: dict[int, int]) -> list[Arc]:
    renamed = (Arc(names.get(a.source, a.source), names.get(a.target, a.target), a.word, a.labels) for a in arcs)
    return list(dict.fromkeys(renamed))
