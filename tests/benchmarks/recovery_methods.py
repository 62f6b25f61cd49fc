"""What else could find a Gabor bank's frequency and angle: many methods, one null, 20 banks.

    uv run --group bench python tests/benchmarks/recovery_methods.py [NAME ...] [--seeds 20] [--images photos]

Prints the share of bank seeds that recover each attribute in the subspace (p <= .05 against permuted filters, a smooth
curve), all three, and all three by Holm's correction, and how often random directions of the same data do; writes
artifacts/benchmarks/recovery_methods.json. A name may have a star: "PCA-8*".
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

import numpy as np
import torch
from picard import picard
from rich.console import Console
from rich.table import Table
from sklearn.decomposition import PCA, DictionaryLearning, FastICA, MiniBatchSparsePCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.manifold import SpectralEmbedding
from sklearn.neighbors import NearestNeighbors

import tunewidgets as tw
from tunewidgets.kernels.gabor.bank_activations import Patches
from tunewidgets.kernels.gabor.cell import SMOOTH
from tunewidgets.kernels.gabor.lines import equal_angles, on_lines
from tunewidgets.kernels.gabor.nulls import holm, label_null, p_value, permuted
from tunewidgets.kernels.reading.attributes import ATTRIBUTES, Embedding, embed
from tunewidgets.kernels.reading.readout import readout_curves, smoothnesses, sweeps
from tunewidgets.kernels.tuning.lle import barycentric_weights
from tunewidgets.zoo.gabor import GaborBank

OUT = Path("artifacts/benchmarks")
SIDE = 7  # px of a filter
WIDE = 15  # px: a window that holds 5 x 5 neighboring positions of such a filter with stride 2
POINTS = 32
COUNTED = (*ATTRIBUTES, "all three", "all, Holm")
VIEWS = (
    "raw",
    "normalized",
    "root",
    "pooled",
    "pooled, normalized",
    "pooled 5 × 5",
    "pooled 5 × 5, normalized",
    "rms",
    "rms, normalized",
    "rms 5 × 5",
    "rms 5 × 5, normalized",
)
Targets = np.ndarray  # (k, points, units)
Method = Callable[[np.ndarray, int], Targets]


def views(wide: np.ndarray, bank: GaborBank) -> dict[str, np.ndarray]:
    """The bank's activations of one set of windows, seen in several ways."""
    kernels = bank.filters.weight.detach().numpy().reshape(len(bank.attributes), -1)
    windows = wide.reshape(-1, WIDE, WIDE)
    places = range(0, WIDE - SIDE + 1, 2)
    rows = [
        [
            np.maximum(windows[:, y : y + SIDE, x : x + SIDE].reshape(len(windows), -1) @ kernels.T, 0)
            for x in places
        ]
        for y in places
    ]
    maps = np.array(rows, float)  # (5, 5, images, filters)
    near = maps[1:4, 1:4]
    found = {
        "raw": maps[2, 2],
        "pooled": near.mean((0, 1)),
        "pooled 5 × 5": maps.mean((0, 1)),
        "rms": np.sqrt((near**2).mean((0, 1))),
        "rms 5 × 5": np.sqrt((maps**2).mean((0, 1))),
    }
    contrast = {f"{name}, normalized": normalized(vectors) for name, vectors in found.items()}
    return {
        **found,
        **contrast,
        "normalized": contrast["raw, normalized"],
        "root": np.sqrt(found["raw"]),
    }


