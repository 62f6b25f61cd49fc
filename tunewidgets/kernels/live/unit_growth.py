"""A unit record that grows: blank where no image has been made yet, and valid after each image that is added.

In: a unit record and finished images, one at a time, in any order. Out: the record with these images, and with every
column that follows from them.
"""

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr

from tunewidgets.derived.unit_columns import NOT_MADE, waiting
from tunewidgets.kernels.live.units import CHUNK, GrowingImage, LiveUnits, score
from tunewidgets.kernels.network.rectifiers import SLOPE
from tunewidgets.kernels.single_units.substitution_measures import (
    exceeders,
    mean_of_present,
    normalized_substitution,
    substitutes_by_blocks,
    substitution,
)
from tunewidgets.live_protocols import Rendered
from tunewidgets.records import with_settings

# Images that are measured again together, if a record came without its responses.
BATCH = 16
BLANK: dict[str, tuple[tuple[str, ...], Any]] = {
    "rendered": ((), False),
    "silent": ((), False),
    "status": ((), NOT_MADE),
    "image": (("y", "x", "rgb"), np.uint8(0)),
    "display_image": (("y", "x", "rgb"), np.uint8(0)),
    "display": ((), ""),
    "display_response": ((), np.float32(np.nan)),
    "own_response": ((), np.float32(np.nan)),
    "rs": ((), np.float32(np.nan)),
    "rs_restarts": (("restart",), np.float32(np.nan)),
    "rs_checkpoint": (("checkpoint",), np.float32(np.nan)),
    "own_response_checkpoint": (("checkpoint",), np.float32(np.nan)),
    "rs_normalized": ((), np.float32(np.nan)),
    "exceeder": (("k",), np.int32(-1)),
    "exceeder_response": (("k",), np.float32(np.nan)),
}
DISPLAY = tuple(name for name in BLANK if name.startswith("display"))


