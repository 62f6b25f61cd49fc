"""What a folder of images holds besides them, and whether its folders are classes: said once, before images are read.

In: a folder, its files and the folders in it. Out: warnings, and whether the folders are parts of a data set.
"""

import mimetypes
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

from PIL import Image

# Names of a data set's parts, which stand above its classes; and names that such parts have where all of them hold the
# same folders, since classes may be called so too.
SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing", "dev"})
PART = re.compile(
    r"(train|training|trn|val|valid|validation|test|testing|tst|dev|eval|evaluation|hold[-_ ]?out|fold|split|part|set)"
    r"s?([-_ ]?(set|data|images|\d+|[a-e]))*"
)
# Files beside images that nobody takes for images: beside texts by their kind, these suffixes and names.
BESIDE = re.compile(
    r"\.(txt|md|rst|[ct]sv|(nd)?jsonl?|xml|ya?ml|toml|ini|cfg|conf|html?|pdf|log|py|ipynb|sh|bib|tex|docx?|xlsx?|sqlite|db"
    r"|lock|md5|sha\d+|aux|xmp)"
)
BESIDE_NAMES = re.compile(
    r"readme|licen[sc]e|copying|notice|authors|changelog|citation|version|makefile|checksums"
)
NAMED = 5  # of the things that a warning names
LEVEL = 5  # the caller of `zoo.images`


def warn_of_left_out(
    folder: Path, images: Sequence[Path], readable: Sequence[Path], others: Iterable[Path]
) -> None:
    """Warn of images that can't be read here, and of other files that may be images too."""
    unread = Counter(path.suffix.lower() for path in images) - Counter(
        path.suffix.lower() for path in readable
    )
    if unread:
        warnings.warn(
            f"the folder {folder} holds images that can't be read here and are left out ({_kinds(unread)}); convert "
            "them, for instance to PNG, or install Pillow's plugin for them",
            stacklevel=LEVEL,
        )
    if strange := Counter(path.suffix.lower() for path in others if not _is_beside(path)):
        warnings.warn(
            f"the folder {folder} holds files that are no images by their names and are left out ({_kinds(strange)}); "
            "convert those that are images, for instance to PNG",
            stacklevel=LEVEL,
        )


def _kinds(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {suffix or 'without a suffix'}" for suffix, count in sorted(counts.items()))


def _is_beside(path: Path) -> bool:
    """Whether a file is text or about the images."""
    if BESIDE.fullmatch(path.suffix.lower()) or BESIDE_NAMES.fullmatch(path.stem.lower()):
        return True
    return (mimetypes.guess_type(path.name)[0] or "").startswith("text/")


def warn_of_dead_links(folder: Path, links: Sequence[Path]) -> None:
    """Warn of links to what is gone, which may have been images or a class."""
    if not links:
        return
    names = ", ".join(str(link.relative_to(folder)) for link in links[:NAMED])
    more = ", …" if len(links) > NAMED else ""
    several = len(links) > 1
    may_be_class = any(link.parent == folder and not link.suffix for link in links)
    warnings.warn(
        f"{len(links)} {'links' if several else 'link'} in {folder} {'lead' if several else 'leads'} to nothing and "
        f"{'are' if several else 'is'} left out ({names}{more})"
        + ("; where one was a class, the labels of later folders are smaller" if may_be_class else "")
        + "; mend them or take them out",
        stacklevel=LEVEL,
    )


def are_splits(folder: Path, parts: Iterable[tuple[str, ...]]) -> bool:
    """Whether a folder's folders are parts of a data set, such as train and val, and so no classes; warns if they are.

    `parts` are the images' paths in the folder, each as the names of its folders and its own.

    By their names; or if they hold the same folders, the classes, and one of them has a name that a part may have.
    Where they hold the same folders and have other names, they stay classes, and a warning asks.
    """
    inside: dict[str, set[str]] = {}
    is_deep = True
    for top, *middle, _ in parts:
        inside.setdefault(top, set()).update(middle[:1])
        is_deep = is_deep and bool(middle)
    tops = ", ".join(sorted(inside))
    all_inside = set().union(*inside.values())
    # One folder that all hold, such as Tiny ImageNet's "images", is no class.
    same = is_deep and len(inside) > 1 and len(all_inside.intersection(*inside.values())) > 1
    alike = same and all(2 * len(own) > len(all_inside) for own in inside.values())
    if {name.lower() for name in inside} <= SPLITS or (
        alike and any(PART.fullmatch(name.lower()) for name in inside)
    ):
        warnings.warn(
            f"{tops} in {folder} are parts of a data set and not classes, so the images have no labels; for labels "
            f"give one of them, such as {folder / min(inside)}",
            stacklevel=LEVEL,
        )
        return True
    if same and all(own == all_inside for own in inside.values()):
        names = ", ".join(sorted(all_inside)[:NAMED]) + (", …" if len(all_inside) > NAMED else "")
        warnings.warn(
            f"{tops} in {folder} all hold the same folders ({names}) and are taken for the classes; "
            f"if they are parts of a data set, give one of them, such as {folder / min(inside)}",
            stacklevel=LEVEL,
        )
    return False


def warn_of_empty_classes(folder: Path, tops: Set[str]) -> None:
    """Warn of folders that hold no images: labels count on without them."""
    inside = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")}
    if empty := sorted(inside - tops):
        warnings.warn(
            f"{', '.join(empty[:NAMED])} in {folder} {'hold' if len(empty) > 1 else 'holds'} no images and so "
            f"{'are no classes' if len(empty) > 1 else 'is no class'}; the labels of later folders are smaller by "
            f"{len(empty)}, which matters where they stand for a network's outputs",
            stacklevel=LEVEL,
        )


def warn_of_several_pages(paths: Iterable[Path]) -> None:
    """Warn of TIFF files of several pages and of animated GIFs, of which the first picture alone is read."""
    pages = {path.name: count for path in paths if (count := _pages(path)) > 1}
    if pages:
        several = len(pages) > 1
        names = ", ".join(f"{name} with {count}" for name, count in list(pages.items())[:NAMED])
        names += ", …" if len(pages) > NAMED else ""
        warnings.warn(
            f"{len(pages)} {'files hold' if several else 'file holds'} several pictures, of which the first alone is "
            f"read ({names}); save each as a file of its own, if they are images too",
            stacklevel=LEVEL - 1,
        )


def _pages(path: Path) -> int:
    # Other formats of several pictures are rare, and to open every file costs.
    if path.suffix.lower() not in (".tif", ".tiff", ".gif"):
        return 1
    try:
        with Image.open(path) as image:
            return int(getattr(image, "n_frames", 1))
    # A damaged file makes Pillow raise anything; the check of broken files names it.
    except Exception:
        return 1
