"""``gamesad --evaluate FILE...``: scores recordings and prints what came of it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from gamesad.config import NeuralConfig
from gamesad.errors import Failed, GamesadError
from gamesad.evaluation import report
from gamesad.evaluation.formats import load
from gamesad.evaluation.score import Score, score

EXIT_OK, EXIT_FAILED = 0, 1
Draw = Callable[[Sequence[Score], str], None]


def run(options: argparse.Namespace) -> int:
    """The exit status: 1 if one of the files could not be scored; the others are. Complaints go to stderr."""
    scores: list[Score] = []
    failed: list[tuple[str, str]] = []
    draw: Draw | None = None
    try:
        draw = _drawing() if options.plot else None
        for path in options.evaluate:
            try:
                scores.append(score(load(path), NeuralConfig(), options.limit))
            except GamesadError as error:
                failed.append((path, _complain(error)))
        if options.json:
            print(report.document(scores, failed), flush=True)
        elif scores:
            print("\n".join(report.lines(scores)), flush=True)
        if draw and scores:
            draw(scores, options.plot)
    except GamesadError as error:
        failed.append((options.plot, _complain(error)))
    except BrokenPipeError:  # whoever read it has seen enough; nothing of it is left to be written at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return EXIT_FAILED if failed else EXIT_OK


def _drawing() -> Draw:
    """Asked for before anything is scored: what would only fail in the end fails at once."""
    try:
        from gamesad.evaluation import plot  # noqa: PLC0415 - matplotlib is there for --plot alone
    except ImportError as error:
        library = (error.name or "matplotlib").partition(".")[0]
        raise Failed(
            f"--plot needs {library}, which is not installed: apt install python3-{library}, or pip install {library}"
        ) from None
    return plot.draw


def _complain(error: GamesadError) -> str:
    print(f"gamesad: {error}", file=sys.stderr)
    return str(error)
