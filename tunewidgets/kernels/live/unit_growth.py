"""A unit record that grows: blank where no image was made yet, and valid after every image that comes.

In: a unit record and finished images, one at a time, in any order. Out: the record with them, and with every column
that follows from them.
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

# Images that are measured again at once, where a record came without its responses.
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
    """One layer's record while images come.

    `now` is the record itself, whose arrays change in place: whoever shows it sees it grow. `record` gives one that
    stays as it is. Both may be asked from any thread.
    """

    def __init__(self, units: xr.Dataset, live: LiveUnits) -> None:
        self._live, self._lock = live, threading.RLock()
        self._responses: dict[tuple[str, int], np.ndarray] = {}
        # Measured again on images that came without theirs, and rounded to bytes: to compare with, not for the record.
        self._again: dict[tuple[str, int], np.ndarray] = {}
        # What was made of a unit beyond its first image: restarts tried, the one that is kept, its steps.
        self._tried: dict[tuple[str, int], int] = {}
        self._kept: dict[tuple[str, int], int] = {}
        self._longest: dict[tuple[str, int], int] = {}
        self._made: set[tuple[str, int]] = set()
        self._added = [name for name in DISPLAY if name not in units]
        self.now = _completed(units, live)
        if bool(waiting(self.now).any()):
            # Alike on the images made so far is not alike.
            self.now = self.now.drop_vars("substitutes", errors="ignore")

    @property
    def objectives(self) -> tuple[str, ...]:
        """By which images are made."""
        return self._live.objectives

    @property
    def is_full(self) -> bool:
        """Whether every unit has its images, good or bad."""
        return not bool(waiting(self.now).any())

    def waits(self, unit: int) -> list[str]:
        """The objectives whose image of a unit was not made yet."""
        flags = waiting(self.now).values[:, unit]
        return [name for name, flag in zip(self._live.objectives, flags, strict=True) if flag]

    def waiting_units(self, selected: Sequence[int] = ()) -> list[int]:
        """The units that wait, most interesting first.

        Those in `selected` come first, then the most class-selective; the dead, and those of which nothing is known,
        come last.
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
        """The restarts that a task for a unit needs, and with how many steps each.

        `task`: its first "image", another "restart", or the same one for "longer".
        """
        if task == "restart":
            return [(self._next_restart(unit, objective), self._live.steps)]
        if task == "longer":
            return [(self._kept_restart(unit, objective), 2 * self.steps_of(unit, objective))]
        return [(restart, self._live.steps) for restart in range(self._live.restarts)]

    def steps_of(self, unit: int, objective: str) -> int:
        """The most steps that the unit's image was tried with."""
        return self._longest.get((objective, unit), self._live.steps)

    def grow(self, unit: int, objective: str, restart: int, steps: int) -> Iterator[GrowingImage]:
        """A unit's image from its noise on; `add` takes the finished one in."""
        return self._live.grow(unit, objective, restart, steps)

    def add(self, made: Rendered) -> bool:
        """Take an image in; whether it is the unit's from now on: the first one, or no worse than before."""
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
        """Find which units answer alike, now that all images are there; in steps, since large layers take a while."""
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
        """The record as it is now, for good."""
        with self._lock:
            if not self._made:
                return self.now.drop_vars(self._unused()).copy(deep=True)
            record = self.now.drop_vars(self._unused()).copy(deep=True)
            response = self._response()
            if response is not None:
                record = record.assign(response=response)
            return with_settings(record, live=self._history())

    def _unused(self) -> list[str]:
        """The places for second images, where none was given or has come."""
        return [] if bool((self.now["display"].values != "").any()) else self._added

    def _next_restart(self, unit: int, objective: str) -> int:
        """The number of a restart that was not tried yet."""
        return self._tried.get((objective, unit), self._live.restarts)

    def _kept_restart(self, unit: int, objective: str) -> int:
        """The number of the restart whose image the record has."""
        return self._kept.get((objective, unit), 0)

    def _is_best(self, made: Rendered) -> bool:
        if made.restart < self._live.restarts and made.steps == self._live.steps:
            # Of those that every unit gets, the first one is shown, as in every unit record.
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
        """The image is the unit's, and so is all that is read from it."""
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
        """For more restarts, or steps at which RS was measured, than any unit had before."""
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
        """`(len(units), U)`: kept, else of the record, else measured again on its images."""
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
        """Every unit's response to every image that is known, or nothing where half precision can't hold them."""
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
        """What was made live, for the record's settings: by objective the units, and what was tried on some of them."""
        usual = {"restarts": self._live.restarts, "kept": 0, "steps": self._live.steps}
        # A record of before all rectifiers leaked may grow: its settings are of its own images.
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
    """The record with a blank place for every image that it lacks; what it holds is copied, so that it can change."""
    count, objectives = units.sizes["unit"], list(live.objectives)
    first = "rendered" not in units
    sizes = {"y": live.size, "x": live.size, "rgb": 3, "restart": live.restarts, "k": units.sizes.get("k", 9)}
    steps = units["checkpoint"].values.tolist() if "checkpoint" in units.coords else [live.steps]
    sizes |= {"checkpoint": len(steps)}
    # Only the dims of what is there bind those that are added.
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
        # A record without its course or its restarts still has where they ended.
        if "rs_checkpoint" not in units:
            columns["rs_checkpoint"][1][..., -1] = units["rs"].values
        if "rs_restarts" not in units:
            columns["rs_restarts"][1][..., 0] = units["rs"].values
    coords = {"objective": np.array(objectives, dtype=object), "checkpoint": steps}
    completed = units.drop_vars(list(columns), errors="ignore").assign(columns).assign_coords(coords)
    if first:
        completed = with_settings(completed, **live.settings).assign_attrs(seed=live.seed)
    return completed
