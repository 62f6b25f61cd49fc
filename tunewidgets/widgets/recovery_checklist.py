"""The recovery checklist: which attributes of a Gabor bank each method finds, and what the reader thinks.

In: a recovery record or its path. Out: a widget whose switches, opened cell, verdicts and notes are synced traits. The
page is js/src/recovery-checklist; its payload is made in `recovery_page` and `recovery_strips`.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets as t
import xarray as xr
from PIL import Image

from ..derived.recovery_all_three import all_three_of
from ..derived.recovery_marks import (
    VERDICTS,
    Cell,
    RecoveryLook,
    agreement,
    cells_of,
    checked_level,
    chosen,
    is_of_films,
    look_at,
    recovery_record,
)
from ..derived.recovery_text import csv_text, latex, markdown
from .base import INLINE_BUDGET, NO_BUDGET, Index, Widget
from .changeable import Entries, Text
from .recovery_page import packed_curves, packed_nulls, report_facts
from .recovery_still import recovery_still
from .recovery_strips import inline_sprites, strips_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

KINDS = {"verdicts": "verdict", "notes": "note"}


class RecoveryChecklist(Widget):
    """Judge which attributes of a Gabor bank a method's tuning dimensions recover, beside calibrated marks.

    Parameters
    ----------
    report : xarray.DataTree, xarray.Dataset, str or path
        A recovery record (`gabor_recovery`, `film_checklist`), or where one was saved.

    Attributes
    ----------
    bank, readout : str
        Which of the record's banks ("zero-mean", "with mean") and readouts ("activation", "image") is shown. Of films
        (`film_checklist`) there is one of each.
    seed : int
        Which bank seed's marks and curves are shown; shares are over all of them.
    alpha : float
        Level of the marks, at most the level at which the record was made.
    opened : str
        The opened cell, such as "angle/ica-6"; empty if none is.
    verdicts : dict
        What the reader sees in a cell: "yes", "no" or "unsure" by the cell's name, such as {"angle/ica-6": "no"}.
    notes : dict
        Text by the cell's name.

    Raises
    ------
    RecordError
        If `report` is not a valid recovery record.
    FileNotFoundError
        If there is no record at the path given.
    traitlets.TraitError
        If a trait is set to something the record has no place for.

    Notes
    -----
    A cell's first mark says whether some dimension sweeps the attribute farther than it would if what it changes
    carried other filters' labels; the second, whether it does so more than arbitrary axes of the same subspace. A cell
    that doesn't exist has no mark, which is not a no. The last row says whether all attributes are recovered together,
    with Holm's correction.

    References
    ----------
    *Identifying and interpreting tuning dimensions in deep networks*, Tables 1 and 2, whose marks stand beside ours.

    Examples
    --------
    >>> import tunewidgets as tw
    >>> checklist = tw.RecoveryChecklist("recovery.zarr")  # doctest: +SKIP
    >>> checklist.verdicts = {"angle/ica-6": "unsure"}  # doctest: +SKIP
    >>> tw.save_record(checklist.judged(), "recovery.zarr")  # doctest: +SKIP
    """

    bundle_name = "recovery-checklist"
    page_name = "checklist"
    place_traits = ("bank", "readout", "seed", "alpha", "opened")

    bank = t.Unicode().tag(sync=True)
    readout = t.Unicode().tag(sync=True)
    seed = Index().tag(sync=True)
    alpha = t.Float().tag(sync=True)
    opened = t.Unicode("").tag(sync=True)
    verdicts = Entries(value_trait=t.Unicode(), key_trait=t.Unicode()).tag(sync=True)
    notes = Entries(value_trait=Text(), key_trait=t.Unicode()).tag(sync=True)
    _report = t.Dict().tag(sync=True)
    _curves = t.Bytes().tag(sync=True)
    _nulls = t.Bytes().tag(sync=True)
    _sprites = t.List(t.Bytes()).tag(sync=True)

    def __init__(self, report: xr.DataTree | xr.Dataset | str | os.PathLike[str], **traits: Any) -> None:
        self._tree = recovery_record(report)
        whole = self._whole = self._tree.to_dataset(inherit=False)
        self._strips = strips_of(self._tree)
        first = look_at(whole)
        cells = cells_of(whole, first)
        self._keys = [cell.key for cell in cells]
        super().__init__(
            **{
                **{name: getattr(first, name) for name in ("bank", "readout", "seed", "alpha")},
                "verdicts": {cell.key: cell.verdict for cell in cells if cell.verdict},
                "notes": {cell.key: cell.note for cell in cells if cell.note},
                **traits,
            },
            _report={**report_facts(whole), "strips": [strip.facts for strip in self._strips]},
            _curves=packed_curves(whole),
            _nulls=packed_nulls(whole),
            _sprites=inline_sprites(self._strips, INLINE_BUDGET),
        )

    @property
    def report(self) -> xr.DataTree:
        """The recovery record, whole and as it was given."""
        return self._tree

    def judged(self) -> xr.DataTree:
        """The record with this widget's verdicts and notes in it, ready for `save_record`; `report` stays as it was."""
        nodes = {node.path: node.to_dataset(inherit=False) for node in self._tree.subtree}
        return xr.DataTree.from_dict({**nodes, "/": self._judged_root()})

    def cells(self) -> list[Cell]:
        """The table's cells as they are shown, each with its marks, numbers and the reader's verdict."""
        return cells_of(self._judged_root(), self._look)

    def all_three(self) -> list[Cell]:
        """The table's last row, one cell per column: whether all attributes are recovered together, on how many seeds.

        Films (`film_checklist`) have no such row: the list is empty.
        """
        return all_three_of(self._whole, self._look)

    def agreement(self) -> dict[str, dict[str, int]]:
        """How many verdicts agree with the marks that are shown: `agree`, `of`, `unsure` and `unmarked`, by mark."""
        return agreement(self.cells())

    def figure(self) -> "go.Figure":
        """The table as it is shown, by `tw.figures.recovery_table`, to change or to save.

        `tw.figures.save(checklist.figure(), "recovery.pdf", width_mm=180)` makes a file of it.
        """
        # Imported here, since the widget itself needs no plotly.
        from ..figures import recovery_table

        return recovery_table(self.judged(), self.bank, self.readout, self.seed, self.alpha)

    def to_markdown(self) -> str:
        """The table as it is shown, in Markdown, with the notes below it."""
        return markdown(self.cells(), self._look, self.all_three())

    def to_latex(self) -> str:
        r"""The table as it is shown, as LaTeX that needs `\usepackage{amssymb}`."""
        return latex(self.cells(), self._look, self.all_three())

    def to_csv(self) -> str:
        """The table as it is shown, with all its numbers, one line per cell."""
        return csv_text(self.cells(), self._look, self.all_three())

    @property
    def _look(self) -> RecoveryLook:
        return RecoveryLook(self.bank, self.readout, self.seed, self.alpha, is_of_films(self._whole))

    def _judged_root(self) -> xr.Dataset:
        root = self._whole
        for trait, name in KINDS.items():
            entered: Mapping[str, str] = getattr(self, trait)
            values = np.array([entered.get(key, "") for key in self._keys], dtype=object)
            dims = ("attribute", "decomposition", "n_components")
            root = root.assign({name: (dims, values.reshape(root[name].shape))})
        return root

    @t.validate("bank", "readout", "seed")
    def _check_choice(self, proposal: dict[str, Any]) -> Any:
        name = proposal["trait"].name
        try:
            return chosen(self._whole, name, proposal["value"])
        except ValueError as error:
            raise t.TraitError(str(error)) from None

    @t.validate("alpha")
    def _check_alpha(self, proposal: dict[str, Any]) -> float:
        try:
            return checked_level(self._whole, proposal["value"])
        except ValueError as error:
            raise t.TraitError(str(error)) from None

    @t.validate("opened")
    def _check_opened(self, proposal: dict[str, Any]) -> str:
        if proposal["value"]:
            self._check_key("opened", proposal["value"])
        return proposal["value"]

    @t.validate("verdicts", "notes")
    def _check_entries(self, proposal: dict[str, Any]) -> dict[str, str]:
        name, entries = proposal["trait"].name, proposal["value"]
        for key, value in entries.items():
            self._check_key(name, key)
            if name == "verdicts" and value not in VERDICTS:
                raise t.TraitError(
                    f"verdicts[{key!r}] is {value!r}; give 'yes', 'no' or 'unsure', or leave the cell out"
                )
        return entries

    def _check_key(self, name: str, key: str) -> None:
        if key not in self._keys:
            raise t.TraitError(
                f"{name} names the cell {key!r}, which this table doesn't have; its cells are named like "
                f"{self._keys[0]!r}"
            )

    def _all_images(self, quality: int) -> dict[str, list[bytes]]:
        return {"_sprites": inline_sprites(self._strips, NO_BUDGET, quality)}

    def _replies(self) -> dict[str, Any]:
        return {"sprite": self._sprite_reply}

    def _sprite_reply(self, message: dict[str, Any]) -> list[bytes]:
        at = message.get("page")
        if type(at) is not int or not 0 <= at < len(self._strips):
            raise ValueError(f"there is no film strip {at!r} here; there are {len(self._strips)}")
        return [self._strips[at].sprite()]

    def _still(self) -> Image.Image:
        return recovery_still(self.cells(), self.all_three(), self._look, len(self._whole["seed"]))
