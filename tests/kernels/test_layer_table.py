"""How the table of layers is shown: every row and column of a deep network, and whatever is in a name."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
import torchvision
from torch import nn

import tunewidgets as tw
from tunewidgets.kernels.network.capture import Observed


@pytest.fixture(scope="module")
def deep():
    """ResNet-34: 124 layers and more, at a size that takes no time."""
    return tw.layers(torchvision.models.resnet34(weights=None), input_size=(3, 64, 64))


def test_every_row_and_column_of_a_deep_network_is_printed_within_100_characters(deep):
    assert len(deep) >= 124
    text = str(deep)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert "…" not in text
    assert "..." not in text
    heading, rows = lines[1], lines[2 : 2 + len(deep)]
    assert heading.split() == ["name", "kind", "units", "shape", "field", "stride", "rectified"]
    ends = {name: heading.index(name) + len(name) for name in ("units", "shape", "stride")}
    for (_, layer), line in zip(deep.iterrows(), rows, strict=True):
        shape, field = (" × ".join(map(str, layer[name])) for name in ("output_shape", "receptive_field"))
        assert line[2:].split()[:2] == [layer["name"], layer["kind"]]
        assert f"  {field}  " in line
        # Aligned: numbers end where their heading ends.
        assert line[: ends["units"]].endswith(f" {layer['units']}")
        assert line[: ends["shape"]].endswith(f"  {shape}")
        assert line[: ends["stride"]].endswith(" × ".join(map(str, layer["stride"])))
        assert line.endswith("yes") == layer["rectified"]
    assert "images of 64 × 64 px" in text


def test_names_that_are_too_long_stand_on_lines_of_their_own():
    model = torchvision.models.VisionTransformer(32, 8, num_layers=1, num_heads=2, hidden_dim=16, mlp_dim=24)
    table = tw.layers(model, input_size=(3, 32, 32))
    lines = str(table).splitlines()
    assert max(map(len, lines)) <= 100
    for name in table.name:
        assert sum(name in line[2:].split() for line in lines) == 1
    long = "encoder.layers.encoder_layer_0.self_attention"
    (place,) = [number for number, line in enumerate(lines) if line[2:] == long]
    assert lines[place + 1].split()[:2] == ["MultiheadAttention", "16"]


def test_a_star_marks_what_is_looked_at_when_no_layer_is_named(branched):
    linear = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 30 * 30, 5))
    for model in (branched.eval(), linear.eval()):
        table = tw.layers(model, input_size=(3, 32, 32))
        starred = [line[2:].split()[0] for line in str(table).splitlines()[2:-1] if line.startswith("* ")]
        assert starred == table.attrs["suggested"] == list(Observed(model, device="cpu").probes)


def test_it_is_a_data_frame_and_parts_of_it_are_tables_too(deep):
    assert isinstance(deep, pd.DataFrame)
    wide = deep[deep.units > 256]
    assert len(str(wide).splitlines()) == 2 + len(wide) + 3
    assert str(deep[["name", "units"]]).splitlines()[2].split() == ["conv1", "64"]
    assert str(pickle.loads(pickle.dumps(deep))) == str(deep)
    # What is no longer a table of layers is shown as pandas does.
    for other in (deep.set_index("name"), deep.describe(), deep.assign(depth=1)):
        assert str(other) == repr(pd.DataFrame(other))
        assert other._repr_html_() == pd.DataFrame(other)._repr_html_()


def test_a_notebook_shows_all_rows_and_names_as_text(deep):
    page = deep._repr_html_()
    assert page.count("<tr>") == 1 + len(deep)
    assert all(f">{name}<" in page for name in deep.name)
    odd = nn.Sequential()
    odd.add_module("<b>bold</b>", nn.Conv2d(3, 2, 3))
    page = tw.layers(odd, input_size=(3, 8, 8))._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page


def test_a_model_without_layers_gives_an_empty_table():
    assert "0 layers" in str(tw.layers(nn.Sequential()))


def test_a_class_with_a_long_name_is_cut_in_print_alone():
    class WhateverItsAuthorCalledThisBlock(nn.Identity):
        pass

    table = tw.layers(nn.Sequential(WhateverItsAuthorCalledThisBlock()), input_size=(3, 8, 8))
    assert "WhateverItsAuthorCa…" in str(table)
    assert table.kind.item() == "WhateverItsAuthorCalledThisBlock"


def test_sizes_are_those_of_the_image_that_was_sent_through():
    text = str(tw.layers(nn.Sequential(nn.Conv2d(3, 2, 3)), input_size=(3, 16, 24)))
    assert "images of 16 × 24 px" in text
    assert "2 × 14 × 22" in text


@pytest.mark.parametrize("size", [[3, 20, 24], np.array([3, 20, 24]), torch.tensor([3, 20, 24])])
def test_a_size_may_be_a_list_or_an_array(size):
    table = tw.layers(tw.zoo.gabor_bank(n=4), size)
    assert table.attrs["input_size"] == (3, 20, 24)
