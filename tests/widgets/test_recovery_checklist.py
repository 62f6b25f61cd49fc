"""RecoveryChecklist from Python's side: traits, marks, tables, what it sends and what it leaves in a notebook."""

import base64
import csv
import io
import json
import subprocess
import sys
import time

import numpy as np
import pytest
import traitlets
import xarray as xr
from films import make_film
from PIL import Image
from recovery_records import make_recovery
from scipy.stats import beta

import tunewidgets as tw
from tunewidgets import records
from tunewidgets.derived.recovery_marks import RecoveryLook, cells_of, level_of, paper_mark
from tunewidgets.records import RecordError
from tunewidgets.widgets import recovery_page, recovery_strips

FAILED = {("nmf", 6): "NMF found fewer than 6 dimensions"}


@pytest.fixture(scope="module")
def report() -> xr.DataTree:
    return make_recovery(failed=FAILED, readouts=("activation", "image"), films=True)


@pytest.fixture
def checklist(report: xr.DataTree) -> tw.RecoveryChecklist:
    return tw.RecoveryChecklist(report)


class TestTraits:
    def test_start(self, checklist, report):
        assert (checklist.bank, checklist.readout, checklist.seed) == ("zero-mean", "activation", 0)
        assert (checklist.alpha, checklist.opened) == (0.05, "")
        assert (checklist.verdicts, checklist.notes) == ({}, {})
        assert checklist.report is report

    @pytest.mark.parametrize(
        ("name", "value", "sentence"),
        [
            ("bank", "colored", "bank is 'colored', which this record doesn't have; give one of 'zero-mean'"),
            ("readout", "text", "give one of 'activation', 'image'"),
            ("seed", 7, "seed is 7, which this record doesn't have; give one of 0, 1, 2"),
            ("alpha", 0.1, "at most 0.05, at which this record was made"),
            ("alpha", 0.0, "above 0"),
            ("opened", "angle/ica-4", "opened names the cell 'angle/ica-4'.*named like 'frequency/pca-3'"),
            ("verdicts", {"angle/ica-6": "maybe"}, "give 'yes', 'no' or 'unsure'"),
            ("verdicts", {"color/ica-6": "yes"}, "verdicts names the cell 'color/ica-6'"),
            ("notes", {"": "hm"}, "notes names the cell ''"),
        ],
    )
    def test_bad_values_are_refused_in_a_sentence(self, checklist, name, value, sentence):
        before = getattr(checklist, name)
        with pytest.raises(traitlets.TraitError, match=sentence):
            setattr(checklist, name, value)
        assert getattr(checklist, name) == before

    def test_verdicts_and_notes_go_into_a_copy_of_the_record(self, tmp_path):
        report = make_recovery(("ica", "lle"), (3,), (0,), films=True, size=8)
        checklist = tw.RecoveryChecklist(report)
        checklist.verdicts = {"angle/ica-3": "no", "phase/lle-3": "unsure"}
        checklist.notes = {"angle/ica-3": "only <b>looks</b> so"}
        path = tw.save_record(checklist.judged(), tmp_path / "recovery.zarr.zip")
        again = tw.RecoveryChecklist(path)
        assert again.verdicts == {"angle/ica-3": "no", "phase/lle-3": "unsure"}
        assert again.notes == {"angle/ica-3": "only <b>looks</b> so"}
        assert (
            again.report["verdict"]
            .sel({"attribute": "angle", "decomposition": "ica", "n_components": 3})
            .item()
            == "no"
        )
        assert not (report["verdict"].values != "").any()
        # The films are still there, under whatever names saving gives their nodes.
        assert len(again._strips) == len(checklist._strips) > 3


