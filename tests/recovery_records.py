"""Synthetic recovery records, with numpy alone: marks, nulls and curves that agree with one another, and small films.

In: sizes. Out: a valid recovery record in which PCA finds phase, ICA angle and phase, NMF nothing, and LLE has no
subspace. Deterministic and quick.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from films import make_film

from tunewidgets.records import new_attrs

ATTRIBUTES = ("frequency", "angle", "phase")
# How far beyond its null a method's best dimension lies, for frequency, angle and phase.
STRENGTH = {"pca": (0.6, 0.9, 1.8), "ica": (0.7, 1.7, 1.9), "nmf": (0.4, 0.5, 0.8), "lle": (0.5, 0.6, 1.2)}
CELL = ("attribute", "decomposition", "n_components", "seed", "bank", "readout")


def make_recovery(
    methods: Sequence[str] = ("pca", "ica", "nmf", "lle"),
    n_components: Sequence[int] = (3, 6),
    seeds: Sequence[int] = (0, 1, 2),
    banks: Sequence[str] = ("zero-mean", "with mean"),
    readouts: Sequence[str] = ("activation",),
    *,
    draws: int = 39,
    points: int = 32,
    filters: int = 28,
    alpha: float = 0.05,
    failed: dict[tuple[str, int], str] | None = None,
    films: bool = False,
    size: int = 16,
    strength: dict[str, tuple[float, float, float]] = STRENGTH,
) -> xr.DataTree:
    """A recovery record; `failed` maps (method, n_components) to why no bank seed has that cell.

    `films`: films of the first bank seed, of every method with every number of components.
    """
    rng = np.random.default_rng(0)
    failed = failed or {}
    shape = (3, len(methods), len(n_components), len(seeds), len(banks), len(readouts))
    far = np.array([[strength.get(method, (0.5, 0.5, 0.5))[a] for method in methods] for a in range(3)])
    grow = np.array([0.9 + 0.05 * k for k in n_components])
    observed = far[:, :, None, None, None, None] * grow[:, None, None, None] + rng.normal(0, 0.12, shape)
    null = np.sort(rng.gamma(12, 0.08, (*shape, draws)), axis=-1)
    null_rotation = null * 1.25 + 0.1
    smoothness = np.clip(0.55 + 0.2 * observed, 0, 0.97)
    best = rng.integers(0, np.array(n_components)[:, None, None, None], shape)
    curve = _curves(shape, observed, points)
    there = np.ones(shape, bool)
    status = np.full((len(methods), len(n_components), len(seeds), len(banks)), "", object)
    for (method, k), why in failed.items():
        m, c = methods.index(method), list(n_components).index(k)
        there[:, m, c] = False
        status[m, c] = why
    if "image" in readouts:
        # Pictures exist for the first seed only.
        there[:, :, :, 1:, :, readouts.index("image")] = False
    rotated = there.copy()
    if "lle" in methods:
        rotated[:, methods.index("lle")] = False
    if "image" in readouts:
        rotated[..., readouts.index("image")] = False
    p = np.where(there, (1 + (null >= observed[..., None]).sum(-1)) / (draws + 1), np.nan)
    p_rotation = np.where(rotated, (1 + (null_rotation >= observed[..., None]).sum(-1)) / (draws + 1), np.nan)
    smooth = smoothness >= 0.65
    recovered = np.where(there, (p <= alpha + 1e-9) & smooth, np.nan)
    on_axis = np.where(rotated, (p_rotation <= alpha + 1e-9) & smooth, np.nan)
    values = {
        "p": p,
        "p_holm": _holm(p),
        "p_rotation": p_rotation,
        "observed": observed,
        "sweep": observed,
        "smoothness": smoothness,
        "r2": np.clip(observed / 3, 0, 1),
        "recovered": recovered,
        "on_axis": on_axis,
    }
    real = {name: (CELL, np.where(there, value, np.nan).astype(np.float32)) for name, value in values.items()}
    with_draws = {
        "null": np.where(there[..., None], null, np.nan),
        "null_rotation": np.where(rotated[..., None], null_rotation, np.nan),
    }
    real |= {name: ((*CELL, "draw"), value.astype(np.float32)) for name, value in with_draws.items()}
    real["readout_curve"] = (
        (*CELL, "point", "component"),
        np.where(there[..., None, None], curve, np.nan).astype(np.float32),
    )
    real["coordinate"] = (
        (*CELL, "point"),
        np.where(there[..., None], np.linspace(-2, 2, points), np.nan).astype(np.float32),
    )
    over = recovered.transpose(3, 0, 1, 2, 4, 5)
    count = (~np.isnan(over)).sum(0)
    share = np.where(count > 0, np.nansum(over, 0) / np.maximum(count, 1), np.nan)
    over_seeds = ("attribute", "decomposition", "n_components", "bank", "readout")
    for name in (
        "share",
        "share_low",
        "share_high",
        "share_on_axis",
        "sweep_mean",
        "sweep_low",
        "sweep_high",
    ):
        real[name] = (over_seeds, share.astype(np.float32))
    attribute = np.stack(
        [
            rng.uniform(0.08, 0.32, (len(seeds), len(banks), filters)),
            rng.uniform(0, np.pi, (len(seeds), len(banks), filters)),
            rng.uniform(0, 2 * np.pi, (len(seeds), len(banks), filters)),
        ]
    )
    sha = np.array(
        [[f"{s:032x}{b:032x}" for b in range(len(banks))] for s in range(len(seeds))], dtype=object
    )
    nothing = np.full((3, len(methods), len(n_components)), "", object)
    report = xr.Dataset(
        real
        | {
            "best_dimension": (CELL, np.where(there, best, -1).astype(np.int32)),
            "statistic": (
                "bank",
                np.array(["r2" if name == "with mean" else "sweep" for name in banks], object),
            ),
            "status": (CELL[1:5], status),
            "converged": (CELL[1:5], np.where(status == "", 1, np.nan).astype(np.float32)),
            "filter_attribute": (("attribute", "seed", "bank", "filter"), attribute.astype(np.float32)),
            "embedding_scale": (
                ("attribute", "seed", "bank"),
                np.ones((3, len(seeds), len(banks)), np.float32),
            ),
            "bank_sha256": (("seed", "bank"), sha),
            "n_seeds": (over_seeds, count.astype(np.int32)),
            "verdict": (CELL[:3], nothing),
            "note": (CELL[:3], nothing.copy()),
        },
        coords={
            "attribute": np.array(ATTRIBUTES, dtype=object),
            "decomposition": np.array(methods, dtype=object),
            "n_components": np.array(n_components),
            "seed": np.array(seeds),
            "bank": np.array(banks, dtype=object),
            "readout": np.array(readouts, dtype=object),
        },
        attrs=new_attrs(
            "recovery",
            model="gabor_bank",
            model_sha256=sha[0, 0],
            layer="relu",
            settings={
                "alpha": alpha,
                "smoothness": 0.65,
                "permutations": draws,
                "others": "mean",
                "n": 4000,
                "images": "synthetic",
            },
            seed=0,
            n_images=100,
            n_vectors=4000,
        ),
    )
    nodes: dict[str, xr.Dataset] = {"/": report}
    if films:
        for b, bank in enumerate(banks):
            for method in methods:
                for k in n_components:
                    if (method, k) not in failed:
                        film = make_film(k, points, size, filters, method=method)
                        film.attrs["model_sha256"] = sha[0, b]
                        nodes[f"/films/{bank}-{method}-{k}"] = film
    return xr.DataTree.from_dict(nodes)


def _holm(p: np.ndarray) -> np.ndarray:
    """Holm's p-values over the first axis."""
    order = np.argsort(p, axis=0)
    left = np.arange(len(p), 0, -1).reshape(-1, *[1] * (p.ndim - 1))
    adjusted = np.minimum(1, np.maximum.accumulate(np.take_along_axis(p, order, 0) * left, axis=0))
    return np.take_along_axis(adjusted, np.argsort(order, axis=0), 0)


def _curves(shape: tuple[int, ...], observed: np.ndarray, points: int) -> np.ndarray:
    """Readouts whose sweep grows with `observed`: octaves, a turn of 2θ, and a turn of ψ."""
    curve = np.full((*shape, points, 3), np.nan)
    t = np.linspace(-1, 1, points)
    reach = np.clip(observed, 0, 2)[..., None]
    curve[0, ..., 0] = -2.4 + 0.25 * reach[0] * np.tanh(2 * t)
    turn = reach[1] * 1.2 * t
    curve[1, ..., 0], curve[1, ..., 1] = 0.6 * np.cos(turn + 0.5), 0.6 * np.sin(turn + 0.5)
    turn = reach[2] * 0.9 * t
    curve[2, ..., 0] = 0.5 * np.cos(turn + 1)
    curve[2, ..., 1], curve[2, ..., 2] = 0.4 * np.sin(turn), 0.15 * np.sin(turn + 1)
    return curve