class GrowingUnits:
    """One layer's record while images are added.

    `now` is the record itself, whose arrays change in place: a view of it sees it grow. `record` returns a copy that
    stays as it is. Both may be used from any thread.
    """

    def __init__(self, units: xr.Dataset, live: LiveUnits) -> None:
        self._live, self._lock = live, threading.RLock()
        self._responses: dict[tuple[str, int], np.ndarray] = {}
        # Of images that came without them, measured again on rounded bytes: for comparison, not for the record.
        self._again: dict[tuple[str, int], np.ndarray] = {}
        # What was tried for a unit beyond its first image: how many restarts, which one was kept, the most steps.
        self._tried: dict[tuple[str, int], int] = {}
        self._kept: dict[tuple[str, int], int] = {}
        self._longest: dict[tuple[str, int], int] = {}
        self._made: set[tuple[str, int]] = set()
        self._added = [name for name in DISPLAY if name not in units]
        self.now = _completed(units, live)
        if bool(waiting(self.now).any()):
            # Units that respond alike to the images made so far may differ on those still to come.
            self.now = self.now.drop_vars("substitutes", errors="ignore")

    @property
    def objectives(self) -> tuple[str, ...]:
        """The objectives by which images are made."""
        return self._live.objectives

    @property
    def is_full(self) -> bool:
        """Whether every unit has its images, good or bad."""
        return not bool(waiting(self.now).any())

    def waits(self, unit: int) -> list[str]:
        """The objectives for which a unit's image has not been made yet."""
        flags = waiting(self.now).values[:, unit]
        return [name for name, flag in zip(self._live.objectives, flags, strict=True) if flag]

    def waiting_units(self, selected: Sequence[int] = ()) -> list[int]:
        """The units that still lack an image, most interesting first.

        Those in `selected` come first, then the most class-selective; dead units, and those about which nothing is
        known, come last.
        """
        units = np.flatnonzero(waiting(self.now).any("objective").values)
        interest = np.zeros(self.now.sizes["unit"])
        if "selectivity" in self.now:
            interest = np.nan_to_num(self.now["selectivity"].values.astype(np.float64), nan=-1.0)
        if "dead" in self.now:
            interest = np.where(self.now["dead"].values, -2.0, interest)
        chosen = np.isin(units, list(selected))
        return units[np.lexsort((units, -interest[units], ~chosen))].tolist()

    def tries(self, unit: int, objective: str, task: str) -> list[tuple[int, int]]:
        """The restarts that a unit's task needs, each with its number of steps.

        `task` is "image" for its first image, "restart" for another one, or "longer" to make the kept one with more
        steps.
        """
        if task == "restart":
            return [(self._next_restart(unit, objective), self._live.steps)]
        if task == "longer":
            return [(self._kept_restart(unit, objective), 2 * self.steps_of(unit, objective))]
        return [(restart, self._live.steps) for restart in range(self._live.restarts)]

    def steps_of(self, unit: int, objective: str) -> int:
        """The largest number of steps that was tried for the unit's image."""
        return self._longest.get((objective, unit), self._live.steps)

    def grow(self, unit: int, objective: str, restart: int, steps: int) -> Iterator[GrowingImage]:
        """A unit's image as it grows from noise; `add` puts the finished one into the record."""
        return self._live.grow(unit, objective, restart, steps)

    def add(self, made: Rendered) -> bool:
        """Add an image; returns whether it becomes the unit's, as the first one does and any that is no worse."""
        key = (made.objective, made.unit)
        with self._lock:
            best = self._is_best(made)
            self._make_room(made)
            where = {"objective": self._live.objectives.index(made.objective), "unit": made.unit}
            row = made.response[None]
            present = bool(np.isfinite(row).all())
            if made.steps == self._live.steps or best:
                rs = substitution(row, np.array([made.unit]))[0] if present else np.float32(np.nan)
                self._put("rs_restarts", {**where, "restart": made.restart}, rs)
                restarts = self.now["rs_restarts"].values[where["objective"], made.unit]
                self._put("rs", where, mean_of_present(restarts[:, None])[0])
            if best:
                self._show(made, where, row, present)
                self._kept[key] = made.restart
            self._tried[key] = max(self._next_restart(made.unit, made.objective), made.restart + 1)
            self._longest[key] = max(self.steps_of(made.unit, made.objective), made.steps)
            self._made.add(key)
        return best

    def compare(self) -> Iterator[None]:
        """Find which units respond alike, now that all images exist; in steps, since large layers take a while."""
        patterns = []
        for objective in self._live.objectives:
            rendered = np.flatnonzero(self.now["rendered"].sel(objective=objective).values).tolist()
            for first in range(0, len(rendered), BATCH):
                patterns.append(self._responses_to(objective, rendered[first : first + BATCH]))
                yield
        if not patterns:
            return
        found = []
        for block in substitutes_by_blocks(np.concatenate(patterns)):
            found.append(block)
            yield
        with self._lock:
            self.now = self.now.assign(substitutes=("unit", np.concatenate(found)))

    def record(self) -> xr.Dataset:
        """A copy of the record as it is now."""
        with self._lock:
            if not self._made:
                return self.now.drop_vars(self._unused()).copy(deep=True)
            record = self.now.drop_vars(self._unused()).copy(deep=True)
            response = self._response()
            if response is not None:
                record = record.assign(response=response)
            return with_settings(record, live=self._history())

    def _unused(self) -> list[str]:
        """The columns for display images, if the record had none and none has been made."""
        return [] if bool((self.now["display"].values != "").any()) else self._added

    def _next_restart(self, unit: int, objective: str) -> int:
        """The number of a restart that has not been tried yet."""
        return self._tried.get((objective, unit), self._live.restarts)

    def _kept_restart(self, unit: int, objective: str) -> int:
        """The number of the restart whose image the record has."""
        return self._kept.get((objective, unit), 0)

    def _is_best(self, made: Rendered) -> bool:
        if made.restart < self._live.restarts and made.steps == self._live.steps:
            # Of the restarts that every unit gets, the first one is shown, as in every unit record.
            return made.restart == 0
        if not bool(np.isfinite(made.response).all()):
            return False
        at = self._live.objectives.index(made.objective)
        if not bool(self.now["rendered"].values[at, made.unit]):
            return True
        [before] = self._responses_to(made.objective, [made.unit])
        now = score(made.objective, made.response, made.unit)
        return now >= score(made.objective, before, made.unit)

    def _show(self, made: Rendered, where: dict[str, int], row: np.ndarray, present: bool) -> None:
        """Make this the unit's image, with everything that is measured on it."""
        unit = np.array([made.unit])
        own = row[0, made.unit]
        self._put("rendered", where, present)
        self._put("silent", where, present and not own > 0)
        self._put("status", where, made.status)
        self._put("image", where, made.image)
        self._put_display(made, where)
        self._put("own_response", where, own)
        if "rs_normalized" in self.now and present:
            mean = self.now["mean_activation"].values
            self._put("rs_normalized", where, normalized_substitution(row, mean, unit)[0])
        who, how_much = exceeders(row if present else np.full_like(row, np.nan), self.now.sizes["k"], unit)
        self._put("exceeder", where, who[0])
        self._put("exceeder_response", where, how_much[0])
        for name in ("rs_checkpoint", "own_response_checkpoint"):
            self._put(name, where, np.float32(np.nan))
        measured = [self.now["checkpoint"].values.tolist().index(step) for step in made.at]
        course = substitution(made.responses, np.full(len(made.responses), made.unit))
        course = np.where(present, course, np.nan)
        self._put("rs_checkpoint", {**where, "checkpoint": measured}, course)
        self._put("own_response_checkpoint", {**where, "checkpoint": measured}, made.responses[:, made.unit])
        self._responses[made.objective, made.unit] = made.response

    def _put_display(self, made: Rendered, where: dict[str, Any]) -> None:
        there = made.display_image is not None
        known = there and made.display_response is not None
        self._put("display", where, made.display if there else "")
        self._put("display_image", where, made.display_image if there else 0)
        self._put("display_response", where, made.display_response if known else np.nan)

    def _put(self, name: str, where: dict[str, Any], value: Any) -> None:
        variable = self.now[name]
        variable.values[tuple(where[dim] for dim in variable.dims if dim in where)] = value

    def _make_room(self, made: Rendered) -> None:
        """Make room for more restarts, or more steps at which RS was measured, than any unit had before."""
        restarts, steps = self.now.sizes["restart"], self.now["checkpoint"].values.tolist()
        if made.restart >= restarts:
            self._widen("restart", ["rs_restarts"], list(range(restarts)), list(range(made.restart + 1)))
        if not set(made.at) <= set(steps):
            courses = ["rs_checkpoint", "own_response_checkpoint"]
            self._widen("checkpoint", courses, steps, sorted({*steps, *made.at}))

    def _widen(self, dim: str, names: list[str], before: list[int], after: list[int]) -> None:
        places = [after.index(value) for value in before]
        columns = {}
        for name in names:
            old = self.now[name]
            wider = np.full((*old.shape[:-1], len(after)), np.nan, old.dtype)
            wider[..., places] = old.values
            columns[name] = (old.dims, wider)
        rest = self.now.drop_vars([*names, dim], errors="ignore").assign(columns)
        self.now = rest.assign_coords({dim: after}) if dim == "checkpoint" else rest

    def _responses_to(self, objective: str, units: list[int]) -> np.ndarray:
        """Responses `(len(units), U)`: those kept, else those in the record, else measured again on its images."""
        found = np.empty((len(units), self._live.units), np.float32)
        missing = []
        at = self._live.objectives.index(objective)
        for row, unit in enumerate(units):
            kept = self._responses.get((objective, unit))
            if kept is None and "response" in self.now:
                kept = self.now["response"].values[at, unit].astype(np.float32)
            kept = self._again.get((objective, unit)) if kept is None else kept
            if kept is None:
                missing.append(row)
            else:
                found[row] = kept
        if missing:
            images = self.now["image"].values[at, [units[row] for row in missing]]
            found[missing] = self._live.respond(images)
            self._again |= {(objective, units[row]): found[row].copy() for row in missing}
        return found

    def _response(self) -> tuple[tuple[str, ...], np.ndarray] | None:
        """All known responses of the units to the images; None if half precision can't hold them."""
        count = self._live.units
        whole = np.full((len(self._live.objectives), count, count), np.nan, np.float16)
        if "response" in self.now:
            whole[:] = self.now["response"].values
        most = max((float(np.nanmax(row, initial=0.0)) for row in self._responses.values()), default=0.0)
        if most > np.finfo(np.float16).max:
            return None
        for (objective, unit), row in self._responses.items():
            whole[self._live.objectives.index(objective), unit] = row
        return ("objective", "unit", "other"), whole

    def _history(self) -> dict[str, Any]:
        """What was made live, for the record's settings: the units by objective, and what else was tried for some."""
        usual = {"restarts": self._live.restarts, "kept": 0, "steps": self._live.steps}
        # A record from before all rectifiers leaked may grow too: its settings describe its own images alone.
        made: dict[str, Any] = {
            "chunk": CHUNK,
            "device": self._live.settings.get("device"),
            "leak": SLOPE if self._live.settings["objective_at"] == "leaky" else 0.0,
            "units": {},
        }
        made["more"] = {}
        for objective in self._live.objectives:
            units = sorted(unit for name, unit in self._made if name == objective)
            made["units"][objective] = units
            for unit in units:
                tried = {
                    "restarts": self._next_restart(unit, objective),
                    "kept": self._kept_restart(unit, objective),
                    "steps": self.steps_of(unit, objective),
                }
                if tried != usual:
                    made["more"].setdefault(objective, {})[str(unit)] = tried
        return made


