"""Picture files, opened: each that can't be read is named in one sentence, whatever Pillow raises for it.

In: the path of a file. Out: a Pillow image that is in memory. Needs only Pillow.
"""

import warnings
from pathlib import Path

from PIL import Image

__all__ = ["read_picture"]


def read_picture(path: Path, side: int | None = None) -> Image.Image:
    """A picture file's image, whole and in memory.

    `side` is how many pixels its shorter side will be made: what a JPEG holds beyond twice that need not be decoded.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It can't be read as an image, or has more pixels than Pillow opens.

    Warns
    -----
    UserWarning
        It has so many pixels that Pillow suspects an attack.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "a.png")
    >>> Image.new("L", (3, 2)).save(path)
    >>> read_picture(path).size
    (3, 2)
    """
    try:
        with warnings.catch_warnings():
            # Pillow's own names no file.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
        with image:
            if side is not None:
                image.draft("RGB", (2 * side, 2 * side))
            image.load()
    except FileNotFoundError:
        raise
    except Image.DecompressionBombError as error:
        raise ValueError(
            f"{path} has more pixels than Pillow opens ({str(error).partition(',')[0]}); make it smaller, or raise "
            "PIL.Image.MAX_IMAGE_PIXELS if you trust it"
        ) from None
    # A damaged file makes Pillow's readers raise anything.
    except Exception as error:
        raise ValueError(f"{path} can't be read as an image ({error}); repair it or take it out") from error
    pixels = image.width * image.height
    if Image.MAX_IMAGE_PIXELS and pixels > Image.MAX_IMAGE_PIXELS:
        warnings.warn(
            f"{path} has {image.width:,} × {image.height:,} px and takes {pixels * 3e-9:.1f} GB of memory; make it "
            "smaller if you did not expect so many",
            stacklevel=3,
        )
    return image
