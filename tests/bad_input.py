"""What a user can get wrong, as a table: each call of a public function with one thing wrong in it.

In: shared tiny networks, images and records. Out: cases of (what is called, the call, the class of the error,
words that its sentence must hold).
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr
from films import make_film
from recovery_records import make_recovery
from torch import nn
from unit_records import make_units
from units_networks import batches, branching, labeled_images

import tunewidgets as tw


class Case(NamedTuple):
    """One mistake."""

    name: str
    call: Callable[[], Any]
    error: type[Exception]
    says: str


net = cache(branching)


@cache
def probe() -> tw.Probe:
    return tw.Probe(net(), "relu", device="cpu")


@cache
def pairs() -> list[Any]:
    return batches(*labeled_images(), 5)


@cache
def vectors() -> np.ndarray:
    return np.random.default_rng(0).exponential(size=(60, 6)).astype(np.float32)


@cache
def fitted() -> tw.TuningDimensions:
    return tw.TuningDimensions("pca", 2).fit(vectors())


@cache
def of_another_layer() -> tw.TuningDimensions:
    """As many units as the probe's, so that nothing else would tell."""
    attrs = {**probe().provenance(), "layer": "elsewhere"}
    return tw.TuningDimensions("pca", 2).fit(xr.DataArray(vectors(), dims=("sample", "unit"), attrs=attrs))


film = cache(make_film)
units = cache(make_units)


@cache
def tree() -> xr.DataTree:
    return tw.records.layer_tree({"a": make_units(layer="a"), "b": make_units(layer="b")})


recovery = cache(make_recovery)
NAN = torch.full((1, 3, 16, 16), torch.nan)
GRAY = torch.full((2, 3, 16, 16), 0.5)
QUIET = {"progress": False, "device": "cpu"}
REPEATED = [0, 0]


def nan_weights() -> nn.Module:
    network = branching()
    with torch.no_grad():
        network.head.weight[0, 0] = torch.nan
    return network


def visualize(objective: Any = None, **options: Any) -> Any:
    return tw.visualize(
        probe(), tw.AM([0]) if objective is None else objective, **{"progress": False, **options}
    )


def render(**options: Any) -> Any:
    return tw.render_film(probe(), fitted(), **{"progress": False, **options})


def sample(images: Any = GRAY, **options: Any) -> Any:
    return tw.sample_activations(probe(), images, **{"progress": False, "n": 4, **options})


def fit(X: Any = None, method: Any = "pca", n_components: Any = 2, **options: Any) -> Any:
    return tw.TuningDimensions(method, n_components, **options).fit(vectors() if X is None else X)


def preprocessed(preprocess: Any) -> Any:
    return tw.Probe(net(), "relu", preprocess=preprocess, device="cpu")


def of_units(function: str) -> Callable[..., Any]:
    def call(model: Any = None, data: Any = None, layers: Any = "relu", **options: Any) -> Any:
        data = pairs() if data is None else data
        return getattr(tw, function)(net() if model is None else model, data, layers, **{**QUIET, **options})

    return call


def substitute(model: Any = None, layers: Any = "relu", **options: Any) -> Any:
    return tw.representative_substitution(net() if model is None else model, layers, **{**QUIET, **options})


def gabor(**options: Any) -> Any:
    return tw.gabor_recovery(**{"progress": False, **options})


selectivity, exemplars, ablation, analyze = map(
    of_units, ("class_selectivity", "exemplars", "ablation", "analyze_units")
)
IMAGES, LABELS = labeled_images()

