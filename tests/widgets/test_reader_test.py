"""ReaderTest from Python's side: which trials are shown, what is hidden, and what becomes of answers."""

import base64
import io
import json

import numpy as np
import pytest
import traitlets
from films import make_film
from PIL import Image
from trial_records import make_trials

import tunewidgets as tw
from tunewidgets.widgets.trial_page import scrambled


@pytest.fixture
def record():
    return make_trials()


def unscrambled(facts):
    """What the page reads: the same mask once more."""
    text = base64.b64decode(facts["hidden"]).decode("latin-1")
    mask = base64.b64decode(scrambled("\0" * len(text), facts["key"]))
    return json.loads(bytes(a ^ b for a, b in zip(text.encode("latin-1"), mask, strict=True)))


@pytest.mark.parametrize("of", ["dimension", "unit"])
def test_a_quarter_of_the_trials_is_about_random_axes_and_the_rest_even(of):
    record = make_trials(of, count=4)
    test = tw.ReaderTest(record, trials=24)
    about = record[f"trial_{of}"].values[test._chosen.trials]
    assert [(about == at).sum() for at in range(-1, 4)] == [6, 5, 5, 4, 4]
    assert (np.diff(test._chosen.trials) > 0).all()
    # A single random axis serves all of them.
    assert len(test._references) == 5
    some = tw.ReaderTest(record, which=[2], trials=24)
    assert set(record[f"trial_{of}"].values[some._chosen.trials]) == {2, -1}
    assert some._test["of"] == of


def test_the_page_has_the_pictures_and_hides_what_is_right(record):
    test = tw.ReaderTest(record)
    facts, chosen = test._test, test._chosen
    hidden = unscrambled(facts)
    assert hidden["answers"] == record["trial_answer"].values[chosen.trials].tolist()
    assert [hidden["about"][at] for at in facts["question"]] == (
        record["trial_dimension"].values[chosen.trials].tolist()
    )
    assert not {"answers", "about"} & set(facts)
    for trial, encoded in zip(chosen.trials, test._patches, strict=True):
        seen = np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"), int)
        expected = np.concatenate(list(record["trial_patch"].values[trial]), 1)
        assert np.abs(seen - expected).mean() < 8
    reference = Image.open(io.BytesIO(test._references[0]))
    assert reference.size == (5 * 16, 2 * 16)


def test_large_pictures_are_sent_small_and_the_film_s_ends_first():
    test = tw.ReaderTest(make_trials(side=200, film=True, n=2, catch=2))
    assert test._test["patch"] == {"width": 128, "height": 128, "columns": 2}
    assert test._test["reference"] == {"width": 64, "height": 64, "columns": 6}


def test_pictures_stay_within_four_megabytes():
    record = make_trials(count=6, catch=8, n=10, side=128)
    noise = np.random.default_rng(0).integers(0, 256, record["trial_patch"].shape, dtype=np.uint8)
    test = tw.ReaderTest(record.assign(trial_patch=(record["trial_patch"].dims, noise)))
    assert sum(map(len, [*test._patches, *test._references])) <= 4e6


def test_answers_go_into_the_record_and_merge(record):
    test = tw.ReaderTest(record, reader="ann")
    test.answers = np.maximum(record["trial_answer"].values[test._chosen.trials], 0).tolist()
    left = test.answered()
    assert left["reader"].values.tolist() == ["ann"]
    assert (left["reader_right"] == left["reader_asked"]).all()
    assert int((left["reader_answer"] >= 0).sum()) == len(test.answers)
    other = tw.ReaderTest(left, reader="bo")
    assert set(other.answers) == {-1}
    other.answers[0] = 1
    merged = tw.merge_answers([left, other.answered()])
    assert merged["reader"].values.tolist() == ["ann", "bo"]
    assert "reader_answer" not in record


def test_a_copied_line_is_taken_and_no_other(record):
    test = tw.ReaderTest(record, trials=8)
    given = {"trials": test._test["key"], "reader": "cy", "answers": "LR------"}
    test.take(json.dumps({"tunewidgets-answers": given}))
    assert (test.reader, test.answers) == ("cy", [0, 1, -1, -1, -1, -1, -1, -1])
    for line in ("", "{}", "[]", json.dumps({"tunewidgets-answers": {**given, "answers": "LX"}})):
        with pytest.raises(ValueError, match="this is no line of answers; copy it"):
            test.take(line)
    for wrong in ({**given, "trials": "0" * 12}, {**given, "answers": "LR"}):
        with pytest.raises(ValueError, match="these answers are about other trials"):
            test.take(json.dumps({"tunewidgets-answers": wrong}))


def test_a_page_of_it_is_one_small_file(record, tmp_path):
    page = tw.export_html(tw.ReaderTest(record), tmp_path / "test.html").path
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size < 4e6
    assert "trial_answer" not in text


def test_a_still_picture_stands_in_where_no_widget_runs(record):
    assert tw.ReaderTest(record)._still().size[0] < 1200


def test_what_cannot_be_shown_is_said_in_one_sentence(record):
    for given, options, error, sentence in (
        (make_film(), {}, ValueError, "this record has no trials"),
        (record, {"trials": 0}, ValueError, "trials=0 can't be shown"),
        (record, {"which": [1, 9]}, ValueError, "no trials of dimension 9; the record has trials of 0, 1, 2"),
        (record, {"which": []}, ValueError, "which is empty"),
        (tw.records.layer_tree({"a": record}), {}, TypeError, "a tree of several layers; give one of them"),
        (record, {"answers": [0]}, traitlets.TraitError, "answers holds 1 values; give 32"),
        (record, {"answer": [0]}, TypeError, "did you mean 'answers'?"),
    ):
        with pytest.raises(error, match=sentence):
            tw.ReaderTest(given, **options)


def test_no_words_of_a_page_lead_into_somebodys_answers(record, tmp_path):
    with pytest.raises(ValueError, match="there is no place in test to lead to"):
        tw.export_html(["[Mine](#test.reader=ann)", tw.ReaderTest(record)], tmp_path / "test.html")
