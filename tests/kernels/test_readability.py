"""Trials and their machine readers: known answers, naive references, and a null that holds its level."""

import numpy as np
import pytest
import torch
import xarray as xr
from planted import NAMES, Planted, gratings

import tunewidgets as tw
from tunewidgets.kernels.readability import lpips, observers
from tunewidgets.kernels.readability.pairs import GRADES, Places, draw_pairs, extremes
from tunewidgets.kernels.readability.score import choices, p_of, wilson
from tunewidgets.kernels.readability.texture import Texture, energies, oriented_filters

QUIET = {"progress": False}


def units_of(probe):
    return xr.Dataset(
        {"mean_activation": ("unit", np.ones(probe.units, np.float32))},
        attrs=tw.records.new_attrs(
            "units", **probe.provenance(), settings={}, seed=0, n_images=1, n_vectors=None
        ),
    )


@pytest.fixture(scope="module")
def planted():
    probe = tw.Probe(Planted(), "read", device="cpu")
    return tw.add_trials(units_of(probe), probe, gratings(1000), catch=8, **QUIET)


@pytest.fixture(scope="module")
def probe():
    return tw.Probe(tw.zoo.gabor_bank(n=9), "relu", device="cpu")


@pytest.fixture(scope="module")
def film(probe):
    scenes = tw.zoo.images("dead-leaves", n=12, size=49, seed=3)
    sample = tw.sample_activations(probe, scenes, n=1500, progress=False)
    return tw.render_film(
        probe, tw.TuningDimensions("pca", 6).fit(sample), points=3, size=16, steps=2, progress=False
    )


@pytest.fixture(scope="module")
def others():
    return tw.zoo.images("dead-leaves", n=40, size=49, seed=4)


@pytest.fixture(scope="module")
def asked(film, probe, others):
    return tw.add_trials(film, probe, others, n=6, catch=8, k=4, **QUIET)


def test_what_is_planted_is_read_and_what_cannot_be_seen_is_not(planted):
    scored = tw.readability(planted, "texture", **QUIET)
    found = dict(zip(NAMES, scored["readability"].values, strict=True))
    assert min(found[name] for name in ("hue", "orientation", "frequency")) >= 0.95
    assert found["constant"] == 0.5
    for name in ("hidden", "constant"):
        at = NAMES.index(name)
        assert scored["readability_low"][at] <= 0.5 <= scored["readability_high"][at]
    assert (
        planted["trial_answer"].values[planted["trial_unit"].values == NAMES.index("constant")] == -1
    ).all()


def test_random_axes_and_permuted_references_are_called_readable_no_more_often_than_they_should_be(
    film, probe, others
):
    many = tw.add_trials(film, probe, others, n=20, catch=440, seed=1, **QUIET)
    found = choices(many, Texture(), Texture.alpha, False)
    question = many["trial_question"].values
    count = many.sizes["question"]
    right, permuted = (
        np.bincount(question, each, count)[film.sizes["dimension"] :] / 20
        for each in (found.right, found.permuted)
    )
    rng = np.random.default_rng(0)
    p = np.empty((2, 400))
    for draw in range(400):
        chosen = rng.permutation(len(right))[:33]
        p[:, draw] = p_of(np.array([right[chosen[0]], permuted[chosen[0]]]), right[chosen[1:]])
    assert (p <= 0.05).mean(1).max() <= 0.065
    assert 0.4 < (p[0] <= 0.5).mean() < 0.6


def test_the_p_of_one_score_is_that_of_a_two_sample_t_test():
    from scipy.stats import ttest_ind

    null = np.random.default_rng(0).normal(0.5, 0.1, 20)
    for score in (0.3, 0.6, 0.9):
        expected = ttest_ind([score], null, alternative="greater").pvalue
        assert p_of(np.array([score]), null)[0] == pytest.approx(expected)
    assert p_of(np.array([0.6, 0.5]), np.full(19, 0.5)).tolist() == [1 / 20, 1]


def test_a_score_s_interval_is_wilson_s():
    from scipy.stats import binomtest

    low, high = wilson(np.array([0.0, 0.65, 1.0]), np.array([20, 20, 20]))
    for at, right in enumerate((0, 13, 20)):
        exact = binomtest(right, 20).proportion_ci(method="wilson")
        assert (low[at], high[at]) == pytest.approx((exact.low, exact.high))


def test_everything_is_repeated_by_its_seed(asked, film, probe, others):
    again = tw.add_trials(film, probe, others, n=6, catch=8, k=4, **QUIET)
    assert again.identical(asked)
    assert tw.readability(asked, "texture", **QUIET).identical(tw.readability(again, "texture", **QUIET))
    other = tw.add_trials(film, probe, others, n=6, catch=8, k=4, seed=1, **QUIET)
    assert not other["trial_patch"].equals(asked["trial_patch"])


