"""The contract of tests/simulation, asked of a booted kernel: every row of the machine ``guest`` comes out the same."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.guest import module
from tests.guest.machine import Guest
from tests.simulation.contract import GUEST, Row, located

_SETTLE_S = 2.0
"""cpufreq.c puts a new limit into force from a work queue: until then the old one is read."""


@pytest.fixture(scope="module", params=["12", pytest.param("13", marks=pytest.mark.full)])
def guest(request: pytest.FixtureRequest) -> Iterator[Guest]:
    with Guest(request.param) as guest:
        module.load(guest)
        yield guest


class Asking:
    """Runs rows in the guest, each from the values that stood there at the start."""

    def __init__(self, guest: Guest, rows: tuple[Row, ...]) -> None:
        self._guest = guest
        paths = {path for row in rows for path in (row.path, *(before for before, _text in row.before))}
        self._places = {path: located(path, guest.agent.list, guest.read) for path in paths}
        answers = guest.agent.do([("read", place) for place in self._places.values()])
        self._originals = dict(zip(self._places, (answer.get("text") for answer in answers), strict=True))

    def all(self, rows: tuple[Row, ...]) -> dict[Row, str]:
        """In one round trip."""
        parts = [[*self._steps(row), ("read", self._places[row.path]), *self._steps_back(row)] for row in rows]
        answers = iter(self._guest.agent.do([step for part in parts for step in part], timeout_s=120.0))
        took = [[next(answers) for _step in part] for part in parts]
        return {row: self._outcome(row, answers) for row, answers in zip(rows, took, strict=True)}

    def patiently(self, row: Row, expected: str) -> str:
        """Until it comes out as expected, or has had the time to."""
        answers = self._guest.agent.do(self._steps(row))
        deadline_s = time.monotonic() + _SETTLE_S
        while True:
            answers.append(self._guest.agent.do([("read", self._places[row.path])])[0])
            outcome = self._outcome(row, answers)
            if outcome == expected or time.monotonic() > deadline_s:
                self._guest.agent.do(self._steps_back(row))
                return outcome
            answers.pop()

    def _steps(self, row: Row) -> list[tuple[str, str, str]]:
        own = [(row.path, row.text)] if row.text is not None else []
        return [("write", self._places[path], text) for path, text in (*row.before, *own)]

    def _steps_back(self, row: Row) -> list[tuple[str, str, str]]:
        touched = [*dict.fromkeys([*(path for path, _text in row.before), row.path])][::-1]
        values = [(path, self._originals[path]) for path in touched]
        return [("write", self._places[path], text.strip()) for path, text in values if text is not None]

    @staticmethod
    def _outcome(row: Row, answers: list[object]) -> str:
        refusals, read = (
            answers[: len(row.before) + (row.text is not None)],
            answers[len(row.before) + (row.text is not None)],
        )
        assert not any(refusals[: len(row.before)]), f"{row}: what comes before it was refused: {refusals}"
        refused = str(refusals[-1]) if row.text is not None else ""
        assert isinstance(read, dict)
        outcome = refused or read.get("errno") or read["text"].strip()
        return "EOPNOTSUPP" if outcome == "ENOTSUP" else outcome  # Python's name for it


def expected(guest: Guest, row: Row) -> str:
    return row.on_6_1 if row.on_6_1 and guest.kernel.version.startswith("6.1.") else row.outcome


def test_the_kernel_does_with_each_write_what_the_contract_says(guest: Guest) -> None:
    asking = Asking(guest, GUEST)
    different = [row for row, outcome in asking.all(GUEST).items() if outcome != expected(guest, row)]
    again = {row: asking.patiently(row, expected(guest, row)) for row in different}
    assert {str(row): outcome for row, outcome in again.items() if outcome != expected(guest, row)} == {}


OPEN_WHILE_IT_GOES = """
import errno, os, subprocess
folder = "/sys/class/hwmon/" + next(
    chip for chip in os.listdir("/sys/class/hwmon") if open(f"/sys/class/hwmon/{chip}/name").read() == "nct6798\\n"
)
reader = os.open(f"{folder}/temp1_input", os.O_RDONLY)
writer = os.open(f"{folder}/temp1_max", os.O_WRONLY)
print(os.pread(reader, 16, 0).decode().strip())
subprocess.run(["rmmod", "gamesad_superio"], check=True)
for act in (lambda: os.pread(reader, 16, 0), lambda: os.write(writer, b"70000"), lambda: os.open(folder, os.O_RDONLY)):
    try:
        print(act())
    except OSError as error:
        print(errno.errorcode[error.errno])
"""


def test_a_chip_that_goes_answers_enodev_to_whoever_has_it_open(guest: Guest) -> None:
    ran = guest.run(f"python3 -c '{OPEN_WHILE_IT_GOES}'")
    guest.run(f"insmod {module.FOLDER}/gamesad_superio.ko")
    assert ran.out.split() == ["34000", "ENODEV", "ENODEV", "ENOENT"]
