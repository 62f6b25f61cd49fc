"""GoogLeNet (BVLC): the architecture its weights fit, and on real photographs the accuracy that proves it."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tunewidgets import Probe
from tunewidgets.zoo.googlenet import googlenet_bvlc

DATA = os.environ.get("TUNEWIDGETS_DATA")


def test_every_relu_is_a_layer_of_its_own_and_blocks_have_their_widths():
    model = googlenet_bvlc(None)
    assert sum(p.numel() for p in model.parameters()) == 6_998_552
    assert len(model.state_dict()) == 116
    probe = Probe(model, "relu_inception_4a_3x3", device="cpu")
    assert probe.units == 208
    assert float(probe(torch.rand(1, 3, 64, 64)).min()) >= 0
    with torch.no_grad():
        assert model(model.preprocess(torch.rand(1, 3, 64, 64))).shape == (1, 1000)


@pytest.mark.skipif(
    not DATA, reason="needs the weights and photographs of the folder that TUNEWIDGETS_DATA names"
)
def test_the_published_weights_know_the_photographs():
    folder = Path(str(DATA))
    model = googlenet_bvlc(folder / "models" / "googlenet-bvlc-fp16.safetensors")
    files = sorted((folder / "imagenet-sample").glob("*.jpg"))
    right = 0
    for label in range(0, 1000, 20):
        photo = Image.open(files[label]).convert("RGB")
        left, top = (photo.width - 224) // 2, (photo.height - 224) // 2
        pixels = np.asarray(photo.crop((left, top, left + 224, top + 224)), np.float32) / 255
        with torch.no_grad():
            logits = model(model.preprocess(torch.from_numpy(pixels).permute(2, 0, 1)[None]))
        right += int(logits.argmax()) == label
    # 74.5% on all thousand; fifty of them are right less than 60% of the time once in a hundred draws.
    assert right >= 30