def test_patches_and_references_are_what_their_places_see(asked, film, probe, others):
    # A Gabor filter of 7 px at stride 2 without padding: position p sees 7 px from pixel 2p on.
    import torch.nn.functional as F

    shown = set()
    for trial in range(0, asked.sizes["trial"], 7):
        image, patch = asked["trial_image"].values[trial, 0], asked["trial_patch"].values[trial, 0]
        windows = F.unfold(others[int(image)][None], 7, stride=2).view(3, 7, 7, -1).movedim(3, 0)
        seen = F.interpolate(windows, (16, 16), mode="bilinear", antialias=True, align_corners=False)
        pixels = (seen.clamp(0, 1) * 255 + 0.5).to(torch.uint8).movedim(1, -1).numpy()
        assert (pixels == patch).all((1, 2, 3)).any()
        shown |= set(asked["trial_image"].values[trial].tolist())
    # No exemplar is of an image that a trial is of: their patches differ.
    patches = {picture.tobytes() for picture in asked["trial_patch"].values.reshape(-1, 16, 16, 3)}
    references = asked["question_exemplar"].values.reshape(-1, 16, 16, 3)
    assert not patches & {picture.tobytes() for picture in references}


def test_the_answer_is_the_side_that_lies_further(asked):
    further = asked["trial_coordinate"].values.argmax(1)
    assert (asked["trial_answer"].values == further).all()
    by_question = asked["trial_answer"].groupby(asked["trial_question"]).sum()
    assert (by_question == 3).all()
    assert (asked["trial_image"].values[:, 0] != asked["trial_image"].values[:, 1]).all()


