"""Synthetic records with trials, with NumPy alone: which side lies further is seen in its color.

In: sizes. Out: a valid film or unit record with trials of its dimensions or units and of random axes.
"""

import numpy as np
import xarray as xr
from films import make_film
from unit_records import make_units

REDDER, BLUER = (200, 90, 80), (80, 90, 200)


def make_trials(
    of: str = "dimension", count: int = 3, catch: int = 4, n: int = 8, side: int = 16, film: bool = False
) -> xr.Dataset:
    """Trials in which the further patch is the redder one; the last trial is a tie."""
    record = make_film(count, 3, side) if of == "dimension" else make_units(count, side)
    rng = np.random.default_rng(0)
    about = np.concatenate([np.arange(count), np.full(catch, -1)]).astype(np.int32)
    question = rng.permutation(np.repeat(np.arange(len(about)), n)).astype(np.int32)
    answer = rng.integers(0, 2, len(question)).astype(np.int8)
    colors = np.array([BLUER, REDDER], np.uint8)
    patch = np.broadcast_to(
        colors[(np.arange(2) == answer[:, None]).astype(int)][:, :, None, None],
        (len(question), 2, side, side, 3),
    ).copy()
    patch[..., 0] += rng.integers(0, 30, patch.shape[:-1], dtype=np.uint8)
    answer[-1] = -1
    references = np.broadcast_to(colors[None, :, None, None, None], (len(about), 2, 5, side, side, 3)).copy()
    shown = {"question_exemplar": (("question", "end", "reference", "y", "x", "rgb"), references)}
    if film:
        shown["question_film"] = (("question", "end", "y", "x", "rgb"), references[:, :, 0])
    return record.assign(
        {
            "trial_patch": (("trial", "side", "y", "x", "rgb"), patch),
            "trial_answer": ("trial", answer),
            "trial_question": ("trial", question),
            f"trial_{of}": ("trial", about[question]),
            f"question_{of}": ("question", about),
            **shown,
        }
    )
