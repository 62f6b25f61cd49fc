"""The schemas of records: which variables each kind of record holds, with which dimensions and dtypes.

In: nothing. Out: `SCHEMAS`, one table per kind. A new kind, or a new variable of one, takes a row and no code; what a
table can't express is a check that returns a sentence. Validation is in `validation`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import xarray as xr

from .network_schema import network_fault


@dataclass(frozen=True)
class Variable:
    """One row of a schema: `dims` in order, `dtype` by name, and in `needs` what must be there together with it."""

    dims: tuple[str, ...]
    dtype: str = "float32"
    required: bool = True
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schema:
    """A kind of record: its version, its variables, the dims of a fixed size, and what a table can't express.

    `renamed` holds the present names of dims that earlier versions called something else, by those earlier names.
    """

    version: int
    variables: Mapping[str, Variable]
    sizes: Mapping[str, int]
    empty: Mapping[str, str]  # dim -> the sentence for a record in which it has no entries
    check: Callable[[xr.Dataset], str | None] = lambda record: None
    renamed: Mapping[str, str] = field(default_factory=dict)


def _film_check(film: xr.Dataset) -> str | None:
    if film.sizes["edge"] != film.sizes["bin"] + 1:
        return (
            f"the histogram has {film.sizes['bin']} bins but {film.sizes['edge']} edges, "
            f"where {film.sizes['bin'] + 1} are needed; make the film again with render_film"
        )
    return None


def _units_check(units: xr.Dataset) -> str | None:
    if not any(name in units for name in SCHEMAS["units"].variables):
        return "this units record holds nothing about its units; make it again with analyze_units"
    if units.sizes.get("rgb", 3) != 3:
        return (
            f"the dim rgb of this units record has size {units.sizes['rgb']}, where 3 belongs; "
            "make the units record again"
        )
    return None


def _of_units(*dims: str, dtype: str = "float32", needs: tuple[str, ...] = ()) -> Variable:
    # Each kernel of units makes a part of the record, so any variable may be absent.
    return Variable(dims, dtype, required=False, needs=needs)


def _recovery_check(report: xr.Dataset) -> str | None:
    known = ("frequency", "angle", "phase")
    named = tuple(map(str, report["attribute"].values)) if "attribute" in report.coords else ()
    # In records with films, the color axes follow these.
    if named[: len(known)] != known:
        return f"the attributes of this recovery record are not {', '.join(known)}; make it again with gabor_recovery"
    unnamed = [
        dim
        for dim in ("decomposition", "n_components", "seed", "bank", "readout")
        if dim not in report.coords
    ]
    if unnamed:
        return f"this recovery record has no coordinate {unnamed[0]}; make it again with gabor_recovery"
    return None


_OWN, _SHOWN, _CURVE = ("unit",), ("objective", "unit"), ("order", "step")
_POINTS, _TARGETS, _FIT = ("dimension", "point"), ("dimension", "point", "unit"), ("dimension", "unit")
_PATCHES = (*_POINTS, "exemplar")
_READ, _READINGS = ("dimension", "attribute"), ("p", "p_holm", "sweep", "observed", "smoothness")
_FITTED = ("decomposition", "n_components", "seed", "bank")
_CELL = ("attribute", *_FITTED, "readout")
_TABLE = ("attribute", "decomposition", "n_components")
_OVER_SEEDS = (*_TABLE, "bank", "readout")
_PAIRS, _ENDS, _BY_PLACE = ("feature", "concept"), ("feature", "end"), ("feature", "end", "concept")
_PLACED = ("iou", "iou_low", "iou_high", "iou_chance")
_PICTURE = ("y", "x", "rgb")


def _asked(of: str) -> dict[str, Variable]:
    """Trials about the dimensions or units of a record, from add_trials; what readers and machines made of them."""

    def optional(*dims: str, dtype: str = "float32", needs: tuple[str, ...] = ()) -> Variable:
        return Variable(dims, dtype, required=False, needs=needs)

    scores = tuple(f"readability_{name}" for name in ("low", "high", "p", "p_holm"))
    trials = (f"trial_{of}", "trial_answer", "trial_question", f"question_{of}")
    return {
        "trial_patch": optional("trial", "side", *_PICTURE, dtype="uint8", needs=trials),
        # The place of the dimension or unit in the record, -1 for a random axis.
        f"trial_{of}": optional("trial", dtype="int32"),
        # The side that lies further, -1 where neither does.
        "trial_answer": optional("trial", dtype="int8"),
        "trial_question": optional("trial", dtype="int32"),
        "trial_image": optional("trial", "side", dtype="int32"),
        "trial_coordinate": optional("trial", "side"),
        f"question_{of}": optional("question", dtype="int32"),
        "question_exemplar": optional("question", "end", "reference", *_PICTURE, dtype="uint8"),
        "question_film": optional("question", "end", *_PICTURE, dtype="uint8"),
        # The side that a reader chose, -1 where none was.
        "reader_answer": optional("reader", "trial", dtype="int8", needs=("trial_answer",)),
        "reader_right": optional("reader", "question", dtype="int32", needs=("reader_asked",)),
        "reader_asked": optional("reader", "question", dtype="int32"),
        **{f"reader_{name}": optional("question") for name in ("share", "low", "high")},
        "readability": optional(of, needs=("readability_null", *scores)),
        **{name: optional(of, needs=("readability",)) for name in scores},
        "readability_null": optional("axis"),
    }


SCHEMAS: dict[str, Schema] = {
    "film": Schema(
        version=1,
        variables={
            "coordinate": Variable(_POINTS),
            "quantile": Variable(_POINTS),
            "target": Variable(_TARGETS),
            "image": Variable((*_POINTS, "y", "x", "rgb"), "uint8"),
            "cosine": Variable(_POINTS),
            "histogram": Variable(("dimension", "bin")),
            "bin_edge": Variable(("dimension", "edge")),
            "explained_variance": Variable(("dimension",)),
            "status": Variable(("dimension",), "str"),
            "label": Variable(("dimension",), "str"),
            "suggested_label": Variable(("dimension",), "str"),
            # A manifold method such as LLE has no linear fit: either all of it is there or none.
            "component": Variable(_FIT, required=False, needs=("unmixing", "center", "unit_mask")),
            "unmixing": Variable(_FIT, required=False, needs=("component", "center", "unit_mask")),
            "center": Variable(("unit",), required=False, needs=("component", "unmixing", "unit_mask")),
            "unit_mask": Variable(("unit",), "bool", required=False),
            # Patches of real images, from add_patches.
            "patch": Variable(
                (*_PATCHES, "patch_y", "patch_x", "rgb"), "uint8", required=False, needs=("patch_image",)
            ),
            "patch_image": Variable(_PATCHES, "int32", required=False),
            "patch_position": Variable((*_PATCHES, "yx"), "int32", required=False),
            "patch_coordinate": Variable(_PATCHES, required=False),
            # What each dimension is about according to its images, from read_film.
            **{f"attribute_{name}": Variable(_READ, required=False) for name in _READINGS},
            "attribute_null": Variable(("attribute", "draw"), required=False),
            # Images of several dimensions' coordinates at once, kept in the explorer.
            "combined_image": Variable(
                ("combination", "y", "x", "rgb"), "uint8", required=False, needs=("combined_coordinate",)
            ),
            "combined_coordinate": Variable(("combination", "dimension"), required=False),
            "combined_cosine": Variable(("combination",), required=False),
            **_asked("dimension"),
            # How well each dimension comes back when it is fitted again, from add_stability.
            "stability": Variable(("dimension",), required=False),
            # What the network does without each dimension and with more of it, from add_effects.
            **{
                name: Variable(("dimension",), required=False, needs=("accuracy_drop", "loss_increase"))
                for name in ("accuracy_drop_se", "loss_increase_se", "effect_p")
            },
            **{name: Variable(("dimension",), required=False) for name in ("accuracy_drop", "loss_increase")},
            **{
                name: Variable(("dimension", "cls"), required=False, needs=("accuracy_drop",))
                for name in ("class_accuracy_drop", "class_accuracy_drop_se")
            },
            **{
                f"{name}{end}": Variable(("dimension", "dose", "cls"), required=False, needs=(name,))
                for name in ("class_effect", "class_probability_effect")
                for end in ("", "_low", "_high")
            },
            **{
                f"random_{name}": Variable(("dimension", "draw"), required=False, needs=(name,))
                for name in ("accuracy_drop", "loss_increase")
            },
        },
        sizes={"rgb": 3},
        empty={
            "point": "this film has no points; render it again with points=1 or more",
            "dimension": "this film has no dimensions; fit again with n_components=1 or more",
            "unit": "this film has no units; render it again from a layer that has some",
            "y": "this film's images are 0 pixels high; render it again with a larger size",
            "x": "this film's images are 0 pixels wide; render it again with a larger size",
            "bin": "this film's histogram has no bins; make the film again with render_film",
        },
        check=_film_check,
    ),
    "images": Schema(
        version=1,
        variables={
            "image": Variable(("target", "y", "x", "rgb"), "uint8"),
            "value": Variable(("target", "step")),
            "response": Variable(("target", "unit")),
            "status": Variable(("target",), "str"),
            "response_checkpoint": Variable(("target", "checkpoint", "unit"), required=False),
            "image_float": Variable(("target", "y", "x", "rgb"), required=False),
            # How much each pixel mattered to what an image was made for, summed over the steps.
            "importance": Variable(("target", "y", "x"), required=False),
            # Of images that started from others: how far they moved from these in the layer.
            "distance": Variable(("target",), required=False),
        },
        sizes={"rgb": 3},
        empty={"target": "this record has no images; visualize at least one target"},
    ),
    "concepts": Schema(
        version=1,
        variables={
            **{name: Variable(_PAIRS) for name in ("auc", "auc_low", "auc_high")},
            "p_holm": Variable(_PAIRS, "float64"),
            **{name: Variable(("concept",), "int32") for name in ("positives", "asked")},
            "category": Variable(("concept",), "str"),
            **{name: Variable(_BY_PLACE, required=False, needs=_PLACED) for name in _PLACED},
            **{
                name: Variable(_ENDS, required=False, needs=_PLACED) for name in ("threshold", "active_share")
            },
        },
        sizes={},
        empty={
            "concept": "this concepts record has no concept; make it again with a smaller least=",
        },
    ),
    "units": Schema(
        version=1,
        variables={
            "selectivity": _of_units(*_OWN, needs=("preferred_class", "dead")),
            "preferred_class": _of_units(*_OWN, dtype="int32"),
            "class_mean": _of_units("unit", "cls"),
            "mean_activation": _of_units(*_OWN),
            "dead": _of_units(*_OWN, dtype="bool"),
            "precision_at_k": _of_units(*_OWN),
            "auc": _of_units(*_OWN, needs=("auc_error",)),
            "auc_error": _of_units(*_OWN),
            "rendered": _of_units(*_SHOWN, dtype="bool"),
            "silent": _of_units(*_SHOWN, dtype="bool"),
            "status": _of_units(*_SHOWN, dtype="str"),
            "image": _of_units(*_SHOWN, "y", "x", "rgb", dtype="uint8", needs=("rendered",)),
            # The image for display, of units whose `display` says which kind it is; of all others it is `image`.
            "display_image": _of_units(*_SHOWN, "y", "x", "rgb", dtype="uint8", needs=("display",)),
            "display": _of_units(*_SHOWN, dtype="str"),
            "display_response": _of_units(*_SHOWN, needs=("display",)),
            "own_response": _of_units(*_SHOWN, needs=("rendered",)),
            "rs": _of_units(*_SHOWN, needs=("rendered", "silent")),
            "rs_restarts": _of_units(*_SHOWN, "restart"),
            "rs_checkpoint": _of_units(*_SHOWN, "checkpoint"),
            # From images that were made live.
            "own_response_checkpoint": _of_units(*_SHOWN, "checkpoint"),
            "rs_normalized": _of_units(*_SHOWN),
            "substitutes": _of_units(*_OWN, dtype="int32"),
            "exceeder": _of_units(*_SHOWN, "k", dtype="int32", needs=("exceeder_response",)),
            "exceeder_response": _of_units(*_SHOWN, "k"),
            "response": _of_units(*_SHOWN, "other", dtype="float16"),
            "accuracy_drop": _of_units(*_OWN),
            "accuracy_drop_se": _of_units(*_OWN, needs=("accuracy_drop",)),
            "loss_increase": _of_units(*_OWN),
            "class_accuracy_drop": _of_units("unit", "cls"),
            "class_accuracy_drop_se": _of_units("unit", "cls", needs=("class_accuracy_drop",)),
            "cumulative_accuracy": _of_units(*_CURVE, needs=("cumulative_low", "cumulative_high")),
            "cumulative_low": _of_units(*_CURVE),
            "cumulative_high": _of_units(*_CURVE),
            "exemplar": _of_units("unit", "k", dtype="int32"),
            "exemplar_activation": _of_units("unit", "k"),
            "exemplar_position": _of_units("unit", "k", "yx", dtype="int32"),
            "exemplar_image": _of_units("unit", "k", "y", "x", "rgb", dtype="uint8"),
            "spread": _of_units("unit", "k", dtype="int32"),
            "spread_activation": _of_units("unit", "k"),
            "spread_position": _of_units("unit", "k", "yx", dtype="int32"),
            "spread_image": _of_units("unit", "k", "y", "x", "rgb", dtype="uint8"),
            **_asked("unit"),
        },
        sizes={},
        empty={"unit": "this units record has no units; make it again from a layer that has some"},
        check=_units_check,
    ),
    # A network up to a layer: each operation as JSON, and the bytes of its weights.
    "network": Schema(
        version=1,
        variables={
            "operation": Variable(("operation",), "str"),
            "weight": Variable(("byte",), "uint8"),
            "scale": Variable(("channel",)),
            "offset": Variable(("channel",)),
        },
        sizes={"channel": 3},
        empty={"operation": "this network record has no operation; make it again"},
        check=network_fault,
    ),
    "activations": Schema(
        version=1,
        variables={"activation": Variable(("sample", "unit"))},
        sizes={},
        empty={"sample": "this record has no activation vectors; sample at least one"},
    ),
    # The root of a tree; the films of one seed are film records below it. A cell that doesn't exist is NaN, and -1 in
    # best_dimension.
    "recovery": Schema(
        version=2,
        # "method" is an argument of `sel` itself.
        renamed={"method": "decomposition"},
        variables={
            "p": Variable(_CELL),
            "p_holm": Variable(_CELL),
            "p_rotation": Variable(_CELL),
            "observed": Variable(_CELL),
            "sweep": Variable(_CELL),
            "smoothness": Variable(_CELL),
            "r2": Variable(_CELL),
            "recovered": Variable(_CELL),
            "on_axis": Variable(_CELL),
            "best_dimension": Variable(_CELL, "int32"),
            "null": Variable((*_CELL, "draw")),
            "null_rotation": Variable((*_CELL, "draw")),
            "readout_curve": Variable((*_CELL, "point", "component")),
            "coordinate": Variable((*_CELL, "point")),
            "statistic": Variable(("bank",), "str"),
            "status": Variable(_FITTED, "str"),
            "converged": Variable(_FITTED),
            "filter_attribute": Variable(("attribute", "seed", "bank", "filter")),
            "embedding_scale": Variable(("attribute", "seed", "bank")),
            "bank_sha256": Variable(("seed", "bank"), "str"),
            "n_seeds": Variable(_OVER_SEEDS, "int32"),
            "share": Variable(_OVER_SEEDS),
            "share_low": Variable(_OVER_SEEDS),
            "share_high": Variable(_OVER_SEEDS),
            "share_on_axis": Variable(_OVER_SEEDS),
            "share_all": Variable(_OVER_SEEDS[1:], required=False),
            "sweep_mean": Variable(_OVER_SEEDS),
            "sweep_low": Variable(_OVER_SEEDS),
            "sweep_high": Variable(_OVER_SEEDS),
            "verdict": Variable(_TABLE, "str"),
            "note": Variable(_TABLE, "str"),
        },
        sizes={"component": 3},
        empty={
            "decomposition": "this recovery record has no decomposition; make it again with gabor_recovery",
            "n_components": "this recovery record has no number of components; make it again with gabor_recovery",
            "seed": "this recovery record has no bank seed; make it again with gabor_recovery",
            "bank": "this recovery record has no bank; make it again with gabor_recovery",
            "readout": "this recovery record has no readout; make it again with gabor_recovery",
            "draw": "this recovery record's null has no draws; make it again with permutations=19 or more",
            "point": "this recovery record's curves have no points; make it again with gabor_recovery",
        },
        check=_recovery_check,
    ),
}
