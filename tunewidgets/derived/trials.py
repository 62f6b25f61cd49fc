"""Trials and what readers answered in them: their share of right ones, and how far they agree.

In: records with trials. Out: which question is about what; several readers' answers in one record, with exact
intervals and Krippendorff's alpha. Imports no torch.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr

from .._checks import a_type
from ..records import validate, with_settings
from .statistics import share_interval

__all__ = ["krippendorff_alpha", "merge_answers", "questions_of", "references_of"]

NOT_ASKED = -1
TRIALS = ("trial_patch", "trial_answer", "trial_question")


def questions_of(record: xr.Dataset) -> tuple[str, np.ndarray]:
    """What the trials are about, "dimension" or "unit", and which one each question is about, -1 for a random axis.

    Raises
    ------
    ValueError
        The record has no trials.
    """
    of = next((of for of in ("dimension", "unit") if f"question_{of}" in record), None)
    if of is None:
        raise ValueError("this record has no trials; give what add_trials gave")
    return of, record[f"question_{of}"].values


def references_of(record: xr.Dataset, questions: np.ndarray | slice = slice(None)) -> np.ndarray:
    """What questions show of their axes, `(questions, end, references, y, x, 3)`: a film's ends, then exemplars."""
    parts = []
    if "question_film" in record:
        parts.append(record["question_film"].values[questions][:, :, None])
    if "question_exemplar" in record:
        parts.append(record["question_exemplar"].values[questions])
    return np.concatenate(parts, 2)


def merge_answers(records: Iterable[xr.Dataset]) -> xr.Dataset:
    """Several readers' answers to the same trials as one record, with their agreement.

    Parameters
    ----------
    records : iterable of xarray.Dataset
        Copies of one record with trials, each with the answers of a reader or of several (`reader_answer`).

    Returns
    -------
    xarray.Dataset
        The first record with all readers: `reader_answer(reader, trial)`, the side chosen, -1 where none was;
        `reader_asked(reader, question)`, how many trials of a question were answered, ties left out, and
        `reader_right(reader, question)`, how many of them rightly; of all readers together, `reader_share(question)`
        with its exact 95% interval, `reader_low` and `reader_high` (Clopper and Pearson). The setting `answers` holds
        `krippendorff_alpha` (nominal: 1 is full agreement, 0 that of chance; None where no trial has two answers), the
        number of readers and of answers. Readers of one name, but of several records, are numbered.

    Raises
    ------
    ValueError
        There is no record, one has no trials or no answers, or their trials differ.
    TypeError
        What is given is no sequence of records.

    References
    ----------
    Krippendorff, *Content analysis: an introduction to its methodology*, 4th edition (2018), chapter 12.

    Examples
    --------
    >>> import numpy as np, tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(n=9), "relu", device="cpu")
    >>> scenes = tw.zoo.images("dead-leaves", n=8, size=64)
    >>> sample = tw.sample_activations(probe, scenes, n=1000, progress=False)
    >>> dims = tw.TuningDimensions("pca", 2).fit(sample)
    >>> film = tw.render_film(probe, dims, points=2, size=16, steps=1, progress=False)
    >>> others = tw.zoo.images("dead-leaves", n=20, size=64, seed=1)
    >>> asked = tw.add_trials(film, probe, others, n=4, catch=8, progress=False)
    >>> left = asked.assign(reader_answer=(("reader", "trial"), np.zeros((1, 40), np.int8)))
    >>> tw.merge_answers([left, left]).reader_share.values[:2].tolist()
    [0.5, 0.5]
    """
    if isinstance(records, xr.Dataset | xr.DataTree | str) or not isinstance(records, Iterable):
        raise TypeError(f"records is {a_type(records)}; give a list of records with answers")
    given = list(records)
    if not given:
        raise ValueError("there are no records to merge; give at least one with trials and answers")
    for one in given:
        validate(one)
        questions_of(one)
        if "reader_answer" not in one:
            raise ValueError("a record has no answers of a reader; leave it out, or give what a reader saved")
        if not all(one[name].equals(given[0][name]) for name in TRIALS):
            raise ValueError(
                "the records' trials differ; give copies of one record, with each reader's answers"
            )
    answers = np.concatenate([one["reader_answer"].values for one in given])
    names = _apart([name for one in given for name in _readers(one)])
    first = given[0].drop_dims("reader")
    merged = with_readers(first, answers, names)
    alpha = krippendorff_alpha(answers)
    return with_settings(
        merged,
        answers={
            "krippendorff_alpha": alpha if np.isfinite(alpha) else None,
            "readers": len(names),
            "answers": int((answers != NOT_ASKED).sum()),
        },
    )


def with_readers(record: xr.Dataset, answers: np.ndarray, names: list[str]) -> xr.Dataset:
    """The record with readers' answers `(reader, trial)`, and by question how many of them are right."""
    asked, right = tallies(record, answers)
    every, good = asked.sum(0), right.sum(0)
    share = np.divide(good, every, out=np.full(len(every), np.nan), where=every > 0)
    columns: dict[str, Any] = {
        "reader_answer": (("reader", "trial"), answers.astype(np.int8)),
        "reader_asked": (("reader", "question"), asked),
        "reader_right": (("reader", "question"), right),
    }
    for name, values in zip(("share", "low", "high"), (share, *share_interval(good, every)), strict=True):
        columns[f"reader_{name}"] = ("question", values.astype(np.float32))
    found = record.assign(columns).assign_coords(reader=np.array(names, dtype=object))
    validate(found)
    return found


def tallies(record: xr.Dataset, answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many trials of each question were answered, and how many rightly, `(reader, question)`; ties are left out."""
    truth, question = record["trial_answer"].values, record["trial_question"].values
    counted = (answers != NOT_ASKED) & (truth >= 0)
    of = np.eye(record.sizes["question"], dtype=np.int32)[question]
    return counted.astype(np.int32) @ of, (counted & (answers == truth)).astype(np.int32) @ of


def krippendorff_alpha(answers: np.ndarray) -> float:
    """Krippendorff's alpha of nominal answers `(reader, trial)`, -1 where there is none.

    `1 − D_o / D_e`: the disagreement observed within trials over that expected if answers were dealt out at random.
    NaN where no trial has two answers, 1 where all answers are the same.

    Examples
    --------
    >>> krippendorff_alpha(np.array([[0, 1, 1, 0], [0, 1, 1, -1]]))
    1.0
    """
    values = np.unique(answers[answers != NOT_ASKED])
    # Of each trial, how often each value was given.
    counts = np.stack([(answers == value).sum(0) for value in values], 1) if len(values) else np.zeros((0, 0))
    counts = counts[counts.sum(1) >= 2].astype(float)
    if not len(counts):
        return float("nan")
    each = counts.sum(1)
    observed = ((each**2 - (counts**2).sum(1)) / (each - 1)).sum()
    total, number = counts.sum(0), counts.sum()
    expected = (number**2 - (total**2).sum()) / (number - 1)
    return 1.0 if expected == 0 else float(1 - observed / expected)


def _readers(record: xr.Dataset) -> list[str]:
    count = record.sizes["reader"]
    return (
        [str(name) for name in record["reader"].values] if "reader" in record.coords else ["reader"] * count
    )


def _apart(names: list[str]) -> list[str]:
    """Names of which none is another's: the second of a name has a 2."""
    met: dict[str, int] = {}
    found: list[str] = []
    for name in names:
        met[name] = met.get(name, 0) + 1
        unique = name if met[name] == 1 else f"{name} {met[name]}"
        while unique in found:
            met[name] += 1
            unique = f"{name} {met[name]}"
        found.append(unique)
    return found
