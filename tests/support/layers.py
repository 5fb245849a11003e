"""A pytest plugin for packaging/test: says what each layer ran, and takes a skipped test for a failure.

A layer is a folder of tests. A test that was skipped is a layer that did not run, so the run fails unless the reason
names an accelerator that the machine lacks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import PurePath

import pytest

from tests.support import cache

_ACCELERATORS = ("gpu", "accelerator", "nvidia", "cuda")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--allow-skips", action="store_true", help="succeed although tests were skipped")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_Layers(config), "gamesad-layers")


class _Layers:
    def __init__(self, config: pytest.Config) -> None:
        self._allow_skips = bool(config.getoption("--allow-skips"))
        self._outcomes: dict[str, Counter[str]] = defaultdict(Counter)
        self._seconds: Counter[str] = Counter()
        self._skips: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        layer = _layer(report.nodeid)
        self._seconds[layer] += round(report.duration * 1000)
        if report.when == "call" or report.outcome != "passed":
            self._outcomes[layer][report.outcome] += 1
        if report.skipped and not hasattr(report, "wasxfail"):
            self._skip(report.nodeid, report.longrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._outcomes[_layer(report.nodeid)]["skipped"] += 1
            self._skip(report.nodeid, report.longrepr)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._skips and not self._allow_skips and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("layers")
        for layer, outcomes in sorted(self._outcomes.items()):
            told = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
            terminalreporter.write_line(f"{layer:<20} {self._seconds[layer] / 1000:7.1f} s  {told}")
        for line in cache.told:
            terminalreporter.write_line(line)
        for skip in self._skips:
            terminalreporter.write_line(f"not run: {skip}", red=not self._allow_skips)

    def _skip(self, nodeid: str, longrepr: object) -> None:
        reason = str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
        if not any(word in reason.lower() for word in _ACCELERATORS):
            self._skips.append(f"{nodeid}: {reason}")


def _layer(nodeid: str) -> str:
    """``hardware`` for tests/hardware/test_hwmon.py::test_…, ``tests`` for what lies directly under tests/."""
    parts = PurePath(nodeid.partition("::")[0]).parts
    return parts[1] if len(parts) > 2 else "tests"
