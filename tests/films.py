"""A synthetic film record: gratings that turn (odd dimensions) or move (even ones). Deterministic and quick.

In: sizes. Out: a valid film whose image at each point is known in advance (`grating`).
"""

import numpy as np
import xarray as xr

from tunewidgets.records import new_attrs


def grating(size: int, angle: float, phase: float, frequency: float = 0.125) -> np.ndarray:
    """A (size, size, 3) uint8 grating; `angle` and `phase` in radians, `frequency` in cycles a pixel."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    wave = np.cos(2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle)) + phase)
    window = np.exp(-(x**2 + y**2) / (2 * (size / 3) ** 2))
    gray = 127.5 + 110 * wave * window
    tint = np.array([1.0, 0.98, 0.94])
    return np.clip(gray[..., None] * tint, 0, 255).astype(np.uint8)


def make_film(
    dimensions: int = 3,
    points: int = 8,
    size: int = 16,
    units: int = 12,
    *,
    failed: dict[int, str] | None = None,
    noise: float = 0.0,
    seed: int = 0,
    **settings: object,
) -> xr.Dataset:
    """A film of `dimensions` × `points` gratings; `failed` maps a dimension to its status sentence.

    `noise` (standard deviation, gray levels) makes the images as hard to compress as real ones.
    """
    rng = np.random.default_rng(seed)
    failed = failed or {}
    # Equal steps of angle are unequal steps of coordinate: denser in the middle.
    turn = np.linspace(-1, 1, points) if points > 1 else np.zeros(1)
    coordinate = np.stack([(2 + d) * np.sinh(2 * turn) / np.sinh(2) + 0.3 * d for d in range(dimensions)])
    data = rng.laplace(scale=0.5, size=(dimensions, 4000)) * (2 + np.arange(dimensions))[:, None] / 2
    low, high = coordinate[:, :1], coordinate[:, -1:] + 1e-3
    data = np.clip(data, low, high)
    edges = np.stack([np.linspace(lo, hi, 41) for lo, hi in np.hstack([low, high])])
    histogram = np.stack([np.histogram(data[d], edges[d])[0] for d in range(dimensions)])
    quantile = np.stack(
        [np.searchsorted(np.sort(data[d]), coordinate[d]) / data.shape[1] for d in range(dimensions)]
    )
    component = rng.normal(size=(dimensions, units))
    target = 0.8 + coordinate[..., None] * component[:, None, :] * 0.3
    image = np.stack(
        [
            [
                grating(size, np.pi * (d / dimensions + (d % 2) * 0.4 * s), np.pi / 2 * s * (d % 2 == 0))
                for s in turn
            ]
            for d in range(dimensions)
        ]
    )
    if noise:
        image = np.clip(image + rng.normal(scale=noise, size=image.shape), 0, 255).astype(np.uint8)
    cosine = 0.75 + 0.15 * np.abs(turn) * np.ones((dimensions, 1))
    status = [failed.get(d, "") for d in range(dimensions)]
    for d in failed:
        image[d], cosine[d] = 0, np.nan
    variance = 0.5 ** np.arange(1, dimensions + 1)
    real = {
        "coordinate": (("dimension", "point"), coordinate),
        "quantile": (("dimension", "point"), quantile),
        "target": (("dimension", "point", "unit"), target),
        "cosine": (("dimension", "point"), cosine),
        "histogram": (("dimension", "bin"), histogram),
        "bin_edge": (("dimension", "edge"), edges),
        "explained_variance": (("dimension",), variance),
        "component": (("dimension", "unit"), component),
        "unmixing": (("dimension", "unit"), component / (component**2).sum(1, keepdims=True)),
        "center": (("unit",), np.full(units, 0.8)),
    }
    text = {"status": status, "label": [""] * dimensions, "suggested_label": [""] * dimensions}
    return xr.Dataset(
        {name: (dims, np.asarray(value, np.float32)) for name, (dims, value) in real.items()}
        | {name: ("dimension", np.array(value, dtype=object)) for name, value in text.items()}
        | {
            "image": (("dimension", "point", "y", "x", "rgb"), image),
            "unit_mask": ("unit", np.ones(units, bool)),
        },
        attrs=new_attrs(
            "film",
            model="gabor_bank",
            model_sha256="0" * 64,
            layer="relu",
            settings={
                "method": "ica",
                "n_components": dimensions,
                "converged": True,
                "sampling": "arc",
                "mode": "dot_cosine",
                "others": "mean",
                "at": "everywhere",
                "size": size,
                "steps": 128,
                "images": "synthetic",
                **settings,
            },
            seed=seed,
            n_images=100,
            n_vectors=4000,
        ),
    )
