"""Options of images: a store's key names every one of them, and stores of before are gone on with as they were made."""

import inspect
import json
from dataclasses import fields
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from units_networks import batches, branching, labeled_images

import tunewidgets as tw
from tunewidgets._checks import STEPS
from tunewidgets.kernels.canvas.canvases import CANVASES, canvas_name, make_canvas
from tunewidgets.kernels.optimization import loop
from tunewidgets.kernels.optimization.directions import PATHS, Mode
from tunewidgets.kernels.optimization.options import LEFT_OUT, ImageOptions
from tunewidgets.kernels.single_units.unit_images import MORE, OBJECTIVES, ObjectiveName
from tunewidgets.kernels.studies import workers
from tunewidgets.makers.reproduction import make_reproduction

OPTIONS = {field.name for field in fields(ImageOptions)}
IMAGE = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
QUICK = {"size": 16, "steps": 2, "chunk": 4, "progress": False}
# Of each option another value than `QUICK`'s or the usual one, and what else has to be asked for with it.
CHANGES = {
    "size": (20, {}),
    "steps": (3, {}),
    "canvas": ("pixel", {}),
    "restarts": (2, {}),
    "seed": (1, {}),
    "chunk": (5, {}),
    "optimizer": ("cma", {}),
    "lr": (0.1, {}),
    "jitter": (tw.Jitter(1), {}),
    "objective_at": ("pre", {}),
    "checkpoints": ((1,), {}),
    "precision": ("bfloat16", {}),
    "band": (0.3, {}),
    "contrast": (None, {}),
    "floats": (True, {}),
    "start": (IMAGE, {}),
    "leave": (0.5, {"start": IMAGE}),
    "importance": (True, {}),
}


def visualize(**options):
    return tw.visualize(tw.Probe(branching(), "relu", device="cpu"), tw.AM(range(6)), **QUICK | options)


def render_film(**options):
    vectors = np.random.default_rng(0).exponential(size=(60, 6)).astype(np.float32)
    probe, dimensions = (
        tw.Probe(branching(), "relu", device="cpu"),
        tw.TuningDimensions("pca", 2).fit(vectors),
    )
    return tw.render_film(probe, dimensions, points=3, **QUICK | options)


def analyze_units(**options):
    few = {"ablation": False, "critics": False, "exemplars": 0, "device": "cpu"}
    data = batches(*labeled_images(), 5)
    return tw.analyze_units(branching(), data, "relu", ("am",), **few, **QUICK | options)


def representative_substitution(**options):
    return tw.representative_substitution(branching(), "relu", ("am",), device="cpu", **QUICK | options)


CALLS = {call.__name__: call for call in (visualize, render_film, analyze_units, representative_substitution)}


def options_of(name):
    """The options of images that a public function takes."""
    parameters = inspect.signature(getattr(tw, name)).parameters
    # The checkpoints of units are of RS, and an option of their own.
    mine = (
        OPTIONS & set(parameters)
        if name in ("visualize", "render_film")
        else {"restarts", "steps", "seed", *MORE}
    )
    assert mine <= set(parameters) | set(MORE)
    return sorted(mine)


def stop_after(patch, chunks):
    """The run is stopped after so many chunks; gives those that were made."""
    real, ran = loop._run_chunk, []

    def run(*args, **kwargs):
        if len(ran) == chunks:
            raise KeyboardInterrupt
        ran.append(1)
        return real(*args, **kwargs)

    patch.setattr(loop, "_run_chunk", run)
    patch.setattr(workers, "worker_count", lambda device: 1)
    return ran


def begun(call, store, monkeypatch, chunks=0, **options):
    with monkeypatch.context() as patch:
        stop_after(patch, chunks)
        patch.setattr("tunewidgets.kernels.optimization.gallery.evolve", stopped)
        with pytest.raises(KeyboardInterrupt):
            call(store=store, **options)


def stopped(*args):
    raise KeyboardInterrupt


