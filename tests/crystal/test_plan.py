"""Plans come from outside: a good one is taken whole, a bad one gets one clear line and changes nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamesad.crystal.layout import COLD, FROZEN, HOT, WARM
from gamesad.crystal.tiering.plan import PLAN_BYTES, Plan, PlanError, parse

KNOWN = frozenset(range(1, 20))


def test_a_plan_has_tiers_an_order_and_groups() -> None:
    plan = parse('{"blocks": {"1": "hot", "2": "frozen"}, "order": [3, 1], "groups": [[4, 5], [6]]}', KNOWN)
    assert plan == Plan({1: HOT, 2: FROZEN}, (3, 1), ((4, 5), (6,)))


def test_each_part_may_stand_alone() -> None:
    assert parse('{"order": [2, 1]}', KNOWN) == Plan(order=(2, 1))
    assert parse('{"blocks": {}}', KNOWN) == Plan()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "plan: not JSON: Expecting value: line 1 column 1 (char 0); send one JSON object and nothing else"),
        ("Here is your plan:\n{}", "plan: not JSON: Expecting value: line 1 column 1"),
        ("{} {}", "plan: not JSON: Extra data: line 1 column 4"),
        ("{}", "plan: it is empty; give at least one of blocks, order, groups"),
        ("[1]", "plan: a list instead of an object; a plan has blocks, order, groups"),
        ("null", "plan: null instead of an object; a plan has blocks, order, groups"),
        ('{"tiers": {}}', "plan: there is no 'tiers'; a plan has blocks, order, groups"),
        ('{"blocks": []}', "plan: blocks: a list instead of an object of block id and tier"),
        ('{"blocks": {"1": "tepid"}}', "plan: blocks.1: there is no tier 'tepid'; there are hot, warm, cold, frozen"),
        ('{"blocks": {"1": 0}}', "plan: blocks.1: there is no tier 0; there are hot, warm, cold, frozen"),
        ('{"blocks": {"1": []}}', "plan: blocks.1: there is no tier a list; there are hot, warm, cold, frozen"),
        ('{"blocks": {"77": "hot"}}', "plan: blocks: there is no block 77; ask for the statistics again"),
        ('{"blocks": {"one": "hot"}}', "plan: blocks: 'one' instead of a block id; they are whole numbers"),
        ('{"blocks": {"01": "hot"}}', "plan: blocks: '01' instead of a block id; they are whole numbers"),
        ('{"blocks": {"²": "hot"}}', "plan: blocks: '\\xb2' instead of a block id; they are whole numbers"),
        ('{"blocks": {"1": "hot", "1": "cold"}}', "plan: '1' stands twice"),
        ('{"order": 5}', "plan: order: a number instead of a list"),
        ('{"order": [1, 2, 1]}', "plan: order[2]: block 1 stands twice; name it once"),
        ('{"order": [1.0]}', "plan: order[0]: 1.0 instead of a block id; they are whole numbers"),
        ('{"order": [true]}', "plan: order[0]: True instead of a block id; they are whole numbers"),
        ('{"order": [NaN]}', "plan: order[0]: nan instead of a block id; they are whole numbers"),
        ('{"order": [-1]}', "plan: order[0]: there is no block -1; ask for the statistics again"),
        ('{"groups": [1]}', "plan: groups[0]: a number instead of a list"),
        ('{"groups": [[1, 2], [3, [4]]]}', "plan: groups[1][1]: a list instead of a block id; they are whole numbers"),
        ('{"groups": [[1, 2], [2, 3]]}', "plan: groups[1][0]: block 2 stands twice; name it once"),
        ('{"order": [' + "9" * 5000 + "]}", "plan: not JSON: Exceeds the limit"),
        ("[" * 60_000, "plan: nested too deep; lists of block ids are all there is"),
        ('{"order": [' + " " * PLAN_BYTES + "]}", "plan: larger than 64 KiB; name the blocks that matter only"),
        ('{"order": ["' + "é" * (PLAN_BYTES // 2) + '"]}', "plan: larger than 64 KiB"),
        ('{"\\ud800": 1}', "plan: there is no '\\ud800'; a plan has blocks, order, groups"),
        ('{"\\u001b[31m": 1}', "plan: there is no '\\x1b[31m'; a plan has blocks, order, groups"),
    ],
)
def test_what_is_no_plan_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse(text, KNOWN)
    found = str(caught.value)
    assert found.startswith(message)
    assert len(found.splitlines()) == 1
    assert len(found) < 250


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 25) | st.floats() | st.sampled_from(["hot", "1", "2", "x", "order"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["1", "2", "a", "order"]), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["blocks", "order", "groups", "more"]), values, max_size=4))
def test_any_json_is_a_sound_plan_or_an_error(document: dict[str, object]) -> None:
    try:
        plan = parse(json.dumps(document), KNOWN)
    except PlanError:
        return
    named = [*plan.tiers, *plan.order, *(block for group in plan.groups for block in group)]
    assert set(named) <= KNOWN
    assert set(plan.tiers.values()) <= {HOT, WARM, COLD, FROZEN}
    assert len(set(plan.order)) == len(plan.order)
    assert parse(plan.document(), KNOWN) == plan


@given(st.text(max_size=60))
def test_any_text_is_a_plan_or_an_error(text: str) -> None:
    with pytest.raises(PlanError):
        parse(text, KNOWN)
