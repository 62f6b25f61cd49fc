"""The reader test's payload: some of a record's trials, what they show, and what nobody should see at a glance.

In: a record with trials. Out: a JSON-ready dict, mosaics as WebP, and the trials' places in the record. Which side is
right, and which questions are about random axes, is scrambled: that hides it from a look at the page's source, not from
whoever sets out to read it.
"""

import base64
import hashlib
import json
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from PIL import Image

from ..derived.film_text import dimension_name
from ..derived.pictures import mosaic, webp
from ..derived.trials import questions_of, references_of

# Of the trials shown, this share is about random axes.
CATCH = 0.25
PATCH, REFERENCE = 128, 64  # the most pixels a side that are sent of each
QUALITIES = (85, 70, 50, 30, 10)


class Chosen(NamedTuple):
    """Which trials are shown, by their places in the record, and the questions that they ask."""

    trials: np.ndarray
    questions: np.ndarray


def chosen_trials(record: xr.Dataset, count: int, which: list[int] | None) -> Chosen:
    """About as many trials of each dimension or unit, and a quarter of random axes, in the record's order.

    Random axes come whole, one after the other, so that as few pictures as possible are sent.

    Raises
    ------
    ValueError
        There are no trials of one that is asked for.
    """
    of, about = questions_of(record)
    question = record["trial_question"].values
    own = [at for at in range(len(about)) if about[at] >= 0]
    if which is not None:
        lacking = sorted(set(which) - set(about[own].tolist()))
        if lacking or not which:
            told = f"there are no trials of {of} {lacking[0]}" if lacking else "which is empty"
            raise ValueError(
                f"{told}; the record has trials of {', '.join(map(str, sorted(about[own].tolist())))}"
            )
        own = [at for at in own if about[at] in which]
    rows = {at: np.flatnonzero(question == at) for at in range(len(about))}
    count = min(count, round(sum(len(rows[at]) for at in own) / (1 - CATCH)))
    catch = [row for at in range(len(about)) if about[at] < 0 for row in rows[at]][: round(CATCH * count)]
    turns = [
        rows[at][turn]
        for turn in range(max(len(rows[at]) for at in own))
        for at in own
        if turn < len(rows[at])
    ]
    trials = np.sort(np.array(turns[: count - len(catch)] + catch))
    return Chosen(trials, np.unique(question[trials]))


def test_facts(record: xr.Dataset, chosen: Chosen) -> dict[str, Any]:
    """What the page shows of the trials, except their pictures, and in `hidden` what it must not show yet."""
    of, about = questions_of(record)
    position = {int(question): at for at, question in enumerate(chosen.questions)}
    key = trials_key(record)
    hidden = {
        "answers": record["trial_answer"].values[chosen.trials].tolist(),
        "about": about[chosen.questions].tolist(),
    }
    return {
        "model": str(record.attrs["model"]),
        "layer": str(record.attrs["layer"]),
        "of": of,
        "key": key,
        "question": [position[int(at)] for at in record["trial_question"].values[chosen.trials]],
        "names": _names(record, of, about),
        "patch": _cells(_side(record, PATCH), 2),
        "reference": _cells(_side(record, REFERENCE), references_of(record, chosen.questions[:1]).shape[2]),
        "hidden": scrambled(json.dumps(hidden), key),
    }


def pictures(record: xr.Dataset, chosen: Chosen, budget: int) -> tuple[list[bytes], list[bytes]]:
    """Each trial's two patches and each question's references (low end first), within a budget as far as WebP can."""
    patches = [_small(each, PATCH) for each in record["trial_patch"].values[chosen.trials]]
    references = [_small(each, REFERENCE) for each in references_of(record, chosen.questions)]
    for quality in QUALITIES:
        found = (
            [webp(mosaic(each, 2), quality) for each in patches],
            [webp(mosaic(each.reshape(-1, *each.shape[2:]), each.shape[1]), quality) for each in references],
        )
        if sum(map(len, [*found[0], *found[1]])) <= budget:
            break
    return found


def trials_key(record: xr.Dataset) -> str:
    """By what a copied line of answers is known to be about these trials."""
    digest = hashlib.sha256()
    for name in ("trial_patch", "trial_answer", "trial_question"):
        digest.update(np.ascontiguousarray(record[name].values).tobytes())
    return digest.hexdigest()[:12]


def scrambled(text: str, key: str) -> str:
    """A text that can't be read at a glance; the page undoes it (js/src/reader-test/hidden.ts)."""
    # A linear congruential generator, in 32 bits, which comes out alike in both languages.
    state, masked = int(key[:8], 16), bytearray()
    for byte in text.encode():
        state = (1664525 * state + 1013904223) % 2**32
        masked.append(byte ^ (state >> 24))
    return base64.b64encode(bytes(masked)).decode("ascii")


def _names(record: xr.Dataset, of: str, about: np.ndarray) -> dict[str, str]:
    """What dimensions or units are called, of all that have trials."""
    own = sorted(int(at) for at in about if at >= 0)
    return {str(at): dimension_name(record, at) if of == "dimension" else f"unit {at}" for at in own}


def _side(record: xr.Dataset, most: int) -> tuple[int, int]:
    """Height and width at which pictures are sent."""
    height, width = record["trial_patch"].shape[2:4]
    share = min(1.0, most / max(height, width))
    return max(1, round(height * share)), max(1, round(width * share))


def _cells(side: tuple[int, int], columns: int) -> dict[str, int]:
    return {"width": side[1], "height": side[0], "columns": columns}


def _small(images: np.ndarray, most: int) -> np.ndarray:
    """Pictures `(..., y, x, 3)` of at most so many pixels a side."""
    height, width = images.shape[-3:-1]
    share = min(1.0, most / max(height, width))
    if share == 1:
        return images
    size = (max(1, round(width * share)), max(1, round(height * share)))
    flat = [
        np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BILINEAR))
        for each in images.reshape(-1, *images.shape[-3:])
    ]
    return np.stack(flat).reshape(*images.shape[:-3], size[1], size[0], 3)
