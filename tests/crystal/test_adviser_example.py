"""The example that asks a language model speaks as OpenAI's clients do; what comes back is checked as any plan."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from gamesad.crystal.layout import FROZEN
from gamesad.crystal.tiering.plan import PlanError
from tests.crystal.kept import Kept, text

EXAMPLE = Path(__file__).parents[2] / "docs/examples/advise.py"


class Model(BaseHTTPRequestHandler):
    """Proposes to freeze every block that is not read. ``said`` overrides its answer."""

    said: str | None = None
    asked: list[tuple[str, str | None, dict[str, Any]]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).asked.append((self.path, self.headers["Authorization"], body))
        blocks = json.loads(body["messages"][1]["content"])["blocks"]
        plan = {"blocks": {str(block["id"]): "frozen" for block in blocks if block["count"] < 1}}
        answer = {"choices": [{"message": {"content": self.said or json.dumps(plan)}}]}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    Model.asked, Model.said = [], None
    with HTTPServer(("127.0.0.1", 0), Model) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        serving.join()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.close()


def advise(endpoint: str, survey: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OPENAI_BASE_URL": endpoint, "OPENAI_MODEL": "small", "OPENAI_API_KEY": "secret"}
    return subprocess.run(
        [sys.executable, "-I", EXAMPLE], input=survey, env=environment, capture_output=True, text=True, check=False
    )


def test_a_model_s_plan_is_applied(endpoint: str, kept: Kept) -> None:
    used, unused = kept.allocate(text(5000), count=50), kept.allocate(text(5000))
    kept.later(10)
    ran = advise(endpoint, kept.keeper.survey())
    assert (ran.returncode, ran.stderr) == (0, "")
    kept.keeper.apply(ran.stdout)
    kept.later(10)
    assert (used.tier < FROZEN, unused.tier) == (True, FROZEN)
    ((path, authorization, body),) = Model.asked
    assert (path, authorization, body["model"]) == ("/v1/chat/completions", "Bearer secret", "small")


def test_a_model_that_talks_gets_a_clear_answer_and_changes_nothing(endpoint: str, kept: Kept) -> None:
    kept.allocate(text(5000))
    kept.later(10)
    Model.said = "Certainly! Here is a plan: {}"
    with pytest.raises(PlanError, match=r"not JSON: .*; send one JSON object and nothing else"):
        kept.keeper.apply(advise(endpoint, kept.keeper.survey()).stdout)


def test_the_example_stays_one(endpoint: str) -> None:
    """Short enough to be read at once, and the whole of the format stands in its question."""
    lines = EXAMPLE.read_text().splitlines()
    assert len(lines) <= 35
    assert '{"blocks": {"ID": "hot" | "warm" | "cold" | "frozen"}' in "\n".join(lines)
