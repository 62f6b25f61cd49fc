"""Widgets, the scatter's units on request: images come while the reader explores, and go into the record.

In: unit records and a probe of their model. Out: answers to the page, step after step, and records that have grown.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from ..pictures import webp
from ..unit_columns import table
from .live import Answer
from .unit_page import grown_facts, notes
from .unit_run import Run, Task

if TYPE_CHECKING:
    from ..kernels.live_units import Growing, Rendered

KINDS = ("image", "restart", "longer")


class UnitsOnRequest:
    """Several layers' units.

    Parameters
    ----------
    layers : mapping of str to Dataset
    probe : Probe
        Of the model, at any of its layers.
    options : mapping, optional
        As of `LiveUnits`, for the layers without images.
    looks_at : callable
        Whether a reader sees a unit of a layer: only then its image is sent before it is finished.
    grew : callable
        Told the layer when an image was made, and its table of columns where one came that it had not before.
    """

    def __init__(
        self,
        layers: Mapping[str, xr.Dataset],
        probe: Any,
        options: Mapping[str, Any] | None,
        looks_at: Callable[[str, int], bool],
        grew: Callable[[str, dict[str, Any] | None], None],
    ) -> None:
        # Here, because records without a probe open where no torch is installed.
        from ..kernels.live_units import LiveUnits
        from ..kernels.places import check_source
        from ..kernels.probe import Probe
        from ..kernels.substitution_measures import substitution
        from ..kernels.unit_growth import GrowingUnits

        if not isinstance(probe, Probe):
            raise TypeError(
                f"probe is a {type(probe).__name__}; give tw.Probe(model, layer), at any of the record's layers"
            )
        one = next(iter(layers.values()))
        check_source("this record", {**one.attrs, "layer": probe.layer}, probe)
        bare = [name for name, units in layers.items() if "rendered" not in units]
        if options and not bare:
            raise ValueError(
                "all layers have images already, and more are made by their settings; leave image_options out"
            )
        self._looks_at, self._grew, self._substitution = looks_at, grew, substitution
        self._live: dict[str, LiveUnits] = {}
        self.growing: dict[str, GrowingUnits] = {}
        for name, units in layers.items():
            own = probe
            if name != probe.layer:
                own = Probe(probe.model, name, probe.preprocess, probe.device)
            self._live[name] = LiveUnits(units, own, options if name in bare else None)
            self.growing[name] = GrowingUnits(units, self._live[name])

    def asked(self, message: Mapping[str, Any], layer: str, objective: str, selected: Sequence[int]) -> Run:
        """What the page asks for: a `unit` and the `task` for it, `all` units that wait, both, or nothing new.

        Raises
        ------
        ValueError
            If there is no such unit or task.
        """
        unit, kind = message.get("unit"), message.get("task", "image")
        if objective not in self._live[layer].objectives:
            raise ValueError(f"layer {layer!r} has no images by {objective!r} to make")
        if kind not in KINDS:
            raise ValueError(f"there is no task {kind!r}; those for a unit are {', '.join(KINDS)}")
        wanted = None
        if unit is not None:
            self._check_unit(layer, unit)
            wanted = Task(layer, unit, objective, kind)
        rest = self.growing[layer].waiting_units(selected) if message.get("all") is True else []
        return Run(self._answers, wanted, [Task(layer, one, objective) for one in rest])

    def run(self, layer: str, objective: str, units: Sequence[int]) -> Run:
        """These units, one after the other.

        Raises
        ------
        ValueError
            If there is no such unit.
        """
        for unit in units:
            self._check_unit(layer, unit)
        return Run(self._answers, rest=[Task(layer, int(unit), objective) for unit in units])

    def _check_unit(self, layer: str, unit: Any) -> None:
        count = self._live[layer].units
        if isinstance(unit, bool) or not isinstance(unit, (int, np.integer)) or not 0 <= unit < count:
            raise ValueError(
                f"there is no unit {unit!r} in layer {layer!r}; it has {count} units, give 0 to {count - 1}"
            )

    def _answers(self, task: Task) -> Iterator[Answer]:
        growing, live = self.growing[task.layer], self._live[task.layer]
        grew = False
        for objective in self._objectives(task):
            made: list[Rendered] = []
            for restart, steps in self._tries(task, objective):
                for now in live.grow(task.unit, objective, restart, steps):
                    if now.rendered is None:
                        yield self._partial(task, objective, restart, now)
                    else:
                        made.append(now.rendered)
            kept = [growing.add(one) for one in made]
            self._grew(task.layer, None)
            grew = grew or any(kept)
            # Of further ones, whether the newest is the unit's image from now on.
            yield self._finished(task, objective, made[-1].steps, kept[-1] if task.kind != "image" else True)
        if task.kind == "image" and not grew:
            # A page that was loaded just as the image came does not know of it.
            for objective in live.objectives:
                yield self._finished(task, objective, live.steps, True)
        if grew and growing.is_full:
            for _ in growing.compare():
                yield Answer({**self._about(task, ""), "comparing": True}, [])
            columns = table(growing.now)
            self._grew(task.layer, columns)
            whole = {"table": columns, "notes": notes(growing.now)}
            yield Answer({**self._about(task, ""), "whole": whole}, [])

    def _objectives(self, task: Task) -> list[str]:
        if task.kind != "image":
            return [task.objective]
        waits = self.growing[task.layer].waits(task.unit)
        # What the reader looks at comes first.
        return sorted(waits, key=lambda objective: objective != task.objective)

    def _tries(self, task: Task, objective: str) -> list[tuple[int, int]]:
        """The restarts to make, and with how many steps each."""
        growing, live = self.growing[task.layer], self._live[task.layer]
        if task.kind == "restart":
            return [(growing.next_restart(task.unit, objective), live.steps)]
        if task.kind == "longer":
            steps = 2 * growing.steps_of(task.unit, objective)
            return [(growing.kept_restart(task.unit, objective), steps)]
        return [(restart, live.steps) for restart in range(live.restarts)]

    def _about(self, task: Task, objective: str) -> dict[str, Any]:
        return {"layer": task.layer, "unit": task.unit, "objective": objective, "task": task.kind}

    def _finished(self, task: Task, objective: str, steps: int, kept: bool) -> Answer:
        now = self.growing[task.layer].now
        facts = {
            **self._about(task, objective),
            "step": steps,
            "steps": steps,
            "grown": grown_facts(now, objective, task.unit),
            "kept": kept,
        }
        return Answer(facts, [webp(now["image"].sel(objective=objective).values[task.unit])])

    def _partial(self, task: Task, objective: str, restart: int, now: "Growing") -> Answer:
        facts = {
            **self._about(task, objective),
            "restart": restart,
            "step": now.step,
            "steps": now.steps,
        }
        if not self._looks_at(task.layer, task.unit):
            return Answer(facts, [])
        image, response = now.look()
        known = bool(np.isfinite(response).all())
        rs = float(self._substitution(response[None], np.array([task.unit]))[0])
        facts["own"] = float(f"{response[task.unit]:.4g}") if known else None
        facts["rs"] = rs if known and not np.isnan(rs) else None
        return Answer(facts, [webp(image)])
