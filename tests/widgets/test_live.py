"""Live requests from Python's side: one at a time, newest first, stopped within a step, errors as data."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import traitlets

import tunewidgets as tw
from tunewidgets.widgets import awaiting
from tunewidgets.widgets.live import Live, Reply


class Page:
    """What a page would hear."""

    def __init__(self) -> None:
        self.heard: list[dict] = []
        self.threads: set[str] = set()

    def send(self, message, buffers):
        self.threads.add(threading.current_thread().name)
        self.heard.append(message)

    def kinds(self, id):
        return [message["kind"] for message in self.heard if message["id"] == id]

    def wait(self, id, kind):
        deadline = time.monotonic() + 20
        while kind not in self.kinds(id):
            assert time.monotonic() < deadline, (id, kind, self.heard)
            time.sleep(0.002)


@pytest.fixture
def page():
    return Page()


def count(to, gate=None, closed=None):
    try:
        for at in range(to):
            if gate is not None:
                assert gate.wait(20)
            yield Reply({"at": at}, [b"image"])
    finally:
        if closed is not None:
            closed.append(to)


def test_replies_come_in_order_from_a_thread_of_its_own(page):
    Live(page.send).start("a", 0, count(3))
    page.wait("a", "done")
    assert page.kinds("a") == ["progress", "partial", "partial", "partial", "done"]
    assert [message["at"] for message in page.heard if message["kind"] == "partial"] == [0, 1, 2]
    assert page.threads == {threading.current_thread().name, "live-requests"}


def test_a_message_that_cant_be_sent_ends_its_own_request_alone(page, caplog):
    def broken(message, buffers):
        if message["kind"] != "progress":
            raise OSError("the page is gone")

    gate = threading.Event()
    Live(page.send).start("other", 0, count(3, gate=gate))
    lost = Live(broken).start("lost", 0, count(3))
    gate.set()
    page.wait("other", "done")
    assert page.kinds("other") == ["progress", "partial", "partial", "partial", "done"]
    assert lost.ended.wait(20)
    assert isinstance(lost.error, OSError)
    assert "could not be finished" in caplog.text


def test_the_newest_request_wins_and_the_older_ends(page):
    live, closed = Live(page.send), []
    live.start("old", 0, count(10**9, closed=closed))
    page.wait("old", "partial")
    for at in range(50):
        live.start(f"new {at}", at + 1, count(10**9, closed=closed))
    live.start("last", 99, count(2))
    page.wait("last", "done")
    assert len(closed) == sum("partial" in page.kinds(f"new {at}") for at in range(50)) + 1
    assert all("canceled" in page.kinds(f"new {at}") for at in range(50))
    assert page.kinds("old")[-1] == "canceled"


def test_nothing_is_told_of_a_request_after_it_was_canceled(page):
    live, gate = Live(page.send), threading.Event()
    live.start("a", 0, count(5, gate))
    live.cancel("another")
    live.cancel("a")
    gate.set()
    page.wait("a", "canceled")
    assert page.kinds("a") == ["progress", "canceled"]


def test_the_same_question_joins_the_one_under_way(page):
    live, gate = Live(page.send), threading.Event()
    live.start("a", "same", count(1, gate))
    live.start("b", "same", count(1, gate))
    gate.set()
    page.wait("a", "done")
    assert {"id": "b", "kind": "progress", "same": "a"} in page.heard
    live.start("c", "same", count(1))
    page.wait("c", "done")


def test_an_error_is_told_as_a_sentence_with_details(page, capsys):
    def broken(error):
        yield Reply({}, [])
        raise error

    live = Live(page.send)
    live.start("a", 0, broken(ValueError("move a slider")))
    page.wait("a", "error")
    live.start("b", 1, broken(KeyError("x")))
    page.wait("b", "error")
    told = {message["id"]: message for message in page.heard if message["kind"] == "error"}
    assert told["a"]["message"] == "move a slider"
    assert told["b"]["message"] == "KeyError: 'x'"
    assert "Traceback" in told["b"]["details"]
    live.start("c", 2, count(1))
    page.wait("c", "done")
    assert capsys.readouterr() == ("", "")


def test_widgets_take_turns_on_one_thread(page):
    one, other = Live(page.send), Live(page.send)
    one.start("endless", 0, count(10**9))
    other.start("short", 0, count(5))
    page.wait("short", "done")
    one.cancel()
    page.wait("endless", "canceled")
    assert sum(thread.name == "live-requests" for thread in threading.enumerate()) == 1


@pytest.fixture(scope="module")
def made():
    probe = tw.Probe(tw.zoo.gabor_bank(), "relu", device="cpu")
    sample = tw.sample_activations(probe, tw.zoo.images("dead-leaves", n=6, size=48), n=400, progress=False)
    dims = tw.TuningDimensions("pca", 3).fit(sample)
    return probe, tw.render_film(probe, dims, points=4, size=24, steps=2, progress=False)


@pytest.fixture
def explorer(made, page, monkeypatch):
    probe, film = made
    explorer = tw.TuningExplorer(film, probe)
    monkeypatch.setattr(explorer, "send", lambda message, buffers=None: page.send(message, buffers))
    return explorer


def ask(explorer, id, kind, **message):
    explorer._reply(explorer, {"id": id, "kind": kind, **message}, [])


class TestExplorer:
    def test_makes_the_image_where_all_sliders_stand(self, explorer, page, made):
        ask(explorer, "a", "image", coordinates=[0.1, 0.2, 0.3])
        page.wait("a", "done")
        partial = [message for message in page.heard if message["kind"] == "partial"]
        assert [partial[0]["step"], partial[-1]["step"]] == [0, 48]
        assert partial[-1]["coordinates"] == [0.1, 0.2, 0.3]
        row, dimension, point = partial[0]["from"]
        assert row == dimension
        assert 0 <= point < 4
        # Again: remembered, so that the first image is the last.
        ask(explorer, "b", "image", coordinates=[0.1, 0.2, 0.3])
        page.wait("b", "done")
        assert page.kinds("b") == ["progress", "partial", "done"]

    def test_keeps_images_in_the_record(self, explorer, page, made, tmp_path):
        explorer.coordinates = {1: 0.25}
        explorer.keep()
        explorer.coordinates = {0: -0.5}
        ask(explorer, "early", "keep", coordinates=explorer.coordinates)
        assert page.heard[-1]["message"] == "this image is not finished yet; add it when it is"
        explorer.keep()
        tw.save_record(explorer.labeled(), tmp_path / "film.zarr")
        again = tw.open_record(tmp_path / "film.zarr")
        assert again.combined_coordinate.values.tolist() == [[0, 0.25, 0], [-0.5, 0.25, 0]]
        assert again.combined_image.shape == (2, 24, 24, 3)
        assert again.combined_cosine.notnull().all()
        assert "combined_image" not in explorer.film
        reopened = tw.TuningExplorer(again, made[0])
        assert [kept["coordinates"] for kept in reopened._kept] == [[0, 0.25, 0], [-0.5, 0.25, 0]]
        assert reopened.labeled().combined_image.equals(again.combined_image)

    def test_shows_some_rows_and_holds_the_others(self, made):
        probe, film = made
        explorer = tw.TuningExplorer(film, probe, dimensions=[2, 0])
        explorer.coordinates = [0.5, -0.5]
        explorer.keep()
        assert explorer.labeled().combined_coordinate.values[0] == pytest.approx([-0.5, 0, 0.5], abs=1e-6)

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            ([0.1], "coordinates is .* give a number for each of 3 rows"),
            ([0.1, 0.2, float("nan")], "give a number for each of 3 rows"),
            ({3: 0.1}, "coordinates names row 3, but this explorer shows 3 dimensions; give 0 to 2"),
        ],
    )
    def test_says_what_is_wrong_with_coordinates(self, explorer, value, sentence):
        with pytest.raises(traitlets.TraitError, match=sentence):
            explorer.coordinates = value

    def test_says_what_is_wrong_with_a_request(self, explorer, page):
        ask(explorer, "a", "image", coordinates="here")
        assert page.heard[-1]["kind"] == "error"
        assert "give a number for each of 3 rows" in page.heard[-1]["message"]

    def test_needs_a_probe(self, made):
        explorer = tw.TuningExplorer(made[1])
        assert explorer._combine == {}
        with pytest.raises(traitlets.TraitError, match="give probe=, the layer that the film was made for"):
            explorer.coordinates = {0: 0.5}
        with pytest.raises(ValueError, match="give probe="):
            explorer.keep()

    def test_takes_only_the_films_own_probe(self, made):
        with pytest.raises(ValueError, match="other weights"):
            tw.TuningExplorer(made[1], tw.Probe(tw.zoo.gabor_bank(seed=3), "relu", device="cpu"))


def alone(coroutine):
    """What a coroutine gives, on a thread of its own: this one's may have a loop that other tests left running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


class TestWaiting:
    def test_gives_the_next_value(self, explorer, monkeypatch):
        monkeypatch.setattr(awaiting, "hears_during_a_cell", lambda: True)

        async def click():
            timer = threading.Timer(0.05, setattr, (explorer, "dimension", 2))
            timer.start()
            return await explorer.wait_for("dimension", timeout=20)

        assert alone(click()) == 2

    def test_says_so_when_nothing_came(self, explorer, monkeypatch):
        monkeypatch.setattr(awaiting, "hears_during_a_cell", lambda: True)
        with pytest.raises(TimeoutError, match=r"dimension did not change within 0\.01 s"):
            alone(explorer.wait_for("dimension", timeout=0.01))

    def test_raises_at_once_where_messages_wait_for_the_cell(self, explorer):
        with pytest.raises(RuntimeError, match="hears the page only between cells"):
            alone(explorer.wait_for("dimension"))

    def test_knows_what_can_be_waited_for(self, explorer):
        with pytest.raises(ValueError, match=r"there is no 'selected' to wait for; give one of .*dimension"):
            alone(explorer.wait_for("selected"))
