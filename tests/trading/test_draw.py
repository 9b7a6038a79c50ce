"""抽取: nobody steers a draw, anybody computes it again, and what was steered is seen."""

import base64
import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import AStory
from centre import TestCentre
from commands import kaifeng
from hypothesis import given
from hypothesis import strategies as st

from trading.announcing import coefficient_terms
from trading.draw import (
    TRUSTEE,
    Draw,
    DrawPhase,
    check_draw,
    decided_draw,
    stand_in,
    stream_of_draw,
)
from trading.facts.draw import (
    AWAY,
    DrawAnnounced,
    DrawDecided,
    Drawn,
    DrawRooted,
    DrawVoided,
    Group,
    NamesUnsealed,
    Option,
    StandInCalled,
    Unsealing,
)
from trading.kernel.canonical import sha256
from trading.kernel.errors import Broken, DrawDiffers, DrawRefusal, Refusal, TrusteeRefuses
from trading.kernel.party import Role
from trading.lots import check_enough, commitment, draw_digest, drawn, next_in_order, sealed_name
from trading.transcript import read_transcript, recompute, write_transcript

DRAW = "t-1:experts:1"
SALT = bytes(31) + b"s"
SECRETS = {"owner": bytes(31) + b"o", "supervisor": bytes(31) + b"i"}


def sealed(number: int, draw: str = DRAW) -> str:
    return sealed_name(draw, f"id-{number}", f"expert {number}", SALT)


def an_announcement(draw: str = DRAW, *keys: str, **changed: Any) -> DrawAnnounced:
    """Thirty sealed experts, five seats; `keys` of the trustees that contribute."""
    announced = DrawAnnounced(
        draw=draw,
        tender=draw.split(":", maxsplit=1)[0],
        purpose="experts",
        options=tuple(
            Option(sealed(n, draw), ("cost" if n % 3 else "law", *([AWAY] if n % 2 else [])))
            for n in range(30)
        ),
        groups=(Group("造价", 3, "cost", away=2), Group("法律", 2, "law")),
        contributors=("owner", "supervisor", *(TRUSTEE + key for key in keys or ("00" * 32,))),
        recused=(("employer", 4),),
    )
    return msgspec.structs.replace(announced, **changed)


class Drawing:
    """One draw with an owner, a supervisor and two trustees."""

    def __init__(self, centre: TestCentre) -> None:
        self.centre, self.desk = centre, centre.draws
        self.parties = {
            "owner": centre.owner,
            "supervisor": centre.actor("supervisor", Role.INSPECTOR),
        }
        self.tender = AStory(centre).drafted().tender
        self.id = f"{self.tender}:experts:1"
        self.announced = an_announcement(self.id, *(t.key.hex() for t in centre.trustees[:2]))

    def commit(self) -> Draw:
        self.desk.announce(self.centre.owner, self.announced)
        digest = draw_digest(self.announced)
        for name, party in self.parties.items():
            self.desk.commit(party, self.id, commitment(digest, name, SECRETS[name]))
        return self.desk.ask_commitments(self.id, self.centre.trustees)

    def root(self) -> Draw:
        self.commit()
        return self.desk.root(self.id)

    def reveal(self) -> Draw:
        for name, party in self.parties.items():
            self.desk.reveal(party, self.id, SECRETS[name].hex())
        return self.desk.ask_secrets(self.id, self.centre.trustees)

    def decide(self) -> Draw:
        self.root()
        self.reveal()
        return self.desk.decide(self.id)


@pytest.fixture
def drawing(centre: TestCentre) -> Drawing:
    return Drawing(centre)


