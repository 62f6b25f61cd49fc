"""A run that makes a recovery checklist, bank by bank and cell by cell, and shows it as it grows.

In: banks, methods and images, ready to use. Out: a recovery record, with films below it. What a store holds already
is taken over instead of being made again, down to the cells that no record holds yet (`kept`).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import xarray as xr

from tunewidgets import records
from tunewidgets.kernels.gabor.bank_activations import LAYER, Patches
from tunewidgets.kernels.gabor.banks import MethodMaker, responds_to_light
from tunewidgets.kernels.gabor.cell import POINTS, SMOOTH, Judgment, Rules, judge
from tunewidgets.kernels.gabor.films import judge_film, random_films
from tunewidgets.kernels.gabor.kept import Fit, KeptCells
from tunewidgets.kernels.gabor.record import (
    ENTERED,
    NOT_YET,
    TABLE,
    as_entered,
    blank,
    enter,
    summarized,
    taken_over,
)
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.reading.attributes import ATTRIBUTES, Embedding, columns_of, embed
from tunewidgets.kernels.studies.store import Study, plain
from tunewidgets.kernels.tuning.films import render_film
from tunewidgets.kernels.tuning.points import Others
from tunewidgets.zoo.gabor import GaborBank
from tunewidgets.zoo.progress import progress_bar

# Options of films that do not change how they look.
INDIFFERENT = ("progress", "executor")


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
    store : path, URL or None

    Attributes
    ----------
    study : Study
        To be entered before anything is made, so that what it holds is taken over.

    Raises
    ------
    ValueError, TypeError, FileExistsError
        As of `Study`.
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
        store: str | os.PathLike[str] | None,
    ) -> None:
        self.patches, self.banks, self.methods = patches, banks, methods
        self.columns: list[Fit] = [(method, k) for method in methods for k in n_components]
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
        self.store = store
        self.study = Study(store, "recovery", None, settings)
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
        for (name, seed), bank in banks.items():
            self._describe(name, seed, bank)
        self.rules = {
            name: Rules(permutations, alpha, others, str(self.report["statistic"].sel(bank=name).item()))
            for name in names
        }

    def take_over(self) -> None:
        """Continue from the record that the store holds, if there is one.

        Raises
        ------
        ValueError
            If a bank has other weights than it had there.
        """
        tree = self.study.tree_so_far()
        if tree is None:
            return
        self.report = taken_over(self.report, tree.to_dataset(inherit=False), str(self.store))
        for node in tree.subtree:
            if str(node.attrs.get("tunewidgets_record", "")).startswith("film/"):
                self.films[node.path.strip("/")] = node.to_dataset(inherit=False)

    def judge_all(self, progress: bool) -> None:
        """Fit and judge every cell that is not finished."""
        with (
            progress_bar(
                total=len(self.banks) * len(self.columns), desc="Judging", unit="cell", show=progress
            ) as bar,
            self._shown_at_last(),
        ):
            for name, seed in self.banks:
                self._judge(name, seed)
                bar.update(len(self.columns))
                self._show()

    @property
    def why_nothing(self) -> str:
        """Why no cell at all could be fitted; empty where one could."""
        reasons = self.report["status"].values
        return str(reasons.flat[0]) if reasons.all() else ""

    def film_all(self, seed: int, random_directions: int, options: dict[str, Any]) -> None:
        """Make the films of one seed, and judge them by their pictures."""
        with self._shown_at_last():
            for name in dict.fromkeys(name for name, _ in self.banks):
                self._film(name, seed, random_directions, options)

    def finished(self) -> xr.DataTree:
        """The record as it is now, with the shares over seeds and what the reader has entered in the store's."""
        self.report = as_entered(self.report, self.study.as_shown((*ENTERED, *TABLE)))
        nodes = {f"/{path}": film for path, film in self.films.items()}
        return xr.DataTree.from_dict({"/": summarized(self.report), **nodes})

    def _show(self, now: bool = False) -> None:
        judged = int((self.report["status"] != NOT_YET).sum())
        films = f"; {len(self.films)} films made" if self.films else ""
        self.study.show(
            self.finished, f"{judged} of {self.report['status'].size} cells judged{films}", now=now
        )

    @contextmanager
    def _shown_at_last(self) -> Iterator[None]:
        """Even if the block is cut short, what is finished gets into the store's record."""
        try:
            yield
        except BaseException:
            self._show(now=True)
            raise

    def _describe(self, name: str, seed: int, bank: GaborBank) -> None:
        place = {"bank": name, "seed": seed}
        embedding: Embedding = self.embeddings[name, seed]
        count = len(bank.attributes)
        self.report["statistic"].loc[{"bank": name}] = "r2" if responds_to_light(bank) else "sweep"
        self.report["bank_sha256"].loc[place] = Probe(bank, LAYER, device="cpu").provenance()["model_sha256"]
        for attribute in ATTRIBUTES:
            own = place | {"attribute": attribute}
            self.report["filter_attribute"].loc[own | {"filter": slice(0, count)}] = bank.attributes[
                attribute
            ].to_numpy()
            self.report["embedding_scale"].loc[own] = embedding.scale[columns_of(attribute)][0]

    def _kept(self, what: str, name: str, seed: int, **about: Any) -> KeptCells:
        """The cells of a bank that an earlier call has finished."""
        about["bank_sha256"] = self.report["bank_sha256"].sel(bank=name, seed=seed).item()
        part = f"{what}/{records.group_name(name)}/{seed}"
        return KeptCells(self.study, part, self.columns, self.report.sizes["draw"], about)

    def _status(self, name: str, seed: int) -> dict[Fit, str]:
        status = self.report["status"].sel(bank=name, seed=seed)
        return {
            (method, k): status.sel(decomposition=method, n_components=k).item() for method, k in self.columns
        }

    def _judge(self, name: str, seed: int) -> None:
        wanted = [column for column, status in self._status(name, seed).items() if status == NOT_YET]
        if not wanted:
            return
        kept = self._kept("cells", name, seed)

        @cache
        def activations() -> xr.DataArray:
            found = self.patches.activations(self.banks[name, seed])
            kept.say(n_images=found.attrs["n_images"])
            return found

        for column in wanted:
            if column not in kept:
                self._fit(column, name, seed, activations(), kept)
            where = {"decomposition": column[0], "n_components": column[1], "bank": name, "seed": seed}
            if column in kept.judged:
                judged, converged = kept.judged[column]
                enter(self.report, judged, where | {"readout": "activation"})
                self.report["converged"].loc[where] = converged
            self.report["status"].loc[where] = kept.reasons.get(column, "")
            self.report.attrs["n_images"] = kept.about["n_images"]

    def _fit(self, column: Fit, name: str, seed: int, activations: xr.DataArray, kept: KeptCells) -> None:
        dimensions = self.methods[column[0]](column[1], seed)
        try:
            dimensions.fit(activations)
        except ValueError as reason:
            kept.give_up(column, " ".join(str(reason).split()))
            return
        judged = judge(dimensions, activations.values, self.embeddings[name, seed], self.rules[name], seed)
        kept.keep(column, judged, float(dimensions.converged_))

    def _film(self, name: str, seed: int, directions: int, options: dict[str, Any]) -> None:
        lacking = [
            column
            for column, status in self._status(name, seed).items()
            if status == "" and _node(name, *column) not in self.films
        ]
        if not lacking:
            return
        asked = plain({option: value for option, value in options.items() if option not in INDIFFERENT})
        kept = self._kept("pictures", name, seed, random_directions=directions, film_options=asked)
        part = f"films/{records.group_name(name)}/{seed}"
        embedding, rules = self.embeddings[name, seed], self.rules[name]

        @cache
        def looking() -> tuple[Probe, xr.DataArray, np.ndarray]:
            probe, activations = (
                Probe(self.banks[name, seed], LAYER),
                self.patches.activations(self.banks[name, seed]),
            )
            if not directions:
                return probe, activations, np.empty((len(ATTRIBUTES), 0))
            pool = self.study.kept(f"{part}/random")
            if pool is None:
                swept = random_films(probe, activations, embedding, directions, seed, **options)
                pool = xr.Dataset({"sweep": (("attribute", "direction"), swept)})
                self.study.keep(f"{part}/random", pool)
            return probe, activations, pool["sweep"].values

        def made(method: str, k: int) -> tuple[xr.Dataset, Judgment]:
            probe, activations, pool = looking()
            dimensions = self.methods[method](k, seed).fit(activations)
            film = render_film(probe, dimensions, POINTS, others=rules.others, **options)
            return film, judge_film(film, embedding, pool, rules, seed)

        for method, k in lacking:
            own = f"{part}/film-{records.group_name(f'{method}-{k}')}"
            film = self.study.kept(own) if (method, k) in kept else None
            if film is None:
                film, judged = made(method, k)
                # Kept before its row, which says that it is there.
                self.study.keep(own, film)
                kept.keep((method, k), judged)
            self.films[_node(name, method, k)] = film
            where = {
                "decomposition": method,
                "n_components": k,
                "bank": name,
                "seed": seed,
                "readout": "image",
            }
            enter(self.report, kept.judged[method, k][0], where)
            self._show()


def _node(bank: str, method: str, k: int) -> str:
    # A reopened node has the name it was given, so that a run that continues finds its films.
    return f"films/{records.node_name(f'{bank}-{method}-{k}')}"
