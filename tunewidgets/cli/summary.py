"""A record in words: what it is, whole or partial, and how it was made.

In: a record. Out: text for a terminal. Imports no torch.
"""

import json
from typing import Any

import numpy as np
import xarray as xr

from tunewidgets.records import kind_of, settings_of


def summary(record: xr.Dataset | xr.DataTree) -> str:
    """What `tunewidgets info` prints about a record."""
    nodes = [node.to_dataset() for node in record.subtree] if isinstance(record, xr.DataTree) else [record]
    return "\n\n".join(_one(node) for node in nodes if "tunewidgets_record" in node.attrs)


def _one(record: xr.Dataset) -> str:
    kind = str(record.attrs["tunewidgets_record"])
    lines = [_film_headline(record) if kind.startswith("film/") else _headline(record)]
    if "unfinished" in record.attrs:
        lines.append(f"  unfinished: {record.attrs['unfinished']}; run the same study again to go on")
    facts = {"schema": kind, **_provenance(record.attrs)}
    lines += [f"  {name:<9} {value}" for name, value in facts.items() if value not in (None, "")]
    lines.append("Settings")
    settings = settings_of(record)
    width = max((len(name) for name in settings), default=0)
    lines += [f"  {name:<{width}}  {_plain(value)}" for name, value in settings.items()]
    if kind.startswith("film/"):
        lines += _film_dimensions(record)
    return "\n".join(lines)


def _provenance(attrs: dict[Any, Any]) -> dict[str, Any]:
    counts = {"images": attrs["n_images"], "activation vectors": attrs["n_vectors"]}
    source = attrs.get("weights_from")
    weights = f"{source} weights" if source == "random" else f"weights from {source}" if source else "weights"
    versions = ", ".join(f"{name} {version}" for name, version in json.loads(attrs["versions"]).items())
    return {
        "model": f"{attrs['model']} ({weights} {str(attrs['model_sha256'])[:12]}…)",
        "layer": attrs["layer"],
        "data": ", ".join(f"{count:,} {what}" for what, count in counts.items() if count),
        "seed": attrs["seed"],
        "made": f"{attrs['created']} with {versions}",
    }


def _headline(record: xr.Dataset) -> str:
    return f"A {kind_of(record)} record: {', '.join(f'{size} {dim}' for dim, size in record.sizes.items())}"


def _film_headline(film: xr.Dataset) -> str:
    s = film.sizes
    return (
        f"A film of {s['dimension']} tuning dimensions, {s['point']} points each, "
        f"{s['y']} × {s['x']} px, {s['unit']} units"
    )


def _film_dimensions(film: xr.Dataset) -> list[str]:
    statuses = [str(status) for status in film["status"].values]
    drawn = statuses.count("")
    state = "whole" if drawn == len(statuses) else f"partial: {drawn} of {len(statuses)} have images"
    lines = [f"Dimensions ({state})", "   #  variance  cosine  label"]
    labels = film["label"].values
    suggested = film["suggested_label"].values
    for i, status in enumerate(statuses):
        variance, cosine = float(film["explained_variance"][i]), film["cosine"].values[i]
        share = "       –" if np.isnan(variance) else f"{variance:8.1%}"
        reached = "     –" if np.isnan(cosine).all() else f"{np.nanmean(cosine):6.2f}"
        name = labels[i] or (f"({suggested[i]})" if suggested[i] else "")
        lines.append(f"  {i:>2}  {share}  {reached}  {status or name}".rstrip())
    return lines


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
