"""Random affine transformations, one per image and step, in a single resampling.

In: images and, for each, a draw of four numbers. Out: the images shifted, scaled and rotated about their center. An
image that a unit responds to through all of them has no feature that hangs on a single pixel (Olah et al. 2017). What
leaves at one border comes back in at the opposite one, as on the Fourier canvas itself, so no edge is ever seen.
"""

from dataclasses import dataclass
from numbers import Real

import torch
import torch.nn.functional as F
from torch import Tensor

from tunewidgets._checks import check_flags
from tunewidgets._tensors import Images


@dataclass(frozen=True)
class Jitter:
    """Strength of the random transformations.

    Parameters
    ----------
    shift : float, default 4
        Largest shift along each axis, pixels.
    scale : float, default 0.1
        Largest relative change of size: 0.1 draws from 0.9 to 1.1.
    turn : float, default 10
        Largest rotation, degrees.
    steady : bool, default False
        Whether the shift keeps its strength when scale and turn fade out. With a shift of half the side, no pixel is
        then nearer to an edge than any other, and the image becomes a seamless tile.

    Raises
    ------
    ValueError
        A strength is not a number of at least 0, or images would shrink to nothing.
    TypeError
        `steady` is neither True nor False.

    References
    ----------
    Olah, Mordvintsev and Schubert, *Feature visualization* (2017).

    Examples
    --------
    Twice the usual shift, and no rotation:

    >>> import tunewidgets as tw
    >>> probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    >>> jitter = tw.Jitter(shift=8, turn=0)
    >>> made = tw.visualize(probe, tw.AM([0]), size=32, steps=8, jitter=jitter, progress=False)
    >>> tw.records.settings_of(made)["jitter"]
    {'shift': 8, 'scale': 0.1, 'turn': 0, 'steady': False}
    """

    shift: float = 4.0
    scale: float = 0.1
    turn: float = 10.0
    steady: bool = False

    def __post_init__(self) -> None:
        check_flags(steady=self.steady)
        for name in ("shift", "scale", "turn"):
            strength = getattr(self, name)
            if not (isinstance(strength, Real) and 0 <= float(strength) < float("inf")):
                raise ValueError(
                    f"{name} is {strength!r}; give a number of at least 0, where 0 turns it off."
                )
        if self.scale >= 1:
            raise ValueError(
                f"scale is {self.scale!r}; give a relative change below 1, such as 0.1 for sizes from 0.9 to 1.1."
            )

    @property
    def is_still(self) -> bool:
        """Whether every draw is the identity."""
        return self.shift == 0 and self.scale == 0 and self.turn == 0

    def draw(self, steps: int, generator: torch.Generator) -> Tensor:
        """The transformations of one target: `(steps, 4)` in [-1, 1], for shift y, shift x, scale and turn."""
        return torch.rand(steps, 4, generator=generator) * 2 - 1

    def apply(self, images: Images, draws: Tensor, strength: float = 1.0) -> Images:
        """`(N, 3, H, W)` images, each moved by its row of `(N, 4)` draws, all weakened to `strength`."""
        if self.is_still or (strength == 0 and not self.steady):
            return images
        height, width = images.shape[-2:]
        angle = draws[:, 3] * (strength * torch.pi * self.turn / 180)
        zoom = 1 + draws[:, 2] * (strength * self.scale)
        cosine, sine = angle.cos() * zoom, angle.sin() * zoom
        shift = 2 * self.shift * (1 if self.steady else strength)
        shift_y, shift_x = draws[:, 0] * (shift / height), draws[:, 1] * (shift / width)
        rows = torch.stack([cosine, -sine, shift_x, sine, cosine, shift_y], dim=1)
        grid = F.affine_grid(rows.view(-1, 2, 3), list(images.shape), align_corners=False)
        # One more pixel on each side lets the sampler interpolate across the seam.
        side = torch.tensor([width, height], dtype=grid.dtype, device=grid.device)
        places = (grid + 1) % 2 * (side / 2) + 1
        bordered = F.pad(images, (1, 1, 1, 1), mode="circular")
        if torch.are_deterministic_algorithms_enabled() and images.device.type != "cpu":
            return resampled(bordered, places)
        wrapped = places * (2 / (side + 2)) - 1
        return F.grid_sample(bordered, wrapped, padding_mode="border", align_corners=False)


def resampled(images: Tensor, places: Tensor) -> Tensor:
    """`(N, C, H, W)` images at `(N, h, w, 2)` places, as `grid_sample` gives them: bilinear, `(N, C, h, w)`.

    A place is x and y in pixels from the top left corner, at least half a pixel inside. The backward pass of
    `grid_sample` adds in whatever order an accelerator's threads come, and `torch.use_deterministic_algorithms(True)`
    refuses it; that of `gather` has a fixed order then.
    """
    corner = (places - 0.5).floor()
    share = places - 0.5 - corner
    x, y = corner.long().unbind(-1)
    pixels, width = images.flatten(2), images.shape[-1]
    total = torch.zeros_like(places[:, None, ..., 0])
    for right, below in ((0, 0), (1, 0), (0, 1), (1, 1)):
        # The farther corner is inside too, unless its share is 0.
        column = (x + right).clamp(max=width - 1)
        row = (y + below).clamp(max=images.shape[-2] - 1)
        weight = (share[..., 0] if right else 1 - share[..., 0]) * (
            share[..., 1] if below else 1 - share[..., 1]
        )
        index = (row * width + column).flatten(1)[:, None].expand(-1, images.shape[1], -1)
        total = total + pixels.gather(2, index).unflatten(2, places.shape[1:3]) * weight[:, None]
    return total
