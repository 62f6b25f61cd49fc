"""Faster ways to run operations whose backward pass is slow in PyTorch on a CPU; the same numbers, up to rounding.

In: a `with` block around a network's forward pass. Out: inside it, convolutions over few channels take their gradient
by matrix products and give maps with channels last, as pooling does where they did not come so, and local response
normalization is one operation of its own instead of six.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tunewidgets.kernels.canvas.spectrum import mix_channels

# A gradient to an image of so few channels leaves a direct convolution's vector units mostly idle.
FEW_CHANNELS = 4
# This many channels side by side fill a vector, which pooling processes at once; columns go one value at a time.
MANY_CHANNELS = 16
MAX_POOLING = (F.max_pool2d, torch.max_pool2d)


def _is_pointwise(weight: Tensor, stride: Any, padding: Any) -> bool:
    """Whether a convolution only mixes channels: a matrix product forward too."""
    return tuple(weight.shape[2:]) == (1, 1) == tuple(stride) and tuple(padding) == (0, 0)


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[-1])


class FewChannelConv(torch.autograd.Function):
    """A convolution whose gradient to its input is a matrix product and a scatter back to pixels."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any
    ) -> Tensor:
        # The image is not needed, but PyTorch's own convolution saves it, and `torch.utils.checkpoint` compares them.
        ctx.save_for_backward(x, weight)
        ctx.geometry = (x.shape[-2:], stride, padding, dilation)
        ctx.dtype = x.dtype
        if _is_pointwise(weight, stride, padding):
            mixed = mix_channels(weight.flatten(1), x)
            return mixed if bias is None else mixed + bias[:, None, None]
        if len(weight) >= MANY_CHANNELS:
            # The image is small: transposing it costs nothing, while transposing maps takes a tenth of a deep layer's
            # loop.
            x = x.contiguous(memory_format=torch.channels_last)
        return F.conv2d(x, weight, bias, stride, padding, dilation)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        _, weight = ctx.saved_tensors
        size, stride, padding, dilation = ctx.geometry
        gradient = gradients[0]
        mixing = weight.flatten(1).T.to(gradient.dtype)
        if _is_pointwise(weight, stride, padding):
            return mix_channels(mixing, gradient).to(ctx.dtype), None, None, None, None, None
        # Image by image: an image's columns stay in the cache, which a batch's do not.
        images = [
            F.fold(
                (mixing @ columns).float(),
                size,
                weight.shape[-2:],
                dilation=dilation,
                padding=padding,
                stride=stride,
            )
            for columns in gradient.flatten(2)
        ]
        return torch.stack(images).to(ctx.dtype), None, None, None, None, None


class ResponseNorm(torch.autograd.Function):
    """Local response normalization over channels, `x * (k + alpha/n * sum x^2)^-beta`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
        total = _window_sum(x * x, size).mul_(alpha / size).add_(k)
        if beta == 0.75:
            # The value that networks of that time use; two roots are far cheaper than a power.
            root = total.rsqrt_()
            factor = root.sqrt().mul_(root)
            inverse = root.square_()
        else:
            factor = total.pow(-beta)
            inverse = total.reciprocal_()
        ctx.save_for_backward(x, inverse, factor)
        ctx.constants = (size, 2 * alpha * beta / size)
        return x * factor

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, inverse, factor = ctx.saved_tensors
        size, strength = ctx.constants
        direct = gradients[0] * factor
        spread = _window_sum((direct * x).mul_(inverse), size, mirrored=True)
        return direct.addcmul_(x, spread, value=-strength), None, None, None, None


def _window_sum(values: Tensor, size: int, mirrored: bool = False) -> Tensor:
    """Sum over `size` channels around each; `mirrored` gives the transpose, another sum where `size` is even."""
    before = (size - 1) // 2 if mirrored else size // 2
    total = values.clone()
    for offset in range(-before, size - before):
        if offset < 0:
            total[:, -offset:] += values[:, :offset]
        elif offset > 0:
            total[:, :-offset] += values[:, offset:]
    return total


class ChannelsLast(torch.autograd.Function):
    """The same values with channels last; their gradient comes back with columns last, as what came before has it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.contiguous(memory_format=torch.channels_last)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0].contiguous()


def _is_columnwise(x: Tensor) -> bool:
    """Whether these are maps of many channels on a CPU in PyTorch's usual layout."""
    return x.ndim == 4 and x.shape[1] >= MANY_CHANNELS and x.device.type == "cpu" and x.is_contiguous()


class FastPaths(TorchFunctionMode):
    """Takes the faster way wherever it applies, without touching the user's modules."""

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.conv2d and (call := _few_channel_call(*args, **kwargs)) is not None:
            return FewChannelConv.apply(*call)
        if func is F.local_response_norm and (args[0] if args else kwargs["input"]).ndim == 4:
            return ResponseNorm.apply(*_response_norm_call(*args, **kwargs))
        if func in MAX_POOLING and args and _is_columnwise(args[0]):
            args = (ChannelsLast.apply(args[0]), *args[1:])
        return func(*args, **kwargs)


def _few_channel_call(
    input: Tensor,
    weight: Tensor,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> tuple | None:
    """The arguments of `FewChannelConv`, or None where the ordinary convolution is as good."""
    few = weight.shape[1] <= FEW_CHANNELS and groups == 1 and input.ndim == 4
    # Matrix units make the ordinary backward pass cheap in reduced precision.
    reduced = torch.is_autocast_enabled("cpu")
    if (
        reduced
        or not (few and input.requires_grad and input.device.type == "cpu")
        or isinstance(padding, str)
    ):
        return None
    return input, weight, bias, _pair(stride), _pair(padding), _pair(dilation)


def _response_norm_call(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> tuple:
    return input.float(), size, alpha, beta, k