def normalized(vectors: np.ndarray) -> np.ndarray:
    """Divided by their length, weak ones less: contrast counts for little, what they say counts."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / (length + np.median(length))


def along_lines(vectors: np.ndarray, rows: np.ndarray) -> Targets:
    """Targets along straight lines through the mean, each as far as the data reach in its direction."""
    base = vectors.mean(0)
    directions = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    reach = (vectors - base) @ directions.T
    coordinates = equal_angles(base, directions, reach.min(0), reach.max(0), POINTS)
    return on_lines(base, directions, coordinates)


def pca(k: int) -> Method:
    return lambda vectors, seed: along_lines(vectors, PCA(k).fit(vectors).components_)


def ica(k: int) -> Method:
    def fit(vectors: np.ndarray, seed: int) -> Targets:
        model = FastICA(k, whiten="unit-variance", whiten_solver="eigh", max_iter=1000, random_state=seed)
        return along_lines(vectors, model.fit(vectors / vectors.std()).mixing_.T)

    return fit


def picards(k: int) -> Method:
    """ICA by maximum likelihood, over rotations of whitened data (Picard-O)."""

    def fit(vectors: np.ndarray, seed: int) -> Targets:
        whitening, rotation, _ = picard(
            (vectors / vectors.std()).T, n_components=k, ortho=True, random_state=seed
        )
        return along_lines(vectors, np.linalg.pinv(rotation @ whitening).T)

    return fit


def named(method: str, k: int) -> Method:
    """Ours, as `gabor_recovery` has it."""

    def fit(vectors: np.ndarray, seed: int) -> Targets:
        fitted = tw.TuningDimensions(method, k, random_state=seed).fit(vectors)
        return along_lines(vectors, fitted.components_)

    return fit


def random(k: int) -> Method:
    def fit(vectors: np.ndarray, seed: int) -> Targets:
        rng = np.random.default_rng([seed, 9])
        return along_lines(vectors, np.linalg.qr(rng.standard_normal((vectors.shape[1], k)))[0].T)

    return fit


def varimax(k: int) -> Method:
    def fit(vectors: np.ndarray, seed: int) -> Targets:
        model = PCA(k).fit(vectors)
        loadings = model.components_.T * np.sqrt(model.explained_variance_)
        rotation = np.eye(k)
        for _ in range(200):
            turned = loadings @ rotation
            u, _, v = np.linalg.svd(loadings.T @ (turned**3 - turned * (turned**2).mean(0)))
            if np.allclose(u @ v, rotation, atol=1e-8):
                break
            rotation = u @ v
        return along_lines(vectors, (loadings @ rotation).T)

    return fit


def sparse_pca(k: int) -> Method:
    return lambda vectors, seed: along_lines(
        vectors,
        _nonzero(
            MiniBatchSparsePCA(k, alpha=0.5, random_state=seed).fit(vectors / vectors.std()).components_
        ),
    )


def dictionary(k: int) -> Method:
    def fit(vectors: np.ndarray, seed: int) -> Targets:
        own = vectors[np.random.default_rng(seed).permutation(len(vectors))[:1500]]
        model = DictionaryLearning(k, alpha=0.5, max_iter=30, random_state=seed)
        return along_lines(vectors, _nonzero(model.fit(own / own.std()).components_))

    return fit


def _nonzero(rows: np.ndarray) -> np.ndarray:
    return rows[np.linalg.norm(rows, axis=1) > 0]


def eigenmaps(k: int) -> Method:
    """Laplacian eigenmaps of a subsample; the way back mixes neighbors in the embedding."""

    def fit(vectors: np.ndarray, seed: int) -> Targets:
        own = vectors[np.random.default_rng(seed).permutation(len(vectors))[:1200]]
        own = own[np.linalg.norm(own, axis=1) > 0]
        model = SpectralEmbedding(k, n_neighbors=15, random_state=seed)
        embedded = model.fit_transform(own)
        embedded = (embedded - embedded.mean(0)) / embedded.std(0)
        near = NearestNeighbors(n_neighbors=15).fit(embedded)
        curves = []
        for axis in range(k):
            # Ends of the bulk: single outlying vectors stretch an eigenmap.
            points = np.zeros((POINTS, k))
            points[:, axis] = np.linspace(*np.quantile(embedded[:, axis], [0.01, 0.99]), POINTS)
            found = near.kneighbors(points, return_distance=False)
            curves.append(np.einsum("nj,nju->nu", barycentric_weights(points, embedded[found]), own[found]))
        return np.stack(curves)

    return fit


def circles(vectors: np.ndarray, rows: np.ndarray, pairs: list[tuple[int, int]]) -> Targets:
    """Targets around the mean in planes, at a radius that one in ten vectors reaches."""
    base = vectors.mean(0)
    turn = np.linspace(0, 2 * np.pi, POINTS)
    out = []
    for a, b in pairs:
        plane = np.linalg.qr(rows[[a, b]].T)[0]
        scores = (vectors - base) @ plane
        radius = np.quantile(np.abs(scores), 0.9, axis=0)
        out.append(base + (np.stack([np.cos(turn), np.sin(turn)], 1) * radius) @ plane.T)
    return np.stack(out)


def pca_circles(k: int) -> Method:
    def fit(vectors: np.ndarray, seed: int) -> Targets:
        rows = PCA(k).fit(vectors).components_
        return circles(vectors, rows, [(a, b) for a in range(k) for b in range(a + 1, k)])

    return fit


def subspaces(k: int) -> Method:
    """Independent subspaces of two: ICA's components, paired by how their energies go together."""

    def fit(vectors: np.ndarray, seed: int) -> Targets:
        model = FastICA(k, whiten="unit-variance", whiten_solver="eigh", max_iter=1000, random_state=seed)
        energy = np.corrcoef((model.fit_transform(vectors / vectors.std()) ** 2).T)
        left, pairs = set(range(k)), []
        for flat in np.argsort(-np.triu(energy, 1), axis=None):
            a, b = divmod(int(flat), k)
            if a < b and {a, b} <= left:
                pairs.append((a, b))
                left -= {a, b}
        return circles(vectors, model.mixing_.T, pairs)

    return fit


