"""Guards in the default test run: bounds so wide that only a real loss of speed breaks them, on a busy machine too.

The least of many short measurements is compared, not the median: whatever else runs can only make a measurement longer.
"""

from __future__ import annotations

from contextlib import ExitStack

from tests.bench import trees
from tests.bench.cycle import floor, linear, sampling
from tests.bench.harness import interleave
from tests.bench.subject import collector

_MOST_TIMES_C = 4.0
_MOST_TIMES_LINEAR = 1.5


def test_reading_100_sensors_costs_at_most_four_times_what_it_costs_in_c() -> None:
    with trees.folder() as root, collector(trees.sensor_files(root, 100)) as reading, floor(root, reading) as c:
        ours, theirs = interleave(300, sampling(reading), c.sample_us, warm_up=20)
        assert len(c.values) == len(reading.sensors) == 100
    assert min(ours) <= _MOST_TIMES_C * min(theirs), f"{min(ours):.0f} µs against {min(theirs):.0f} µs in C"


def test_reading_grows_no_faster_than_the_number_of_sensors() -> None:
    sizes = (50, 500)
    with ExitStack() as stack:
        readings = []
        for size in sizes:
            root = trees.sensor_files(stack.enter_context(trees.folder()), size)
            readings.append(stack.enter_context(collector(root)))
        costs = [min(values) for values in interleave(100, *map(sampling, readings), warm_up=5)]
    assert linear(sizes, costs) <= _MOST_TIMES_LINEAR, f"{costs[0]:.0f} µs for 50 sensors, {costs[1]:.0f} µs for 500"