class TestMarks:
    def test_at_the_records_level_they_are_the_records_own(self, report):
        for bank in report["bank"].values:
            for readout in report["readout"].values:
                for seed in report["seed"].values:
                    cells = cells_of(
                        report, RecoveryLook(str(bank), str(readout), int(seed), level_of(report))
                    )
                    for kind, name in (("in_subspace", "recovered"), ("on_axis", "on_axis")):
                        found = [np.nan if getattr(c, kind) is None else getattr(c, kind) for c in cells]
                        own = report[name].sel(bank=bank, readout=readout, seed=seed).values.ravel()
                        np.testing.assert_array_equal(np.array(found, float), own)

    def test_cells_that_do_not_exist_are_not_a_no(self, checklist):
        gone = [cell for cell in checklist.cells() if (cell.method, cell.n_components) == ("nmf", 6)]
        assert [(c.in_subspace, c.on_axis, c.p, c.seeds) for c in gone] == [(None, None, None, 0)] * 3
        assert {cell.reason for cell in gone} == {FAILED["nmf", 6]}
        lle = [cell for cell in checklist.cells() if cell.method == "lle"]
        assert all(cell.in_subspace is not None and cell.on_axis is None for cell in lle)

    def test_a_lower_level_asks_more(self, checklist):
        some = sum(cell.in_subspace is True for cell in checklist.cells())
        checklist.alpha = 0.025
        fewer = [cell for cell in checklist.cells() if cell.in_subspace]
        assert 0 < len(fewer) < some
        assert all(cell.p <= 0.025 + 1e-6 for cell in fewer)

    def test_seeds_are_counted(self, checklist, report):
        for cell in checklist.cells():
            where = {
                "attribute": cell.attribute,
                "decomposition": cell.method,
                "n_components": cell.n_components,
            }
            own = report["recovered"].sel({**where, "bank": "zero-mean", "readout": "activation"}).values
            assert (cell.recovering, cell.seeds) == (np.nansum(own), (~np.isnan(own)).sum())

    def test_all_three_need_holms_p_values_of_one_seed(self):
        sure = {"pca": (2.5, 2.5, 2.5), "ica": (0.3, 2.5, 2.5), "nmf": (1.6, 1.6, 1.6)}
        report = make_recovery(("pca", "ica", "nmf"), seeds=range(8), draws=199, strength=sure, failed=FAILED)
        checklist = tw.RecoveryChecklist(report)
        for checklist.bank in ("zero-mean", "with mean"):
            found = {(cell.method, cell.n_components): cell for cell in checklist.all_three()}
            own = report.to_dataset().sel(bank=checklist.bank, readout="activation")
            recovers = ((own["p_holm"] <= 0.05) & (own["smoothness"] >= 0.65)).all("attribute")
            counts = recovers.sum("seed").to_series().to_dict()
            assert {key: cell.recovering for key, cell in found.items()} == counts
            assert (found["pca", 3].recovering, found["ica", 3].recovering) == (8, 0)
            assert 0 < found["nmf", 3].recovering < 8
        assert (found["pca", 3].seeds, found["nmf", 6].seeds) == (8, 0)
        assert (found["pca", 3].in_subspace, found["nmf", 6].in_subspace) == (True, None)
        assert found["nmf", 6].reason == FAILED["nmf", 6]
        assert (found["ica", 6].paper, found["pca", 6].paper, found["nmf", 3].paper) == (True, False, False)
        largest = own["p_holm"].max("attribute").sel({"decomposition": "nmf", "n_components": 3, "seed": 0})
        assert found["nmf", 3].p == pytest.approx(largest.item())

    def test_films_say_nothing_of_all_three(self, report):
        of_films = report.to_dataset(inherit=False)
        settings = {**records.settings_of(of_films), "subject": "films"}
        checklist = tw.RecoveryChecklist(of_films.assign_attrs(settings=json.dumps(settings)))
        assert checklist.all_three() == []
        assert "all three" not in checklist.to_markdown().lower()

    def test_the_papers_table(self):
        rows = [[paper_mark(a, m, k) for m in ("pca", "ica", "nmf", "lle") for k in (3, 6)] for a in range(3)]
        assert rows[0] == [True] * 4 + [False] * 4
        assert rows[1] == [False] * 2 + [True] * 2 + [False] * 4
        assert rows[2] == rows[0]
        assert paper_mark(0, "pca", 4) is None
        assert paper_mark(0, "FactorAnalysis", 3) is None

    def test_agreement(self, checklist):
        cells = checklist.cells()
        yes = next(c for c in cells if c.in_subspace and c.on_axis is False)
        no = next(c for c in cells if c.in_subspace is False and c.on_axis is None)
        gone = next(c for c in cells if c.in_subspace is None)
        checklist.verdicts = {yes.key: "yes", no.key: "yes", gone.key: "no", cells[0].key: "unsure"}
        assert checklist.agreement() == {
            "in_subspace": {"agree": 1, "of": 2, "unsure": 1, "unmarked": 1},
            "on_axis": {"agree": 0, "of": 1, "unsure": 1, "unmarked": 2},
        }


