"""Training: it learns, logs every epoch, and a run that was killed ends where an unbroken one does."""

import csv
import hashlib
import json
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image

from tunewidgets.zoo import cifar10, classifiers
from tunewidgets.zoo import train as training

TRIAL = {"limit": 192, "batch": 64, "progress": False, "device": "cpu"}


def log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_digits_are_learned_and_every_epoch_is_logged(tmp_path):
    folder = training.train("mlp", "digits", 3, out=tmp_path / "run", batch=64, progress=False, device="cpu")
    rows = log(folder)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows[-1]["test_accuracy"] > 0.8
    assert rows[-1]["last_rate"] < 0.01 * rows[-1]["rate"]
    network = classifiers.classifier("mlp", folder / "weights.safetensors")
    test = cifar10.load_labeled("digits", train=False)
    assert training.evaluate(network, test) == pytest.approx(rows[-1]["test_accuracy"], abs=0.01)


def test_a_killed_run_goes_on_and_ends_where_an_unbroken_one_does(tmp_path, monkeypatch):
    whole = training.train("mlp", "digits", 2, out=tmp_path / "whole", **TRIAL)
    real, seen = training._epoch, []

    def killed(*args):
        seen.append(1)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(training, "_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        training.train("mlp", "digits", 2, out=tmp_path / "broken", **TRIAL)
    assert len(log(tmp_path / "broken")) == 1
    monkeypatch.setattr(training, "_epoch", real)
    again = training.train("mlp", "digits", 2, out=tmp_path / "broken", **TRIAL)
    first, second = (torch.load(f / "checkpoint.pt", weights_only=True)["model"] for f in (whole, again))
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], rtol=1e-4, atol=1e-5)


def test_a_run_can_start_from_weights_and_its_log_names_them(tmp_path):
    first = training.train("mlp", "digits", 1, out=tmp_path / "first", **TRIAL)
    start = first / "checkpoint.pt"
    still = training.train("mlp", "digits", 1, out=tmp_path / "still", rate=1e-9, start=start, **TRIAL)
    before, after = (torch.load(f / "checkpoint.pt", weights_only=True)["model"] for f in (first, still))
    for name, value in before.items():
        torch.testing.assert_close(value, after[name], atol=1e-6, rtol=0)
    assert log(first)[0]["start"] is None
    assert log(still)[0]["start"] == hashlib.sha256(start.read_bytes()).hexdigest()[:12]


def test_another_runs_folder_is_not_overwritten(tmp_path):
    training.train("mlp", "digits", 1, out=tmp_path, **TRIAL)
    with pytest.raises(ValueError, match=r"holds a run with seed=0, not 1; give another --out"):
        training.train("mlp", "digits", 1, seed=1, out=tmp_path, **TRIAL)


def test_the_command_says_what_is_wrong_and_fails(tmp_path, capsys):
    assert training.main(["mlp", "--data", "digits", "--epochs", "0", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "train: epochs is 0; give a whole number of at least 1\n"


def test_a_shift_moves_an_image_and_never_mixes_two():
    images = torch.zeros(8, 3, 32, 32)
    images[torch.arange(8), :, 16, 16] = torch.arange(1.0, 9.0)[:, None]
    moved = training.augment(images, torch.Generator().manual_seed(0), mirror=True)
    assert moved.shape == images.shape
    torch.testing.assert_close(moved.amax((1, 2, 3)), torch.arange(1.0, 9.0))
    assert bool((moved.flatten(1).count_nonzero(1) == 3).all())


def test_cifar10_is_read_from_sheets(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    tiles = rng.integers(0, 256, (10_000, 3), dtype=np.uint8)
    sheet = np.kron(tiles.reshape(100, 100, 3), np.ones((32, 32, 1), np.uint8))
    (tmp_path / "cifar10").mkdir()
    Image.fromarray(sheet).save(tmp_path / "cifar10" / "test_batch.webp", lossless=True, method=0)
    labels = rng.integers(0, 10, 10_000)
    with (tmp_path / "cifar10" / "index.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["batch", "index", "label", "filename"])
        writer.writerows(["test_batch", i, label, ""] for i, label in enumerate(labels))
    for home in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(home, str(tmp_path))
    monkeypatch.setenv("TUNEWIDGETS_DATA", "~")
    data = cifar10.load_labeled("cifar10", train=False)
    assert data.images.shape == (10_000, 3, 32, 32)
    assert np.array_equal(data.images[:, :, 5, 9].numpy(), tiles)
    assert np.array_equal(data.labels.numpy(), labels)


def test_cifar10_that_cannot_be_downloaded_is_said_in_a_sentence(tmp_path, monkeypatch, capsys):
    def unreachable(*_, **__):
        raise URLError("no route to host")

    monkeypatch.delenv("TUNEWIDGETS_DATA", raising=False)
    monkeypatch.setattr("torchvision.datasets.CIFAR10", unreachable)
    with pytest.raises(
        ConnectionError, match=r"could not be downloaded \(no route to host\); .* cifar10/index.csv"
    ):
        cifar10.load_labeled("cifar10", train=False)
    assert training.main(["mlp", "--epochs", "1", "--out", str(tmp_path / "run")]) == 1
    assert capsys.readouterr().err.startswith("train: CIFAR-10 could not be downloaded")


def test_a_data_folder_without_cifar10_is_said_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEWIDGETS_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"has no cifar10/index.csv; put CIFAR-10 there"):
        cifar10.load_labeled("cifar10", train=True)