def outside(transcript: dict) -> list[list[str]]:
    """Who is drawn, by the reference page and the standard library alone."""

    def h(domain: str, value: object) -> bytes:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(domain.encode() + b"\n" + text.encode()).digest()

    announced = transcript["announced"]
    digest = h("kaifeng draw v1", announced).hex()
    for name, secret in transcript["secrets"].items():
        said = {"contributor": name, "draw": digest, "secret": secret}
        assert h("kaifeng draw commitment v1", said).hex() == transcript["commitments"][name]
    _, size, root = transcript["note"].split("\n")[:3]
    root_hex = base64.b64decode(root).hex()
    parts = {"draw": digest, "root": root_hex, "secrets": transcript["secrets"], "size": int(size)}
    seed = h("kaifeng draw seed v1", parts)
    order = sorted(
        announced["options"],
        key=lambda o: hashlib.sha256(
            b"kaifeng draw ticket v1\n" + seed + o["code"].encode()
        ).digest(),
    )
    taken: set[str] = set()
    found = []
    for group in announced["groups"]:
        free = [o for o in order if group["tag"] in o["tags"] and o["code"] not in taken]
        away = [o["code"] for o in free if "away" in o["tags"]][: group["away"]]
        rest = [o["code"] for o in free if o["code"] not in away][: group["count"] - len(away)]
        taken |= {*away, *rest}
        found.append([o["code"] for o in free if o["code"] in {*away, *rest}])
    return found


def test_anyone_recomputes_who_was_drawn(drawing: Drawing) -> None:
    state = drawing.decide()
    assert state.decided
    assert [len(group.codes) for group in state.decided.drawn] == [3, 2]
    written = write_transcript(state)
    assert outside(json.loads(written)) == [list(group.codes) for group in state.decided.drawn]
    steps: list = []
    recompute(read_transcript(written), drawing.centre.policy, steps.append)
    assert len(steps) == 7


def test_the_quota_of_other_regions_is_kept(drawing: Drawing) -> None:
    state = drawing.decide()
    away = {option.code for option in drawing.announced.options if AWAY in option.tags}
    assert state.decided
    assert len(away & set(state.decided.drawn[0].codes)) >= 2


def test_a_trustee_keeps_its_part_until_everybody_has_committed(drawing: Drawing) -> None:
    drawing.commit()
    with pytest.raises(TrusteeRefuses, match="承诺未齐"):
        drawing.centre.ceremony.ask_contribution(
            drawing.id, drawing.centre.trustees[0], is_secret=True
        )


def test_a_stranger_among_the_trustees_has_no_part(drawing: Drawing) -> None:
    drawing.commit()
    with pytest.raises(TrusteeRefuses, match="没有我"):
        drawing.centre.ceremony.ask_contribution(
            drawing.id, drawing.centre.trustees[4], is_secret=False
        )


def test_nobody_reveals_another_secret_than_it_committed_to(drawing: Drawing) -> None:
    drawing.root()
    with pytest.raises(DrawRefusal, match="与承诺不符"):
        drawing.desk.reveal(drawing.centre.owner, drawing.id, bytes(32).hex())


def test_nobody_reveals_or_decides_before_its_time(drawing: Drawing) -> None:
    drawing.commit()
    with pytest.raises(Refusal) as early:
        drawing.desk.reveal(drawing.centre.owner, drawing.id, SECRETS["owner"].hex())
    assert early.value.code == "KF-101"
    drawing.desk.root(drawing.id)
    with pytest.raises(DrawRefusal, match="尚未揭示"):
        drawing.desk.decide(drawing.id)


def test_nobody_commits_twice_or_without_being_named(drawing: Drawing) -> None:
    drawing.commit()
    for party in (drawing.centre.owner, drawing.centre.actor("agency", Role.AGENCY)):
        with pytest.raises(DrawRefusal, match="不在名单或已作出"):
            drawing.desk.commit(party, drawing.id, bytes(32).hex())


def test_who_does_not_reveal_is_named_and_nothing_is_drawn(drawing: Drawing) -> None:
    drawing.root()
    drawing.desk.reveal(drawing.centre.owner, drawing.id, SECRETS["owner"].hex())
    state = drawing.desk.void(drawing.parties["supervisor"], drawing.id, "逾期未揭示")
    assert state.phase is DrawPhase.VOID
    with pytest.raises(Refusal):
        drawing.desk.decide(drawing.id)


def test_every_step_may_be_taken_again(drawing: Drawing) -> None:
    first = drawing.decide()
    drawing.desk.announce(drawing.centre.owner, drawing.announced)
    drawing.desk.root(drawing.id)
    drawing.desk.ask_secrets(drawing.id, drawing.centre.trustees)
    assert drawing.desk.decide(drawing.id) == first


