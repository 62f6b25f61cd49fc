"""Synthetic unit records, with numpy alone: small textures as images, and numbers as a trained layer gives them.

In: sizes. Out: a valid unit record whose parts agree with one another (RS counts the exceeding units, which are
listed), or a tree of several layers. Deterministic and quick.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from tunewidgets.kernels.single_units.substitution_measures import (
    exceeders,
    normalized_substitution,
    substitutes,
)
from tunewidgets.records import layer_tree, new_attrs

SILENT = "silent: no image that was tried excites this unit"
FLAT = (
    "flat: one color is the best that was found; look at one position of it, tw.Neuron, or at its exemplars"
)
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def texture(count: int, size: int, rng: np.random.Generator, contrast: float = 1.0) -> np.ndarray:
    """`count` colored gratings of different angle, frequency and hue, `(count, size, size, 3)` uint8."""
    y, x = np.mgrid[:size, :size] / size
    angle, phase = rng.uniform(0, np.pi, (2, count, 1, 1))
    frequency = rng.uniform(1.5, 6, (count, 1, 1))
    wave = np.cos(2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    tint = rng.uniform(-1, 1, (count, 1, 1, 3))
    pixels = 128 + contrast * (70 * wave[..., None] * tint + rng.normal(scale=3, size=(count, size, size, 3)))
    return np.clip(pixels, 0, 255).astype(np.uint8)


def make_units(
    units: int = 24,
    size: int = 16,
    *,
    layer: str = "features.1",
    classes: Sequence[str] = CLASSES,
    objectives: Sequence[str] = ("am", "iam"),
    k: int = 9,
    images: bool = True,
    ablation: bool = True,
    exemplars: int = 0,
    dead: Sequence[int] = (),
    silent: Sequence[int] = (),
    failed: dict[int, str] | None = None,
    copies: bool = False,
    crowding: float = 1.0,
    display: bool = False,
    flat: Sequence[int] = (),
    one_position: Sequence[int] = (),
    seed: int = 0,
) -> xr.Dataset:
    """One layer's record.

    `dead` units answer to nothing; `silent` ones do not answer to their own image; `failed` maps a unit to why it has
    no image. `copies`: all units are one and the same. `crowding`: how strongly units answer to others' images.
    `display`: units have an image for the eye too; the measured image of `flat` ones is one color, and those of them in
    `one_position` have another for one position of their map.
    """
    rng = np.random.default_rng(seed)
    failed = failed or {}
    count, n = units, len(classes)
    gone = np.isin(np.arange(count), dead)
    means = rng.gamma(1.2, 0.4, (count, n)) * rng.lognormal(sigma=0.5, size=(count, 1))
    if copies:
        means[:] = means[0]
    means[gone] = 0
    top = means.max(1)
    rest = (means.sum(1) - top) / max(n - 1, 1)
    selectivity = np.divide(top - rest, top + rest, out=np.zeros(count), where=top > 0)
    preferred = means.argmax(1)
    overall = means.mean(1)
    own: dict[str, tuple] = {
        "selectivity": ("unit", selectivity.astype(np.float32)),
        "preferred_class": ("unit", preferred.astype(np.int32)),
        "class_mean": (("unit", "cls"), means.astype(np.float32)),
        "mean_activation": ("unit", overall.astype(np.float32)),
        "dead": ("unit", gone),
        "precision_at_k": ("unit", np.where(gone, np.nan, 0.2 + 0.7 * selectivity).astype(np.float32)),
        "auc": ("unit", np.where(gone, np.nan, 0.55 + 0.4 * selectivity).astype(np.float32)),
        "auc_error": ("unit", np.full(count, 1e-4, np.float32)),
    }
    if images and objectives:
        own |= _shown(rng, objectives, overall, gone, silent, failed, size, k, copies, crowding)
    if display:
        own |= _for_the_eye(own, silent, failed, flat, one_position)
    if ablation:
        by_class = rng.gamma(0.4, 0.02, (count, n)) - 0.004
        by_class[np.arange(count), preferred] += rng.gamma(0.6, 0.06, count)
        by_class[gone] = 0
        own |= {
            "accuracy_drop": ("unit", by_class.mean(1).astype(np.float32)),
            "loss_increase": ("unit", (3 * by_class.mean(1)).astype(np.float32)),
            "class_accuracy_drop": (("unit", "cls"), by_class.astype(np.float32)),
            "accuracy_drop_se": ("unit", np.full(count, 0.004, np.float32)),
            "class_accuracy_drop_se": (("unit", "cls"), np.full(by_class.shape, 0.02, np.float32)),
        }
    if exemplars:
        own |= {
            "exemplar": (("unit", "k"), rng.integers(0, 5000, (count, max(k, exemplars)), dtype=np.int32)),
            "exemplar_activation": (
                ("unit", "k"),
                -np.sort(-rng.gamma(2, 1, (count, max(k, exemplars))), axis=1).astype(np.float32),
            ),
        }
        if exemplars > 1 and images:
            pictures = texture(count * max(k, exemplars), size, rng).reshape(count, -1, size, size, 3)
            own["exemplar_image"] = (("unit", "k", "y", "x", "rgb"), pictures)
    return xr.Dataset(
        own,
        coords={
            "cls": np.array(classes, dtype=object),
            **({"objective": np.array(objectives, dtype=object)} if images and objectives else {}),
        },
        attrs=new_attrs(
            "units",
            model="shallow_cnn",
            model_sha256="0" * 64,
            layer=layer,
            settings={
                "steps": 128,
                "size": size,
                "canvas": "fourier",
                "restarts": 1,
                "objective_at": "leaky",
                **({"contrast": None} if display else {}),
            },
            seed=seed,
            n_images=10_000,
            n_vectors=None,
        ),
    )


def _shown(rng, objectives, overall, gone, silent, failed, size, k, copies, crowding) -> dict[str, tuple]:
    """Images, RS and what belongs to them, from made-up responses of every unit to every image."""
    count = len(overall)
    rendered = ~np.isin(np.arange(count), [*failed])
    parts: dict[str, list] = {
        name: []
        for name in (
            "silent",
            "image",
            "own_response",
            "rs",
            "rs_normalized",
            "exceeder",
            "exceeder_response",
        )
    }
    gain = np.where(gone, 0, rng.lognormal(sigma=0.6, size=count))
    for at, _ in enumerate(objectives):
        # Whoever maximizes only its own answer (AM) excites the others more.
        others = rng.gamma(1.5, 0.22 * crowding * (0.6 if at else 1.0), (count, count))
        response = (others + np.eye(count) * rng.uniform(1, 3, (count, 1))) * gain
        if copies:
            response[:] = 1.0
        response[:, list(silent)] *= ~np.eye(count, dtype=bool)[:, list(silent)]
        quiet = (np.diag(response) <= 0) | ~rendered
        rs = _substitution(response, quiet)
        who, how = exceeders(response, k)
        who[quiet], how[quiet] = -1, np.nan
        image = texture(count, size, rng)
        image[~rendered] = 0
        parts["silent"].append((np.diag(response) <= 0) & rendered)
        parts["image"].append(image)
        parts["own_response"].append(np.where(rendered, np.diag(response), np.nan).astype(np.float32))
        parts["rs"].append(rs)
        normalized = normalized_substitution(response, np.where(gone, 0, np.maximum(overall, 1e-3)))
        parts["rs_normalized"].append(np.where(quiet, np.nan, normalized).astype(np.float32))
        parts["exceeder"].append(who)
        parts["exceeder_response"].append(how)
    more = {"image": ("y", "x", "rgb"), "exceeder": ("k",), "exceeder_response": ("k",)}
    return {
        name: (("objective", "unit", *more.get(name, ())), np.stack(values)) for name, values in parts.items()
    } | {
        "rendered": (("objective", "unit"), np.stack([rendered] * len(objectives))),
        "status": (
            ("objective", "unit"),
            np.array(
                [[failed.get(u, SILENT if u in silent else "") for u in range(count)]] * len(objectives),
                dtype=object,
            ),
        ),
        "substitutes": ("unit", substitutes(response)),
    }


def _for_the_eye(own, silent, failed, flat, one_position) -> dict[str, tuple]:
    """The second images: the first ones with less contrast, none of what failed, is silent or is one color."""
    dims, measured = own["image"]
    image, status = measured.copy(), own["status"][1].copy()
    count, size = image.shape[1], image.shape[2]
    flat, one_position = list(flat), list(one_position)
    image[:, flat] = np.random.default_rng(1).integers(30, 220, (len(image), len(flat), 1, 1, 3), np.uint8)
    status[:, flat] = FLAT
    display = np.full(image.shape[:2], "bounded contrast", dtype=object)
    display[:, [*silent, *failed, *flat]] = ""
    display[:, one_position] = "one position"
    y, x = (np.mgrid[:size, :size] - (size - 1) / 2) / size
    near = np.exp(-(x**2 + y**2) / 0.04)[..., None]
    soft = 128 + 0.55 * (measured.astype(float) - 128)
    single = 128 + near * (measured.astype(float) - 128)
    chosen = np.isin(np.arange(count), one_position)[:, None, None, None]
    there = (display != "")[..., None, None, None]
    return {
        "image": (dims, image),
        "status": (("objective", "unit"), status),
        "display": (("objective", "unit"), display),
        "display_image": (dims, np.where(there, np.where(chosen, single, soft), 0).astype(np.uint8)),
        "display_response": (
            ("objective", "unit"),
            np.where(display != "", 0.8 * own["own_response"][1], np.nan).astype(np.float32),
        ),
    }


def _substitution(response: np.ndarray, quiet: np.ndarray) -> np.ndarray:
    own = np.diag(response)[:, None]
    return np.where(quiet, np.nan, (response > own * (1 + 1e-6)).mean(1)).astype(np.float32)


def make_tree(layers: int = 2, units: int = 24, size: int = 16, **options: object) -> xr.DataTree:
    """Several layers, each of which answers to others' images less than the one before."""
    names = [f"features.{3 * at + 1}" for at in range(layers)]
    return layer_tree(
        {
            name: make_units(units, size, layer=name, seed=at, crowding=1.4 / (at + 1), **options)
            for at, name in enumerate(names)
        }
    )
