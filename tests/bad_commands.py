"""What a user can get wrong on a terminal, as a table.

In: nothing. Out: command lines with one thing wrong, the exit status, and words of the one line that is said.
"""

from torch import nn

A_MODEL = nn.ReLU()
UNITS = ["units", "shallow_cnn", "--data", "digits", "--out", "u.zarr"]
TUNING = ["tuning", "gabor_bank", "--layer", "relu", "--images", "dead-leaves", "--out", "f.zarr"]
COMMANDS = [
    (["unit"], 2, "invalid choice: 'unit'"),
    (["info"], 2, "required: RECORD"),
    ([UNITS[0], ":net", *UNITS[2:]], 2, "names no module"),
    (["info", "none.zarr"], 1, "give the path"),
    (["info", __file__], 1, "holds no Zarr v3 group"),
    (["units", "shallow_cnn", "--out", "u.zarr"], 2, "required: --data"),
    ([*UNITS[:-1], "u"], 2, "end it in .zarr"),
    ([*UNITS, "--objectives", "om"], 2, "give am, iam or both"),
    ([*UNITS, "--layers", "relu9"], 1, "did you mean"),
    ([*UNITS, "--layers", "relu1,,relu2"], 2, "has an empty name"),
    ([*UNITS, "--steps", "0"], 2, "give 1 or more"),
    ([*UNITS, "--steps", "many"], 2, "invalid"),
    ([*UNITS, "--weights", "none.pt"], 2, "give a file that exists"),
    ([UNITS[0], "resnet", *UNITS[2:]], 2, "no network called 'resnet'"),
    ([*UNITS[:3], "dead-leaves", *UNITS[4:]], 2, "has no labels"),
    ([*UNITS[:3], "no/folder", *UNITS[4:]], 2, "no folder no/folder"),
    ([*TUNING[:-1], "f.nc"], 2, "end it in .zarr"),
    ([*TUNING, "--method", "umap"], 2, "invalid choice: 'umap'"),
    ([*TUNING, "--components", "-1"], 2, "give 1 or more"),
    ([TUNING[0], "nowhere:model", *TUNING[2:]], 2, "no module 'nowhere'"),
    ([*TUNING[:5], "photos,", *TUNING[6:]], 2, "has an empty name"),
    ([*TUNING[:5], "", *TUNING[6:]], 2, "SOURCE is empty"),
    (["layers", "bad_commands:A_MODEL"], 2, "is a model and no function"),
    (["layers", "torch.nn:Conv2d"], 2, "can't be called without arguments"),
    (["gabor", "--out", "r"], 2, "end it in .zarr"),
    (["gabor", "--out", "r.zarr", "--seeds", "0"], 2, "give 1 or more"),
    (["view", "none.zarr", "--html", "x.pdf"], 1, "end it in .html or .htm"),
    (["demo", "--html", "x.pdf"], 1, "end it in .html or .htm"),
    (["demo", "--port", "99999"], 2, "give 1 to 65535"),
]