def methods() -> dict[str, tuple[str, Method, bool]]:
    """Name → the view it is of, what gives the targets, and whether they go around circles."""
    found: dict[str, tuple[str, Method, bool]] = {}

    def add(
        name: str, make: Callable[[int], Method], counts: tuple[int, ...], views: tuple[str, ...]
    ) -> None:
        circular = make in (pca_circles, subspaces)
        found.update({f"{name}-{k} {view}": (view, make(k), circular) for view in views for k in counts})

    single, best = ("raw", "normalized", "root"), ("raw", "pooled, normalized", "rms 5 × 5, normalized")
    add("PCA", pca, (3, 4, 6, 8, 10, 12), VIEWS)
    add("random", random, (6, 8, 10), best)
    add("ICA", ica, (3, 6, 12), single)
    add("ICA", ica, (6, 8, 10, 12), best[1:])
    add("Picard", picards, (3, 6, 8, 12), best)
    add("varimax", varimax, (3, 6, 8, 12), best)
    add("NMF", partial(named, "nmf"), (3, 6, 8, 12), best)
    add("sparse PCA", sparse_pca, (6, 8, 12), best)
    add("dictionary", dictionary, (6, 8, 12), best)
    add("eigenmaps", eigenmaps, (3, 6, 8), best)
    add("circles of PCA", pca_circles, (4, 6, 8), best)
    add("subspaces", subspaces, (6, 8, 12), best)
    return found


def recovers(
    targets: Targets, base: np.ndarray, embedding: Embedding, seed: int, circular: bool
) -> np.ndarray:
    """Whether some dimension recovers frequency, angle, phase, all three, and all three by Holm's correction."""
    labels = permuted(embedding, 199, np.random.default_rng([seed, 0]))
    null, average = label_null(targets, base, embedding, labels)
    curves = readout_curves(targets, embedding)
    # Once around a circle is π times as long as the circle is wide, and as smooth as a circle can be.
    smooth = smoothnesses(curves) * (np.pi if circular else 1)
    p = np.where(smooth >= SMOOTH, p_value(null, sweeps(curves) / average), 1).min(axis=1)
    return np.array([*(p <= 0.05), (p <= 0.05).all(), (holm(p) <= 0.05).all()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--n", type=int, default=8000)
    parser.add_argument(
        "--first", type=int, default=0, help="the first bank seed; others than 0 test a choice made there"
    )
    parser.add_argument("--images", default="dead-leaves", help="photos, dead-leaves or a folder")
    parser.add_argument("--n-images", type=int, default=200)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=ConvergenceWarning)
    torch.set_num_threads(1)
    chosen = {
        name: one
        for name, one in methods().items()
        if not options.names or any(fnmatchcase(name, pattern) for pattern in options.names)
    }
    source = tw.zoo.images(options.images, n=options.n_images, size=128)
    whole = tw.zoo.gabor_bank(size=WIDE)
    wide = Patches(source, options.n, 0, True).windows(whole).values
    found = {name: np.zeros((options.seeds, len(COUNTED)), bool) for name in chosen}
    spent = dict.fromkeys(chosen, 0.0)
    for row in range(options.seeds):
        seed = options.first + row
        bank = tw.zoo.gabor_bank(seed=seed)
        embedding, seen = embed(bank.attributes), views(wide, bank)
        for name, (view, method, circular) in chosen.items():
            start = time.process_time()
            targets, base = method(seen[view], seed), seen[view].mean(axis=0)
            found[name][row] = recovers(targets, base, embedding, seed, circular)
            spent[name] += time.process_time() - start
    rows = [
        {
            "method": name,
            **dict(zip(COUNTED, hit.mean(axis=0).tolist(), strict=True)),
            "s a seed": spent[name] / options.seeds,
        }
        for name, hit in found.items()
    ]
    table = Table(
        title=f"Share of bank seeds {options.first} to {seed}, {source.describe()}", title_justify="left"
    )
    for column in rows[0]:
        table.add_column(column, justify="left" if column == "method" else "right")
    for row in rows:
        table.add_row(*[f"{v:.2f}" if isinstance(v, float) else v for v in row.values()])
    Console(width=120).print(table)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "recovery_methods.json").write_text(
        json.dumps({"images": source.describe(), "rows": rows}, indent=1)
    )


if __name__ == "__main__":
    main()
