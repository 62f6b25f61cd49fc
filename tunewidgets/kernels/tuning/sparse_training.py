"""How a sparse autoencoder is trained: its steps, how dead codes are revived, and what is counted meanwhile.

In: batches of vectors. Out: a dictionary with rows of length 1, an encoder and a bias, and which codes are dead.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

# Of Adam: the rate for up to 64 codes, from where it falls with the root of their number (Gao et al. 2024, section 3),
# and over which share of the steps, the last ones, it goes to 0.
RATE, CODES, DECAY = 1e-2, 64, 0.3
# Gao et al. (2024), appendix A.2: the auxiliary loss's weight.
REVIVING = 1 / 32
# Without use over so many steps, or a pass if that is more, a code is dead.
IDLE = 100
# A loss that falls by less than this share between the last two tenths of the steps is at rest.
AT_REST = 0.01


class Training:
    """A sparse autoencoder in training.

    `sample` is some vectors, `(m, units)`, that the dictionary begins with; `mean` and `variance`, summed over units,
    are the data's. Everything runs around the mean and in units of the deviation.
    """

    def __init__(
        self,
        sample: np.ndarray,
        codes: int,
        active: int,
        over_batch: bool,
        mean: np.ndarray,
        variance: float,
        device: str | torch.device,
        seed: int,
    ) -> None:
        self.active, self.over_batch, self.device = active, over_batch, torch.device(device)
        self.center = mean
        self.scale = np.sqrt(variance / len(mean)) or 1.0
        # Drawn on the CPU, so that every device begins alike.
        generator = torch.Generator().manual_seed(seed)
        vectors = self._scaled(sample).cpu()
        picked = vectors[torch.randint(len(vectors), (codes,), generator=generator)]
        noise = torch.randn(picked.shape, generator=generator) / picked.shape[1] ** 0.5
        # Vectors themselves are near what is looked for; the noise tells those drawn twice apart.
        rows = _unit(_unit(picked) + noise).to(self.device)
        self.dictionary = rows.clone().requires_grad_()
        self.encoder = rows.clone().requires_grad_()
        self.bias = torch.zeros(rows.shape[1], device=self.device, requires_grad=True)
        self.rate = RATE * min(1.0, CODES / codes) ** 0.5
        self.adam = torch.optim.Adam([self.dictionary, self.encoder, self.bias], lr=self.rate)
        self.unused = torch.zeros(codes, dtype=torch.long, device=self.device)
        self.threshold = 0.0
        self.losses: list[float] = []
        self.in_use: list[float] = []

    def run(self, batches: Callable[[], Iterator[np.ndarray]], total: int, per_pass: int) -> None:
        """`total` steps, over and over the batches, of which a pass has about `per_pass`."""
        idle = max(IDLE, per_pass)
        self.last = min(total, per_pass)
        step = 0
        while step < total:
            for batch in batches():
                left = (total - step) / (DECAY * total)
                self.adam.param_groups[0]["lr"] = self.rate * min(1.0, left)
                over = self._step(self._scaled(batch), idle)
                step += 1
                if step % idle == 0 and left > 1:
                    self._restart(self.unused >= idle, over)
                if step == total:
                    break
        self.dead = (self.unused >= min(idle, total)).cpu().numpy()

    def learned(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The dictionary, the encoder and the bias, float64, for vectors as they came."""
        dictionary, encoder, bias = (
            part.detach().cpu().double().numpy() for part in (self.dictionary, self.encoder, self.bias)
        )
        dictionary = dictionary / np.linalg.norm(dictionary, axis=1, keepdims=True)
        return dictionary, encoder, self.center + bias * self.scale

    def outcome(self) -> tuple[float, float, bool]:
        """Over the last pass: codes in use, and the explained share of the variance; and whether it has converged."""
        tenth = max(1, len(self.losses) // 10)
        now, before = np.mean(self.losses[-tenth:]), np.mean(self.losses[-2 * tenth : -tenth] or self.losses)
        explained = 1 - float(np.mean(self.losses[-self.last :]))
        return float(np.mean(self.in_use[-self.last :])), explained, bool(now > (1 - AT_REST) * before)

    def _scaled(self, batch: np.ndarray) -> Tensor:
        return torch.from_numpy(((batch - self.center) / self.scale).astype(np.float32)).to(self.device)

    def _step(self, x: Tensor, idle: int) -> Tensor:
        """One step; what the codes leave over of the batch."""
        before = torch.relu((x - self.bias) @ self.encoder.T)
        codes = self._chosen(before)
        left = x - self.bias - codes @ self.dictionary
        # The data's variance is 1 a unit.
        loss = left.square().mean()
        total = loss
        dead = self.unused >= idle
        if bool(dead.any()):
            total = loss + REVIVING * self._leftover(before, dead, left.detach())
        self.adam.zero_grad()
        total.backward()
        with torch.no_grad():
            grad = self.dictionary.grad
            assert grad is not None
            # What would only lengthen a row is taken back below.
            grad -= (grad * self.dictionary).sum(1, keepdim=True) * self.dictionary
            self.adam.step()
            self.dictionary.copy_(_unit(self.dictionary))
            used = codes > 0
            self.unused += 1
            self.unused[used.any(0)] = 0
        self.losses.append(float(loss.detach()))
        self.in_use.append(float(used.sum()) / len(x))
        return left.detach()

    @torch.no_grad()
    def _restart(self, dead: Tensor, left: Tensor) -> None:
        """Dead codes begin again at what is left over of the worst explained vectors.

        One whose encoder sees nothing on any vector has no gradient, and the auxiliary loss does not reach it.
        """
        where = torch.nonzero(dead)[: len(left), 0]
        worst = left.square().sum(1).argsort(descending=True, stable=True)[: len(where)]
        for part in (self.dictionary, self.encoder):
            part[where] = _unit(left[worst])
            state = self.adam.state[part]
            state["exp_avg"][where] = 0
            state["exp_avg_sq"][where] = 0
        self.unused[where] = 0

    def _chosen(self, codes: Tensor) -> Tensor:
        if not self.over_batch:
            values, where = codes.topk(self.active, dim=1)
            return torch.zeros_like(codes).scatter(1, where, values)
        values, where = codes.flatten().topk(self.active * len(codes))
        least = float(values[-1].detach()) * self.scale
        self.threshold = least if not self.losses else 0.99 * self.threshold + 0.01 * least
        return torch.zeros_like(codes).flatten().scatter(0, where, values).view_as(codes)

    def _leftover(self, codes: Tensor, dead: Tensor, left: Tensor) -> Tensor:
        """How badly the dead codes explain what the others leave over, as a share of it."""
        own = torch.where(dead, codes, 0)
        values, where = own.topk(min(2 * self.active, int(dead.sum())), dim=1)
        chosen = torch.zeros_like(codes).scatter(1, where, values)
        rest = left - chosen @ self.dictionary
        return rest.square().mean() / left.square().mean().clamp_min(1e-12)


def _unit(rows: Tensor) -> Tensor:
    return rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-12)
