"""Still pictures: whatever things are called, their text stays inside."""

import numpy as np
import pytest
from films import make_film
from PIL import ImageFont
from recovery_records import make_recovery
from trial_records import make_trials
from unit_records import make_units

import tunewidgets as tw
from tunewidgets.widgets.stills import fitted

LONG = "a name that nobody reads to its end, " * 300


def explorer():
    film = make_film(2, 4, 8).assign_attrs(layer=LONG)
    return tw.TuningExplorer(film, labels=[f"{LONG}\nand on", "short"])


def scatter():
    return tw.UnitScatter(make_units(6, 8).assign_attrs(layer=LONG))


def checklist():
    return tw.RecoveryChecklist(make_recovery(("pca", LONG), seeds=(0,), banks=(LONG, "with mean")))


def reader_test():
    return tw.ReaderTest(make_trials().assign_attrs(layer=LONG))


@pytest.mark.parametrize("make", [explorer, scatter, checklist, reader_test])
def test_long_names_end_at_the_pictures_border(make):
    still = np.asarray(make()._still())
    assert still.shape[1] < 1200
    assert (still[:, -12:] == 255).all()
    assert (still[:40, :-16] < 200).any()


@pytest.mark.parametrize("text", ["short", "a name\nof two lines", LONG, "W" * 5000, ""])
@pytest.mark.parametrize("room", [0, 30, 100, 400])
def test_text_is_as_long_as_its_room_lets_it_be(text, room):
    font = ImageFont.load_default(12)
    line = " ".join(text.split())
    shown = fitted(text, font, room)
    if font.getlength(line) <= room:
        assert shown == line
        return
    assert shown.endswith("…")
    assert font.getlength(shown) <= max(room, font.getlength("…"))
    longer = f"{line[: len(shown)]}…"
    assert font.getlength(longer) > room