def _completed(units: xr.Dataset, live: LiveUnits) -> xr.Dataset:
    """The record with a blank place for every image that it lacks; what it holds is copied, since it will change."""
    count, objectives = units.sizes["unit"], list(live.objectives)
    first = "rendered" not in units
    sizes = {"y": live.size, "x": live.size, "rgb": 3, "restart": live.restarts, "k": units.sizes.get("k", 9)}
    steps = units["checkpoint"].values.tolist() if "checkpoint" in units.coords else [live.steps]
    sizes |= {"checkpoint": len(steps)}
    # What is added takes the sizes of dims that the record already has.
    sizes |= {dim: units.sizes[dim] for dim in sizes if dim in units.sizes}
    columns: dict[str, Any] = {}
    for name, (dims, blank) in BLANK.items():
        if name in units:
            columns[name] = (units[name].dims, np.array(units[name].values))
        elif name != "rs_normalized" or "mean_activation" in units:
            shape = (len(objectives), count, *(sizes[dim] for dim in dims))
            dtype = object if isinstance(blank, str) else np.asarray(blank).dtype
            columns[name] = (("objective", "unit", *dims), np.full(shape, blank, dtype))
    rendered = columns["rendered"][1]
    if "status" not in units:
        columns["status"][1][rendered] = ""
    for name in ("status", "display"):
        columns[name] = (columns[name][0], columns[name][1].astype(object))
    if "rs" in units:
        # A record without checkpoints or restarts still has the value that they ended with.
        if "rs_checkpoint" not in units:
            columns["rs_checkpoint"][1][..., -1] = units["rs"].values
        if "rs_restarts" not in units:
            columns["rs_restarts"][1][..., 0] = units["rs"].values
    coords = {"objective": np.array(objectives, dtype=object), "checkpoint": steps}
    completed = units.drop_vars(list(columns), errors="ignore").assign(columns).assign_coords(coords)
    if first:
        completed = with_settings(completed, **live.settings).assign_attrs(seed=live.seed)
    return completed
