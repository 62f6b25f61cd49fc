"""Asserts what a wheel and an sdist must hold: every bundle, the notebooks, the trained weights with
their record, nothing that was only installed.

Usage: python check_packages.py dist/*.tar.gz dist/*.whl
"""

import sys
import tarfile
import zipfile
from pathlib import Path

STAMP = "tunewidgets/static/built-from.txt"
EXAMPLES = (
    "googlenet_4a", "googlenet_conv2", "googlenet_3b", "googlenet_4c", "googlenet_4e",
    "resnet20_units", "gabor_recovery", "shallow_cnn",
)  # fmt: skip
SHIPPED = ("shallow_cnn.safetensors", "shallow_cnn.log.jsonl", *(f"{name}.zarr.zip" for name in EXAMPLES))
LARGEST = 25e6  # bytes of a wheel


def contents(path: str) -> dict[str, bytes]:
    """Name within the project -> bytes, of an sdist or a wheel."""
    if path.endswith(".whl"):
        with zipfile.ZipFile(path) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(path) as sdist:
        files = [member for member in sdist.getmembers() if member.isfile()]
        return {member.name.partition("/")[2]: sdist.extractfile(member).read() for member in files}


def problems(path: str) -> list[str]:
    """What is wrong with the package at `path`, a sentence each."""
    files = contents(path)
    if STAMP not in files:
        return [f"{STAMP} is missing"]
    notebooks = "tunewidgets/notebooks/" if path.endswith(".whl") else "notebooks/"
    bundles = files[STAMP].decode().split()[1:]
    found = [f"no bundle {name}" for name in bundles if not files.get(f"tunewidgets/static/{name}")]
    found += [f"{name} is missing" for name in SHIPPED if not files.get(f"tunewidgets/zoo/data/{name}")]
    if not bundles:
        found.append(f"{STAMP} names no bundle")
    if not any(name.startswith(notebooks) and name.endswith(".ipynb") for name in files):
        found.append(f"there is no notebook in {notebooks}")
    found += [f"{name} does not belong there" for name in files if "node_modules/" in name]
    if path.endswith(".whl") and (size := Path(path).stat().st_size) > LARGEST:
        found.append(f"it takes {size / 1e6:.1f} MB, more than {LARGEST / 1e6:.0f}")
    print(f"{path}: {len(files)} files, bundles {', '.join(bundles)}")
    return found


if __name__ == "__main__":
    faults = [f"{path}: {problem}" for path in sys.argv[1:] for problem in problems(path)]
    if len(sys.argv) < 3 or faults:
        sys.exit("\n".join(faults) or "give an sdist and a wheel")
