"""A film in words: names for its method and its dimensions, and what a reader must know before trusting it.

In: a film record, or its settings. Out: short texts, the same in widgets, figures and still pictures. The page splits a
suggestion as `suggestion_of` does (js/src/tuning-explorer/film.ts). Imports no torch.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from .. import _checks

__all__ = ["dimension_name", "film_warnings", "method_name", "share_text", "suggestion", "suggestion_of"]

# Above this p, Holm's over the dimensions, a dimension is read no better than random axes.
READABLE = 0.05


def method_name(settings: Mapping[str, Any]) -> str:
    """The decomposition's name for display: the short names in capitals, any other as it is."""
    method = str(settings.get("method", "unknown method"))
    return method.upper() if method in _checks.DECOMPOSITIONS else method


def film_warnings(settings: Mapping[str, Any]) -> list[str]:
    """What a reader must know before trusting the film, one sentence each."""
    warnings = []
    if settings.get("converged") is False:
        warnings.append(
            f"{method_name(settings)} did not converge: "
            "fitted again, these dimensions may come out differently."
        )
    if settings.get("method") == "lle":
        warnings.append("LLE is unstable: another subsample of the same data gives other dimensions.")
    return warnings


def suggestion_of(text: str) -> tuple[str, str]:
    """What is suggested, and how well it is supported.

    Examples
    --------
    >>> suggestion_of("orange/blue, p = .035")
    ('orange/blue', 'p = .035')
    """
    found = re.fullmatch(r"(.*?)(?:, (p [=<] .*))?", text, re.DOTALL)
    return (found[1], found[2] or "") if found else (text, "")


def suggestion(film: xr.Dataset, dimension: int) -> str:
    """The suggested label with its support; empty where there is none, or a dimension that was tested can't be read.

    What is suggested is what pictures say, and where a dimension is read no better than random axes its pictures say
    nothing.
    """
    if "readability_p_holm" in film and film["readability_p_holm"].values[dimension] > READABLE:
        return ""
    return str(film["suggested_label"].values[dimension]).strip()


def dimension_name(film: xr.Dataset, dimension: int) -> str:
    """The reader's label, else the suggested one, else the dimension's number."""
    label = str(film["label"].values[dimension]).strip()
    return label or suggestion_of(suggestion(film, dimension))[0] or f"dimension {dimension}"


def share_text(film: xr.Dataset, dimension: int) -> str:
    """The dimension's share of the variance, empty where its method has none."""
    share = float(film["explained_variance"].values[dimension])
    return f"{100 * share:.1f}% of variance" if np.isfinite(share) else ""