CASES = [
    # A model and a layer.
    Case("Probe", lambda: tw.Probe("resnet", "relu"), TypeError, "give a torch.nn.Module"),
    Case("Probe", lambda: tw.Probe(net(), 3), TypeError, "give its dotted name"),
    Case("Probe", lambda: tw.Probe(net(), "rleu"), ValueError, "did you mean 'relu'"),
    Case("Probe", lambda: tw.Probe(net(), ""), ValueError, "no layer ''"),
    Case("Probe", lambda: tw.Probe(net(), "relu_7"), ValueError, "runs 2 times"),
    Case("Probe", lambda: tw.Probe(net(), "relu", device="cudda"), ValueError, "give 'auto'"),
    Case("Probe", lambda: tw.Probe(net(), "relu", device="cuda:99"), ValueError, "not on this machine"),
    Case("Probe", lambda: tw.Probe(nn.Linear(7, 3), ""), ValueError, "give torch.nn.Sequential(model)"),
    Case("Probe", lambda: tw.Probe(net(), "relu", device=None), ValueError, "give 'auto'"),
    Case(
        "Probe", lambda: preprocessed(lambda images: images.numpy()), TypeError, "preprocess gives a ndarray"
    ),
    Case("Probe", lambda: preprocessed(lambda images: None), TypeError, "preprocess gives a NoneType"),
    Case("Probe", lambda: preprocessed(lambda images: images[1:]), ValueError, "has to keep N"),
    Case("Probe", lambda: preprocessed(lambda images: images[0]), ValueError, "has to keep N"),
    Case(
        "Probe",
        lambda: tw.Probe(net(), "relu", preprocess=(0.5, 0.2)),
        TypeError,
        "give a function of a batch",
    ),
    Case("Probe()", lambda: probe()("a.png"), TypeError, "give a float tensor or array"),
    Case("Probe()", lambda: probe()(GRAY[0]), ValueError, "add a batch axis"),
    Case("Probe()", lambda: probe()(GRAY.movedim(1, -1)), ValueError, "move the channels"),
    Case("Probe()", lambda: probe()(GRAY[:, :1]), ValueError, "repeat the gray channel"),
    Case("Probe()", lambda: probe()(GRAY[:0]), ValueError, "give at least one image"),
    Case("Probe()", lambda: probe()((GRAY * 255).byte()), ValueError, "divide it by 255"),
    Case("Probe()", lambda: probe()(GRAY * 255), ValueError, "divide by 255"),
    Case("Probe()", lambda: probe()(GRAY - 1), ValueError, "undo its normalization"),
    Case("Probe()", lambda: probe()(NAN), ValueError, "contains NaN"),
    Case("layers", lambda: tw.layers("vgg"), TypeError, "give a torch.nn.Module"),
    Case("layers", lambda: tw.layers(net(), 224), ValueError, "give channels, height and width"),
    Case("layers", lambda: tw.layers(net(), "3,32,32"), ValueError, "give channels, height and width"),
    Case(
        "layers", lambda: tw.layers(net(), (3.0, 32.0, 32.0)), ValueError, "give channels, height and width"
    ),
    Case("layers", lambda: tw.layers(net(), (32, 32)), ValueError, "give channels, height and width"),
    Case("layers", lambda: tw.layers(net(), (1, 16, 16)), ValueError, "give its own input_size"),
    Case("layers", lambda: tw.layers(net(), (3, 1, 1)), ValueError, "give its own input_size"),
    # Objectives.
    Case("AM", lambda: tw.AM([]), ValueError, "give a unit's number or a list"),
    Case("AM", lambda: tw.AM([0.5]), ValueError, "give a unit's number or a list"),
    Case("AM", lambda: tw.AM("relu"), ValueError, "give a unit's number or a list"),
    Case("IAM", lambda: tw.IAM([[0, 1]]), ValueError, "give a unit's number or a list"),
    Case("Neuron", lambda: tw.Neuron([0], at="corner"), ValueError, "give 'center' or (row, column)"),
    Case("Direction", lambda: tw.Direction(np.ones((1, 6)), mode="dot"), ValueError, "choose 'dot_cosine'"),
    Case("Direction", lambda: tw.Direction(np.zeros((1, 6))), ValueError, "leave it out"),
    Case("Direction", lambda: tw.Direction(np.full((1, 6), np.nan)), ValueError, "needs finite numbers"),
    Case("Direction", lambda: tw.Direction(np.ones((1, 2, 6))), ValueError, "in shape (targets, units)"),
    Case("AM + AM", lambda: tw.AM([0, 1]) + tw.AM([0, 1, 2]), ValueError, "give each the same number"),
    # Images made.
    Case("visualize", lambda: visualize(tw.AM([6])), ValueError, "there is no unit 6"),
    Case("visualize", lambda: visualize(tw.AM([-1])), ValueError, "there is no unit -1"),
    Case("visualize", lambda: visualize(3), TypeError, "give tw.AM(units)"),
    Case("visualize", lambda: visualize([]), TypeError, "give tw.AM(units)"),
    Case("visualize", lambda: visualize("relu"), ValueError, "write 'layer:unit'"),
    Case("visualize", lambda: visualize("relu:x"), ValueError, "write 'layer:unit'"),
    Case("visualize", lambda: visualize(tw.Direction(np.ones((1, 5)))), ValueError, "one column per unit"),
    Case(
        "visualize", lambda: visualize(tw.Neuron([0], (99, 0)), size=16), ValueError, "there is no position"
    ),
    Case("visualize", lambda: visualize(size=0), ValueError, "give the side in pixels"),
    Case("visualize", lambda: visualize(size="big"), ValueError, "or 'auto'"),
    Case("visualize", lambda: visualize(steps=0), ValueError, "whole number of at least 1"),
    Case("visualize", lambda: visualize(steps=1.5), ValueError, "whole number of at least 1"),
    Case("visualize", lambda: visualize(steps=True), ValueError, "whole number of at least 1"),
    Case("visualize", lambda: visualize(restarts=0), ValueError, "whole number of at least 1"),
    Case("visualize", lambda: visualize(canvas="wavelet"), ValueError, "choose one of 'fourier'"),
    Case("visualize", lambda: visualize(chunk=0), ValueError, "or 'auto'"),
    Case("visualize", lambda: visualize(chunk="all"), ValueError, "or 'auto'"),
    Case("visualize", lambda: visualize(lr=-1.0), ValueError, "lr is -1.0"),
    Case("visualize", lambda: visualize(lr="fast"), ValueError, "lr is 'fast'"),
    Case("visualize", lambda: visualize(jitter=3), TypeError, "jitter is a int"),
    Case("visualize", lambda: visualize(seed="x"), ValueError, "seed is 'x'"),
    Case("visualize", lambda: visualize(seed=1.5), ValueError, "seed is 1.5"),
    Case("visualize", lambda: visualize(objective_at="mid"), ValueError, "choose one of 'leaky'"),
    Case("visualize", lambda: visualize(steps=3, checkpoints=[4]), ValueError, "not among steps 1 to 3"),
    Case("visualize", lambda: visualize(precision="int8"), ValueError, "choose 'auto', 'float32'"),
    Case("visualize", lambda: visualize(band=0.0), ValueError, "give a frequency in cycles per pixel"),
    Case("visualize", lambda: visualize(band="low"), ValueError, "give a frequency in cycles per pixel"),
    Case("visualize", lambda: visualize(store="images"), ValueError, "end it in .zarr"),
    Case("visualize", lambda: visualize(store=7), TypeError, "give a path that ends in .zarr"),
    Case("visualize", lambda: visualize(executor="pool"), TypeError, "interface of concurrent.futures"),
    # Activations and dimensions.
    Case("sample_activations", lambda: sample("photos"), TypeError, "zoo.images('photos')"),
    Case("sample_activations", lambda: tw.sample_activations(net(), GRAY), TypeError, "give tw.Probe(model"),
    Case("sample_activations", lambda: sample(7), TypeError, "give a batch"),
    Case("sample_activations", lambda: sample([]), ValueError, "give at least one"),
    Case("sample_activations", lambda: sample([["a.png"]]), TypeError, "wrap it in"),
    Case("sample_activations", lambda: sample(NAN), ValueError, "contains NaN"),
    Case("sample_activations", lambda: sample(n=0), ValueError, "whole number from 1"),
    Case("sample_activations", lambda: sample(n=1.5), ValueError, "whole number from 1"),
    Case("sample_activations", lambda: sample(n=10_000), ValueError, "ask for n="),
    Case("sample_activations", lambda: sample(per_image=0), ValueError, 'or "auto"'),
    Case("sample_activations", lambda: sample(n=9, per_image=2), ValueError, "raise per_image, lower n"),
    Case("sample_activations", lambda: sample(seed=-1), ValueError, "whole number from 0"),
    Case("sample_activations", lambda: sample(pool=2), ValueError, "give an odd number"),
    Case("sample_activations", lambda: sample(pooling="max"), ValueError, "choose one of"),
    Case("sample_activations", lambda: sample(pool=99), ValueError, "give larger images"),
    Case("sample_activations", lambda: sample(store="a"), ValueError, "end it in .zarr"),
    Case("TuningDimensions", lambda: fit(method="icaa"), ValueError, "did you mean 'ica'"),
    Case("TuningDimensions", lambda: fit(method=3), TypeError, "or a scikit-learn decomposition"),
    Case("TuningDimensions", lambda: fit(method=dict), TypeError, "the class dict"),
    Case("TuningDimensions", lambda: fit(n_components=0), ValueError, "whole number from 1"),
    Case("TuningDimensions", lambda: fit(n_components="4"), ValueError, "whole number from 1"),
    Case("TuningDimensions", lambda: fit(n_components=99), ValueError, "or fewer, or give more images"),
    Case("TuningDimensions", lambda: fit(vectors() - 9, "nmf"), ValueError, "rectify the activations"),
    Case(
        "TuningDimensions", lambda: fit(np.full((9, 4), np.nan)), ValueError, "repair them or leave them out"
    ),
    Case(
        "TuningDimensions", lambda: fit(np.ones((9, 4))), ValueError, "choose another layer or other images"
    ),
    Case("TuningDimensions", lambda: fit(vectors()[:1]), ValueError, "a minimum of 2 is required"),
    Case("TuningDimensions", lambda: fit(method="lle", n_neighbors=0), ValueError, "whole number from 1"),
    Case("TuningDimensions", lambda: tw.TuningDimensions().transform(vectors()), ValueError, "fit"),
    Case("TuningDimensions", lambda: fitted().transform(np.ones((2, 5))), ValueError, "5 features"),
    Case(
        "TuningDimensions", lambda: fitted().inverse_transform(np.ones((2, 3))), ValueError, "give 2, one for"
    ),
    # Films.
    Case(
        "render_film", lambda: tw.render_film(probe(), tw.TuningDimensions()), ValueError, "not fitted; call"
    ),
    Case(
        "render_film",
        lambda: tw.render_film(probe(), fit(vectors()[:, :5])),
        ValueError,
        "fit them on this layer",
    ),
    Case("render_film", lambda: tw.render_film(net(), fitted()), TypeError, "give tw.Probe(model, layer)"),
    Case("render_film", lambda: tw.render_film(probe(), of_another_layer()), ValueError, "give its own"),
    Case("render_film", lambda: render(only=1), ValueError, "name each wanted one once"),
    Case("render_film", lambda: render(points=1), ValueError, "at least 2 points"),
    Case("render_film", lambda: render(points=2.5), ValueError, "at least 2 points"),
    Case("render_film", lambda: render(sampling="random"), ValueError, "choose one of 'arc'"),
    Case("render_film", lambda: render(others="max"), ValueError, "choose one of 'mean'"),
    Case("render_film", lambda: render(mode="dot"), ValueError, "choose 'dot_cosine'"),
    Case("render_film", lambda: render(only=[2]), ValueError, "name each wanted one once"),
    Case("render_film", lambda: render(only=[]), ValueError, "name each wanted one once"),
    Case("render_film", lambda: render(only=REPEATED), ValueError, "name each wanted one once"),
    Case("render_film", lambda: render(steps=0), ValueError, "whole number of at least 1"),
    Case("render_film", lambda: render(chunk=-1), ValueError, "or 'auto'"),
    Case("render_film", lambda: render(canvas="oil"), ValueError, "choose one of 'fourier'"),
    Case("render_film", lambda: render(size=1), ValueError, "give the side in pixels"),
    Case("render_film", lambda: render(seed="x"), ValueError, "seed is 'x'"),
    Case("render_film", lambda: render(at="corner"), ValueError, "at is 'corner'"),
    Case("render_film", lambda: render(store="film.nc"), ValueError, "end it in .zarr"),
    # Units.
    *[
        Case(name, call, error, says)
        for name, function in (
            ("class_selectivity", selectivity),
            ("exemplars", exemplars),
            ("ablation", ablation),
            ("analyze_units", analyze),
        )
        for call, error, says in (
            (lambda f=function: f("vgg"), TypeError, "give a torch.nn.Module"),
            (lambda f=function: f(nan_weights()), ValueError, "head.weight holds NaN"),
            (lambda f=function: f(layers="rleu"), ValueError, "did you mean 'relu'"),
            (lambda f=function: f(layers=3), TypeError, "give names, such as"),
            (lambda f=function: f(preprocess=0.5), TypeError, "give a function of a batch"),
            (
                lambda f=function: f(data=[(IMAGES, ["cat"] * len(LABELS))]),
                TypeError,
                "one whole number per image",
            ),
            (lambda f=function: f(classes=2.5), TypeError, "or their names"),
            (lambda f=function: f(layers=[]), ValueError, "name at least one"),
            (lambda f=function: f(data="photos"), TypeError, "give batches of (images, labels)"),
            (lambda f=function: f(data=[]), ValueError, "at least one image of every class"),
            (lambda f=function: f(data=[GRAY]), TypeError, "give batches of labeled images"),
            (lambda f=function: f(data=[(IMAGES, LABELS * 0)]), ValueError, "give images of at least two"),
            (lambda f=function: f(data=[(IMAGES, LABELS + 0.5)]), ValueError, "one whole number per image"),
            (lambda f=function: f(data=[(IMAGES, LABELS[:4])]), ValueError, "one whole number per image"),
            (lambda f=function: f(data=[(IMAGES, LABELS - 1)]), ValueError, "correct the labels"),
            (lambda f=function: f(data=[(IMAGES * 255, LABELS)]), ValueError, "divide by 255"),
            (lambda f=function: f(data=[(IMAGES[..., :9], LABELS)]), ValueError, "resize them"),
            (lambda f=function: f(classes=1), ValueError, "give at least two"),
            (lambda f=function: f(classes=2), ValueError, "correct the labels"),
        )
    ],
    Case("class_selectivity", lambda: selectivity(reduction="sum"), ValueError, "choose one of 'mean'"),
    Case("exemplars", lambda: exemplars(k=0), ValueError, "at least 1"),
    Case("ablation", lambda: ablation(method="drop"), ValueError, "method"),
    Case("ablation", lambda: ablation(points=1), ValueError, "points"),
    Case("ablation", lambda: ablation(random_orders=-1), ValueError, "random_orders"),
    Case("ablation", lambda: ablation(selectivity=np.ones(6)), TypeError, "give a mapping from layers"),
    Case("analyze_units", lambda: analyze(ablation_options="mean"), TypeError, "give a dict"),
    Case(
        "analyze_units",
        lambda: analyze(ablation_options={"metod": "mean"}),
        TypeError,
        "did you mean 'method'",
    ),
    Case("analyze_units", lambda: analyze(ablation_options={"device": "cpu"}), ValueError, "leave it out"),
    Case("analyze_units", lambda: analyze(objectives="am"), ValueError, "give one or both of"),
    Case("analyze_units", lambda: analyze(objectives=("om",)), ValueError, "give one or both of"),
    Case("analyze_units", lambda: analyze(exemplars=-1), ValueError, "or 0 for none"),
    Case("analyze_units", lambda: analyze(colour=1), TypeError, "no option 'colour'"),
    Case("analyze_units", lambda: analyze(steps=0), ValueError, "whole number of at least 1"),
    Case("analyze_units", lambda: analyze(restarts=0), ValueError, "whole number of at least 1"),
    Case("analyze_units", lambda: analyze(pictures=9), ValueError, "give pictures="),
    Case("analyze_units", lambda: analyze(store="u"), ValueError, "end it in .zarr"),
    Case("analyze_units", lambda: analyze(executor=2), TypeError, "interface of concurrent.futures"),
    Case("representative_substitution", lambda: substitute(objectives=()), ValueError, "give one or both of"),
    Case("representative_substitution", lambda: substitute(objectives=1), ValueError, "give one or both of"),
    Case("representative_substitution", lambda: substitute(mean_activation=3), TypeError, "give a mapping"),
    Case("representative_substitution", lambda: substitute(k=0), ValueError, "at least 1"),
    Case("representative_substitution", lambda: substitute(layers="rleu"), ValueError, "did you mean 'relu'"),
    Case("representative_substitution", lambda: substitute(checkpoints="all"), ValueError, "or 'auto'"),
    Case(
        "representative_substitution",
        lambda: substitute(mean_activation={"relu": np.ones(2)}),
        ValueError,
        "one value per unit",
    ),
    Case("gabor_recovery", lambda: gabor(methods=("umap",)), ValueError, "give 'pca'"),
    Case("gabor_recovery", lambda: gabor(film_options={"sise": 32}), TypeError, "did you mean 'size'"),
    Case("gabor_recovery", lambda: gabor(film_options={"points": 9}), ValueError, "leave it out"),
    Case("gabor_recovery", lambda: gabor(n_components=0), ValueError, "whole numbers from 1"),
    Case("gabor_recovery", lambda: gabor(seeds=()), ValueError, "whole numbers from 0"),
    Case("gabor_recovery", lambda: gabor(permutations=3), ValueError, "whole number from 19"),
    Case("gabor_recovery", lambda: gabor(alpha=2), ValueError, "give a number between 0 and 1"),
    Case("gabor_recovery", lambda: gabor(others="max"), ValueError, "choose one of"),
    Case("gabor_recovery", lambda: gabor(bank=nn.ReLU()), TypeError, "give a bank"),
    Case("gabor_recovery", lambda: gabor(n=1), ValueError, "whole number from 2"),
    # The zoo.
    Case("zoo.load", lambda: tw.zoo.load("shalow_cnn"), ValueError, "shallow_cnn"),
    Case("zoo.load", lambda: tw.zoo.load("shallow_cnn", weights="none.pt"), FileNotFoundError, "none.pt"),
    Case("zoo.images", lambda: tw.zoo.images("cats"), FileNotFoundError, "give 'photos'"),
    Case("zoo.images", lambda: tw.zoo.images("digits", n=0), ValueError, "n"),
    Case("zoo.images", lambda: tw.zoo.images("digits", size=0), ValueError, "size"),
    Case("zoo.images", lambda: tw.zoo.images("digits", size=(8, 8)), ValueError, "whole number from 1"),
    Case("zoo.images", lambda: tw.zoo.images("digits", seed=None), ValueError, "whole number from 0"),
    Case("zoo.images", lambda: tw.zoo.images(3), TypeError, "give 'photos'"),
    Case("zoo.example", lambda: tw.zoo.example("vgg"), ValueError, "shallow_cnn"),
    Case("zoo.gabor_bank", lambda: tw.zoo.gabor_bank(n=0), ValueError, "n"),
    Case("zoo.gabor_bank", lambda: tw.zoo.gabor_bank(size=0), ValueError, "size"),
    # Records and what shows them.
    Case("open_record", lambda: tw.open_record("none.zarr"), FileNotFoundError, "give the path"),
    Case("open_record", lambda: tw.open_record(__file__), tw.records.RecordError, "holds no Zarr v3 group"),
    Case("open_record", lambda: tw.open_record("memory://none.zarr"), FileNotFoundError, "give the URL"),
    Case("save_record", lambda: tw.save_record(film(), "film"), ValueError, "end it in .zarr"),
    Case("save_record", lambda: tw.save_record(film(), __file__), ValueError, "end it in .zarr"),
    Case("save_record", lambda: tw.save_record(xr.Dataset(), "f.zarr"), tw.records.RecordError, "kernels"),
    Case(
        "save_record", lambda: tw.save_record("film", "f.zarr"), tw.records.RecordError, "Dataset or DataTree"
    ),
    Case("TuningExplorer", lambda: tw.TuningExplorer(units()), ValueError, "make a film with render_film"),
    Case("TuningExplorer", lambda: tw.TuningExplorer(3), ValueError, "tw.open_record gives one"),
    Case("TuningExplorer", lambda: tw.TuningExplorer("none.zarr"), FileNotFoundError, "give the path"),
    Case("TuningExplorer", lambda: tw.TuningExplorer(film(), dimensions=[99]), ValueError, "dimension"),
    Case(
        "TuningExplorer", lambda: tw.TuningExplorer(film(), net()), TypeError, "give tw.Probe(model, layer)"
    ),
    Case("TuningExplorer", lambda: tw.TuningExplorer(film(), dimensions=1), ValueError, "different numbers"),
    Case("UnitScatter", lambda: tw.UnitScatter(film()), ValueError, "analyze_units makes"),
    Case("UnitScatter", lambda: tw.UnitScatter(3), ValueError, "tw.open_record gives one"),
    Case("UnitScatter", lambda: tw.UnitScatter(units(), x="sel"), Exception, "sel"),
    Case("RecoveryChecklist", lambda: tw.RecoveryChecklist(film()), ValueError, "gabor_recovery"),
    Case(
        "figures.unit_scatter", lambda: tw.figures.unit_scatter(units(), x="sel"), ValueError, "selectivity"
    ),
    Case("figures.unit_scatter", lambda: tw.figures.unit_scatter(film()), ValueError, "analyze_units makes"),
    Case("figures.unit_scatter", lambda: tw.figures.unit_scatter(tree(), layer="c"), ValueError, "c"),
    Case("figures.unit_scatter", lambda: tw.figures.unit_scatter(units(), objective="om"), ValueError, "om"),
    Case("figures.film_strip", lambda: tw.figures.film_strip(film(), 9), ValueError, "9"),
    Case(
        "figures.film_strip", lambda: tw.figures.film_strip(units(), 0), ValueError, "render_film makes films"
    ),
    Case("figures.film_sheet", lambda: tw.figures.film_sheet(units()), ValueError, "render_film makes films"),
    Case(
        "figures.ablation_curves",
        lambda: tw.figures.ablation_curves(film()),
        ValueError,
        "analyze_units makes",
    ),
    Case("figures.ablation_curves", lambda: tw.figures.ablation_curves(tree(), "c"), ValueError, "c"),
    Case("figures.exceeding_units", lambda: tw.figures.exceeding_units(units(), 99), ValueError, "99"),
    Case("figures.unit_card", lambda: tw.figures.unit_card(units(), 99), ValueError, "99"),
    Case("figures.unit_gallery", lambda: tw.figures.unit_gallery(units(), by="x"), ValueError, "selectivity"),
    Case("figures.unit_gallery", lambda: tw.figures.unit_gallery(units(), across=0), ValueError, "1 or more"),
    Case("figures.recovery_table", lambda: tw.figures.recovery_table(film()), ValueError, "gabor_recovery"),
    Case("figures.recovery_table", lambda: tw.figures.recovery_table(recovery(), bank="x"), ValueError, "x"),
    Case(
        "figures.rs_selectivity_panels",
        lambda: tw.figures.rs_selectivity_panels(film()),
        ValueError,
        "analyze_units makes",
    ),
    Case(
        "figures.importance_by_layer", lambda: tw.figures.importance_by_layer(tree(), ["c"]), ValueError, "c"
    ),
]
