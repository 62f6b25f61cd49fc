"""Flat colors, to which some units of early layers respond more than to any pattern.

In: a probe and an objective. Out: each target's best color and its score. Where the layer sees the image linearly, a
pattern that falls behind its color would end as a patchwork of half-active positions, and continues from the color
instead. Elsewhere a pattern takes longer to form: it gets its whole run, and is compared with the color afterward.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tunewidgets.kernels.canvas.canvases import Canvas, ColorCanvas
from tunewidgets.kernels.canvas.maco import MacoCanvas
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.tracing import Values, evaluating
from tunewidgets.kernels.optimization.adam import Adam
from tunewidgets.kernels.optimization.contrast import Linearity
from tunewidgets.kernels.optimization.scores import Objective, Stage, staged

LEVELS = (1e-4, 0.5, 1 - 1e-4)
# Standard deviation of an image's colors over its positions below which the eye sees a single color, and by what factor
# such an image may score more than its color.
ONE_COLOR, NO_MORE = 0.03, 1.05
# How far from an image's median color a position still has that color.
SAME_COLOR = 0.1


@dataclass(frozen=True)
class FlatColors:
    """The best of 27 flat colors for each target: logits `(targets, 3)` and scores `(targets,)`.

    `early`: whether an image that falls behind its color continues from it during the run; `canvas`: where images are.
    """

    logits: Tensor
    scores: Tensor
    early: bool
    canvas: ColorCanvas

    def start(self, target: int) -> Tensor:
        """Parameters of a target's color."""
        return self.canvas.flat(self.logits[target])

    def are_best(self, target: int, image: Tensor, score: float) -> bool:
        """Whether a `(3, H, W)` image with this score looks like a single color, and is no better than one."""
        deviation = float(image.flatten(1).std(1).mean())
        return deviation < ONE_COLOR and score <= NO_MORE * float(self.scores[target])

    @torch.no_grad()
    def restart(self, adam: Adam, targets: Sequence[int], scores: Tensor) -> None:
        """Reset images that score less than their color to that color, in place, and Adam's memory of them."""
        behind = (scores.cpu() < self.scores[list(targets)]).nonzero().flatten().tolist()
        for row in behind:
            adam.parameters[row] = self.start(targets[row]).to(adam.parameters.device)
            adam.forget(row)


def is_mostly_one_color(image: Tensor) -> bool:
    """Whether more than half the positions of a `(3, H, W)` image have its median color."""
    colors = image.flatten(1)
    apart = (colors - colors.median(1, keepdim=True).values).abs().amax(0)
    return float((apart < SAME_COLOR).float().mean()) > 0.5


def flat_colors(
    probe: Probe, objective: Objective, canvas: Canvas, at: Stage, linear: Linearity
) -> FlatColors | None:
    """Each target's best flat color; `linear` says whether the layer sees images of this size linearly.

    None where targets are not units (the points of a film share one start), and where a canvas holds no flat color.
    """
    if objective.own_units() is None or isinstance(canvas, MacoCanvas):
        return None
    levels = torch.logit(torch.tensor(LEVELS))
    logits = torch.stack(torch.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
    # A flat color is as flat on a small canvas, and a channel's response to it nearly the same.
    small = replace(canvas, size=min(canvas.size, probe.input_size))
    images = torch.stack([small.flat(color) for color in logits]).to(probe.device)
    with torch.no_grad(), evaluating(probe.network):
        # Rectified once for all targets; what is rectified already is scored as it is, "pre".
        maps = staged(probe.values(small.image(images)), at)
        values = Values(maps, maps)
        scores = torch.stack(
            [
                objective.score([target] * len(images), "pre", probe.device)(values)
                for target in range(len(objective))
            ]
        ).cpu()
    best, index = scores.max(dim=1)
    return FlatColors(logits[index], best, linear(), canvas)
