"""The dashboard's server: what 1 and 20 pages at 1 Hz cost it, what it holds, and how soon it answers."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from tests.bench import daemon, trees
from tests.bench.harness import Effort, Row, cpu_seconds, median, quantile
from tests.bench.process import anonymous_mib
from tests.support.dashboard import Dashboard, Socket
from tests.support.dashboard import dashboard as serving

_FIXED_RATE = "[daemon]\ntick_fastest_s = 1.0\ntick_slowest_s = 1.0\n"
_NEAR_C = 83.0
"""Within 15 °C of the limit, so that there is a new tick with new values every second."""
_SETTLE_S = 5
_PAGES = (1, 20)
_PATHS = ("/", "/api/v1/status")


def dashboard(effort: Effort) -> Iterator[Row]:
    with ExitStack() as stack:
        root = stack.enter_context(trees.folder())
        trees.whole_machine(root, package_c=_NEAR_C)
        (root / "fixed.toml").write_text(_FIXED_RATE)
        stack.enter_context(daemon.running(root, None, "--config", str(root / "fixed.toml")))
        page = stack.enter_context(serving(root, shm=root / "segment", user="root"))
        for path in _PATHS:
            yield _first_byte(page, path, effort)
        for pages in _PAGES:
            yield from _live(page, pages, effort)


def _first_byte(page: Dashboard, path: str, effort: Effort) -> Row:
    """From connect() to the first byte of the answer, on a connection of its own; paced below the server's rate."""
    took_ms = []
    for _ in range(effort.of(200, 40)):
        started_s = time.perf_counter()
        with socket.create_connection(("127.0.0.1", page.port)) as one:
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: {page.host}\r\nConnection: close\r\n\r\n".encode())
            if one.recv(12) != b"HTTP/1.1 200":
                raise RuntimeError(f"{path} was not answered")
            took_ms.append((time.perf_counter() - started_s) * 1e3)
        time.sleep(0.03)
    note = f"{len(took_ms)} new connections; p99 {quantile(took_ms, 0.99):.2f} ms"
    return Row(f"dashboard: time to first byte of {path}", median(took_ms), "ms", must=20, aim=5, note=note)


def _live(page: Dashboard, pages: int, effort: Effort) -> Iterator[Row]:
    seconds = effort.of(60, 10)
    with _reading(page, pages) as received:
        time.sleep(_SETTLE_S)
        pid = page.process.pid
        used_s, started_s, bytes_before = cpu_seconds(pid), time.monotonic(), received()
        _until(started_s + seconds, received)
        took_s = time.monotonic() - started_s
        percent = (cpu_seconds(pid) - used_s) / took_s * 100
        tick_bytes = (received() - bytes_before) / took_s / pages
        held_mib = anonymous_mib(pid)
    plural = "pages" if pages > 1 else "page"
    note = f"100 sensors, a new tick each second, {seconds} s; {tick_bytes:.0f} bytes a second to each"
    yield Row(f"dashboard: CPU, {pages} {plural} at 1 Hz, % of a core", percent, "%", must=2, aim=0.5, note=note)
    yield Row(f"dashboard: anonymous memory, {pages} {plural}", held_mib, "MiB", must=64, aim=40)


def _until(end_s: float, received: Callable[[], int]) -> None:
    """Reads on meanwhile."""
    while time.monotonic() < end_s:
        received()
        time.sleep(0.05)


@contextmanager
def _reading(page: Dashboard, pages: int) -> Iterator[Callable[[], int]]:
    """So many pages; what is yielded reads what came, and gives the bytes that came in all."""
    with ExitStack() as stack, selectors.DefaultSelector() as ready:
        sockets = {}
        for _ in range(pages):
            one = stack.enter_context(Socket(page))
            if one.status != 101:
                raise RuntimeError(f"the live socket answered {one.status}")
            sockets[one.fileno()] = one
            ready.register(one.fileno(), selectors.EVENT_READ)
            time.sleep(0.25)  # below the rate at which new ones are let in
        total = 0

        def received() -> int:
            nonlocal total
            for key, _ in ready.select(0):
                total += sockets[key.fd].skip()
            return total

        yield received
