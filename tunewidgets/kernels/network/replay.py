"""Rerun a network with one layer's output changed, without recomputing what comes before the layer.

In: a network, a layer and a batch, recorded once. Out: the network's output for any change of the layer's output. Every
module call that had finished before the layer began returns what it returned when the batch was recorded; what the
network does between its modules runs again. Modules whose outputs are later modified in place return copies. A replay
is first checked against a whole pass, and if they differ, whole passes are made instead.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tunewidgets.kernels.network.names import LayerCall, can_be_watched
from tunewidgets.kernels.network.outputs import copy_of, first_tensor, tensors, with_first
from tunewidgets.kernels.network.tracing import evaluating, of_this_thread

Change = Callable[[Tensor], Tensor]
# Where a module keeps what is run in place of its call, hooks and all. What is kept has been through the user's hooks,
# which must not act on it once more.
CALL = "_compiled_call_impl"
_REPLAYING = threading.RLock()


class _Kept(NamedTuple):
    """A finished call's output and its tensors' versions at that moment."""

    module: nn.Module
    output: Any
    versions: list[int]


class Replay:
    """The tail of a network after a layer.

    Parameters
    ----------
    network : torch.nn.Module
        Held in evaluation mode during each call; left as it was.
    place : LayerCall
        The layer.
    sample : Tensor
        One or more inputs of the network, to find out what has to be copied and whether replaying is right.
    scores : callable, optional
        Which tensor of the network's output is meant; None: `first_tensor`.

    Attributes
    ----------
    whole : bool
        Whether whole passes are made, because a replay of `sample` gave something else.
    kept_bytes : int
        The memory that one image's recording takes.
    """

    def __init__(
        self,
        network: nn.Module,
        place: LayerCall,
        sample: Tensor,
        scores: Callable[[Any], Tensor | None] = first_tensor,
    ) -> None:
        self._network, self._place, self._scores = network, place, scores
        self._copied: set[tuple[nn.Module, int]] = set()
        self._copies_layer = self._copies_inputs = True
        self._chain = False
        self.whole = False
        self.record(sample)
        self._learn()
        self._chain = self._agrees(sample, chain=True)
        self.whole = not (self._chain or self._agrees(sample, chain=False))
        self.kept_bytes = sum(t.numel() * t.element_size() for t in self._tensors()) // len(sample)
        self.forget()

    @torch.no_grad()
    def record(self, inputs: Tensor) -> Tensor:
        """Run the whole network on a batch, keep what the modules before the layer give, and return the network's
        output.
        """
        self._inputs = inputs
        self._kept: list[_Kept] = []
        self._layer: _Kept | None = None
        open_calls: list[int] = []  # how much was kept when each call began
        counts: dict[nn.Module, int] = {}
        reached = False

        @of_this_thread
        def before(module: nn.Module, _: tuple) -> None:
            nonlocal reached
            call = counts.get(module, 0)
            counts[module] = call + 1
            reached = reached or (module is self._place.module and call == self._place.call)
            open_calls.append(len(self._kept))

        @of_this_thread
        def after(module: nn.Module, _: tuple, output: Any) -> None:
            start = open_calls.pop()
            # The first call to end that is the layer's own: calls inside the layer end before it.
            if reached and self._layer is None and module is self._place.module:
                del self._kept[start:]
                self._layer = self._keep(module, output, len(self._kept), self._copies_layer)
            elif not reached and module is not self._network:
                del self._kept[start:]
                self._kept.append(self._keep(module, output, len(self._kept)))

        every = self._network.modules()
        modules = [module for module in every if module is not self._network and can_be_watched(module)]
        handles: list[Any] = []
        try:
            for module in modules:
                handles.append(module.register_forward_pre_hook(before))
                handles.append(module.register_forward_hook(after))
            with evaluating(self._network):
                given = self._given_inputs()
                version = given._version
                output = self._network(given)
                self._copies_inputs = given._version != version
        finally:
            for handle in handles:
                handle.remove()
        logits = self._scores(output)
        if logits is None or logits.ndim != 2 or self._layer is None:
            shape = "no tensor" if logits is None else f"a tensor of shape {tuple(logits.shape)}"
            raise ValueError(
                f"the network gives {shape}; importance needs class scores (N, classes): give a classifier."
            )
        if self.layer_output.is_quantized:
            raise ValueError(
                f"layer {self._place.layer!r} gives quantized numbers, in which no unit can be silenced; give the "
                "float model that was quantized."
            )
        if self._chain:
            self._kept[:-1] = [kept._replace(output=None) for kept in self._kept[:-1]]
        return logits

    def _given_inputs(self) -> Tensor:
        """The recorded batch, for one pass: a copy where the network works on it in place."""
        return self._inputs.clone() if self._copies_inputs else self._inputs

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hold the network ready for any number of `run` on the recorded batch."""
        with evaluating(self._network), nullcontext() if self.whole else self._replaying():
            yield

    @torch.no_grad()
    def run(self, change: Change) -> Tensor:
        """Within `running`: the network's output on the recorded batch with the layer's output changed.

        `change` must not write to what it is given, unless the layer's output is `writable`.
        """
        return self._pass(change) if self.whole else self._replay(change)

    @property
    def layer_output(self) -> Tensor:
        """What the layer gave on the recorded batch; it may be written to if it is put back, see `writable`."""
        value = first_tensor(self._layer.output) if self._layer is not None else None
        if value is None:
            raise RuntimeError("no batch is recorded")
        return value

    @property
    def writable(self) -> bool:
        """Whether the rest of the network leaves the layer's output as it is, so that it can be changed in place."""
        if self.whole or self._copies_layer:
            return False
        here = self.layer_output.untyped_storage().data_ptr()
        kept = (tensor for kept in self._kept for tensor in tensors(kept.output))
        return all(tensor.untyped_storage().data_ptr() != here for tensor in (*kept, self._inputs))

    def forget(self) -> None:
        """Let go of the recorded batch."""
        self._kept, self._layer = [], None

    def _agrees(self, sample: Tensor, chain: bool) -> bool:
        """Whether replays give what whole passes give, the layer unchanged and at 0.

        `chain`: with the last output before the layer alone kept. Modules that only hand their outputs on to each other
        never look at the others; anything else fails on None.
        """
        self._chain = chain
        logits = self.record(sample)
        zero = torch.zeros_like
        try:
            with evaluating(self._network), torch.no_grad():
                whole = self._pass(zero)
                with self._replaying():
                    return self._close(self._replay(lambda value: value), logits) and self._close(
                        self._replay(zero), whole
                    )
        except (TypeError, AttributeError, RuntimeError, ValueError):
            return False

    def _keep(self, module: nn.Module, output: Any, place: int, copied: bool | None = None) -> _Kept:
        if copied if copied is not None else (module, place) in self._copied:
            output = copy_of(output)
        return _Kept(module, output, [tensor._version for tensor in tensors(output)])

    def _learn(self) -> None:
        """Which outputs the rest of the forward pass writes to, seen by their versions."""
        for place, kept in enumerate(self._kept):
            if [tensor._version for tensor in tensors(kept.output)] != kept.versions:
                self._copied.add((kept.module, place))
        # The layer's own output was a copy in the first recording, so the original's fate is asked in a second one.
        self._copies_layer = False
        self.record(self._inputs)
        layer = self._layer
        assert layer is not None
        self._copies_layer = [tensor._version for tensor in tensors(layer.output)] != layer.versions

    def _tensors(self) -> Iterator[Tensor]:
        for kept in [*self._kept, *([self._layer] if self._layer else [])]:
            yield from tensors(kept.output)

    def _replay(self, change: Change) -> Tensor:
        assert self._layer is not None
        changed = with_first(self._layer.output, change)
        self._changed = copy_of(changed) if self._copies_layer else changed
        for cursor in self._cursors:
            cursor[0] = 0
        output = self._scores(self._network(self._given_inputs()))
        assert output is not None
        return output

    @contextmanager
    def _replaying(self) -> Iterator[None]:
        """Each module's calls before the layer, and the layer's own, give what is kept; later calls compute.

        In this thread alone; and one thread at a time, since each restores what it found.
        """
        with _REPLAYING:
            outputs_of: dict[nn.Module, list[Callable[[], Any]]] = {}
            for place, kept in enumerate(self._kept):
                copied = (kept.module, place) in self._copied
                outputs_of.setdefault(kept.module, []).append(partial(_given, kept.output, copied))
            outputs_of.setdefault(self._place.module, []).append(lambda: self._changed)
            own = {module: module.__dict__.get(CALL) for module in outputs_of}
            # A hook keeps modules such as TransformerEncoderLayer from going round their parts.
            handle = self._place.module.register_forward_hook(_nothing)
            self._cursors = []
            try:
                for module, outputs in outputs_of.items():
                    cursor = [0]
                    self._cursors.append(cursor)
                    compute = own[module] or module._call_impl
                    module.__dict__[CALL] = _replayed(compute, outputs, cursor)
                yield
            finally:
                handle.remove()
                for module, call in own.items():
                    module.__dict__.pop(CALL, None)
                    if call is not None:
                        module.__dict__[CALL] = call

    def _pass(self, change: Change) -> Tensor:
        calls = 0

        @of_this_thread
        def after(_: nn.Module, __: tuple, output: Any) -> Any:
            nonlocal calls
            calls += 1
            # A copy, as the rest of the pass may write to it.
            return copy_of(with_first(output, change)) if calls == self._place.call + 1 else None

        handle = self._place.module.register_forward_hook(after)
        try:
            output = self._scores(self._network(self._given_inputs()))
        finally:
            handle.remove()
        assert output is not None
        return output

    @staticmethod
    def _close(one: Tensor, other: Tensor) -> bool:
        return one.shape == other.shape and torch.allclose(one, other, rtol=1e-4, atol=1e-5)


def _replayed(compute: Callable, outputs: list[Callable[[], Any]], cursor: list[int]) -> Callable:
    """A module's call whose first times give `outputs`; `cursor` is how many were given. Other threads' compute."""
    thread = threading.get_ident()

    def call(*args: Any, **kwargs: Any) -> Any:
        place = cursor[0]
        if place < len(outputs) and threading.get_ident() == thread:
            cursor[0] = place + 1
            return outputs[place]()
        return compute(*args, **kwargs)

    return call


def _given(output: Any, copied: bool) -> Any:
    return copy_of(output) if copied else output


def _nothing(*_: Any) -> None:
    return None
