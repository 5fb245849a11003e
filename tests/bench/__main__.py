"""``python -m tests.bench [ROW...]``: measures, prints the table, and ends with 1 when a bound is missed."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as gamesad does, and before numpy is there to read it

from tests.bench import (
    anomaly,
    bus,
    crystal,
    crystal_pool,
    crystal_prediction,
    cycle,
    dashboard,
    everything,
    forecast,
    networks,
    policy,
    process,
)
from tests.bench.harness import Effort, Row, as_installed, go_first, machine, table

ROWS: dict[str, Callable[[Effort], Iterator[Row]]] = {
    "cycle": cycle.whole_cycle,
    "sensors": cycle.sensors,
    "growth": cycle.growth,
    "rate": cycle.rate,
    "everything": everything.everything,
    "idle": process.idle,
    "memory": process.memory,
    "start": process.start,
    "status": bus.status,
    "command": bus.command,
    "dashboard": dashboard.dashboard,
    "prediction": crystal_prediction.prediction,
    "tiers": crystal_prediction.day,
    "segment": crystal.segment,
    "pool": crystal_pool.pool,
    "anomaly": anomaly.anomaly,
    "forecast": forecast.forecast,
    "policy": policy.policy,
    "networks": networks.networks,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 every bound kept, 1 one missed or a row that could not be measured, 2 usage."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="How near gamesad comes to its floors.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"only these of {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="shorter and less exact: to try things out")
    parser.add_argument("--realtime", action="store_true", help="run before all else on this machine (SCHED_FIFO)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    options = parser.parse_args(arguments)
    if unknown := [row for row in options.rows if row not in ROWS]:
        parser.error(f"there is no row {unknown[0]!r}; there are {', '.join(ROWS)}")
    go_first(realtime=options.realtime)
    rows: list[Row] = []
    failures: dict[str, str] = {}
    with as_installed():
        for name in options.rows or ROWS:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            try:
                rows += ROWS[name](Effort(quick=options.quick))
            except (OSError, RuntimeError, ValueError) as error:
                failures[name] = f"{type(error).__name__}: {error}"
    if options.json:
        print(json.dumps({"machine": machine(), "rows": [_plain(row) for row in rows], "failures": failures}, indent=2))
    else:
        print("\n".join(f"{name:<10} {text}" for name, text in machine().items()))
        print("\n" + table(rows) if rows else "")
        for name, text in failures.items():
            print(f"NOT MEASURED {name}: {text}")
    return 1 if failures or any(row.missed for row in rows) else 0


def _plain(row: Row) -> dict[str, object]:
    return {**asdict(row), "ratio": row.ratio, "verdict": row.verdict}


if __name__ == "__main__":
    sys.exit(main())
