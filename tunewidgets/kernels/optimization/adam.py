"""Adam on one tensor of parameters.

In: parameters, and each step's gradient. Out: the parameters, moved in place. The steps are those of torch.optim.Adam,
taken by its function: an object of that class has PyTorch import its compiler, which takes longer than many an image.
"""

import torch
from torch import Tensor
from torch.optim.adam import adam


class Adam:
    """Kingma & Ba's Adam (arXiv:1412.6980, algorithm 1), with the moving averages that belong to one tensor."""

    def __init__(self, parameters: Tensor, lr: float, betas: tuple[float, float]) -> None:
        self.parameters, self.lr, self.betas = parameters, lr, betas
        self.fused = parameters.device.type in ("cpu", "cuda")
        self._mean = torch.zeros_like(parameters, requires_grad=False)
        self._square = torch.zeros_like(self._mean)
        # The fused kernel counts its steps on the parameters' device, the other on the CPU.
        self._count = torch.zeros((), device=parameters.device if self.fused else "cpu")

    @torch.no_grad()
    def step(self, gradient: Tensor) -> None:
        """Move the parameters against a gradient of their shape."""
        adam(
            [self.parameters],
            [gradient],
            [self._mean],
            [self._square],
            [],
            [self._count],
            foreach=False,
            fused=self.fused,
            amsgrad=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=self.lr,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )

    def forget(self, row: int) -> None:
        """What is known of one row's gradients: where it continues from elsewhere, they say nothing."""
        self._mean[row] = 0
        self._square[row] = 0
