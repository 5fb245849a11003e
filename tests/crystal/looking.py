"""A client that looks at the pool of a writer at full speed. ``python -m tests.crystal.looking FOLDER SECONDS KIND``.

KIND: how it reads, "mapped" or "file"; with "careless" before it, it does not look whether blocks moved meanwhile.
Beside ``tests.crystal.stress``, whose ledger says which blocks there must be. Prints what it saw as one JSON object.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter

from gamesad.crystal import layout
from gamesad.crystal.errors import Damaged, NotThere, Torn
from gamesad.crystal.reader import Crystal, attach
from tests.crystal import stress
from tests.crystal.stress import Ledger


def blocks(crystal: Crystal, ledger: Ledger) -> tuple[list[int], bool]:
    """Ids that were met; whether one is missing that was there before the walk, during and after it."""
    before = ledger.versions().keys()
    found = [one.id for one in crystal.blocks()]
    at_hand = ledger.words[Ledger.BLOCK]
    stayed = before & ledger.versions().keys()
    return found, len(set(found)) != len(found) or not stayed - {at_hand} <= set(found)


def contents_are_right(crystal: Crystal, identity: int) -> bool:
    data = crystal.read(identity)
    said, version = stress.version_of(data)
    return said == identity and data == stress.contents(identity, version, len(data))


def look(folder: str, seconds: float, *, mapped: bool) -> Counter[str]:
    crystal, ledger, seen = attach(f"{folder}/segment", mapped=mapped), Ledger(folder), Counter[str]()
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        try:
            found, missing = blocks(crystal, ledger)
            seen["walks"] += 1
            seen["missing"] += missing
            for identity in random.sample(found, min(3, len(found))):
                seen["wrong"] += not contents_are_right(crystal, identity)
                seen["read"] += 1
        except Damaged:
            seen["wrong"] += 1
        except NotThere:
            seen["gone"] += 1
        except Torn:
            seen["given up"] += 1
    return seen


if __name__ == "__main__":
    if "careless" in sys.argv[3]:
        layout.POOL_SEQUENCE_AT = layout.POOL_HEAD - 8
    print(json.dumps(look(sys.argv[1], float(sys.argv[2]), mapped="mapped" in sys.argv[3])))
