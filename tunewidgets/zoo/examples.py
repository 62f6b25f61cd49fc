"""Finished records that come with the package, to look at before computing your own.

In: a name. Out: the record, in memory. Needs no torch; `makers/example.py` says how they were made.
"""

from difflib import get_close_matches
from pathlib import Path
from typing import overload

import pandas as pd
import xarray as xr

from tunewidgets.records import open_record

FOLDER = Path(__file__).parent / "data"
ABOUT = {
    "googlenet_4a": "film of GoogLeNet's inception_4a: 16 independent components",
    "googlenet_conv2": "film of GoogLeNet's conv2, rectified: 16 independent components",
    "googlenet_3b": "film of GoogLeNet's inception_3b: 16 independent components",
    "googlenet_4c": "film of GoogLeNet's inception_4c: 16 independent components",
    "googlenet_4e": "film of GoogLeNet's inception_4e: 16 independent components",
    "resnet20_units": "units of ResNet-20's three stages, over CIFAR-10's classes, and what it loses without each",
    "gabor_recovery": "which attributes of five Gabor banks PCA, ICA, NMF and LLE find, with films of one bank",
    "shallow_cnn": "units of a small network's rectified layers, over CIFAR-10's classes",
}
EXAMPLES = {name: FOLDER / f"{name}.zarr.zip" for name in ABOUT}


@overload
def example(name: str) -> xr.Dataset | xr.DataTree: ...
@overload
def example(name: None = None) -> pd.DataFrame: ...
def example(name: str | None = None) -> xr.Dataset | xr.DataTree | pd.DataFrame:
    """A ready record, or the list of them.

    Films are what `render_film` makes: 16 independent components of what 40,000 positions of 1,000 photographs gave,
    an image at each of 9 points, 11 in inception_4a (BVLC's GoogLeNet). Records of units are what `analyze_units`
    makes: for each unit one AM and one IAM image, class selectivity and RS. The checklist is what `gabor_recovery`
    makes. Their images are stored as WebP (`picture_quality` in `attrs`), except for "shallow_cnn"; none holds a
    photograph.

    Parameters
    ----------
    name : str, optional
        None lists them.

    Returns
    -------
    xarray.Dataset, xarray.DataTree or pandas.DataFrame
        A film; units, one record for each layer; a checklist; or, without a name, a table with the columns `name`,
        `shows` and `MB`, the size of the file.

    Raises
    ------
    ValueError
        If there is no example of that name; the sentence lists near names, or all.

    Examples
    --------
    >>> list(example("shallow_cnn").children)
    ['relu1', 'relu2', 'relu3', 'relu4', 'relu5']
    >>> example("googlenet_4a").sizes["dimension"]
    16
    >>> example()["name"].tolist()[:2]
    ['googlenet_4a', 'googlenet_conv2']
    """
    if name is None:
        sizes = [EXAMPLES[each].stat().st_size / 1e6 for each in ABOUT]
        return pd.DataFrame({"name": list(ABOUT), "shows": list(ABOUT.values()), "MB": sizes}).round(1)
    if name not in EXAMPLES:
        near = get_close_matches(str(name), EXAMPLES, n=3)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there is {', '.join(EXAMPLES)}"
        raise ValueError(f"the zoo has no example called {name!r}; {hint}")
    return open_record(EXAMPLES[name])