class TestTables:
    def test_csv_has_every_number(self, checklist):
        checklist.notes = {"angle/ica-6": 'a "quoted", note\nof two lines'}
        checklist.verdicts = {"angle/ica-6": "yes"}
        rows = list(csv.DictReader(io.StringIO(checklist.to_csv())))
        assert len(rows) == 32
        for row, cell in zip(rows, [*checklist.cells(), *checklist.all_three()], strict=True):
            assert (row["attribute"], row["method"], int(row["n_components"])) == (
                cell.attribute,
                cell.method,
                cell.n_components,
            )
            assert row["p"] == ("" if cell.p is None else f"{cell.p:.6f}".rstrip("0").rstrip("."))
            assert row["note"] == cell.note
        assert rows[11]["verdict"] == "yes"

    def test_markdown_is_a_table_whatever_the_note_says(self, checklist):
        checklist.notes = {"angle/ica-6": "a | b\n| c"}
        text = checklist.to_markdown()
        table = [line for line in text.splitlines() if line.startswith("|")]
        assert {line.count("|") for line in table} == {11}
        assert "- angle, ICA-6: a \\| b \\| c" in text
        assert table[-3].startswith("| all three | by Holm | ✗ |")
        assert table[-2].startswith("|  | bank seeds | 0/3 |")
        assert "not as something replicated" in text

    def test_latex_escapes(self, report):
        named = report.to_dataset(inherit=False).assign_coords(decomposition=["pca", "ica", "My_50%", "lle"])
        text = tw.RecoveryChecklist(named).to_latex()
        assert r"My\_50\%-3" in text
        body = text[text.index(r"\hline") : text.index(r"\end{tabular}")]
        assert {line.count("&") for line in body.splitlines() if "&" in line} == {9}
        assert text.isascii()


