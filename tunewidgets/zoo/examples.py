"""Finished records that come with the package, to look at before computing your own.

In: a name. Out: the record, in memory. Needs no torch; `makers/example.py` says how they were made.
"""

from difflib import get_close_matches
from pathlib import Path

import xarray as xr

from tunewidgets.records import open_record

EXAMPLES = {"shallow_cnn": Path(__file__).parent / "data" / "shallow_cnn.zarr.zip"}


def example(name: str) -> xr.DataTree:
    """A ready unit record.

    Parameters
    ----------
    name : str
        "shallow_cnn": all rectified layers of `load("shallow_cnn")`, measured on 250 of CIFAR-10's test images, with
        one AM and one IAM image per unit (64 steps), selectivity and its critics, RS, importance and the indices of
        exemplars; it contains no photographs.

    Returns
    -------
    xarray.DataTree
        One unit record per layer, as `tunewidgets.analyze_units` makes them.

    Raises
    ------
    ValueError
        If there is no example of that name; the sentence lists near names, or all.

    Examples
    --------
    >>> list(example("shallow_cnn").children)
    ['relu1', 'relu2', 'relu3', 'relu4', 'relu5']
    """
    if name not in EXAMPLES:
        near = get_close_matches(str(name), EXAMPLES, n=3)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there is {', '.join(EXAMPLES)}"
        raise ValueError(f"the zoo has no example called {name!r}; {hint}")
    tree = open_record(EXAMPLES[name])
    assert isinstance(tree, xr.DataTree)
    return tree
