"""Readability: how often an observer that knows nothing of the network tells which patch lies further along.

In: a record with trials. Out: the record with a score for each dimension or unit, its interval over trials, and p
against random axes. The machine's interpretability score is that of Zimmermann, Klindt and Brendel (2024); its null is
ours.
"""

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from scipy.special import expit
from scipy.stats import t as student

from tunewidgets import records
from tunewidgets._checks import a_type, check_flags
from tunewidgets.derived.trials import questions_of, references_of
from tunewidgets.kernels.gabor.nulls import holm
from tunewidgets.kernels.readability.observers import Likeness, Observer, chosen, is_observer
from tunewidgets.kernels.readability.trials import with_layer
from tunewidgets.zoo.progress import progress_bar

LEVEL = 0.95
Z = 1.959963984540054  # of a normal distribution's middle 95%


def readability(record: xr.Dataset | xr.DataTree, observer: Any = "auto", *, progress: bool = True) -> Any:
    """How readable each dimension or unit is to an observer, compared with random axes.

    Of the patches x⁺, further along, and x⁻ of a trial, with the references R⁺ of the high end and R⁻ of the low one,
    the observer prefers x⁺ where `Δ = [s(x⁺,R⁺) − s(x⁺,R⁻)] − [s(x⁻,R⁺) − s(x⁻,R⁻)] > 0`, s being its mean likeness to
    the references; with the probability `1 / (1 + exp(−αΔ))`, in which α belongs to the observer. The score is the mean
    over the trials: .5 by guessing, 1 where all is plain. It does not say that the network uses the dimension, nor that
    a name for it is right.

    Parameters
    ----------
    record : xarray.Dataset or xarray.DataTree
        With trials, of `add_trials`; of a tree, every layer that has some.
    observer : str, Probe or callable, default "auto"
        "lpips": LPIPS on SqueezeNet 1.1, which needs the package lpips (`pip install tunewidgets[lpips]`) and the
        network's weights; "texture": oriented energies at several scales and colors, which needs no weights; "auto":
        the first where it can be had. A `tw.Probe`: pictures are alike where its layer responds alike. A callable
        takes pictures `(n, y, x, 3)` and references `(m, y, x, 3)`, uint8, and gives their likeness `(n, m)`; without
        an attribute `alpha`, all preferences are certain, and the score is the share that is right.
    progress : bool, default True

    Returns
    -------
    xarray.Dataset or xarray.DataTree
        The record with, by dimension or unit, `readability`; `readability_low` and `readability_high`, a 95% interval
        over trials (Wilson's, which is wide enough for probabilities as for shares); `readability_p`, one-sided, the
        chance of a random axis that reads as well (Student's t of one score against the sample of random axes, Crawford
        and Howell); and `readability_p_holm`, Holm's over the dimensions or units. NaN where there are no trials.
        `readability_null(axis)`: the scores of the random axes. The setting `readability` holds the observer, α, and
        `permuted`, the mean score with the references of another question, which is chance.

    Raises
    ------
    ValueError
        The record has no trials, there is no observer of that name, or its likenesses are not finite or of another
        shape.
    TypeError
        `record` is no record, or `observer` none of these.
    ModuleNotFoundError, FileNotFoundError
        What the observer "lpips" needs is not there.

    Warns
    -----
    UserWarning
        The observer is the network that the record is of.

    References
    ----------
    Zimmermann, Klindt and Brendel, *Measuring mechanistic interpretability at scale without humans* (2024). Crawford
    and Howell, *Comparing an individual's test score against norms derived from small samples* (1998). Wilson,
    *Probable inference, the law of succession, and statistical inference* (1927).

    Examples
    --------
    >>> import tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(n=9), "relu", device="cpu")
    >>> scenes = tw.zoo.images("dead-leaves", n=8, size=64)
    >>> sample = tw.sample_activations(probe, scenes, n=1000, progress=False)
    >>> dims = tw.TuningDimensions("pca", 2).fit(sample)
    >>> film = tw.render_film(probe, dims, points=2, size=16, steps=1, progress=False)
    >>> others = tw.zoo.images("dead-leaves", n=20, size=64, seed=1)
    >>> asked = tw.add_trials(film, probe, others, n=4, catch=8, progress=False)
    >>> tw.readability(asked, "texture", progress=False).readability.dims
    ('dimension',)
    """
    check_flags(progress=progress)
    if isinstance(record, xr.DataTree):
        layers = [one for one in records.layers_of(record).values() if "trial_patch" in one]
        if not layers:
            raise ValueError("no layer of these records has trials; give what add_trials gave")
        tree = record
        for one in layers:
            tree = with_layer(tree, _scored(one, observer, progress))
        return tree
    if not isinstance(record, xr.Dataset):
        raise TypeError(f"record is {a_type(record)}; give a record with trials")
    return _scored(record, observer, progress)


class Choices(NamedTuple):
    """For each trial, the probability of the right choice; of a tie, a half."""

    right: np.ndarray
    permuted: np.ndarray  # the same with the references of another question


