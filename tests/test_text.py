"""Text is text: hostile and outlandish names of layers, models, classes and dimensions, on disk and in figures."""

import pytest
from films import make_film
from unit_records import make_units

import tunewidgets as tw
from tunewidgets.cli.summary import summary

HOSTILE = [
    "<script>window.evil = 1</script>",
    "\"><img src=x onerror='window.evil = 1'>",
    "שלום \u202e العربية",
    "l" * 10_000,
    '%s {0} $x \\ / : * ? " < > |',
    "</textarea><!-- ${evil} -->",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("ending", [".zarr", ".zarr.zip"])
def test_names_come_back_from_disk_and_stay_in_the_folder(tmp_path, name, ending):
    record = make_units(4, 8, layer=name, classes=[name, "b"])
    record.attrs["model"] = name
    tree = tw.records.layer_tree({name: record})
    path = tw.save_record(tree, tmp_path / "inner" / f"u{ending}")
    (node,) = tw.open_record(path).children.values()
    assert (node.attrs["layer"], node.attrs["model"], node["cls"].values[0]) == (name, name, name)
    assert [p.name for p in tmp_path.iterdir()] == ["inner"]
    assert name in summary(tree)


@pytest.mark.parametrize("name", HOSTILE[:2])
def test_figures_take_names_for_text(name):
    """Plotly reads a few tags in text, so that a name's own must be escaped."""
    record = make_units(6, 8, layer=name, classes=[name, "b"])
    film = make_film(2, 3, 8)
    film["label"][0] = name
    film.attrs["layer"] = name
    for figure in (
        tw.figures.unit_scatter(record),
        tw.figures.film_strip(film, 0),
        tw.figures.film_sheet(film),
    ):
        for tag in ("<script", "<img"):
            assert tag not in " ".join(texts(figure.to_plotly_json()))


def texts(value):
    """Every text in a figure."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from texts(inner)