class TestPage:
    def test_numbers_stand_where_the_page_looks_for_them(self, report):
        whole = report.to_dataset(inherit=False)
        facts = json.loads(json.dumps(recovery_page.report_facts(whole), allow_nan=False))
        at = np.ravel_multi_index((1, 1, 1, 2, 1, 0), whole["p"].shape)
        where = {"attribute": 1, "decomposition": 1, "n_components": 1, "seed": 2, "bank": 1, "readout": 0}
        for name in recovery_page.NUMBERS:
            assert facts["values"][name][at] == pytest.approx(whole[name].isel(where).item(), abs=1e-6)
        curves = np.frombuffer(recovery_page.packed_curves(whole), "<f4").reshape(-1, 32, 3)
        np.testing.assert_array_equal(curves[at], whole["readout_curve"].isel(where).values)

    def test_nulls_are_histograms_of_all_draws(self, report):
        whole = report.to_dataset(inherit=False)
        packed = np.frombuffer(recovery_page.packed_nulls(whole), "<f4").reshape(-1, 2, 34)
        draws = whole["null"].values.reshape(-1, whole.sizes["draw"])
        seen = whole["observed"].values.ravel()
        for cell in range(0, len(packed), 7):
            if np.isnan(draws[cell]).all():
                assert np.isnan(packed[cell]).all()
                continue
            low, high = packed[cell, 0, :2]
            assert low <= min(draws[cell].min(), seen[cell]) <= max(draws[cell].max(), seen[cell]) <= high
            np.testing.assert_array_equal(
                packed[cell, 0, 2:], np.histogram(draws[cell], 32, (float(low), float(high)))[0]
            )

    def test_intervals_are_exact(self):
        found = recovery_page._intervals(20)
        assert found["20"][18] == [
            round(beta.ppf(0.025, 18, 3), 3),
            round(beta.ppf(0.975, 19, 2), 3),
        ]
        assert found["20"][0][0] == 0
        assert found["20"][20][1] == 1

    def test_strips_are_the_films_of_best_dimensions(self, report):
        strips = recovery_strips.strips_of(report)
        best = (
            report["best_dimension"]
            .isel(seed=0)
            .sel({"bank": "with mean", "decomposition": "ica", "n_components": 6})
        )
        mine = [s for s in strips if (s.bank, s.column) == (1, 3)]
        assert {s.dimension for s in mine} == set(best.values.ravel().tolist())
        assert {s.seed for s in strips} == {0}
        cells = mine[0].facts["cells"]
        whole = np.asarray(Image.open(io.BytesIO(mine[0].sprite())).convert("RGB"), float)
        x, y = (7 % cells["columns"]) * 16, (7 // cells["columns"]) * 16
        wanted = mine[0].film["image"].values[mine[0].dimension, 7]
        assert np.abs(whole[y : y + 16, x : x + 16] - wanted).mean() < 14

    def test_what_does_not_fit_is_answered_when_asked_for(self, report, checklist, monkeypatch):
        strips = recovery_strips.strips_of(report)
        sizes = [len(sprite) for sprite in recovery_strips.inline_sprites(strips, 10**9)]
        few = recovery_strips.inline_sprites(strips, sum(sizes[:2]))
        assert [len(sprite) for sprite in few] == sizes[:2] + [0] * (len(sizes) - 2)
        sent: list = []
        monkeypatch.setattr(checklist, "send", lambda content, buffers=None: sent.append((content, buffers)))
        checklist._reply(checklist, {"id": "a", "kind": "sprite", "page": 3}, [])
        checklist._reply(checklist, {"id": "b", "kind": "sprite", "page": 999}, [])
        assert sent[0] == ({"id": "a", "kind": "done"}, [strips[3].sprite()])
        assert sent[1][0]["kind"] == "error"
        assert "there is no film strip 999" in sent[1][0]["message"]

    def test_twenty_seeds_fit_the_page(self):
        widget = tw.RecoveryChecklist(
            make_recovery(seeds=range(20), readouts=("activation", "image"), draws=199)
        )
        sent = len(json.dumps(widget._report)) + len(widget._curves) + len(widget._nulls)
        assert sent < 2_500_000


def test_another_record_is_refused(tmp_path):
    film = make_film(2, 4, 8)
    with pytest.raises(RecordError, match="this is a film record; make one with gabor_recovery"):
        tw.RecoveryChecklist(film)
    with pytest.raises(FileNotFoundError):
        tw.RecoveryChecklist(tmp_path / "missing.zarr")


def test_leaves_a_still_picture(checklist):
    began = time.process_time()
    still = checklist._still()
    assert time.process_time() - began < 0.5
    data, _ = checklist._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    shown = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
    assert shown.size == still.size
    blue = (np.abs(np.asarray(shown, int) - (0, 114, 178)).sum(-1) < 60).sum()
    assert blue > 500


def test_needs_no_torch(tmp_path):
    path = tw.save_record(make_recovery(seeds=(0,)), tmp_path / "recovery.zarr")
    code = (
        "import sys; sys.modules['torch'] = None; import tunewidgets as tw\n"
        f"print(tw.RecoveryChecklist({str(path)!r}).to_markdown()[:8])\n"
        "assert 'plotly' not in sys.modules and 'sklearn' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "Recovery"


class TestFigure:
    def test_is_the_same_table(self, checklist, report):
        figure = tw.figures.recovery_table(report)
        columns = figure.data[0].cells["values"]
        heads = list(figure.data[0].header["values"])
        assert heads[2:4] == ["<b>PCA-3</b>", "<b>PCA-6</b>"]
        marks = {True: "✓", False: "✗", None: "–"}
        cells = checklist.cells()
        for column in range(8):
            shown = [columns[2 + column][row] for row in range(0, 12, 4)]
            assert shown == [marks[cells[8 * a + column].in_subspace] for a in range(3)]
        assert [columns[0][row] for row in range(12, 15)] == ["<b>all three</b>", "", ""]
        counts = [f"{c.recovering}/{c.seeds}" if c.seeds else "–" for c in checklist.all_three()]
        assert [column[13] for column in columns] == ["", "bank seeds", *counts]
        assert "replicated" in figure.layout.title.subtitle.text

    def test_bad_choices_are_refused(self, report):
        with pytest.raises(ValueError, match="bank is 'x'"):
            tw.figures.recovery_table(report, bank="x")
        with pytest.raises(ValueError, match=r"at most 0\.05"):
            tw.figures.recovery_table(report, alpha=0.2)


def test_the_figure_is_that_of_the_table_as_it_is_shown():
    report = make_recovery()
    checklist = tw.RecoveryChecklist(report, seed=1, alpha=0.01)
    assert checklist.figure() == tw.figures.recovery_table(report, seed=1, alpha=0.01)
    assert checklist.figure() != tw.figures.recovery_table(report, seed=0)
