"""Networks that can't be looked at as they are, each in every public function that takes one.

In: the shared mistakes' `Case`. Out: cases like those of `bad_input`.
"""

import torch
from bad_input import Case, ablation, analyze, exemplars, selectivity, substitute
from torch import Tensor, nn
from units_networks import Branching

import tunewidgets as tw


class WithLabels(Branching):
    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        return super().forward(x)


def lazy() -> nn.Module:
    network = Branching()
    network.head = nn.LazyLinear(3)
    return network


def on_meta() -> nn.Module:
    with torch.device("meta"):
        return Branching()


def no_tensor() -> nn.Module:
    network = Branching()
    network.norm.register_forward_hook(lambda _m, _i, output: {"nothing": output.shape})
    return network


MAKERS = {
    WithLabels: (TypeError, "needs 'labels' besides images"),
    lazy: (ValueError, "call model(images) once"),
    on_meta: (ValueError, "call model.to_empty"),
}
LOOKS = {
    "Probe": lambda network: tw.Probe(network, "relu", device="cpu"),
    "class_selectivity": selectivity,
    "exemplars": exemplars,
    "ablation": ablation,
    "analyze_units": analyze,
    "representative_substitution": substitute,
}

NETWORKS = [
    *[
        Case(name, lambda make=make, look=look: look(make()), error, says)
        for make, (error, says) in MAKERS.items()
        for name, look in LOOKS.items()
    ],
    Case("layers", lambda: tw.layers(WithLabels(), (3, 16, 16)), TypeError, "needs 'labels' besides images"),
    Case("layers", lambda: tw.layers(lazy(), (3, 16, 16)), ValueError, "call model(images) once"),
    Case("Probe", lambda: tw.Probe(no_tensor(), "norm"), ValueError, "gives no tensor but a dict"),
    Case("Probe", lambda: tw.Probe(Branching(), "body-2"), ValueError, "did you mean 'body.2'"),
]