def test_there_is_a_change_of_every_option():
    assert set(CHANGES) == OPTIONS == {*LEFT_OUT, "steps", "seed"}
    assert set(ImageOptions().key()) == OPTIONS


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Stores that were begun by each function, by what they were asked for besides; each is begun once."""
    folder = tmp_path_factory.mktemp("stores")

    def store(name, **options):
        path = folder / f"{name} {' '.join(options)}.zarr"
        if not Path(f"{path}.unfinished").exists():
            with pytest.MonkeyPatch.context() as patch:
                begun(CALLS[name], path, patch, **options)
        return path

    return store


@pytest.mark.parametrize(
    ("name", "option"), [(name, option) for name in CALLS for option in options_of(name)]
)
def test_a_store_is_not_gone_on_with_when_any_one_option_is_another(stores, name, option):
    other, beside = CHANGES[option]
    with pytest.raises(ValueError, match=rf"holds records made with {option}=.*, not .*; give another store"):
        CALLS[name](store=stores(name, **beside), **beside, **{option: other})


@pytest.mark.parametrize("option", ["optimizer", "start", "leave", "importance"])
def test_nor_when_it_is_the_usual_one_again(stores, option):
    other, beside = CHANGES[option]
    store = stores("visualize", **beside, **{option: other})
    with pytest.raises(ValueError, match=rf"holds records made with {option}="):
        visualize(store=store, **beside)


# The keys that were put together by hand, of `QUICK`; of what was looked at, stores of before hold the same.
SAME = (
    "objective",
    "dimensions",
    "images",
    "data",
    "first_images",
    "ablation_options",
    "converged",
    "method",
)
OLD = {
    "visualize": {
        "layer": "relu", "restarts": 1, "seed": 0, "steps": 2, "floats": False, "size": 16, "canvas": "fourier",
        "lr": "auto", "jitter": None, "objective_at": "leaky", "checkpoints": "()", "precision": "auto", "band": None,
        "chunk": 4, "contrast": "auto",
    },
    "render_film": {
        "layer": "relu", "points": 3, "seed": 0, "only": [0, 1], "n_components": 2, "sampling": "arc",
        "mode": "dot_cosine", "others": "mean", "at": "everywhere", "size": 16, "steps": 2,
        "image_options": {
            "band": "auto", "canvas": "fourier", "chunk": 4, "contrast": "auto",
            "jitter": "Jitter(shift=8.0, scale=0.1, turn=10.0, steady=True)", "lr": "auto", "precision": "auto",
        },
    },
    "analyze_units": {
        "objectives": ["am"], "ablation": False, "exemplars": 0, "restarts": 1, "reduction": "mean", "rectify": True,
        "critics": False, "responses": False, "pictures": None, "steps": 2, "seed": 0,
        "image_options": {"chunk": 4, "size": 16},
    },
    "representative_substitution": {
        "objectives": ["am"], "restarts": 1, "k": 9, "responses": False, "reduction": "mean", "rectify": True,
        "steps": 2, "seed": 0, "normalized": False, "image_options": {"chunk": 4, "size": 16}, "checkpoints": "auto",
    },
}  # fmt: skip


def as_before(store, name, **image_options):
    """Give the store that was begun the key that an earlier version would have written."""
    path = Path(f"{store}.unfinished") / "zarr.json"
    group = json.loads(path.read_text())
    study = json.loads(group["attributes"]["study"])
    old = {**OLD[name], **{key: study["asked"][key] for key in SAME if key in study["asked"]}}
    if image_options:
        old["image_options"] = image_options
    group["attributes"]["study"] = json.dumps({**study, "asked": old})
    path.write_text(json.dumps(group))


def chunks_of(call, monkeypatch, **options):
    with monkeypatch.context() as patch:
        ran = stop_after(patch, 99)
        return call(**options), len(ran)


@pytest.mark.parametrize("name", CALLS)
def test_a_store_of_before_is_gone_on_with(tmp_path, monkeypatch, name):
    store, call = tmp_path / "a.zarr", CALLS[name]
    whole, chunks = chunks_of(call, monkeypatch)
    begun(call, store, monkeypatch, chunks=1)
    as_before(store, name)
    made, left = chunks_of(call, monkeypatch, store=store)
    assert left == chunks - 1 > 0
    image = "image" if name in ("visualize", "render_film") else "relu/image"
    assert np.array_equal(made[image].values, whole[image].values)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        *(("visualize", option) for option in ("optimizer", "start", "importance")),
        *((name, option) for name in ("analyze_units", "representative_substitution") for option in MORE),
    ],
)
def test_what_a_store_of_before_left_out_was_the_usual(tmp_path, monkeypatch, name, option):
    store = tmp_path / "a.zarr"
    begun(CALLS[name], store, monkeypatch)
    as_before(store, name)
    with pytest.raises(ValueError, match=f"holds records made with {option}="):
        CALLS[name](store=store, **{option: CHANGES[option][0]})


def test_what_was_usual_may_be_said_or_not(tmp_path, monkeypatch):
    store = tmp_path / "a.zarr"
    begun(analyze_units, store, monkeypatch)
    as_before(store, "analyze_units", canvas="fourier", contrast="auto", chunk=4, size=16)
    begun(analyze_units, store, monkeypatch)
    begun(analyze_units, store, monkeypatch, band=None, canvas="fourier")


def test_a_records_images_give_the_options_that_made_them():
    made = visualize(canvas="pixel", lr=0.1, jitter=tw.Jitter(2), objective_at="pre", contrast=1, seed=3)
    settings = tw.records.settings_of(made)
    again = ImageOptions.of_record(settings, 3, chunk=4)
    other = visualize(**{name: getattr(again, name) for name in OPTIONS})
    assert np.array_equal(other.image.values, made.image.values)


@pytest.mark.parametrize("canvas", CANVASES)
def test_a_band_changes_the_image_or_is_refused(canvas):
    free = visualize(canvas=canvas, contrast=None)
    if canvas == "pixel":
        with pytest.raises(ValueError, match="canvas='pixel' has no frequencies to leave out"):
            visualize(canvas=canvas, contrast=None, band=0.1)
        # "auto" is what the canvas needs: none.
        assert np.array_equal(visualize(canvas=canvas, contrast=None, band="auto").image, free.image)
        return
    made = visualize(canvas=canvas, contrast=None, band=0.1)
    assert tw.records.settings_of(made)["band"] == 0.1
    assert not np.array_equal(made.image, free.image)


def looks(**options):
    made = visualize(**options)
    return tw.records.settings_of(made), sorted(made.variables), dict(made.sizes), made.attrs["seed"]


@pytest.mark.parametrize("canvas", CANVASES)
@pytest.mark.parametrize("option", sorted(OPTIONS - {"canvas", "optimizer", "leave"}))
def test_no_option_is_taken_without_a_trace_whatever_the_canvas(canvas, option):
    changed = {"canvas": canvas, option: CHANGES[option][0]}
    if (canvas, option) == ("pixel", "band"):
        with pytest.raises(ValueError, match="leave out band"):
            looks(**changed)
        return
    # Here the usual value stands for the changed one: the layer is linear in the image, and "maco" keeps importance.
    is_usual = option == "contrast" or (canvas, option) == ("maco", "importance")
    assert (looks(**changed) == looks(canvas=canvas)) == is_usual


def test_choices_are_those_that_there_is_something_for():
    assert set(PATHS) == set(get_args(Mode))
    assert set(OBJECTIVES) == set(get_args(ObjectiveName))
    assert [canvas_name(type(make_canvas(name, 8)).__name__) for name in CANVASES] == list(CANVASES)


def test_the_number_of_steps_is_the_same_wherever_it_is_left_out():
    calls = [*(getattr(tw, name) for name in CALLS), make_reproduction]
    assert {inspect.signature(call).parameters["steps"].default for call in calls} == {STEPS}
