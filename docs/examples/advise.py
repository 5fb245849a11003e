"""Asks a language model for a layout plan: gamesactl crystal advise --command "python3 advise.py" [--apply]

Statistics on standard input, the plan on standard output, run as the calling user. Any endpoint with OpenAI's chat
completions will do: OPENAI_BASE_URL (as it comes, a model of your own on this machine), OPENAI_MODEL, OPENAI_API_KEY.
What the model says is a proposal: gamesad checks the plan, and goes back if it made things worse.
"""

import json
import os
import sys
from urllib.request import Request, urlopen

TASK = """You lay out a tiered block store. The statistics list each block: id, size in bytes, tier, decayed count of
accesses, seconds in its tier; and pairs [first, second, times read one after the other]. Answer with one JSON object:
{"blocks": {"ID": "hot" | "warm" | "cold" | "frozen"}, "order": [ID, ...], "groups": [[ID, ...], ...]}
blocks: only those that should move; hot is locked in memory, frozen is compressed. A group is read together.
A block stands once in order and in one group at most. Use only ids that the statistics list."""

body = {
    "model": os.environ.get("OPENAI_MODEL", "llama3.1"),
    "temperature": 0,
    "response_format": {"type": "json_object"},
    "messages": [{"role": "system", "content": TASK}, {"role": "user", "content": sys.stdin.read()}],
}
headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', '')}"}
url = os.environ.get("OPENAI_BASE_URL", "http://localhost:11434/v1") + "/chat/completions"
with urlopen(Request(url, json.dumps(body).encode(), headers), timeout=120) as answer:  # noqa: S310 - the user's own
    sys.stdout.write(json.load(answer)["choices"][0]["message"]["content"])
