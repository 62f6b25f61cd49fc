"""The recovery checklist: what must and what must not be found, that chance finds nothing, and that it goes on."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom
from sklearn.decomposition import PCA, FactorAnalysis

import tunewidgets as tw
from tunewidgets import records, zoo
from tunewidgets.kernels.gabor import run as recovery_run
from tunewidgets.kernels.gabor.bank_activations import Patches
from tunewidgets.kernels.gabor.cell import measure
from tunewidgets.kernels.gabor.nulls import label_null, loading_null, p_value, permuted
from tunewidgets.kernels.reading.attributes import ATTRIBUTES, embed
from tunewidgets.kernels.tuning.points import place_points
from tunewidgets.kernels.tuning.random_axes import RandomDirections
from tunewidgets.widgets.recovery_strips import strips_of

SEEDS = (0, 1, 2, 3)


def zero_mean(seed):
    return zoo.gabor_bank(seed=seed)


def with_mean(seed):
    return zoo.gabor_bank(seed=seed, zero_mean=False)


@pytest.fixture(scope="module")
def scenes():
    return zoo.images("dead-leaves", n=60, size=64)


@pytest.fixture(scope="module")
def quick(scenes):
    """Options of a small checklist."""
    return {"images": scenes, "n": 6000, "permutations": 59, "progress": False}


@pytest.fixture(scope="module")
def tree(quick):
    return tw.gabor_recovery(methods=("pca", "ica"), seeds=SEEDS, **quick)


@pytest.fixture(scope="module")
def filmed(quick, tmp_path_factory):
    store = tmp_path_factory.mktemp("films") / "recovery.zarr"
    tree = tw.gabor_recovery(
        zero_mean,
        ("pca", "nmf"),
        (3,),
        others="zero",
        films=True,
        store=store,
        random_directions=6,
        film_options={"size": 32, "steps": 6},
        **quick,
    )
    return tree, store


def cell(report, name, **where):
    return report[name].sel(where).squeeze()


@pytest.mark.parametrize(
    "options", [{}, {"pool": 3, "normalize": True}, {"pool": 3, "pooling": "rms"}], ids=str
)
def test_patches_give_what_sampling_a_bank_gives(scenes, options):
    patches = Patches(scenes, 300, 7, False, **options)
    for bank in (zoo.gabor_bank(seed=4), zoo.gabor_bank(n=5, size=9, stride=3, zero_mean=False)):
        expected = tw.sample_activations(
            tw.Probe(bank, "relu", device="cpu"),
            scenes,
            300,
            seed=7,
            progress=False,
            **options,
        )
        found = patches.activations(bank)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        for name in ("image", "y", "x"):
            np.testing.assert_array_equal(found[name], expected[name])
        assert found.attrs.pop("contrast", 0) == pytest.approx(expected.attrs.pop("contrast", 0), rel=1e-5)
        assert found.attrs == expected.attrs


def test_the_record_is_valid_and_comes_back_from_disk(tree, tmp_path):
    records.validate(tree)
    back = tw.open_record(tw.save_record(tree, tmp_path / "recovery.zarr.zip"))
    xr.testing.assert_identical(back.to_dataset(), tree.to_dataset())
    assert tree["p"].dims == ("attribute", "decomposition", "n_components", "seed", "bank", "readout")
    assert tree["null"].sizes["draw"] == 59
    assert not any(tree["verdict"].values.ravel())
    assert tree.attrs["n_images"] == 60


def test_pca_and_ica_with_three_dimensions_recover_phase_on_every_seed(tree):
    share = cell(tree, "share", attribute="phase", n_components=3, bank="zero-mean")
    np.testing.assert_array_equal(share, 1)
    np.testing.assert_allclose(
        cell(tree, "share_low", attribute="phase", n_components=3, bank="zero-mean"), 0.398, atol=1e-3
    )


@pytest.mark.parametrize("others", ["zero", "mean"])
def test_nmf_recovers_phase_only_if_the_others_are_held_at_the_mean(others, quick):
    tree = tw.gabor_recovery(zero_mean, ("nmf",), (3,), (0, 1), others=others, **quick)
    found = tree["recovered"].sel(n_components=3).squeeze()
    if others == "zero":
        assert not found.any()
        np.testing.assert_allclose(tree["sweep"], 0, atol=1e-5)
        assert (tree["p"] == 1).all()
    else:
        assert found.sel(attribute="phase").all()


def test_what_is_stored_agrees_with_itself(tree):
    report = tree.to_dataset()
    at_least = (report["null"] >= report["observed"] - 1e-6).sum("draw")
    np.testing.assert_allclose((1 + at_least) / 60, report["p"], atol=1e-6)
    rotated = (report["null_rotation"] >= report["observed"] - 1e-6).sum("draw")
    np.testing.assert_allclose((1 + rotated) / 60, report["p_rotation"], atol=1e-6)
    np.testing.assert_array_equal(report["recovered"], (report["p"] <= 0.05) & (report["smoothness"] >= 0.65))
    assert report["statistic"].values.tolist() == ["sweep", "r2"]
    for bank, name in (("zero-mean", "sweep"), ("with mean", "r2")):
        np.testing.assert_array_equal(report["observed"].sel(bank=bank), report[name].sel(bank=bank))
    assert (report["p_holm"] >= report["p"]).all()
    every = ((report["p_holm"] <= 0.05) & (report["smoothness"] >= 0.65)).all("attribute")
    np.testing.assert_allclose(report["share_all"], every.mean("seed"), atol=1e-6)
    # The curve of the best dimension, in natural units, sweeps what the record says.
    for columns, attribute in ((1, "frequency"), (2, "angle"), (3, "phase")):
        curve = report["readout_curve"].sel(attribute=attribute)
        assert curve[..., columns:].isnull().all()
        points = curve[..., :columns] / report["embedding_scale"].sel(attribute=attribute)
        apart = np.sqrt(((points - points.rename(point="other")) ** 2).sum("component"))
        np.testing.assert_allclose(
            apart.max(("point", "other")), report["sweep"].sel(attribute=attribute), rtol=1e-3
        )


def test_on_a_bank_that_sees_light_the_first_component_is_light_and_passes_for_frequency(tree):
    assert (
        cell(
            tree, "recovered", attribute="frequency", bank="with mean", decomposition="pca", n_components=3
        ).mean()
        >= 0.75
    )
    assert (
        cell(
            tree, "recovered", attribute="frequency", bank="zero-mean", decomposition="pca", n_components=3
        ).mean()
        <= 0.5
    )


def test_the_same_seed_gives_the_same_checklist_whatever_else_is_asked(tree, quick):
    again = tw.gabor_recovery(methods=("pca",), n_components=(6,), seeds=(2,), **quick)
    for name in ("p", "p_rotation", "sweep", "null", "null_rotation", "readout_curve", "best_dimension"):
        mine = again[name]
        np.testing.assert_array_equal(
            mine, tree[name].sel({dim: mine[dim].values for dim in mine.dims if dim in mine.coords})
        )


def chance(make, statistic, draws, k, options):
    """p-values `(draws, attribute)` of k random orthonormal directions, each draw on a bank and vectors of its own."""
    found = []
    for draw in range(draws):
        if draw % 20 == 0:
            scenes = zoo.images("dead-leaves", n=30, size=48, seed=100 + draw)
            patches = Patches(scenes, 1500, draw, False, **options)
        bank = make(1000 + draw)
        embedding = embed(bank.attributes)
        activations = patches.activations(bank)
        own = activations[np.random.default_rng(draw).choice(1500, 500, replace=False)]
        dimensions = tw.TuningDimensions(RandomDirections(k, random_state=draw)).fit(own)
        targets = np.stack([place_points(dimensions, i, 32, "arc", "mean").targets for i in range(k)])
        labels = permuted(embedding, 99, np.random.default_rng(draw))
        null, average = (
            label_null(targets, own.values.mean(axis=0), embedding, labels)
            if statistic == "sweep"
            else loading_null(targets, labels)
        )
        found.append(p_value(null, measure(targets, embedding)[statistic] / average).min(axis=1))
    return np.array(found)


@pytest.mark.parametrize(
    ("make", "statistic", "k", "options"),
    [
        (zero_mean, "sweep", 6, {}),
        (with_mean, "r2", 6, {}),
        (zero_mean, "sweep", 8, {"pool": 5, "pooling": "rms", "normalize": True}),
    ],
    ids=["zero-mean", "with mean", "pooled"],
)
def test_chance_finds_an_attribute_no_more_often_than_it_is_said_to(make, statistic, k, options):
    draws = 200
    p = chance(make, statistic, draws, k, options)
    found = (p <= 0.05).sum(axis=0)
    # Not significantly above .05: one-sided, at .05 over the three attributes.
    assert (binom.sf(found - 1, draws, 0.05) > 0.05 / 3).all(), dict(zip(ATTRIBUTES, found, strict=True))
    # Nor is it a test that never finds anything.
    assert (p <= 0.5).mean() > 0.35


def test_films_are_read_by_their_pictures_and_kept(filmed, quick):
    tree, store = filmed
    assert list(tree["films"].children) == ["bank-pca-3", "bank-nmf-3"]
    film = tree["films/bank-pca-3"]
    assert film["image"].shape == (3, 32, 32, 32, 3)
    pictures = tree.to_dataset().sel(readout="image").squeeze()
    assert np.isfinite(pictures["p"].sel({"decomposition": "pca"})).all()
    assert np.isfinite(pictures["readout_curve"].sel({"decomposition": "pca", "attribute": "phase"})).all()
    assert np.isnan(pictures["p_rotation"]).all()
    # NMF with the others at 0 has nothing to draw.
    assert np.isnan(pictures["p"].sel({"decomposition": "nmf"})).all()
    assert (pictures["best_dimension"].sel({"decomposition": "nmf"}) == -1).all()
    xr.testing.assert_identical(tw.open_record(store)["films/bank-pca-3"].to_dataset(), film.to_dataset())
    # The checklist finds them under the names that they have here.
    assert {strip.film.attrs["model_sha256"] for strip in strips_of(tree)} == {film.attrs["model_sha256"]}
    assert len(strips_of(tw.open_record(store))) == len(strips_of(tree))


def test_a_store_goes_on_with_new_seeds_and_keeps_what_a_reader_entered(tmp_path, quick, monkeypatch):
    options = {
        "bank": zero_mean,
        "methods": ("pca",),
        "n_components": (3,),
        "store": tmp_path / "r.zarr",
        **quick,
    }
    first = tw.gabor_recovery(seeds=(1,), **options)
    reader = first.copy(deep=True)
    reader["verdict"].loc[{"attribute": "phase"}] = "yes"
    tw.save_record(reader, options["store"])
    judged = []
    judge = recovery_run.judge
    monkeypatch.setattr(recovery_run, "judge", lambda *a: judged.append(a[-1]) or judge(*a))
    both = tw.gabor_recovery(seeds=(0, 1), **options)
    assert judged == [0]
    assert both["seed"].values.tolist() == [0, 1]
    np.testing.assert_array_equal(both["null"].sel(seed=[1]), first["null"])
    assert both["verdict"].sel(attribute="phase").item() == "yes"
    assert both["n_seeds"].max() == 2
    fresh = tw.gabor_recovery(zero_mean, ("pca",), (3,), (0, 1), **quick)
    np.testing.assert_array_equal(both["p"], fresh["p"])
    np.testing.assert_array_equal(both["share"], fresh["share"])


def test_what_is_finished_is_kept_when_it_is_interrupted(tmp_path, quick, monkeypatch):
    store = tmp_path / "r.zarr"
    judge = recovery_run.judge

    def stopped(*arguments):
        if arguments[-1] == 1:
            raise KeyboardInterrupt
        return judge(*arguments)

    monkeypatch.setattr(recovery_run, "judge", stopped)
    with pytest.raises(KeyboardInterrupt):
        tw.gabor_recovery(zero_mean, ("pca",), (3,), (0, 1), store=store, **quick)
    kept = tw.open_record(store)
    assert kept["status"].squeeze().values.tolist() == ["", "not computed yet"]
    assert np.isnan(kept["p"].sel(seed=1)).all()
    assert np.isfinite(kept["p"].sel(seed=0)).all()


def test_scikit_learn_estimators_and_cells_that_cannot_be_fitted(quick):
    tree = tw.gabor_recovery(
        lambda seed: zoo.gabor_bank(n=5, seed=seed),
        (PCA(), FactorAnalysis(), PCA(whiten=True)),
        (2, 9),
        **quick,
    )
    assert tree["decomposition"].values.tolist() == ["PCA", "FactorAnalysis", "PCA-2"]
    report = tree.to_dataset().squeeze()
    assert "n_components" in report["status"].sel({"decomposition": "PCA", "n_components": 9}).item()
    assert np.isnan(report["p"].sel({"decomposition": "PCA", "n_components": 9})).all()
    assert (report["best_dimension"].sel({"decomposition": "PCA", "n_components": 9}) == -1).all()
    # Whitening changes coordinates, not what they say.
    plain, white = (report["p"].sel({"decomposition": name, "n_components": 2}) for name in ("PCA", "PCA-2"))
    np.testing.assert_array_equal(plain, white)


def test_lle_has_no_subspace_to_rotate_in(quick):
    tree = tw.gabor_recovery(zero_mean, ("lle",), (2,), **{**quick, "n": 800})
    assert np.isfinite(tree["p"]).all()
    assert np.isnan(tree["p_rotation"]).all()
    assert np.isnan(tree["on_axis"]).all()


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"n_components": (3, 0)}, ValueError, "n_components is .* give whole numbers from 1"),
        ({"pooling": "max"}, ValueError, "pooling is 'max'; choose one of 'mean', 'rms'"),
        ({"pool": 4}, ValueError, "pool=4 can't be used; give an odd number"),
        ({"n_components": ()}, ValueError, "n_components is"),
        ({"seeds": (0, 0)}, ValueError, "seeds is .* each once"),
        ({"seeds": (-1,)}, ValueError, "seeds is"),
        ({"methods": ()}, ValueError, "methods is empty"),
        ({"methods": ("pac",)}, ValueError, "did you mean 'pca'"),
        ({"methods": ("pca", "pca")}, ValueError, "names 'pca' twice"),
        ({"methods": (PCA,)}, TypeError, "the class PCA"),
        ({"others": "median"}, ValueError, "others is 'median'; choose one of 'mean', 'zero'"),
        ({"permutations": 9}, ValueError, "permutations=9 .* from 19"),
        (
            {"permutations": 19, "alpha": 0.01},
            ValueError,
            "19 permutations can't reach p = 0.01; give 99 or more",
        ),
        ({"alpha": 5}, ValueError, "alpha=5 is no level"),
        ({"n": 0}, ValueError, "n=0 can't be used"),
        ({"random_directions": -1}, ValueError, "random_directions=-1"),
        ({"bank": {}}, ValueError, "bank is empty"),
        ({"bank": "gabor"}, TypeError, "bank is a str"),
        ({"bank": lambda seed: seed}, TypeError, "bank gave an int for seed 0"),
        ({"bank": zoo.gabor_bank(), "seeds": (0, 1)}, ValueError, "one bank is given for 2 bank seeds"),
        ({"bank": zoo.gabor_bank(frequency=(0.2, 0.2))}, ValueError, "have the same frequency"),
        (
            {"bank": zoo.gabor_bank(n=2), "methods": ("pca",)},
            ValueError,
            "no method could be fitted: n_components=3",
        ),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_sentence(options, error, sentence, quick):
    with pytest.raises(error, match=sentence):
        tw.gabor_recovery(**{**quick, **options})


def test_a_store_of_something_else_is_refused(filmed, quick, tmp_path):
    _, store = filmed
    with pytest.raises(ValueError, match=r"made with .* give another store, or the same settings"):
        tw.gabor_recovery(zero_mean, ("ica",), (3,), store=store, **quick)
    film = tw.save_record(tw.open_record(store)["films/bank-pca-3"].to_dataset(), tmp_path / "film.zarr")
    with pytest.raises(ValueError, match="holds a record of another kind"):
        tw.gabor_recovery(zero_mean, ("pca",), (3,), store=film, **quick)
    options = {"n_components": (2,), "methods": ("pca",), "store": tmp_path / "r.zarr", **quick}
    tw.gabor_recovery(zero_mean, **options)
    with pytest.raises(ValueError, match="banks with other weights"):
        tw.gabor_recovery(lambda seed: zoo.gabor_bank(seed=seed + 1), **options)


def test_a_checklist_goes_on_with_the_images_it_began_with(scenes, quick, tmp_path):
    batch = next(iter(scenes))
    options = {**quick, "n": 3000, "n_components": (2,), "methods": ("pca",), "store": tmp_path / "r.zarr"}
    tw.gabor_recovery(zero_mean, **{**options, "images": batch})
    with pytest.raises(ValueError, match="made with first_images='images of mean 0"):
        tw.gabor_recovery(zero_mean, **{**options, "images": batch.flip(0)})