def test_random_axes_are_mixed_in_and_look_like_all_others(asked):
    random = asked["trial_dimension"].values == -1
    assert random.sum() == 8 * 6
    assert 0 < random[: len(random) // 2].sum() < random.sum()
    about = asked["question_dimension"].values
    assert (about[asked["trial_question"].values] == asked["trial_dimension"].values).all()


def test_the_film_s_ends_are_shown_where_they_are_asked_for(film, probe, others):
    both = tw.add_trials(film, probe, others, n=4, catch=8, k=2, references="both", which=[4, 1], **QUIET)
    assert both["question_dimension"].values.tolist()[:3] == [4, 1, -1]
    for row, at in enumerate((4, 1)):
        along = film["coordinate"].values[at]
        for end, point in enumerate((along.argmin(), along.argmax())):
            assert (both["question_film"].values[row, end] == film["image"].values[at, point]).all()
    # Random axes have images of their own, made for them.
    assert len({end.tobytes() for end in both["question_film"].values.reshape(-1, 16, 16, 3)}) == 20
    alone = tw.add_trials(film, probe, others, n=4, catch=8, references="film", which=[4, 1], **QUIET)
    assert "question_exemplar" not in alone
    scored = tw.readability(alone, "texture", **QUIET)
    assert np.isfinite(scored["readability"].values).tolist() == [False, True, False, False, True, False]


def test_pairs_are_of_their_bands_and_their_brightness_does_not_tell():
    rng = np.random.default_rng(0)
    brightness = rng.normal(size=600)
    along = brightness + rng.normal(size=600)
    places = Places(np.arange(600), brightness, rng.uniform(size=600))
    order = np.argsort(along)
    for grade, ((a, b), (c, d)) in GRADES.items():
        pairs = draw_pairs(along, places, 20, grade, np.random.default_rng(1))
        further = np.take_along_axis(pairs.place, pairs.answer[:, None], 1)[:, 0]
        nearer = np.take_along_axis(pairs.place, 1 - pairs.answer[:, None], 1)[:, 0]
        assert set(nearer) <= set(order[round(a * 600) : round(b * 600)])
        assert set(further) <= set(order[round(c * 600) : round(d * 600)])
        assert len(set(pairs.place.ravel())) == 40
    # Where nothing is matched, three in four of the further places are the brighter ones.
    low, high = (order[round(a * 600) : round(b * 600)] for a, b in GRADES["hardest"])
    assert (brightness[high][:, None] > brightness[low][None]).mean() > 0.65
    assert abs((brightness[further] > brightness[nearer]).mean() - 0.5) <= 0.1
    assert np.abs(brightness[further] - brightness[nearer]).mean() < 0.5 * brightness.std()


def test_where_few_places_differ_the_rest_are_ties():
    along = np.zeros(400)
    along[:15] = np.arange(1, 16)
    places = Places(np.arange(400), np.zeros(400), np.zeros(400))
    pairs = draw_pairs(along, places, 20, "standard", np.random.default_rng(0))
    values = along[pairs.place]
    tied = values[:, 0] == values[:, 1]
    assert (pairs.answer[tied] == -1).all()
    assert (pairs.answer[~tied] == values[~tied].argmax(1)).all()
    # Above the band lie four of the fifteen places that have a value of their own.
    assert (~tied).sum() == 11


def test_extremes_are_those_that_sorting_gives():
    along, image = np.arange(12.0), np.repeat(np.arange(4), 3)
    ends = extremes(along, image, 3, np.random.default_rng(0))
    assert ends.tolist() == [[0, 3, 6], [11, 8, 5]]
    with pytest.raises(ValueError, match="k=5 exemplars need so many images"):
        extremes(along, image, 5, np.random.default_rng(0))


def test_a_function_decides_as_the_same_features_do(asked):
    texture = Texture()

    def alike(pictures, references):
        a, b = texture.embed(pictures), texture.embed(references)
        return -((a[:, None] - b[None]) ** 2).sum(2)

    scored = tw.readability(asked, alike, **QUIET)
    texture.alpha = None
    expected = tw.readability(asked, texture, **QUIET)
    np.testing.assert_allclose(scored["readability"], expected["readability"], atol=1e-6)
    np.testing.assert_allclose(scored["readability_null"], expected["readability_null"], atol=1e-6)
    assert tw.records.settings_of(scored)["readability"]["observer"] == "alike"


def test_one_who_always_prefers_the_answer_is_always_right(asked):
    flat = asked["trial_patch"].values
    further = np.take_along_axis(flat, asked["trial_answer"].values[:, None, None, None, None], 1)
    known = {picture.tobytes() for picture in further.reshape(-1, 16, 16, 3)}
    lesser = {picture.tobytes() for picture in flat.reshape(-1, 16, 16, 3)} - known
    high = {picture.tobytes() for picture in asked["question_exemplar"].values[:, 1].reshape(-1, 16, 16, 3)}

    def oracle(pictures, references):
        liked = np.array([0.0 if picture.tobytes() in lesser else 1.0 for picture in pictures])
        ends = np.array([1.0 if picture.tobytes() in high else -1.0 for picture in references])
        half = len(ends) // 2
        ends[:half], ends[half:] = -1, 1
        return liked[:, None] * ends[None]

    assert float(tw.readability(asked, oracle, **QUIET)["readability"].min()) >= 0.5
    assert (
        float(tw.readability(asked, lambda p, r: np.zeros((len(p), len(r))), **QUIET)["readability"].mean())
        == 0.5
    )


def test_a_filter_passes_its_own_orientation_and_scale():
    filters = oriented_filters(64)
    y, x = np.mgrid[:64, :64]
    for scale, frequency in ((1, 1 / 8), (2, 1 / 16)):
        for turn in range(6):
            angle = turn * np.pi / 6
            wave = np.cos(2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle)) + 0.7)
            found = energies(torch.tensor(wave, dtype=torch.float32).expand(1, 3, 64, 64), filters)[0, 0]
            assert divmod(int(found.argmax()), 6) == (scale, turn)


def test_lpips_is_the_mean_over_places_of_the_heads_weighted_squares(monkeypatch, tmp_path):
    torch.manual_seed(0)
    network = tw.zoo.load("squeezenet1_1", weights=None)
    widths = (64, 128, 256, 384, 384, 512, 512)
    heads = {f"lin{at}.model.1.weight": torch.rand(1, width, 1, 1) for at, width in enumerate(widths)}
    torch.save(heads, tmp_path / "squeeze.pth")
    monkeypatch.setattr(lpips, "heads_file", lambda: tmp_path / "squeeze.pth")
    monkeypatch.setattr(lpips, "load", lambda *_, **__: network)
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    features = lpips.Lpips().embed(pictures).astype(float)
    values = (
        torch.tensor(pictures).movedim(3, 1) / 127.5 - 1 - torch.tensor([-0.03, -0.088, -0.188]).view(3, 1, 1)
    ) / (torch.tensor([0.458, 0.448, 0.45]).view(3, 1, 1))
    expected, at = 0.0, 0
    with torch.no_grad():
        for index, module in enumerate(network.features):
            values = module(values)
            if index in (1, 4, 7, 9, 10, 11, 12):
                unit = torch.nn.functional.normalize(values, dim=1)
                squares = (unit[0] - unit[1]).square() * heads[f"lin{at}.model.1.weight"][0]
                expected, at = expected + float(squares.sum(0).mean()), at + 1
    assert ((features[0] - features[1]) ** 2).sum() == pytest.approx(expected, rel=0.01)


