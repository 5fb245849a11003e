"""A simulated machine for hosts without sensors and for tests; always labelled as such."""

from gamesad.simulation.machine import Machine, open_machine

__all__ = ["Machine", "open_machine"]
