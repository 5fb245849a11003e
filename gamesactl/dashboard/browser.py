"""Opening the page. The token must not stand on a command line, which everybody can read (/proc/PID/cmdline): the
browser is given a file that only this user can read, and that file leads to the page.
"""

from __future__ import annotations

import html
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_SESSION = ("WAYLAND_DISPLAY", "DISPLAY")
_PAGE = """<!doctype html><meta charset="utf-8"><title>gamesa</title>
<meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url={url}">
<p><a href="{url}">Open the dashboard</a>
"""


@contextmanager
def opened(url: str, note: Callable[[str], None]) -> Iterator[None]:
    """In a graphical session, in the user's own browser; the file goes when the dashboard ends."""
    if not any(os.environ.get(name) for name in _SESSION):
        yield
        return
    folder = os.environ.get("XDG_RUNTIME_DIR")
    number, path = tempfile.mkstemp(".html", "gamesa-dashboard-", folder)  # mode 0600
    try:
        with open(number, "w", encoding="utf-8") as file:
            file.write(_PAGE.format(url=html.escape(url)))
        try:
            silent = subprocess.DEVNULL
            child = subprocess.Popen(  # noqa: S603 - fixed words and our own file
                ["xdg-open", path],  # noqa: S607 - the user's own
                stdin=silent, stdout=silent, stderr=silent, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            note(f"no browser was opened (xdg-open: {error.strerror}); open the address above")
            child = None
        yield
        if child is not None:
            child.poll()
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)