def test_the_next_in_order_stands_in(drawing: Drawing) -> None:
    state = drawing.decide()
    gone = state.present["造价"][0]
    after = drawing.desk.call_stand_in(drawing.parties["supervisor"], drawing.id, gone, "refused")
    assert len(set(after.present["造价"]) | {gone}) == 4
    assert (
        drawing.desk.call_stand_in(drawing.parties["supervisor"], drawing.id, gone, "refused")
        == after
    )
    with pytest.raises(DrawRefusal, match="未被抽中"):
        drawing.desk.call_stand_in(drawing.parties["supervisor"], drawing.id, "0" * 64, "absent")
    with pytest.raises(DrawRefusal, match="理由"):
        drawing.desk.call_stand_in(
            drawing.parties["supervisor"], drawing.id, after.present["造价"][0], "disliked"
        )
    recompute(read_transcript(write_transcript(after)), None, lambda _: None)


def test_names_stay_sealed_until_the_result(drawing: Drawing) -> None:
    state = drawing.decide()
    code = state.present["法律"][0]
    number = next(n for n in range(30) if sealed(n, drawing.id) == code)
    name = Unsealing(code, f"id-{number}", f"expert {number}", SALT.hex())
    with pytest.raises(DrawRefusal, match="保密"):
        drawing.desk.unseal(drawing.id, [name])
    wrong = msgspec.structs.replace(name, name="somebody else")
    for names, rule in (([name], None), ([wrong], "与编号不符")):
        fact = NamesUnsealed(names=tuple(names))
        if rule:
            with pytest.raises(DrawRefusal, match=rule):
                check_draw(state, fact, "")
        else:
            check_draw(state, fact, "")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"contributors": (f"{TRUSTEE}00",)}, "至少 2 方"),
        ({"contributors": ("owner", "supervisor")}, "受托人"),
        ({"contributors": ("owner", "owner", f"{TRUSTEE}00")}, "重复"),
        ({"groups": ()}, "没有分组"),
        ({"groups": (Group("造价", 21, "cost"),)}, "too few"),
        ({"groups": (Group("造价", 3, "cost", away=11),)}, "人数"),
        ({"options": tuple(Option("a", ("cost", "law")) for _ in range(9))}, "选项重复"),
        ({"draw": "t-2:experts:1"}, "编号"),
        ({"purpose": "anything"}, "编号"),
        ({"groups": (Group("x", 15, "cost"), Group("y", 15, "cost"))}, "不多于席位"),
        ({"groups": (Group("x", 18, "cost"), Group("y", 3, "cost"))}, "too few"),
    ],
)
def test_a_draw_that_cannot_be_fair_is_not_announced(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(DrawRefusal, match=problem):
        check_draw(Draw(DRAW), an_announcement(**changed), "owner")


def steered(drawing: Drawing, state: Draw) -> tuple[Drawn, ...]:
    """One of the drawn replaced by another who might have been."""
    decided = decided_draw(state)
    first, *others = decided.drawn
    spare = next_in_order(state.seed, state.terms.options, state.terms.groups[0], first.codes, ())
    return (msgspec.structs.replace(first, codes=(spare, *first.codes[1:])), *others)


def test_a_steered_draw_is_caught_by_verify(drawing: Drawing) -> None:
    drawing.root()
    state = drawing.reveal()
    forged = DrawDecided(seed=state.seed.hex(), drawn=steered(drawing, state))
    with pytest.raises(DrawRefusal, match="与种子得出的结果不同"):
        check_draw(state, forged, "")
    office = drawing.centre.office
    stream = stream_of_draw(drawing.id)
    drawing.centre.ledger.append(stream, state.height, [office.draft(stream, forged, None)])
    drawing.centre.is_forged = True
    with pytest.raises(Broken, match="与种子得出的结果不同"):
        drawing.centre.verify(drawing.centre.export())


def test_a_ledger_whose_draw_took_a_later_head_is_caught(drawing: Drawing) -> None:
    """Whoever may choose among heads tries them until the draw suits."""
    drawing.commit()
    drawing.centre.publisher.publish()
    drawing.centre.actor("one more", Role.BIDDER)
    later = drawing.centre.publisher.publish()
    office, stream = drawing.centre.office, stream_of_draw(drawing.id)
    fact = DrawRooted(note=later.note)
    height = drawing.desk.load(drawing.id).height
    drawing.centre.ledger.append(stream, height, [office.draft(stream, fact, None)])
    drawing.centre.is_forged = True
    with pytest.raises(Broken, match="首个检查点"):
        drawing.centre.verify(drawing.centre.export())


CHANGES = {
    "drawn": lambda t: t["drawn"][0]["codes"].reverse(),
    "seed": lambda t: t.update(seed="00" * 32),
    "secret": lambda t: t["secrets"].update(owner="11" * 32),
    "commitment": lambda t: t["commitments"].update(owner="11" * 32),
    "contributor": lambda t: t["secrets"].pop("supervisor"),
    "option": lambda t: t["announced"]["options"].pop(),
    "head": lambda t: t.update(last_commitment=10**6),
    "stand-in": lambda t: t["stand_ins"][0].update(code=t["drawn"][0]["codes"][1]),
    "nobody contributes": lambda t: (
        t["announced"].update(contributors=[]),
        t.update(secrets={}, commitments={}),
    ),
    "counts": lambda t: t["announced"]["groups"][0].update(count=-1),
    "before": lambda t: t.update(last_commitment=-5),
    "name": lambda t: t.update(
        names=[{"code": "0" * 64, "who": "x", "name": "x", "salt": "00" * 32}]
    ),
    "field": lambda t: t.update(more=1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_transcript_with_one_thing_changed_is_caught(drawing: Drawing, change: str) -> None:
    state = drawing.decide()
    state = drawing.desk.call_stand_in(
        drawing.parties["supervisor"], drawing.id, state.present["造价"][0], "absent"
    )
    whole = json.loads(write_transcript(state))
    recompute(read_transcript(json.dumps(whole).encode()), None, lambda _: None)
    CHANGES[change](whole)
    with pytest.raises(DrawDiffers):
        recompute(read_transcript(json.dumps(whole).encode()), None, lambda _: None)


def test_a_hundred_thousand_draws_are_uniform() -> None:
    """Chi-square over the eligible, alone and in pairs; the seeds are hashes of a counter."""
    options = [Option(f"{n:02}") for n in range(12)]
    groups = (Group("all", 3),)
    times = 100_000
    alone: Counter[str] = Counter()
    together: Counter[tuple[str, ...]] = Counter()
    for n in range(times):
        codes = drawn(sha256(n.to_bytes(4, "big")), options, groups)[0].codes
        alone.update(codes)
        together[tuple(sorted(codes))] += 1
    expected = times * 3 / 12
    assert sum((alone[o.code] - expected) ** 2 / expected for o in options) < 31.26  # 11 df, 0.1 %
    triples = 220
    expected = times / triples
    square = sum((count - expected) ** 2 / expected for count in together.values())
    assert len(together) == triples
    assert square < 287.1  # 219 degrees of freedom, 0.1 %


def test_the_same_measure_sees_a_draw_that_favours_one() -> None:
    """The control: a remainder of a byte, which twelve does not divide."""
    options = [Option(f"{n:02}") for n in range(12)]
    alone: Counter[str] = Counter()
    times = 100_000
    for n in range(times):
        seed = sha256(n.to_bytes(4, "big"))
        alone[options[seed[0] % 12].code] += 1
    expected = times / 12
    assert sum((alone[o.code] - expected) ** 2 / expected for o in options) > 31.26


def test_the_order_of_the_list_does_not_matter() -> None:
    options = [Option(f"{n}") for n in range(50)]
    seed = os.urandom(32)
    forth = drawn(seed, options, (Group("g", 5),))
    assert forth == drawn(seed, reversed(options), (Group("g", 5),))


def test_a_coefficient_is_drawn_like_anything_else(centre: TestCentre) -> None:
    wanted = {"float_percent": tuple(f"{n / 10:.1f}" for n in range(31))}
    drawing = Drawing(centre)
    story = AStory(centre, method="reasonable-low-price", drawn=wanted).bidding().with_three()
    drawing.id = f"{story.tender}:coefficient:1"
    options, groups = coefficient_terms(wanted)
    drawing.announced = msgspec.structs.replace(
        drawing.announced,
        draw=drawing.id,
        tender=story.tender,
        purpose="coefficient",
        options=options,
        groups=groups,
    )
    with pytest.raises(DrawRefusal, match="截标后"):
        drawing.decide()
    story.closed().shared().opened()
    state = drawing.decide()
    (code,) = state.present["float_percent"]
    assert 0 <= float(code.removeprefix("float_percent=")) <= 3
    with pytest.raises(DrawRefusal, match="只有专家"):
        stand_in(state, code, "refused")


def test_the_commands_take_a_transcript_out_and_verify_it(drawing: Drawing, tmp_path: Path) -> None:
    drawing.decide()
    export, file = drawing.centre.export(), tmp_path / "draw.json"
    assert drawing.id in kaifeng("draw", "transcript", str(export)).stdout
    kaifeng("draw", "transcript", str(export), drawing.id, "--out", str(file))
    policy = str(drawing.centre.data / "policy.txt")
    done = kaifeng("draw", "verify", str(file), "--policy", policy)
    assert done.returncode == 0, done.stderr
    assert "✓ 7" in done.stdout
    file.write_text(file.read_text().replace('"seed":"', '"seed":"0'))
    done = kaifeng("draw", "verify", str(file))
    assert (done.returncode, "KF-608" in done.stderr) == (1, True)


# -- who would draw until it suits --------------------------------------------------------------


def test_there_is_one_draw_for_a_purpose_unless_the_last_was_void(drawing: Drawing) -> None:
    drawing.root()
    second = f"{drawing.tender}:experts:2"
    another = an_announcement(second, drawing.centre.trustees[0].key.hex())
    with pytest.raises(DrawRefusal, match="已有同一用途"):
        drawing.desk.announce(drawing.centre.owner, another)
    third = msgspec.structs.replace(another, draw=f"{drawing.tender}:experts:3")
    with pytest.raises(DrawRefusal):
        drawing.desk.announce(drawing.centre.owner, third)
    drawing.desk.void(drawing.parties["supervisor"], drawing.id, "逾期未揭示")
    drawing.desk.announce(drawing.centre.owner, another)


def test_a_second_draw_past_the_desk_is_caught_by_verify(drawing: Drawing) -> None:
    drawing.decide()
    centre, second = drawing.centre, f"{drawing.tender}:experts:2"
    stream, another = stream_of_draw(second), an_announcement(second, centre.trustees[0].key.hex())
    draft = centre.office.draft(stream, another, centre.owner)
    centre.ledger.append(stream, 0, [draft])
    centre.is_forged = True
    with pytest.raises(Broken, match="已有同一用途"):
        centre.verify(centre.export())


def test_trustees_that_nobody_knows_are_caught_by_verify(drawing: Drawing) -> None:
    centre = drawing.centre
    stream = stream_of_draw(drawing.id)
    draft = centre.office.draft(stream, an_announcement(drawing.id, "ab" * 32), centre.owner)
    centre.ledger.append(stream, 0, [draft])
    centre.is_forged = True
    with pytest.raises(Broken, match="不在章程内"):
        centre.verify(centre.export())


def test_nobody_signs_in_a_trustees_name(drawing: Drawing) -> None:
    drawing.desk.announce(drawing.centre.owner, drawing.announced)
    name = TRUSTEE + drawing.centre.trustees[0].key.hex()
    false = drawing.centre.actor(name, Role.INSPECTOR)
    with pytest.raises(DrawRefusal, match="自行签名"):
        drawing.desk.commit(false, drawing.id, "00" * 32)


def test_the_platform_voids_no_draw_and_calls_no_stand_in(drawing: Drawing) -> None:
    for kind in (DrawVoided, StandInCalled):
        assert kind.by == {Role.INSPECTOR}


@given(st.lists(st.sets(st.sampled_from("xyz"), min_size=1), min_size=3, max_size=9), st.binary())
def test_what_is_announced_can_be_drawn_whatever_the_seed(
    tags: list[set[str]], seed: bytes
) -> None:
    options = [Option(f"{n}", tuple(sorted(found))) for n, found in enumerate(tags)]
    groups = (Group("a", 1, "x"), Group("b", 1, "y"), Group("c", 1, "z"))
    try:
        check_enough(options, groups)
    except DrawRefusal:
        return
    assert len(drawn(sha256(seed), options, groups)) == 3
