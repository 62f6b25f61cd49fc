"""What a film's pictures say its dimensions are about: drawn films whose answer is known, references, nulls, errors."""

import numpy as np
import pytest
import xarray as xr

import tunewidgets as tw
from tunewidgets.kernels.gabor.film_readout import judged, random_axes, short, suggestions
from tunewidgets.kernels.gabor.nulls import holm
from tunewidgets.kernels.reading.film_attributes import (
    FILM_ATTRIBUTES,
    attribute_curves,
    attribute_smoothnesses,
    attribute_sweeps,
    two_sided,
)
from tunewidgets.kernels.reading.opponent_colors import AXES, HUES, hue_amounts, oklab, opposition
from tunewidgets.kernels.tuning.random_axes import SubspaceAxes

SIDE, POINTS = 48, 9


def grating(frequency=0.125, angle=0.0, phase=0.0):
    """A gray grating with a second harmonic, so that it has a polarity; tiles where its waves are whole."""
    y, x = np.mgrid[:SIDE, :SIDE]
    along = 2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle)) + phase
    wave = 0.5 + 0.14 * np.cos(along) + 0.07 * np.cos(2 * along - phase)
    return np.repeat(wave[..., None], 3, axis=-1)


def blend(low, high, share):
    """A flat picture between two colors by way of gray."""
    one, other, gray = np.array(HUES[low]) / 255, np.array(HUES[high]) / 255, np.full(3, 0.5)
    color = gray + (one - gray) * max(1 - 2 * share, 0) + (other - gray) * max(2 * share - 1, 0)
    return np.broadcast_to(color, (SIDE, SIDE, 3))


def drawn(attribute, stripes=False):
    """A film of one dimension along which one attribute changes and no other.

    Colors go from one hue to the other; or, as `stripes`, both grow out of gray, side by side.
    """
    shares = np.linspace(0, 1, POINTS)
    if stripes:
        halves = [[blend(*AXES[attribute], (1 + s * share) / 2)[:24] for s in (-1, 1)] for share in shares]
        return np.stack([np.concatenate(half) for half in halves])
    if attribute in AXES:
        return np.stack([blend(*AXES[attribute], share) for share in shares])
    if attribute == "frequency":
        return np.stack([grating(frequency=round(3 + 5 * share) / SIDE) for share in shares])
    if attribute == "angle":
        return np.stack([grating(angle=0.4 * np.pi * share) for share in shares])
    # Four fifths of the way to the opposite: a half circle is not straight enough for a label.
    return np.stack([grating(phase=0.8 * np.pi * share) for share in shares])


@pytest.mark.parametrize(("name", "color"), HUES.items())
def test_a_named_color_is_wholly_its_own_hue(name, color):
    amounts = hue_amounts(np.zeros((2, 2, 3), np.uint8) + np.array(color, np.uint8))
    lab = oklab(np.array(color, np.uint8))
    expected = np.where(np.array(list(HUES)) == name, np.hypot(lab[1], lab[2]), 0)
    np.testing.assert_allclose(amounts, expected, atol=1e-9)


def test_the_hues_share_a_pixels_chroma():
    pictures = np.random.default_rng(0).random((3, 5, 4, 3))
    lab = oklab(pictures)
    chroma = np.hypot(lab[..., 1], lab[..., 2]).mean((-2, -1))
    amounts = hue_amounts(pictures)
    assert (amounts >= 0).all()
    np.testing.assert_allclose(amounts.sum(-1), chroma)
    np.testing.assert_allclose(hue_amounts(np.full((2, 2, 3), 0.3)), 0, atol=1e-6)


@pytest.mark.parametrize("attribute", AXES)
def test_an_axis_runs_from_one_hue_to_the_other(attribute):
    low, middle, high = (
        opposition(blend(*AXES[attribute], share))[list(AXES).index(attribute)] for share in (0, 0.5, 1)
    )
    assert low[0] < -0.1 < 0.1 < high[0]
    np.testing.assert_allclose([low[1], *middle, high[1]], 0, atol=1e-6)


def test_contrast_is_how_much_of_both_hues_a_picture_holds():
    both = np.concatenate([blend("orange", "blue", 0)[:12], blend("orange", "blue", 1)[:36]])
    orange, blue = (hue_amounts(blend("orange", "blue", share)).max() for share in (0, 1))
    position, contrast = opposition(both)[list(AXES).index("orange/blue")]
    assert contrast == pytest.approx(2 * min(orange / 4, blue * 3 / 4))
    assert position == pytest.approx(blue * 3 / 4 - orange / 4)


