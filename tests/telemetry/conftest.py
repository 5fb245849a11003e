"""Time for a busy machine."""

from __future__ import annotations

import pytest

from gamesad.telemetry import collector as collector_module


@pytest.fixture(autouse=True)
def _on_a_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Budgets wide enough that nothing but the sources of a test exceeds them."""
    monkeypatch.setattr(collector_module, "BUDGET_S", 0.15)
    monkeypatch.setattr(collector_module, "TOO_LONG_S", 0.5)