def _scored(record: xr.Dataset, observer: Any, progress: bool) -> xr.Dataset:
    records.validate(record)
    of, about = questions_of(record)
    decider, name, alpha = chosen(observer, record)
    found = choices(record, decider, alpha, progress)
    question = record["trial_question"].values
    scores = np.array([found.right[question == at].mean() for at in range(len(about))])
    n = np.bincount(question, minlength=len(about))
    own, null = about >= 0, scores[about < 0]
    low, high = wilson(scores, n)
    p = p_of(scores[own], null)
    columns = {"": scores[own], "_low": low[own], "_high": high[own], "_p": p, "_p_holm": holm(p)}
    scored = record.drop_vars([each for each in record.variables if str(each).startswith("readability")])
    for ending, values in columns.items():
        whole = np.full(record.sizes[of], np.nan, np.float32)
        whole[about[own]] = values
        scored[f"readability{ending}"] = (of, whole)
    scored["readability_null"] = ("axis", null.astype(np.float32))
    told = {
        "observer": name,
        "alpha": alpha,
        "null": float(null.mean()),
        "permuted": float(found.permuted.mean()),
    }
    scored = records.with_settings(scored, readability=told)
    records.validate(scored)
    return scored


def wilson(scores: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's 95% interval of a share of `n`; of a mean of probabilities it is at least as wide as need be."""
    middle = (scores + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * np.sqrt(scores * (1 - scores) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def p_of(scores: np.ndarray, null: np.ndarray) -> np.ndarray:
    """The chance of another draw from where `null` was drawn that is at least as large as each of `scores`."""
    count = len(null)
    spread = float(null.std(ddof=1))
    if spread == 0:
        # All random axes alike: no t, but as many draws that are no larger.
        return np.where(scores > null[0], 1 / (count + 1), 1.0)
    away = (scores - null.mean()) / (spread * np.sqrt(1 + 1 / count))
    return np.asarray(student.sf(away, count - 1))


def choices(record: xr.Dataset, decider: Observer | Likeness, alpha: float | None, progress: bool) -> Choices:
    """What an observer chooses in every trial."""
    patches, question = record["trial_patch"].values, record["trial_question"].values
    references = references_of(record)
    count = len(references)
    view = _embedded(decider, patches, references, progress) if is_observer(decider) else None
    right, permuted = np.empty(len(patches)), np.empty(len(patches))
    answer = record["trial_answer"].values
    with progress_bar(total=count, desc="Reading", unit="question", show=progress) as bar:
        for at in range(count):
            rows = np.flatnonzero(question == at)
            for board, other in ((right, at), (permuted, (at + 1) % count)):
                if view is not None:
                    toward = view.toward(rows, other)
                else:
                    assert callable(decider)
                    toward = _asked(decider, patches[rows], references[other])
                board[rows] = _probability(toward, answer[rows], alpha)
            bar.update(1)
    return Choices(right, permuted)


def _probability(toward: np.ndarray, answer: np.ndarray, alpha: float | None) -> np.ndarray:
    """Of the right choice, given how much nearer each side `(trials, 2)` is to the high end's references."""
    delta = np.where(answer == 1, 1, -1) * (toward[:, 1] - toward[:, 0])
    sure = expit(alpha * delta) if alpha is not None else (1 + np.sign(delta)) / 2
    return np.where(answer < 0, 0.5, sure)


class _Embedded(NamedTuple):
    """Features of all different pictures, and where each patch's and each reference's are."""

    features: np.ndarray
    patch: np.ndarray  # (trials, 2)
    reference: np.ndarray  # (questions, end, references)

    def toward(self, rows: np.ndarray, question: int) -> np.ndarray:
        """How much nearer each side of these trials is to the high end than to the low one, `(rows, 2)`.

        The mean of −‖f − r‖² over references r is linear in f but for what both ends share.
        """
        low, high = (self.features[at].astype(np.float32) for at in self.reference[question])
        sides = self.features[self.patch[rows]].astype(np.float32)
        own = (low**2).sum(1).mean() - (high**2).sum(1).mean()
        return np.asarray(2 * sides @ (high.mean(0) - low.mean(0)) + own)


def _embedded(observer: Observer, patches: np.ndarray, references: np.ndarray, progress: bool) -> _Embedded:
    flat = [*patches.reshape(-1, *patches.shape[2:]), *references.reshape(-1, *references.shape[3:])]
    # Places recur in many trials: each is looked at once.
    known: dict[bytes, int] = {}
    place = np.array([known.setdefault(picture.tobytes(), len(known)) for picture in flat])
    _, first = np.unique(place, return_index=True)
    features = []
    with progress_bar(total=len(first), desc="Looking", unit="picture", show=progress) as bar:
        for start in range(0, len(first), 256):
            some = np.stack([flat[at] for at in first[start : start + 256]])
            features.append(observer.embed(some))
            bar.update(len(some))
    cut = len(patches) * 2
    return _Embedded(
        np.concatenate(features), place[:cut].reshape(-1, 2), place[cut:].reshape(references.shape[:3])
    )


def _asked(observer: Likeness, patches: np.ndarray, references: np.ndarray) -> np.ndarray:
    """The same as `_Embedded.toward` of an observer that says likenesses itself."""
    each = references.shape[1]
    pictures = patches.reshape(-1, *patches.shape[2:])
    alike = np.asarray(observer(pictures, references.reshape(-1, *references.shape[2:])), dtype=float)
    if alike.shape != (len(pictures), 2 * each) or not np.isfinite(alike).all():
        raise ValueError(
            f"the observer gave {alike.shape} where a finite likeness of each of {len(pictures)} pictures to each of "
            f"{2 * each} references belongs; let it give an array of that shape"
        )
    return (alike[:, each:].mean(1) - alike[:, :each].mean(1)).reshape(-1, 2)
