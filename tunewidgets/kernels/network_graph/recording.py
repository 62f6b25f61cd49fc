"""Watching a network run: every operation on the image's way to a layer, as PyTorch is asked for it.

In: a probe. Out: a `Drawing` of what ran. The network runs as it always does, with whatever Python code it is made of,
so that nothing has to be traced symbolically; what depends on an image's size or content is found by the check.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from tunewidgets.kernels.network.names import layer_modules
from tunewidgets.kernels.network.probe import Probe
from tunewidgets.kernels.network.tracing import evaluating, forward_to, of_this_thread
from tunewidgets.kernels.network_graph.operations import Drawing, NotDrawable, Operation
from tunewidgets.kernels.network_graph.steps import Call, Steps
from tunewidgets.kernels.network_graph.translation import steps_of


def recorded(probe: Probe) -> Drawing:
    """What the probe's network does with one image on its way to the layer.

    Raises
    ------
    NotDrawable
        The layer's values do not come from the image by operations on it, one after another.
    """
    with torch.no_grad(), evaluating(probe.network):
        inputs = probe.inputs(probe.middle_gray()).clone()
        if inputs.ndim != 4:
            raise NotDrawable(
                f"the preprocess makes a tensor of shape {tuple(inputs.shape)}, and a page's network takes "
                "(N, channels, height, width); give one that makes it."
            )
        recorder = Recorder(inputs)
        with _placed(probe.network, recorder), recorder:
            values = forward_to(probe.network, probe.place, inputs)
    output, before = recorder.number_of(values.post), recorder.number_of(values.pre)
    if output is None or before is None:
        raise NotDrawable(
            f"the values of layer {probe.layer!r} do not come from the image by operations that can be followed; "
            "choose another layer."
        )
    shape = tuple(values.post.shape)
    if len(shape) not in (2, 4) or shape[1] != probe.units or probe.unit_axis(len(shape)) != 1:
        raise NotDrawable(
            f"layer {probe.layer!r} gives a tensor of shape {shape}, and a page's network needs its units on axis 1, "
            "as convolutions have them; choose another layer."
        )
    if output == 0:
        raise NotDrawable(f"layer {probe.layer!r} only passes the image on; choose a layer after it.")
    return Drawing(tuple(recorder.operations), output, before)


class Recorder(TorchFunctionMode):
    """Inside the block, and in its thread, notes each operation on what was made of the inputs."""

    def __init__(self, inputs: Tensor) -> None:
        super().__init__()
        self.operations: list[Operation] = []
        self.modules: list[str] = []
        # With the tensors themselves, so that no other one gets the address of one that is gone.
        self._numbers: dict[int, tuple[int, Tensor]] = {id(inputs): (0, inputs)}

    def number_of(self, value: Any) -> int | None:
        """Which value a tensor is; None if it was not made of the inputs."""
        found = self._numbers.get(id(value))
        return None if found is None else found[0]

    def __torch_function__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        given = {value for value in map(self.number_of, _tensors((args, kwargs))) if value is not None}
        # Before it runs, since it may work in place.
        shapes = {id(value): value.shape for value in _tensors((args, kwargs))}
        result = func(*args, **kwargs)
        made = list(_tensors(result))
        if not given or not made:
            return result
        name = str(getattr(func, "__name__", func))
        call = Call(result, shapes, lambda value: self.number_of(value) is not None)
        found = steps_of(name, call, args, kwargs)
        if found is None or any(self._is_of_image(steps) for steps in found.values()):
            self._note_unknown(name, given, made)
            return result
        for value in made:
            self._note(found[id(value)], value)
        return result

    def _is_of_image(self, steps: Steps) -> bool:
        """Whether a step's weights are made of the image, as an attention's are, or its inputs are not."""
        return any(
            self.number_of(step.weight) is not None
            or self.number_of(step.bias) is not None
            or any(self.number_of(value) is None for value in step.inputs)
            for step in steps
        )

    def _note(self, steps: Steps, value: Tensor) -> None:
        number = 0
        for at, step in enumerate(steps):
            inputs = tuple(self._numbers[id(tensor)][0] for tensor in step.inputs)
            if step.name == "same":
                number = inputs[0]
                continue
            taken = inputs if at == 0 else (number, *inputs)
            one = Operation(step.name, taken, step.attributes, where=self._where())
            self.operations.append(replace(one, weight=_exact(step.weight), bias=_exact(step.bias)))
            number = len(self.operations)
        self._numbers[id(value)] = (number, value)

    def _note_unknown(self, name: str, given: set[int], made: list[Tensor]) -> None:
        self.operations.append(Operation(name, tuple(sorted(given)), where=self._where(), unknown=True))
        for value in made:
            self._numbers[id(value)] = (len(self.operations), value)

    def _where(self) -> str:
        return self.modules[-1] if self.modules else ""


def _exact(weights: Tensor | None) -> Tensor | None:
    return None if weights is None else weights.detach().double().cpu()


def _tensors(value: Any) -> Iterator[Tensor]:
    """Every tensor in nested lists, tuples and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _tensors(each)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


@contextmanager
def _placed(network: nn.Module, recorder: Recorder) -> Iterator[None]:
    """Tell the recorder which module runs."""
    handles = []

    def entering(name: str) -> Any:
        return of_this_thread(lambda *_: recorder.modules.append(name))

    @of_this_thread
    def leaving(*_: Any) -> None:
        recorder.modules.pop()

    try:
        for name, module in layer_modules(network).items():
            handles.append(module.register_forward_pre_hook(entering(name)))
            handles.append(module.register_forward_hook(leaving))
        yield
    finally:
        for handle in handles:
            handle.remove()