def test_oklab_is_what_its_author_printed():
    # Ottosson's own table: XYZ white, and sRGB red, green and blue as CSS Color 4 rounds them.
    colors = np.array([[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    expected = [[1, 0, 0], [0.628, 0.225, 0.126], [0.866, -0.234, 0.179], [0.452, -0.032, -0.312]]
    np.testing.assert_allclose(oklab(colors), expected, atol=6e-4)


def test_only_both_sides_of_neutral_count():
    assert two_sided(np.linspace(0, 1, 5)) == 0
    assert two_sided(np.linspace(-0.2, 1, 5)) == pytest.approx(0.4)
    assert two_sided(np.linspace(0.7, -0.7, 5)) == pytest.approx(1.4)


# What each attribute sweeps if it goes all the way.
WHOLE = {"frequency": 1.4, "angle": 2, "phase": 1, **dict.fromkeys(AXES, 0.35)}


@pytest.mark.parametrize("attribute", FILM_ATTRIBUTES)
def test_a_drawn_film_moves_its_own_attribute_and_no_other(attribute):
    curves = attribute_curves(drawn(attribute))
    sweeps = dict(zip(FILM_ATTRIBUTES, attribute_sweeps(curves), strict=True))
    smooth = dict(zip(FILM_ATTRIBUTES, attribute_smoothnesses(curves), strict=True))
    shares = {name: sweeps[name] / WHOLE[name] for name in FILM_ATTRIBUTES}
    assert max(shares, key=shares.get) == attribute
    assert shares[attribute] > 0.6
    assert smooth[attribute] >= 0.65
    assert max(share for name, share in shares.items() if name != attribute) < 0.5 * shares[attribute]


@pytest.mark.parametrize("attribute", AXES)
def test_contrast_that_grows_out_of_gray_is_told_apart_too(attribute):
    # The two halves differ in luminance too, so that only the colors are compared.
    swept = dict(
        zip(FILM_ATTRIBUTES, attribute_sweeps(attribute_curves(drawn(attribute, stripes=True))), strict=True)
    )
    others = [swept[name] for name in AXES if name != attribute]
    assert swept[attribute] > 0.15 > 0.05 > max(others)


def test_axes_of_a_subspace_stay_in_it_and_are_orthonormal():
    rng = np.random.default_rng(1)
    within, X = rng.normal(size=(3, 7)), rng.normal(size=(40, 7))
    axes = SubspaceAxes(within, 8, 0).fit(X).components_
    for frame in (axes[:3], axes[3:6], axes[6:]):
        np.testing.assert_allclose(frame @ frame.T, np.eye(len(frame)), atol=1e-12)
    basis = np.linalg.qr(within.T)[0]
    np.testing.assert_allclose(axes @ basis @ basis.T, axes, atol=1e-12)


@pytest.fixture(scope="module")
def probe():
    return tw.Probe(tw.zoo.gabor_bank(n=9), "relu", device="cpu")


@pytest.fixture(scope="module")
def sample(probe):
    return tw.sample_activations(probe, tw.zoo.images("dead-leaves", n=12, size=49), n=1500, progress=False)


def filmed(probe, sample, method="ica", **options):
    fitted = tw.TuningDimensions(method, 3).fit(sample)
    return tw.render_film(probe, fitted, points=4, size=16, steps=2, progress=False, **options)


@pytest.fixture(scope="module")
def film(probe, sample):
    return filmed(probe, sample)


@pytest.fixture(scope="module")
def read(film, probe, sample):
    return tw.read_film(film, probe, sample, null=139, points=3, progress=False)


def test_every_dimension_has_its_p_values_and_the_record_keeps_them(read, tmp_path):
    assert read["attribute_p"].shape == (3, 7)
    assert read["attribute_null"].shape == (7, 139)
    assert ((read["attribute_p"] >= 1 / 140) & (read["attribute_p"] <= 1)).all()
    assert (read["attribute_p_holm"] >= read["attribute_p"]).all()
    tw.save_record(read, tmp_path / "film.zarr")
    back = tw.open_record(tmp_path / "film.zarr")
    assert back["attribute"].values.tolist() == list(FILM_ATTRIBUTES)
    xr.testing.assert_equal(back["attribute_sweep"], read["attribute_sweep"])


def test_p_values_are_what_counting_gives(read, film):
    few = film["image"].values[:, [0, 2, 3]]
    for row in range(3):
        observed = attribute_sweeps(attribute_curves(few[row]))
        for at in range(7):
            beaten = sum(draw >= observed[at] - 1e-6 for draw in read["attribute_null"].values[at])
            assert read["attribute_p"].values[row, at] == pytest.approx((1 + beaten) / 140)


def test_activations_may_lie_the_other_way_round(read, film, probe, sample, monkeypatch):
    swept = read["attribute_null"].values.astype(float)
    monkeypatch.setattr("tunewidgets.kernels.gabor.film_readout.random_axes", lambda *given: swept)
    again = tw.read_film(film, probe, sample.T, null=139, points=3, progress=False)
    np.testing.assert_allclose(again["attribute_p"], read["attribute_p"], atol=0.02)


def test_a_short_film_is_compared_by_all_its_points(read, film, probe, sample, monkeypatch):
    points, swept = [], read["attribute_null"].values.astype(float)
    monkeypatch.setattr(
        "tunewidgets.kernels.gabor.film_readout.random_axes", lambda *given: points.append(given[4]) or swept
    )
    again = tw.read_film(film, probe, sample, null=139, progress=False)
    assert points == [tw.records.settings_of(again)["readout"]["points"]] == [film.sizes["point"]] == [4]
    np.testing.assert_array_equal(again["attribute_observed"], again["attribute_sweep"])


def test_random_axes_are_decided_by_their_seed(film, probe, sample):
    one, again, other = (random_axes(film, probe, sample, 4, 2, seed, progress=False) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_a_unit_that_never_varies_has_no_part_in_random_axes(probe, sample):
    silent = sample.copy()
    silent[:, 4] = 0
    axes = random_axes(filmed(probe, silent), probe, silent, 4, 2, 0, progress=False)
    assert axes.shape == (7, 4)
    assert (axes > 0).any()


def test_pca_takes_over_icas_null_for_they_span_one_subspace(read, probe, sample):
    pca = filmed(probe, sample, "pca")
    taken = tw.read_film(pca, probe, sample, null=read)
    np.testing.assert_array_equal(taken["attribute_null"], read["attribute_null"])
    assert tw.records.settings_of(taken)["readout"]["points"] == 3
    with pytest.raises(ValueError, match="made with mode="):
        tw.read_film(filmed(probe, sample, mode="cosine"), probe, sample, null=read)
    nmf = filmed(probe, sample, "nmf")
    with pytest.raises(ValueError, match="another subspace"):
        tw.read_film(nmf, probe, sample, null=read)


def drawn_film(film, names):
    """The film with drawn pictures in place of its own."""
    pictures = np.stack([drawn(name) for name in names])
    image = (pictures * 255).round().astype(np.uint8)
    dims = ("dimension", "point", "y", "x", "rgb")
    return xr.Dataset({"image": (dims, image), "status": ("dimension", [""] * len(names))})


def test_drawn_films_get_their_own_label_and_a_still_one_none(film):
    # A null of the size that random axes have: everything changes a little.
    rng = np.random.default_rng(0)
    whole = np.array(list(WHOLE.values()))
    swept = np.abs(rng.normal(size=(7, 199))) * whole[:, None] * 0.2
    # Draws beyond what a full sweep is are what the largest p-value is made of.
    swept = np.minimum(swept, 0.55 * whole[:, None])
    found = judged(drawn_film(film, FILM_ATTRIBUTES), swept, 5)
    labels = suggestions(found, swept, 0.05)
    assert [label.rpartition(",")[0] for label in labels] == list(FILM_ATTRIBUTES)
    assert all(label.endswith("p = .035") for label in labels)
    still = xr.Dataset(
        {
            "image": (("dimension", "point", "y", "x", "rgb"), np.full((1, 5, 16, 16, 3), 128, np.uint8)),
            "status": ("dimension", [""]),
        }
    )
    assert suggestions(judged(still, swept, 5), swept, 0.05) == [""]


def test_chance_gets_a_label_at_most_as_often_as_alpha_says():
    # Draws against others like them, all attributes at once and correlated, as pictures' are.
    rng = np.random.default_rng(3)
    labeled = 0
    for _ in range(400):
        draws = np.abs(rng.normal(size=(1, 200)) + rng.normal(size=(7, 200)))
        swept, observed = draws[:, 1:], draws[:, :1]
        p = (1 + (swept >= observed).sum(1)) / 200
        found = {"observed": observed.T, "p_holm": holm(p)[None], "smoothness": np.ones((1, 7))}
        labeled += suggestions(found, swept, 0.05) != [""]
    assert labeled / 400 <= 0.08


def test_a_dimension_without_pictures_has_no_numbers(read, probe, sample, film):
    failed = film.assign(status=("dimension", np.array(["", "constant direction", ""], dtype=object)))
    again = tw.read_film(failed, probe, sample, null=read)
    assert np.isnan(again["attribute_p"].values[1]).all()
    assert np.isfinite(again["attribute_p"].values[[0, 2]]).all()
    assert again["suggested_label"].values[1] == ""


def test_p_is_written_short():
    assert [short(p) for p in (0.035, 0.05, 0.2, 0.0001)] == [".035", ".05", ".2", "< .001"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"null": 100}, "give 139 or more random axes"),
        ({"null": True}, "give 139 or more random axes"),
        ({"alpha": 0.01, "null": 199}, "give 699 or more"),
        ({"points": 5}, "from 2 to the film's own 4 points"),
        ({"alpha": 2}, "is no level"),
    ],
)
def test_options_out_of_range_are_said_at_once(film, probe, sample, options, words):
    with pytest.raises(ValueError, match=words):
        tw.read_film(film, probe, sample, **options)


def test_films_that_cannot_be_read_are_refused(film, probe, sample):
    with pytest.raises(ValueError, match="was not read"):
        tw.read_film(film, probe, sample, null=film)
    bare = film.drop_vars(["component", "unmixing", "center"])
    with pytest.raises(ValueError, match="no linear fit"):
        tw.read_film(bare, probe, sample, points=2)
    with pytest.raises(ValueError, match="give its own"):
        tw.read_film(film, tw.Probe(tw.zoo.gabor_bank(n=9), "filters", device="cpu"), sample)
