"""Several readers' answers in one record, and how far they agree."""

import numpy as np
import pytest
import xarray as xr
from films import make_film

import tunewidgets as tw
from tunewidgets.derived.trials import krippendorff_alpha, with_readers


def with_trials(answers=(0, 1, 1, 0, -1, 1), questions=(0, 1, 2, 0, 1, 2)) -> xr.Dataset:
    """A film with trials of two dimensions and a random axis; of the trial before the last, neither side is right."""
    film = make_film(3, 2, 8)
    patch = np.random.default_rng(0).integers(0, 256, (len(answers), 2, 8, 8, 3), dtype=np.uint8)
    about = np.array([0, 2, -1], np.int32)
    return film.assign(
        trial_patch=(("trial", "side", "y", "x", "rgb"), patch),
        trial_answer=("trial", np.array(answers, np.int8)),
        trial_question=("trial", np.array(questions, np.int32)),
        trial_dimension=("trial", about[list(questions)]),
        question_dimension=("question", about),
    )


def test_readers_are_joined_and_their_right_answers_counted():
    record = with_trials()
    ann = with_readers(record, np.array([[0, 1, 0, 1, 0, -1]]), ["ann"])
    two = with_readers(record, np.array([[0, -1, 1, 0, 1, 1], [-1] * 6]), ["bo", "ann"])
    merged = tw.merge_answers([ann, two])
    assert merged["reader"].values.tolist() == ["ann", "bo", "ann 2"]
    # Of the tie nobody is right or wrong.
    assert merged["reader_asked"].values.tolist() == [[2, 1, 1], [2, 0, 2], [0, 0, 0]]
    assert merged["reader_right"].values.tolist() == [[1, 1, 0], [2, 0, 2], [0, 0, 0]]
    assert merged["reader_share"].values.tolist() == pytest.approx([3 / 4, 1, 2 / 3])
    assert merged["reader_low"][1] == pytest.approx(0.025)
    about = tw.records.settings_of(merged)["answers"]
    assert (about["readers"], about["answers"]) == (3, 10)
    assert about["krippendorff_alpha"] == pytest.approx(krippendorff_alpha(merged["reader_answer"].values))
    tw.records.validate(merged)
    assert tw.merge_answers([merged])["reader_answer"].equals(merged["reader_answer"])


def test_alpha_of_krippendorff_s_own_example():
    # Content analysis (2004), section 11.3: four observers, twelve units, five values; nominal alpha is .743.
    a = [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None]
    b = [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3]
    c = [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None]
    d = [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None]
    table = np.array([[-1 if value is None else value for value in row] for row in (a, b, c, d)])
    assert krippendorff_alpha(table) == pytest.approx(0.743, abs=5e-4)


def test_alpha_where_there_is_nothing_to_agree_on_or_all_agree():
    assert np.isnan(krippendorff_alpha(np.array([[0, -1], [-1, 1]])))
    assert np.isnan(krippendorff_alpha(np.full((2, 3), -1)))
    assert krippendorff_alpha(np.array([[1, 1], [1, 1]])) == 1
    rng = np.random.default_rng(0)
    assert abs(krippendorff_alpha(rng.integers(0, 2, (2, 20_000)))) < 0.03


def test_no_trial_with_two_answers_leaves_agreement_unknown(tmp_path):
    merged = tw.merge_answers([with_readers(with_trials(), np.array([[0, 1, 1, 0, 0, 1]]), ["ann"])])
    assert tw.records.settings_of(merged)["answers"]["krippendorff_alpha"] is None
    assert tw.open_record(tw.save_record(merged, tmp_path / "film.zarr")).identical(merged)


def test_what_cannot_be_merged_is_said_in_one_sentence():
    record = with_trials()
    one = with_readers(record, np.array([[0] * 6]), ["ann"])
    turned = one.assign(trial_answer=one["trial_answer"][::-1])
    for given, error, sentence in (
        (one, TypeError, "records is a Dataset; give a list of records with answers"),
        ([], ValueError, "there are no records to merge"),
        ([make_film()], ValueError, "this record has no trials"),
        ([record], ValueError, "a record has no answers of a reader"),
        ([one, turned], ValueError, "the records' trials differ"),
    ):
        with pytest.raises(error, match=sentence):
            tw.merge_answers(given)
