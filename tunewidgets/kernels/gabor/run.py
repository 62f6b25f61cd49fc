"""A recovery checklist being made: bank after bank, saved as it grows.

In: banks, methods and images, ready to use. Out: a recovery record, and films below it. What a store holds already is
taken over instead of being made again.
"""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from tunewidgets import records
from tunewidgets.kernels.gabor.bank_activations import LAYER, Patches
from tunewidgets.kernels.gabor.banks import MethodMaker, answers_to_light
from tunewidgets.kernels.gabor.cell import POINTS, SMOOTH, Rules, judge
from tunewidgets.kernels.gabor.films import judge_film, random_films
from tunewidgets.kernels.gabor.record import NOT_YET, blank, enter, summarized, taken_over
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.reading.attributes import ATTRIBUTES, COLUMNS, Embedding, embed
from tunewidgets.kernels.tuning.dimensions import TuningDimensions
from tunewidgets.kernels.tuning.films import render_film
from tunewidgets.kernels.tuning.points import Others
from tunewidgets.zoo.gabor import GaborBank

SAVE_EVERY = 10.0  # seconds


class RecoveryRun:
    """All cells of a checklist, finished or not.

    Parameters
    ----------
    patches : Patches
        What the banks look at.
    banks : dict of (str, int) to GaborBank
        By name and seed.
    methods : dict of str to function
        From a number of components and a seed to unfitted dimensions.
    n_components : list of int
    others, permutations, alpha
        As of `gabor_recovery`.
    films : bool
        Whether there will be films to read.
    """

    def __init__(
        self,
        *,
        patches: Patches,
        banks: dict[tuple[str, int], GaborBank],
        methods: dict[str, MethodMaker],
        n_components: list[int],
        others: Others,
        permutations: int,
        alpha: float,
        films: bool,
    ) -> None:
        self.patches, self.banks, self.methods = patches, banks, methods
        self.cells = [(method, k) for method in methods for k in n_components]
        names, seeds = (list(dict.fromkeys(part)) for part in zip(*banks, strict=True))
        self.embeddings = {key: embed(bank.attributes) for key, bank in banks.items()}
        settings = {
            "methods": {name: maker.described for name, maker in methods.items()},
            "n_components": n_components,
            "banks": names,
            "images": patches.described,
            "first_images": patches.first_images,
            "n": patches.n,
            "pool": patches.pool,
            "pooling": patches.pooling,
            "normalize": patches.normalize,
            "others": others,
            "permutations": permutations,
            "alpha": alpha,
            "smoothness": SMOOTH,
        }
        first = Probe(next(iter(banks.values())), LAYER, device="cpu")
        attrs = records.new_attrs(
            "recovery",
            **first.provenance(),
            settings=settings,
            seed=patches.seed,
            n_images=None,
            n_vectors=patches.n,
        )
        readouts = ("activation", "image") if films else ("activation",)
        filters = max(len(bank.attributes) for bank in banks.values())
        self.report = blank(list(methods), n_components, seeds, names, readouts, permutations, filters, attrs)
        self.films: dict[str, xr.Dataset] = {}
        self.store: str | os.PathLike[str] | None = None
        self._saved = time.monotonic()
        for (name, seed), bank in banks.items():
            self._describe(name, seed, bank)
        self.rules = {
            name: Rules(permutations, alpha, others, str(self.report["statistic"].sel(bank=name).item()))
            for name in names
        }

    def resume(self, store: str | os.PathLike[str] | None) -> None:
        """Take over what the store holds, if anything, and save there from now on.

        Raises
        ------
        ValueError
            If it holds a record made otherwise.
        """
        self.store = store
        if store is None or not Path(store).expanduser().exists():
            return
        tree = records.open_record(store)
        if not (
            isinstance(tree, xr.DataTree)
            and str(tree.attrs.get("tunewidgets_record", "")).startswith("recovery/")
        ):
            raise ValueError(f"{store} holds a record of another kind; give another store")
        earlier = tree.to_dataset(inherit=False)
        theirs, mine = records.settings_of(earlier), records.settings_of(self.report)
        for key, value in mine.items():
            if theirs.get(key) != value:
                raise ValueError(
                    f"{store} holds a record made with {key}={theirs.get(key)!r}, not {value!r}; give another "
                    "store, or the same settings to go on"
                )
        self.report = taken_over(self.report, earlier, str(store))
        for node in tree.subtree:
            if str(node.attrs.get("tunewidgets_record", "")).startswith("film/"):
                self.films[node.path.strip("/")] = node.to_dataset(inherit=False)

    def judge_all(self, progress: bool) -> None:
        """Fit and judge every cell that is not finished.

        Raises
        ------
        ValueError
            If no cell can be fitted.
        """
        try:
            with tqdm(
                total=len(self.banks) * len(self.cells), desc="Judging", unit="cell", disable=not progress
            ) as bar:
                for name, seed in self.banks:
                    self._judge(name, seed)
                    bar.update(len(self.cells))
                    if time.monotonic() - self._saved > SAVE_EVERY:
                        self.save()
        finally:
            self.save()
        reasons = self.report["status"].values
        if reasons.all():
            raise ValueError(f"no method could be fitted: {reasons.flat[0]}")

    def film_all(self, seed: int, random_directions: int, options: dict[str, Any]) -> None:
        """Films of one seed, and what their pictures say."""
        for name in dict.fromkeys(name for name, _ in self.banks):
            bank, embedding = self.banks[name, seed], self.embeddings[name, seed]
            fitted = {
                (method, k): self.report["status"]
                .loc[{"method": method, "n_components": k, "bank": name, "seed": seed}]
                .item()
                == ""
                for method, k in self.cells
            }
            lacking = [
                cell for cell, there in fitted.items() if there and _node(name, *cell) not in self.films
            ]
            if not lacking:
                continue
            activations = self.patches.activations(bank)
            probe = Probe(bank, LAYER)
            pool = np.empty((len(ATTRIBUTES), 0))
            if random_directions:
                pool = random_films(probe, activations, embedding, random_directions, seed, **options)
            for method, k in lacking:
                dimensions = self.methods[method](k, seed).fit(activations)
                rules = self.rules[name]
                film = render_film(probe, dimensions, POINTS, others=rules.others, **options)
                self.films[_node(name, method, k)] = film
                where = {"method": method, "n_components": k, "bank": name, "seed": seed, "readout": "image"}
                enter(self.report, judge_film(film, embedding, pool, rules, seed), where)
                self.save()

    def finished(self) -> xr.DataTree:
        """The record as it is now, with the shares over seeds."""
        nodes = {f"/{path}": film for path, film in self.films.items()}
        return xr.DataTree.from_dict({"/": summarized(self.report), **nodes})

    def save(self) -> None:
        """To the store, if there is one."""
        self._saved = time.monotonic()
        if self.store is not None:
            records.save_record(self.finished(), self.store)

    def _describe(self, name: str, seed: int, bank: GaborBank) -> None:
        place = {"bank": name, "seed": seed}
        embedding: Embedding = self.embeddings[name, seed]
        count = len(bank.attributes)
        self.report["statistic"].loc[{"bank": name}] = "r2" if answers_to_light(bank) else "sweep"
        self.report["bank_sha256"].loc[place] = Probe(bank, LAYER, device="cpu").provenance()["model_sha256"]
        for attribute in ATTRIBUTES:
            own = place | {"attribute": attribute}
            self.report["filter_attribute"].loc[own | {"filter": slice(0, count)}] = bank.attributes[
                attribute
            ].to_numpy()
            self.report["embedding_scale"].loc[own] = embedding.scale[COLUMNS[attribute]][0]

    def _judge(self, name: str, seed: int) -> None:
        place = {"bank": name, "seed": seed}
        status = self.report["status"].sel(place)
        wanted = [
            (m, k) for m, k in self.cells if status.loc[{"method": m, "n_components": k}].item() == NOT_YET
        ]
        if not wanted:
            return
        activations = self.patches.activations(self.banks[name, seed])
        self.report.attrs["n_images"] = activations.attrs["n_images"]
        for method, k in wanted:
            where = place | {"method": method, "n_components": k}
            dimensions: TuningDimensions = self.methods[method](k, seed)
            try:
                dimensions.fit(activations)
            except ValueError as reason:
                self.report["status"].loc[where] = " ".join(str(reason).split())
                continue
            judged = judge(
                dimensions, activations.values, self.embeddings[name, seed], self.rules[name], seed
            )
            enter(self.report, judged, where | {"readout": "activation"})
            self.report["converged"].loc[where] = float(dimensions.converged_)
            self.report["status"].loc[where] = ""


def _node(bank: str, method: str, k: int) -> str:
    # Reopened, a node has the name it was given, so that a run that goes on finds its films.
    return f"films/{records.node_name(f'{bank}-{method}-{k}')}"
