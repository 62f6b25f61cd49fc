"""What starting costs: `import tunewidgets` and `tunewidgets --help`, each beside a bare interpreter.

Run: uv run --group bench python tests/benchmarks/startup.py [--runs N] [--json FILE]. Each figure is the median of
fresh interpreters, and all kinds take turns, so that a busy machine slows them alike.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

STATEMENTS = {
    "a bare interpreter": "pass",
    "import numpy": "import numpy",
    "import tunewidgets": "import tunewidgets",
    "tunewidgets --help": "from tunewidgets.cli import main; main(['--help'])",
    "tw.open_record": "import tunewidgets; tunewidgets.open_record",
    "tw.TuningExplorer": "import tunewidgets; tunewidgets.TuningExplorer",
}


def seconds(statement: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    for statement in STATEMENTS.values():  # once unmeasured, so that bytecode is written and files are cached
        seconds(statement)
    rounds = [{name: seconds(statement) for name, statement in STATEMENTS.items()} for _ in range(args.runs)]
    medians = {name: statistics.median(one[name] for one in rounds) for name in STATEMENTS}
    bare = medians["a bare interpreter"]
    table = Table(
        "", "seconds", "above the bare interpreter", title=f"median of {args.runs} fresh interpreters"
    )
    for name, median in medians.items():
        table.add_row(name, f"{median:.3f}", f"{median - bare:.3f} s, × {median / bare:.1f}")
    Console().print(table)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"runs": args.runs, "seconds": medians}, file, indent=2)


if __name__ == "__main__":
    main()
