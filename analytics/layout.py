"""网络图 where the firms of a network are drawn: by springs from a circle, the same every time."""

from collections.abc import Sequence

import numpy as np

from analytics.market import Floats

__all__ = ["layout"]

_STEPS = 200
_WARM, _COLD = 0.1, 0.002
_LEAST = 1e-3


def layout(nodes: int, edges: Sequence[tuple[int, int, float]]) -> Floats:
    """Places within the unit square, one row a node; `edges` with their weights (Fruchterman and
    Reingold 1991).
    """
    if nodes == 0:
        return np.zeros((0, 2))
    angles = 2 * np.pi * np.arange(nodes) / nodes
    places = np.stack([np.cos(angles), np.sin(angles)], axis=1) / 2
    pull = np.zeros((nodes, nodes))
    for first, second, weight in edges:
        pull[first, second] = pull[second, first] = weight
    pull /= max(pull.max(), _LEAST)
    apart = 1 / np.sqrt(nodes)
    for heat in np.geomspace(_WARM, _COLD, _STEPS):
        off = places[:, None, :] - places[None, :, :]
        far = np.maximum(np.linalg.norm(off, axis=2), _LEAST)
        force = apart**2 / far - pull * far**2 / apart
        np.fill_diagonal(force, 0.0)
        moved = (off / far[..., None] * force[..., None]).sum(axis=1) - 0.05 * places
        length = np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), _LEAST)
        places = places + moved / length * np.minimum(length, heat)
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray(np.round((places - low) / np.maximum(high - low, _LEAST), 4))
