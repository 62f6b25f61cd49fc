"""What a user can get wrong, as a table: each call of a public function with one thing wrong in it.

In: shared tiny networks, images and records. Out: cases of (what is called, the call, the class of the error,
words that its sentence must hold).
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr
from films import make_film
from recovery_records import make_recovery
from sklearn.decomposition import LatentDirichletAllocation
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
SCENES = torch.rand(8, 3, 64, 64, generator=torch.Generator().manual_seed(0))
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


def drawn(figure: str, **options: Any) -> Any:
    record = film() if figure.startswith("film") else tree() if "layers" in options else units()
    return getattr(tw.figures, figure)(record, **options)


def save(path: str = "a.png", **options: Any) -> Any:
    return tw.figures.save(tw.figures.film_sheet(film()), path, **options)


def export(path: str = "a.html", **options: Any) -> Any:
    return tw.export_html(tw.UnitScatter(units()), path, **options)


def by_name() -> xr.DataArray:
    return xr.DataArray(vectors(), dims=("sample", "unit"), coords={"unit": list("abcdef")})


@cache
def fitted_by_name() -> tw.TuningDimensions:
    return tw.TuningDimensions("pca", 2).fit(by_name())


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
        "Probe", lambda: preprocessed(lambda images: images.numpy()), TypeError, "preprocess gives an ndarray"
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
    Case("network_record", lambda: tw.network_record(net()), TypeError, "give tw.Probe(model, layer)"),
    Case(
        "network_record", lambda: tw.network_record(probe(), "f8"), ValueError, "choose one of 'f32', 'f16'"
    ),
    Case(
        "network_record", lambda: tw.network_record(probe(), max_mb=0), ValueError, "give a positive number"
    ),
    Case("network_record", lambda: tw.network_record(probe(), max_mb=1e-6), ValueError, "or allow more"),
    # Objectives.
    Case("AM", lambda: tw.AM([]), ValueError, "give a unit's number or a list"),
    Case("AM", lambda: tw.AM([0.5]), ValueError, "give a unit's number or a list"),
    Case("AM", lambda: tw.AM("relu"), ValueError, "give a unit's number or a list"),
    Case("IAM", lambda: tw.IAM([[0, 1]]), ValueError, "give a unit's number or a list"),
    Case("Neuron", lambda: tw.Neuron([0], at="corner"), ValueError, "give 'center' or (row, column)"),
    Case("Neuron", lambda: tw.Neuron([0], at=(1.0, 2.0)), ValueError, "give 'center' or (row, column)"),
    Case("Neuron", lambda: tw.Neuron([0], at=(True, False)), ValueError, "give 'center' or (row, column)"),
    Case("Direction", lambda: tw.Direction("abc"), TypeError, "give numbers in shape (targets, units)"),
    Case("Direction", lambda: tw.Direction(None), TypeError, "give numbers in shape (targets, units)"),
    Case("Direction", lambda: tw.Direction([[1.0, 2.0], [3.0]]), TypeError, "give numbers in shape"),
    Case("Direction", lambda: tw.Direction(np.ones((1, 6)) * 1j), TypeError, "give numbers in shape"),
    Case("Direction", lambda: tw.Direction(np.zeros((0, 6))), ValueError, "give at least one"),
    Case("AM + 5", lambda: tw.AM(0) + 5, TypeError, "give another objective"),
    Case("AM * array", lambda: tw.AM([0, 1]) * np.array([1, 2]), TypeError, "give one number"),
    Case("AM * nan", lambda: tw.AM(0) * float("nan"), ValueError, "give a finite number"),
    Case("AM / 0", lambda: tw.AM(0) / 0, ValueError, "give another number"),
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
    Case(
        "visualize", lambda: visualize(tw.Neuron([0], (-99, 0)), size=16), ValueError, "there is no position"
    ),
    Case("visualize", lambda: visualize(tw.AM), TypeError, "the class AM; give tw.AM(units)"),
    Case("visualize", lambda: visualize(lambda a: a[:, 0].mean()), TypeError, "not subscriptable"),
    Case("visualize", lambda: visualize(size=10**6), MemoryError, "give a smaller size"),
    Case("visualize", lambda: visualize(size=10**9), MemoryError, "give a smaller size"),
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
    Case("visualize", lambda: visualize(jitter=3), TypeError, "jitter is an int"),
    Case("visualize", lambda: visualize(seed="x"), ValueError, "seed is 'x'"),
    Case("visualize", lambda: visualize(seed=1.5), ValueError, "seed is 1.5"),
    Case("visualize", lambda: visualize(objective_at="mid"), ValueError, "choose one of 'leaky'"),
    Case("visualize", lambda: visualize(steps=3, checkpoints=[4]), ValueError, "not among steps 1 to 3"),
    Case("visualize", lambda: visualize(checkpoints=1), ValueError, "give steps, such as (16, 64)"),
    Case("visualize", lambda: visualize(checkpoints="auto"), ValueError, "give steps, such as (16, 64)"),
    Case("visualize", lambda: visualize(checkpoints=[1.5]), ValueError, "give steps, such as (16, 64)"),
    Case("visualize", lambda: visualize(canvas="pixel", band=0.1), ValueError, "leave out band"),
    Case("visualize", lambda: visualize(canvas="maco", contrast=1.0), ValueError, "leave it out"),
    Case("visualize", lambda: visualize(optimizer="cma", precision="bfloat16"), ValueError, "leave it out"),
    Case("visualize", lambda: visualize(precision="int8"), ValueError, "choose 'auto', 'float32'"),
    Case("visualize", lambda: visualize(band=0.0), ValueError, "give a frequency in cycles per pixel"),
    Case("visualize", lambda: visualize(band="low"), ValueError, "give a frequency in cycles per pixel"),
    Case("visualize", lambda: visualize(store="images"), ValueError, "end it in .zarr"),
    Case("visualize", lambda: visualize(store=7), TypeError, "give a path that ends in .zarr"),
    Case("visualize", lambda: visualize(store="a\0b.zarr"), ValueError, "give another path"),
    Case("visualize", lambda: visualize(executor="pool"), TypeError, "interface of concurrent.futures"),
    Case(
        "visualize",
        lambda: visualize(executor=ProcessPoolExecutor),
        TypeError,
        "the class ProcessPoolExecutor",
    ),
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
    Case(
        "TuningDimensions",
        lambda: fit(method=LatentDirichletAllocation(3)),
        ValueError,
        "does not reconstruct the vectors",
    ),
    Case(
        "TuningDimensions",
        lambda: fitted_by_name().transform(by_name().assign_coords(unit=list("abcdeg"))),
        ValueError,
        "give the same ones",
    ),
    Case(
        "TuningDimensions",
        lambda: fit(by_name().assign_coords(unit=list("abcdee"))),
        ValueError,
        "give each unit a name of its own",
    ),
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
    Case("render_film", lambda: render(at=3), ValueError, "at is 3"),
    Case("render_film", lambda: render(at=(0.5, 1)), ValueError, "at is (0.5, 1)"),
    Case("render_film", lambda: render(at=(99, 0), size=16), ValueError, "there is no position"),
    Case("render_film", lambda: render(at=(-99, 0), size=16), ValueError, "there is no position"),
    Case("render_film", lambda: render(canvas="pixel", band=0.1), ValueError, "leave out band"),
    Case("render_film", lambda: render(size=10**6), MemoryError, "give a smaller size"),
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
            (lambda f=function: f(classes={"cat", "dog", "owl"}), TypeError, "come in no order"),
            (
                lambda f=function: f(classes={0: "cat", 2: "owl"}),
                ValueError,
                "number them from 0 without gaps",
            ),
            (lambda f=function: f(classes={"cat": "x"}), ValueError, "or a list of names"),
            (lambda f=function: f(progress="no"), TypeError, "progress is 'no'; give True or False"),
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
    Case("class_selectivity", lambda: selectivity(rectify="no"), TypeError, "rectify is 'no'"),
    Case("class_selectivity", lambda: selectivity(critics="no"), TypeError, "critics is 'no'"),
    Case("exemplars", lambda: exemplars(rectify="no"), TypeError, "rectify is 'no'"),
    Case("ablation", lambda: ablation(curves="no"), TypeError, "curves is 'no'"),
    *[
        Case("analyze_units", lambda name=name: analyze(**{name: "no"}), TypeError, f"{name} is 'no'")
        for name in ("ablation", "rectify", "critics", "responses")
    ],
    Case("representative_substitution", lambda: substitute(rectify="no"), TypeError, "rectify is 'no'"),
    Case("visualize", lambda: visualize(floats="no"), TypeError, "floats is 'no'"),
    Case("visualize", lambda: visualize(progress="off"), TypeError, "progress is 'off'"),
    Case("Jitter", lambda: tw.Jitter(steady="no"), TypeError, "steady is 'no'"),
    Case("render_film", lambda: render(progress="no"), TypeError, "progress is 'no'"),
    Case("sample_activations", lambda: sample(normalize="no"), TypeError, "normalize is 'no'"),
    Case("gabor_recovery", lambda: gabor(films="no"), TypeError, "films is 'no'"),
    Case("gabor_recovery", lambda: gabor(images=SCENES, n=10**9), ValueError, "ask for n="),
    Case("sample_activations", lambda: sample(SCENES, n=10**9), ValueError, "ask for n="),
    Case("check", lambda: tw.check(progress="no"), TypeError, "progress is 'no'"),
    Case(
        "TuningDimensions", lambda: tw.TuningDimensions("pca", 2).fit(None), TypeError, "the vectors are None"
    ),
    Case("TuningDimensions", lambda: fit("photos"), TypeError, "the vectors are a str"),
    Case(
        "add_patches",
        lambda: tw.add_patches(film(), probe(), vectors(), GRAY),
        TypeError,
        "give the DataArray",
    ),
    Case("read_film", lambda: tw.read_film(film(), probe(), vectors()), TypeError, "give the DataArray"),
    Case("film_checklist", lambda: tw.film_checklist([film()]), TypeError, "give a dict from each layer"),
    Case("exemplars", lambda: exemplars(k=0), ValueError, "at least 1"),
    Case("ablation", lambda: ablation(method="drop"), ValueError, "method"),
    Case("ablation", lambda: ablation(points=1), ValueError, "points"),
    Case("ablation", lambda: ablation(random_orders=-1), ValueError, "random_orders"),
    Case("ablation", lambda: ablation(selectivity=np.ones(6)), TypeError, "give a mapping from layers"),
    Case(
        "ablation", lambda: ablation(selectivity={"relu": np.full(6, np.nan)}), ValueError, "not all finite"
    ),
    Case("ablation", lambda: ablation(selectivity={"relu": ["a"] * 6}), ValueError, "not all finite"),
    Case("ablation", lambda: ablation(selectivity=film()), ValueError, "analyze_units makes"),
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
    Case("analyze_units", lambda: analyze(objectives=None), ValueError, "or () for none"),
    Case("analyze_units", lambda: analyze(executor=ProcessPoolExecutor), TypeError, "the class"),
    Case("analyze_units", lambda: analyze(canvas="pixel", band=0.1), ValueError, "leave out band"),
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
    Case("representative_substitution", lambda: substitute(checkpoints=5), ValueError, "or 'auto'"),
    Case("representative_substitution", lambda: substitute(checkpoints=[1.5]), ValueError, "or 'auto'"),
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
    Case("zoo.gabor_bank", lambda: tw.zoo.gabor_bank(zero_mean="no"), TypeError, "zero_mean is 'no'"),
    Case(
        "zoo.images", lambda: tw.zoo.images(torch.rand(2, 3, 8, 8, device="meta")), ValueError, "meta device"
    ),
    Case("zoo.gabor_bank", lambda: tw.zoo.gabor_bank(n="4"), ValueError, "give a whole number from 1"),
    Case("zoo.gabor_bank", lambda: tw.zoo.gabor_bank(size=10**7), MemoryError, "give fewer or smaller"),
    Case("zoo.gabor_bank", lambda: tw.zoo.gabor_bank(frequency=0.2), ValueError, "give (low, high)"),
    Case("zoo.gabor_bank", lambda: tw.zoo.gabor_bank(frequency="ab"), ValueError, "give (low, high)"),
    Case("zoo.gabor_bank", lambda: tw.zoo.gabor_bank(sigma="2"), ValueError, "give numbers above 0"),
    # Records and what shows them.
    Case("open_record", lambda: tw.open_record("none.zarr"), FileNotFoundError, "give the path"),
    Case("open_record", lambda: tw.open_record(__file__), tw.records.RecordError, "holds no Zarr v3 group"),
    Case("open_record", lambda: tw.open_record("memory://none.zarr"), FileNotFoundError, "give the URL"),
    Case("save_record", lambda: tw.save_record(film(), "film"), ValueError, "end it in .zarr"),
    Case("save_record", lambda: tw.save_record(film(), __file__), ValueError, "end it in .zarr"),
    Case("save_record", lambda: tw.save_record(film(), "a\0b.zarr"), ValueError, "give another path"),
    Case("open_record", lambda: tw.open_record("a\0b.zarr"), ValueError, "give another path"),
    Case(
        "save_record",
        lambda: tw.save_record(film().assign_attrs(note={1, 2}), "f.zarr"),
        tw.records.RecordError,
        "the attribute 'note' of the record is a set",
    ),
    Case(
        "save_record",
        lambda: tw.save_record(film().assign(image=film().image.assign_attrs(by=[object()])), "f.zarr"),
        tw.records.RecordError,
        "the attribute 'by' of 'image' is a list",
    ),
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
    Case(
        "UnitScatter", lambda: tw.UnitScatter(units(), layer="nope"), ValueError, "no layer 'nope' here; give"
    ),
    Case("UnitScatter", lambda: tw.UnitScatter(tree(), layer=3), ValueError, "no layer 3 here; give"),
    Case("export_html", lambda: tw.export_html("text", "a.html"), ValueError, "give at least one"),
    Case("export_html", lambda: export("x.pdf"), ValueError, "end it in .html or .htm"),
    Case("export_html", lambda: export("x"), ValueError, "end it in .html or .htm"),
    Case("export_html", lambda: export("a\0b.html"), ValueError, "give another path"),
    Case("export_html", lambda: export(max_mb="3"), ValueError, "positive number of megabytes"),
    Case("export_html", lambda: export(links=3), TypeError, "give a list of links"),
    Case("export_html", lambda: export(links="ab"), TypeError, "give a list of links"),
    Case("export_html", lambda: export(links=[3]), ValueError, "give two ends"),
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
    *[
        Case(f"figures.{name}", lambda name=name, bad=bad: drawn(name, **bad), error, says)
        for name, bad, error, says in (
            (
                "film_sheet",
                {"points": 1.5},
                ValueError,
                "points is 1.5; give a whole number, 1 or more, or None",
            ),
            ("film_sheet", {"points": True}, ValueError, "points is True"),
            ("film_sheet", {"cell": -5}, ValueError, "cell is -5; give a whole number, 1 or more"),
            ("film_sheet", {"cell": 0}, ValueError, "cell is 0"),
            ("film_sheet", {"cell": "a"}, ValueError, "cell is 'a'"),
            ("film_strip", {"dimension": "0"}, ValueError, "dimension is '0', but this film has"),
            ("film_strip", {"dimension": 0.0}, ValueError, "dimension is 0.0, but this film has"),
            ("film_strip", {"dimension": 0, "cell": None}, ValueError, "cell is None"),
            ("unit_scatter", {"images": 3}, TypeError, "images is 3; give True, or a list of units"),
            ("unit_scatter", {"images": "yes"}, TypeError, "images is 'yes'; give True, or a list of units"),
            ("unit_scatter", {"images": [0, 1.5]}, ValueError, "a unit of images is 1.5"),
            ("unit_card", {"unit": "1"}, ValueError, "unit is '1', but this layer has"),
            ("unit_card", {"unit": None}, ValueError, "unit is None, but this layer has"),
            ("unit_gallery", {"count": 1.5}, ValueError, "count is 1.5; give a whole number, 1 or more"),
            ("unit_gallery", {"across": "4"}, ValueError, "across is '4'; give a whole number, 1 or more"),
            ("exceeding_units", {"count": 0.5}, ValueError, "count is 0.5; give a whole number, 1 or more"),
            ("exceeding_units", {"unit": "1"}, ValueError, "unit is '1', but this layer has"),
            ("rs_selectivity_panels", {"layers": []}, ValueError, "layers is empty; give the names"),
            ("rs_selectivity_panels", {"layers": 3}, TypeError, "layers is 3; give the names"),
            ("rs_selectivity_panels", {"objectives": []}, ValueError, "objectives is empty; give one"),
            ("ablation_curves", {"layers": []}, ValueError, "layers is empty; give the names"),
            ("ablation_curves", {"layers": 3}, TypeError, "layers is 3; give the names"),
            ("rs_selectivity_by_layer", {"layers": []}, ValueError, "layers is empty; give the names"),
            ("rs_selectivity_by_layer", {"objectives": ()}, ValueError, "objectives is empty; give one"),
            ("rs_selectivity_by_layer", {"objectives": 3}, TypeError, "objectives is 3; give one"),
            ("importance_by_layer", {"layers": 3}, TypeError, "layers is 3; give the names"),
        )
    ],
    Case("figures.importance_by_layer", lambda: tw.figures.importance_by_layer(3), ValueError, "DataTree"),
    Case("figures.save", lambda: save(dpi=10**9), ValueError, "give a smaller dpi"),
    Case("figures.save", lambda: save(dpi="300"), ValueError, "dpi is '300'; give a positive number"),
    Case("figures.save", lambda: save(width_mm=float("inf")), ValueError, "give a positive number"),
    Case("figures.save", lambda: save("a\0b.png"), ValueError, "give another path"),
]
