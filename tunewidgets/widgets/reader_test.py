"""The reader's test: a record's trials, one a screen, answered by two keys.

In: a record with trials. Out: a widget whose answers are a synced trait, and the record with them. The page is
js/src/reader-test; its payload is made in `trial_page`.
"""

import json
import os
from collections.abc import Iterable
from typing import Any

import numpy as np
import traitlets as t
import xarray as xr
from PIL import Image, ImageDraw, ImageFont

from .._checks import is_whole
from ..derived.trials import NOT_ASKED, questions_of, with_readers
from ..records import open_record, validate
from .base import INLINE_BUDGET, Widget
from .changeable import Text, Values
from .stills import INK, QUIET, fitted
from .trial_page import chosen_trials, pictures, test_facts

# What facts and code take beside the pictures.
ROOM_FOR_THE_REST = 100_000
LINE = "tunewidgets-answers"


class ReaderTest(Widget):
    """Test yourself: say of two real patches which lies further along the dimension that the pictures show.

    Parameters
    ----------
    record : xarray.Dataset, str or path
        A film or a layer's unit record with trials (`add_trials`), or where one was saved.
    which : sequence of int, optional
        The dimensions or units that are asked about, by their place in the record; None: all that have trials.
    trials : int, default 60
        How many trials at most; a quarter of them are about random axes, and look like all others. Sixty take about
        five minutes.

    Attributes
    ----------
    answers : list of int
        The side chosen in each trial shown, 0 for left and 1 for right; -1 where there is no answer yet.
    finished : bool
        Whether the results are shown; the reader may go on if trials are left.
    reader : str
        What the reader is called in the record.

    Raises
    ------
    RecordError
        If `record` is not a valid record.
    FileNotFoundError
        If there is no record at the path given.
    ValueError
        If the record has no trials, `which` names something without any, or `trials` is not a positive whole number.
    TypeError
        If `record` is a tree of several layers.
    traitlets.TraitError
        If an answer is none of -1, 0 and 1, or there are more or fewer than trials shown.

    Notes
    -----
    No score is shown before the end, since it would teach. Pictures, at most 4 MB, are in the page, so the test needs
    no kernel; in an exported page answers are part of the address, outlive a reload, and can be copied as a line that
    `take` reads. A trial in which neither patch lies further is never wrong: it is left out of the rate.

    References
    ----------
    Borowski et al., *Exemplary natural images explain CNN activations better than state-of-the-art feature
    visualization* (2021).

    Examples
    --------
    >>> import tunewidgets as tw
    >>> test = tw.ReaderTest("asked.zarr", reader="ann")  # doctest: +SKIP
    >>> tw.save_record(test.answered(), "ann.zarr")  # doctest: +SKIP
    >>> both = tw.merge_answers([test.answered(), tw.open_record("bo.zarr")])  # doctest: +SKIP
    """

    bundle_name = "reader-test"
    page_name = "test"
    place_traits = ()
    kept_traits = ("answers", "finished", "reader")

    answers = Values(t.Int()).tag(sync=True)
    finished = t.Bool(False).tag(sync=True)
    reader = Text("reader").tag(sync=True)
    _test = t.Dict().tag(sync=True)
    _patches = t.List(t.Bytes()).tag(sync=True)
    _references = t.List(t.Bytes()).tag(sync=True)

    def __init__(
        self,
        record: xr.Dataset | str | os.PathLike[str],
        which: Iterable[int] | None = None,
        trials: int = 60,
        **traits: Any,
    ) -> None:
        opened = open_record(record) if isinstance(record, (str, os.PathLike)) else record
        if isinstance(opened, xr.DataTree):
            raise TypeError(
                "the record is a tree of several layers; give one of them, as tree[layer].to_dataset()"
            )
        validate(opened)
        questions_of(opened)
        if not is_whole(trials, 1):
            raise ValueError(f"trials={trials!r} can't be shown; give a whole number from 1")
        self._record = opened
        self._chosen = chosen_trials(
            opened, int(trials), None if which is None else [int(at) for at in which]
        )
        self._count = len(self._chosen.trials)
        patches, references = pictures(opened, self._chosen, INLINE_BUDGET - ROOM_FOR_THE_REST)
        super().__init__(
            **{"answers": [NOT_ASKED] * self._count, **traits},
            _test=test_facts(opened, self._chosen),
            _patches=patches,
            _references=references,
        )

    @t.validate("answers")
    def _check_answers(self, proposal: Any) -> Any:
        answers = proposal["value"]
        if len(answers) != self._count or not set(answers) <= {NOT_ASKED, 0, 1}:
            raise t.TraitError(
                f"answers holds {len(answers)} values; give {self._count}, each 0 (left), 1 (right) or -1 (none)"
            )
        return answers

    def answered(self) -> xr.Dataset:
        """The record with the reader's answers, ready for `save_record` and `merge_answers`."""
        row = np.full((1, self._record.sizes["trial"]), NOT_ASKED, np.int8)
        row[0, self._chosen.trials] = self.answers
        bare = self._record.drop_dims("reader") if "reader" in self._record.dims else self._record
        return with_readers(
            bare.drop_vars([name for name in bare.variables if str(name).startswith("reader_")]),
            row,
            [self.reader or "reader"],
        )

    def take(self, line: str) -> None:
        """Take over the answers of a line that was copied from a page of this test.

        Raises
        ------
        ValueError
            It is no such line, or is about other trials.
        """
        try:
            given = json.loads(line)[LINE]
            key, reader, answers = given["trials"], given["reader"], given["answers"]
            values = [{"L": 0, "R": 1, "-": NOT_ASKED}[letter] for letter in answers]
        except (ValueError, KeyError, TypeError):
            raise ValueError("this is no line of answers; copy it from the test's page, whole") from None
        if key != self._test["key"] or len(values) != self._count:
            raise ValueError(
                "these answers are about other trials; make the test from the same record, which and trials"
            )
        self.reader, self.answers = str(reader), values

    def _all_images(self, quality: int) -> dict[str, list[bytes]]:
        return {"_patches": self._patches, "_references": self._references}

    def _still(self) -> Image.Image:
        """The first trial's patches under what they are asked about."""
        picture = Image.new("RGB", (560, 240), "white")
        draw, plain = ImageDraw.Draw(picture), ImageFont.load_default(13)
        title = f"{self._record.attrs['model']} · {self._record.attrs['layer']}"
        draw.text((16, 12), fitted(title, plain, 528), INK, plain)
        told = f"{self._count} trials: which patch lies further? Run the cell to answer."
        draw.text((16, 34), told, QUIET, plain)
        for at, patch in enumerate(self._record["trial_patch"].values[self._chosen.trials[0]]):
            side = Image.fromarray(patch).resize((160, 160), Image.Resampling.BILINEAR)
            picture.paste(side, (16 + 176 * at, 64))
        return picture
