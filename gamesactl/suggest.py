"""What a person may have meant by a name that is not there."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean quiet?)`` or nothing. Looks at likeness first, then at names that contain the word."""
    import difflib  # noqa: PLC0415 - 15 ms, paid only by a slip

    names = list(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if not near and len(word) >= 3:
        near = [name for name in names if word.casefold() in name.casefold()][:1]
    return f" (did you mean {near[0]}?)" if near else ""