def test_without_lpips_the_observer_that_needs_no_weights_decides(asked, monkeypatch):
    monkeypatch.setattr(observers, "heads_file", lambda: None)
    monkeypatch.setattr(lpips, "heads_file", lambda: None)
    scored = tw.readability(asked, **QUIET)
    assert tw.records.settings_of(scored)["readability"]["observer"] == "texture"
    with pytest.raises(ModuleNotFoundError, match=r"install tunewidgets\[lpips\], or use observer='texture'"):
        tw.readability(asked, "lpips", **QUIET)


def test_the_probed_network_may_observe_itself_but_not_unwarned(asked, probe):
    with pytest.warns(UserWarning, match="the observer is the network that was probed"):
        tw.readability(asked, probe, **QUIET)
    another = tw.Probe(tw.zoo.gabor_bank(n=9, seed=5), "relu", device="cpu")
    assert tw.readability(asked, another, **QUIET)["readability"].notnull().all()


def test_holm_s_p_is_never_less_and_records_come_back_from_disk(asked, tmp_path):
    scored = tw.readability(asked, "texture", **QUIET)
    assert (scored["readability_p_holm"] >= scored["readability_p"]).all()
    assert tw.open_record(tw.save_record(scored, tmp_path / "film.zarr.zip")).identical(scored)


def test_other_trials_take_earlier_scores_and_answers_away(asked, probe, others, film):
    scored = tw.readability(asked, "texture", **QUIET)
    again = tw.add_trials(scored, probe, others, n=4, catch=8, **QUIET)
    assert not [name for name in again.variables if str(name).startswith("readability")]
    assert set(film.variables) <= set(again.variables)


def test_of_several_layers_the_probe_s_gets_trials_and_scores():
    probe = tw.Probe(Planted(), "read", device="cpu")
    other = units_of(probe).assign_attrs(layer="elsewhere")
    tree = tw.records.layer_tree({"elsewhere": other, "read": units_of(probe)})
    asked = tw.add_trials(tree, probe, gratings(300), n=4, catch=8, **QUIET)
    scored = tw.readability(asked, "texture", **QUIET)
    assert "trial_patch" not in scored["elsewhere"]
    assert scored["read"]["readability"].shape == (5,)
    tw.records.validate(scored)
    with pytest.raises(ValueError, match="no layer of these records has trials"):
        tw.readability(tree, **QUIET)


def test_images_of_the_record_s_own_description_are_warned_of(film, probe):
    scenes = tw.zoo.images("dead-leaves", n=12, size=49, seed=3)
    with pytest.warns(UserWarning, match="made from images of the same description"):
        asked = tw.add_trials(film, probe, scenes, n=4, catch=8, k=3, **QUIET)
    assert tw.records.settings_of(asked)["trials"]["same_description"] is True


def test_what_cannot_be_done_is_said_in_one_sentence(film, probe, others, asked):
    lle = film.drop_vars(["component", "unmixing", "center", "unit_mask"])
    for options, error, sentence in (
        ({"n": 0}, ValueError, "n=0 can't be used"),
        ({"catch": 3}, ValueError, "catch=3 can't be used; give a whole number from 8"),
        ({"grade": "easy"}, ValueError, "grade is 'easy'; choose one of 'standard', 'hard', 'hardest'"),
        ({"references": "words"}, ValueError, "references is 'words'; choose one of"),
        ({"which": [6]}, ValueError, "the record has dimensions 0 to 5"),
        ({"per_image": 0}, ValueError, "per_image=0 can't be used"),
        ({"per_image": 1}, ValueError, "n=20 trials need 20 places in each band"),
        ({"film_or_units": lle}, ValueError, "no linear fit"),
        ({"film_or_units": 3}, TypeError, "film_or_units is an int; give a film record or unit records"),
        ({"probe": tw.Probe(probe.model, "filters", device="cpu")}, ValueError, "is of layer 'relu'"),
        (
            {"film_or_units": units_of(probe), "references": "film"},
            ValueError,
            "needs a film's two ends, which units don't have",
        ),
    ):
        given = {"film_or_units": film, "probe": probe, "images": others, **options}
        with pytest.raises(error, match=sentence):
            tw.add_trials(**given, **QUIET)
    for record, observer, error, sentence in (
        (film, "auto", ValueError, "this record has no trials; give what add_trials gave"),
        (3, "auto", TypeError, "record is an int; give a record with trials"),
        (asked, "eyes", ValueError, "observer is 'eyes'; choose one of 'auto', 'lpips', 'texture'"),
        (asked, 3, TypeError, "observer is an int; give one of"),
        (asked, lambda p, r: np.zeros(3), ValueError, "where a finite likeness of each of 12 pictures"),
    ):
        with pytest.raises(error, match=sentence):
            tw.readability(record, observer, **QUIET)
