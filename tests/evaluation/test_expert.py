"""专家·回避: who may be drawn, who must stay away, and that nobody learns the names too early."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from builders import AStory
from centre import TestCentre

from evaluation.composition import PANEL_SIZE_WATER, Composition, check_composition
from evaluation.desks.bank import BankDesk
from evaluation.expert import (
    Dossier,
    Employment,
    Reason,
    Wanted,
    check_bank,
    reasons_against,
    seal_of,
)
from trading.draw import TRUSTEE, Draw
from trading.facts.draw import AWAY
from trading.facts.expert import ExpertAdmitted, ExpertSuspended
from trading.kernel.errors import DrawRefusal
from trading.kernel.party import Role
from trading.lots import commitment, draw_digest

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
PARTIES = frozenset({"owner-co", "agency-co"})
DRAW = "draw-1"


def a_dossier(number: int, **known: object) -> Dossier:
    return Dossier(who=f"id-{number}", name=f"专家{number}", salt=f"{number:064x}", **known)  # type: ignore[arg-type]


def wanted(**changed: object) -> Wanted:
    plain = Wanted(draw=DRAW, region="A", parties=PARTIES, specialities=("cost", "civil"), at=AT)
    return msgspec.structs.replace(plain, **changed)


@pytest.fixture
def bank(centre: TestCentre) -> BankDesk:
    desk = BankDesk(centre.office, centre.draws, centre.folder / "bank")
    for number in range(20):
        speciality = "cost" if number % 2 else "civil"
        desk.admit(a_dossier(number), (speciality,), "senior", "AB"[number % 4 // 2])
    return desk


@pytest.mark.parametrize(
    ("known", "reasons"),
    [
        ({}, []),
        ({"employments": (Employment("owner-co"),)}, [Reason.EMPLOYER]),
        ({"employments": (Employment("owner-co", date(2026, 3, 2)),)}, [Reason.EMPLOYER]),
        ({"employments": (Employment("owner-co", date(2026, 3, 1)),)}, [Reason.PAST_EMPLOYER]),
        ({"employments": (Employment("agency-co", date(2023, 3, 2)),)}, [Reason.PAST_EMPLOYER]),
        ({"employments": (Employment("agency-co", date(2023, 3, 1)),)}, []),
        ({"employments": (Employment("elsewhere"),)}, []),
        ({"shares": ("agency-co",)}, [Reason.SHAREHOLDER]),
        ({"kin": ("owner-co",)}, [Reason.KIN]),
        ({"kin": ("owner-co",), "shares": ("owner-co",)}, [Reason.SHAREHOLDER, Reason.KIN]),
    ],
)
def test_recusal_follows_from_facts(known: dict[str, object], reasons: list[Reason]) -> None:
    assert reasons_against(a_dossier(1, **known), PARTIES, AT) == reasons


def test_three_years_end_on_a_leap_day_too() -> None:
    job = Employment("owner-co", date(2025, 2, 28))
    at = datetime(2028, 2, 29, 1, tzinfo=UTC)
    assert reasons_against(a_dossier(1, employments=(job,)), PARTIES, at) == [Reason.PAST_EMPLOYER]


def test_the_recused_are_shown_as_counts_and_not_as_names(
    centre: TestCentre, bank: BankDesk
) -> None:
    bank.admit(a_dossier(30, kin=("owner-co",)), ("cost",), "senior", "B")
    gone = bank.admit(a_dossier(31), ("civil",), "senior", "B")
    inspector = centre.actor("supervisor", Role.INSPECTOR)
    bank.suspend(inspector, ExpertSuspended(seal=gone, ground="违规", until=AT + timedelta(days=9)))
    pool = bank.pool(wanted())
    assert dict(pool.recused) == {"kin": 1, "suspended": 1}
    assert len(pool.options) == 20
    text = str(pool.options) + str(pool.recused)
    assert "专家" not in text
    assert gone not in text


def test_a_suspension_ends_when_it_says_or_is_lifted(centre: TestCentre, bank: BankDesk) -> None:
    inspector = centre.actor("supervisor", Role.INSPECTOR)
    until, forever = (seal_of(a_dossier(number)) for number in (1, 3))
    bank.suspend(inspector, ExpertSuspended(seal=until, ground="x", until=AT))
    bank.suspend(inspector, ExpertSuspended(seal=forever, ground="x"))
    assert dict(bank.pool(wanted()).recused) == {"suspended": 1}
    bank.restore(inspector, forever, "申诉成立")
    assert bank.pool(wanted()).recused == ()


def test_where_the_rule_asks_nobody_comes_from_the_same_region(bank: BankDesk) -> None:
    pool = bank.pool(wanted(away_only=True))
    assert all(AWAY in option.tags for option in pool.options)
    assert dict(pool.recused) == {"same-region": 10}


def test_the_same_expert_has_another_code_in_every_draw(bank: BankDesk) -> None:
    codes = [{option.code for option in bank.pool(wanted(draw=d)).options} for d in ("1", "2")]
    assert codes[0].isdisjoint(codes[1])


class ADraw:
    """Of five experts, three from elsewhere, for a tender; `inspector` supervises it."""

    def __init__(self, centre: TestCentre, bank: BankDesk, tender: str = "") -> None:
        self.centre, self.bank = centre, bank
        self.tender = tender or AStory(centre).drafted().tender
        self.id = f"{self.tender}:experts:1"
        self.inspector = centre.actor("supervisor", Role.INSPECTOR)

    def decided(self) -> Draw:
        draws, trustees = self.centre.draws, self.centre.trustees[:1]
        composition = Composition((("cost", 3), ("civil", 2)), away=3)
        names = ("owner", "supervisor", TRUSTEE + trustees[0].key.hex())
        owner = self.centre.owner
        self.bank.announce(owner, wanted(draw=self.id), composition, names)
        digest = draw_digest(draws.load(self.id).terms)
        secrets = {"owner": bytes(32), "supervisor": bytes(31) + b"1"}
        actors = {"owner": owner, "supervisor": self.inspector}
        for name, actor in actors.items():
            draws.commit(actor, self.id, commitment(digest, name, secrets[name]))
        draws.ask_commitments(self.id, trustees)
        draws.root(self.id)
        for name, actor in actors.items():
            draws.reveal(actor, self.id, secrets[name].hex())
        draws.ask_secrets(self.id, trustees)
        return draws.decide(self.id)


def test_a_panel_of_five_with_three_from_elsewhere(centre: TestCentre, bank: BankDesk) -> None:
    state = ADraw(centre, bank).decided()
    away = {option.code for option in state.terms.options if AWAY in option.tags}
    codes = [code for codes in state.present.values() for code in codes]
    assert len(codes) == 5
    assert len(away.intersection(codes)) >= 3


def test_names_come_out_with_the_award_and_fit_their_codes(
    centre: TestCentre, bank: BankDesk
) -> None:
    story = AStory(centre).to_opening().ranked()
    draw = ADraw(centre, bank, story.tender)
    draw.decided()
    with pytest.raises(DrawRefusal, match="保密"):
        bank.unseal(draw.id)
    story.publicised().awarded()
    state = bank.unseal(draw.id)
    assert len(state.names) == 5
    assert all(name.name.startswith("专家") for name in state.names)


def test_who_turns_out_to_know_a_bidder_is_followed_by_the_next(
    centre: TestCentre, bank: BankDesk
) -> None:
    bank.admit(a_dossier(40, shares=("bidder-x",)), ("cost", "civil"), "senior", "B")
    draw = ADraw(centre, bank)
    state = draw.decided()
    known = wanted(parties=PARTIES | {"bidder-x"})
    codes = [code for codes in state.present.values() for code in codes]
    against = [code for code in codes if bank.reasons(draw.id, code, known)]
    for code in against:
        state = centre.draws.call_stand_in(draw.inspector, draw.id, code, "recused")
    codes = [code for codes in state.present.values() for code in codes]
    assert not any(bank.reasons(draw.id, code, known) for code in codes)


@pytest.mark.parametrize(
    ("composition", "problem"),
    [
        (Composition((("cost", 4),)), "至少 5"),
        (Composition((("cost", 6),)), "单数"),
        (Composition((("cost", 3),), owners=2), "三分之二"),
        (Composition((("cost", 5),), away=6), "异地"),
        (Composition((("cost", 6), ("civil", -1))), "人数"),
    ],
)
def test_a_panel_that_the_law_does_not_know(composition: Composition, problem: str) -> None:
    with pytest.raises(DrawRefusal, match=problem):
        check_composition(composition, AT)


def test_five_with_one_of_the_owners_and_seven_for_water_works() -> None:
    five = Composition((("cost", 2), ("civil", 2)), owners=1)
    check_composition(five, AT)
    with pytest.raises(DrawRefusal, match="至少 7"):
        check_composition(five, AT, PANEL_SIZE_WATER)
    check_composition(Composition((("water", 5),), owners=2), AT, PANEL_SIZE_WATER)


@pytest.mark.parametrize(
    "fact",
    [
        ExpertAdmitted(seal="0" * 64, specialities=(), grade="", region="A"),
        ExpertAdmitted(seal="0" * 64, specialities=("x",), grade="", region=""),
        ExpertAdmitted(seal="0" * 64, specialities=("x",), grade="", region="A", replaces="1" * 64),
        ExpertSuspended(seal="0" * 64, ground="x"),
    ],
)
def test_the_bank_takes_nothing_half(fact) -> None:
    from evaluation.expert import Bank

    with pytest.raises(DrawRefusal):
        check_bank(Bank(), fact)


def test_a_person_is_in_the_bank_once_and_a_suspension_goes_along(
    centre: TestCentre, bank: BankDesk
) -> None:
    inspector = centre.actor("supervisor", Role.INSPECTOR)
    old = seal_of(a_dossier(1))
    bank.suspend(inspector, ExpertSuspended(seal=old, ground="违规"))
    bank.admit(a_dossier(1, shares=("other",)), ("cost",), "senior", "B")
    pool = bank.pool(wanted())
    assert dict(pool.recused) == {"suspended": 1}
    assert len(pool.options) == 19
