"""A trustee may ask a person: without that person's word, given in its own house, nothing opens.

That a tender opens by itself where nobody is asked, every institution a process of its own, is
`test_a_tender_from_draft_to_contract` in test_live.py.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import pytest
from builders import AStory
from commands import kaifeng
from edge import TestEdge, check_form

from trading.kernel.errors import TrusteeRefuses
from trading.tender import Phase

STAGE = 2


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[TestEdge]:
    """Five trustees, of whom three open."""
    made = TestEdge(tmp_path, trustees=5)
    yield made
    made.centre.verify_everything()
    made.close()


def folders(edge: TestEdge) -> list[Path]:
    return [trustee.folder for trustee in edge.centre.trustees]


def ask_a_person(edge: TestEdge, who: Iterable[int]) -> None:
    """Each by its own program, which keeps the key that it has."""
    policy = edge.centre.data / "policy.txt"
    for number in who:
        told = ("trustee", "init", folders(edge)[number], "--policy", policy, "--ask-a-person")
        done = kaifeng(*told)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == edge.centre.trustees[number].key.hex()


def approve(edge: TestEdge, number: int, tender: str, stage: int = STAGE) -> None:
    done = kaifeng("trustee", "approve", folders(edge)[number], tender, stage)
    assert done.returncode == 0, done.stderr


def asked_to_open(edge: TestEdge, story: AStory) -> httpx.Response:
    answer = edge.send("platform", "POST", f"/v1/tenders/{story.tender}/stages/{STAGE}/opening")
    check_form(answer)
    return answer


def problems(edge: TestEdge, story: AStory, waiting: int) -> list[str]:
    """What is wrong if the tender is not kept sealed for that many persons."""
    answer = asked_to_open(edge, story)
    said, found = answer.json(), []
    if (answer.status_code, said.get("code")) != (503, TrusteeRefuses.code):
        found.append(f"answered {answer.status_code} {answer.text}")
    command = f"kaifeng trustee approve DIR {story.tender} {STAGE}"
    found += [
        f"{waiting} are not asked for in {text!r}"
        for text in (said.get("title", ""), said.get("detail", ""))
        if (text.count("等待本机构人员确认"), text.count(command)) != (waiting, waiting)
    ]
    if story.state.phase is not Phase.SEALED or story.state.opened:
        found.append(f"it is {story.state.phase}")
    return found


def test_a_tender_stays_sealed_until_enough_trustees_have_a_persons_word(edge: TestEdge) -> None:
    ask_a_person(edge, (0, 2, 4))
    story, other = edge.tender(Phase.SEALED), edge.tender(Phase.SEALED)
    for _ in range(2):  # as often as it is asked
        assert problems(edge, story, waiting=3) == []
    approve(edge, 2, other.tender)
    approve(edge, 2, story.tender, stage=1)
    assert problems(edge, story, waiting=3) == [], "a word is for one opening alone"
    approve(edge, 2, story.tender)
    answer = asked_to_open(edge, story)
    assert (answer.status_code, answer.json()["phase"]) == (200, "opened"), answer.text
    assert {bid.trustees for bid in story.state.opened.values()} == {(2, 3, 4)}
    assert asked_to_open(edge, other).status_code == 200


def test_a_persons_word_is_no_key_to_a_tender_that_still_takes_bids(edge: TestEdge) -> None:
    ask_a_person(edge, (0,))
    story = edge.tender(Phase.BIDDING)
    approve(edge, 0, story.tender)
    assert asked_to_open(edge, story).status_code == 409
    assert story.state.phase is Phase.BIDDING


def test_where_too_few_ask_a_person_it_opens_by_itself(edge: TestEdge) -> None:
    """The control: one of the three no longer asks, and the same checker sees it opened."""
    ask_a_person(edge, (0, 2, 4))
    (folders(edge)[4] / "ask-a-person").unlink()
    story = edge.tender(Phase.SEALED)
    found = problems(edge, story, waiting=3)
    assert (found[0][:12], found[-1]) == ("answered 200", "it is opened")
    assert {bid.trustees for bid in story.state.opened.values()} == {(2, 4, 5)}
