"""The scatter's units on request: images are made while the reader explores, and go into the record.

In: unit records and a probe of their model. Out: replies to the page, step after step, and records that have grown.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import xarray as xr

from .._checks import is_whole
from ..derived.pictures import webp
from ..derived.shown_images import has_display, shown_images
from ..derived.unit_columns import table
from ..live_protocols import Growing, Rendered, UnitsWork
from ..live_work import live_work
from .live import Reply
from .unit_page import grown_facts, notes
from .unit_run import Run, Task

KINDS = ("image", "restart", "longer")


class UnitsOnRequest:
    """Several layers' units.

    Parameters
    ----------
    layers : mapping of str to Dataset
    probe : Probe
        Of the model, at any of its layers.
    options : mapping, optional
        Of `visualize`, for the layers without images.
    looks_at : callable
        Whether a reader sees a unit of a layer: only then is its image sent before it is finished.
    grew : callable
        Told the layer when an image was made, and its table of columns if it has a new one.

    Raises
    ------
    TypeError
        If `probe` is none, or there is no such option.
    ValueError
        If the records are not of its model, or don't say how their images were made.
    """

    def __init__(
        self,
        layers: Mapping[str, xr.Dataset],
        probe: Any,
        options: Mapping[str, Any] | None,
        looks_at: Callable[[str, int], bool],
        grew: Callable[[str, dict[str, Any] | None], None],
    ) -> None:
        self._looks_at, self._grew = looks_at, grew
        work = live_work(probe, "at any of the record's layers")
        self.growing: Mapping[str, UnitsWork] = work.units(layers, options)

    def asked(self, message: Mapping[str, Any], layer: str, objective: str, selected: Sequence[int]) -> Run:
        """What the page asks for: a `unit` and the `task` for it, `all` units that wait, both, or nothing new.

        Raises
        ------
        ValueError
            If there is no such unit or task.
        """
        unit, kind = message.get("unit"), message.get("task", "image")
        if objective not in self.growing[layer].objectives:
            raise ValueError(f"layer {layer!r} has no images by {objective!r} to make")
        if kind not in KINDS:
            raise ValueError(f"there is no task {kind!r}; those for a unit are {', '.join(KINDS)}")
        wanted = None
        if unit is not None:
            self._check_unit(layer, unit)
            wanted = Task(layer, unit, objective, kind)
        rest = self.growing[layer].waiting_units(selected) if message.get("all") is True else []
        return Run(self._replies, wanted, [Task(layer, one, objective) for one in rest])

    def run(self, layer: str, objective: str, units: Sequence[int]) -> Run:
        """These units, one after the other.

        Raises
        ------
        ValueError
            If there is no such unit.
        """
        for unit in units:
            self._check_unit(layer, unit)
        return Run(self._replies, rest=[Task(layer, int(unit), objective) for unit in units])

    def _check_unit(self, layer: str, unit: Any) -> None:
        count = self.growing[layer].now.sizes["unit"]
        if not is_whole(unit, 0, count - 1):
            raise ValueError(
                f"there is no unit {unit!r} in layer {layer!r}; it has {count} units, give 0 to {count - 1}"
            )

    def _replies(self, task: Task) -> Iterator[Reply]:
        growing = self.growing[task.layer]
        grew = False
        for objective in self._objectives(task):
            made: list[Rendered] = []
            for restart, steps in growing.tries(task.unit, objective, task.kind):
                for now in growing.grow(task.unit, objective, restart, steps):
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
            for objective in growing.objectives:
                yield self._finished(task, objective, growing.steps_of(task.unit, objective), True)
        if grew and growing.is_full:
            for _ in growing.compare():
                yield Reply({**self._about(task, ""), "comparing": True}, [])
            columns = table(growing.now)
            self._grew(task.layer, columns)
            whole = {"table": columns, "notes": notes(growing.now)}
            yield Reply({**self._about(task, ""), "whole": whole}, [])

    def _objectives(self, task: Task) -> list[str]:
        if task.kind != "image":
            return [task.objective]
        waits = self.growing[task.layer].waits(task.unit)
        # What the reader looks at comes first.
        return sorted(waits, key=lambda objective: objective != task.objective)

    def _about(self, task: Task, objective: str) -> dict[str, Any]:
        return {"layer": task.layer, "unit": task.unit, "objective": objective, "task": task.kind}

    def _finished(self, task: Task, objective: str, steps: int, kept: bool) -> Reply:
        now = self.growing[task.layer].now
        one = now.isel(unit=[task.unit]).sel(objective=objective)
        images = [shown_images(one)[0]]
        if has_display(one)[0]:
            images.append(one["image"].values[0])
        facts = {
            **self._about(task, objective),
            "step": steps,
            "steps": steps,
            "grown": grown_facts(now, objective, task.unit),
            "kept": kept,
        }
        return Reply(facts, [webp(image) for image in images])

    def _partial(self, task: Task, objective: str, restart: int, now: Growing) -> Reply:
        facts = {
            **self._about(task, objective),
            "restart": restart,
            "step": now.step,
            "steps": now.steps,
        }
        if not self._looks_at(task.layer, task.unit):
            return Reply(facts, [])
        seen = now.look()
        facts["own"] = None if seen.own is None else float(f"{seen.own:.4g}")
        facts["rs"] = seen.rs
        return Reply(facts, [webp(seen.image)])
