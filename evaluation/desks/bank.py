"""专家库窗口 the desk of the expert bank: admits, suspends, makes the pool of a draw.

Dossiers and the secret behind the sealed names lie in a folder of their own that nobody else
reads; the ledger holds hashes and counts.
"""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from evaluation.composition import PANEL_SIZE, Composition, check_composition
from evaluation.expert import (
    Bank,
    Dossier,
    Pool,
    Reason,
    Wanted,
    check_bank,
    key_of,
    pool_of,
    reasons_against,
    salt_of,
    seal_of,
)
from trading.desks.docket import Docket
from trading.desks.draw import DrawDesk
from trading.desks.office import Office
from trading.draw import Draw
from trading.facts.draw import EXPERTS, DrawAnnounced, Unsealing
from trading.facts.expert import BANK_STREAM, ExpertAdmitted, ExpertRestored, ExpertSuspended
from trading.kernel.canonical import canonical, sha256
from trading.kernel.errors import DrawRefusal
from trading.kernel.files import write_secret
from trading.kernel.party import Actor
from trading.kernel.rule import Statute
from trading.kernel.settings import read_secret
from trading.ledger.fact import Fact
from trading.lots import sealed_name

__all__ = ["BankDesk"]

_SECRET = 32


class BankDesk:
    def __init__(self, office: Office, draws: DrawDesk, folder: Path) -> None:
        self._office, self._draws, self._folder = office, draws, folder
        self._read: dict[str, Dossier] = {}  # a seal's dossier never changes
        self._docket = Docket(
            office, BANK_STREAM, Bank, lambda bank, fact, _, __: check_bank(bank, fact)
        )

    def admit(
        self, dossier: Dossier, specialities: tuple[str, ...], grade: str, region: str
    ) -> str:
        """The seal that names the expert; the dossier is kept before the ledger knows of it."""
        seal = seal_of(dossier)
        path = self._folder / "dossiers" / seal
        if not path.exists():
            write_secret(path, canonical(dossier))
        self._write(
            lambda bank: (
                None
                if seal in bank.experts
                else ExpertAdmitted(
                    seal=seal,
                    specialities=specialities,
                    grade=grade,
                    region=region,
                    replaces=self._known(bank, dossier.who),
                )
            )
        )
        return seal

    def _known(self, bank: Bank, who: str) -> str:
        """The seal under which the person is in the bank already: a suspension goes along."""
        return next((seal for seal in bank.experts if self._dossier(seal).who == who), "")

    def suspend(self, inspector: Actor, fact: ExpertSuspended) -> Bank:
        return self._write(lambda _: fact, inspector)

    def restore(self, inspector: Actor, seal: str, ground: str) -> Bank:
        return self._write(lambda _: ExpertRestored(seal=seal, ground=ground), inspector)

    def pool(self, wanted: Wanted, nonce: str = "") -> Pool:
        bank = self._docket.load()
        dossiers = {seal: self._dossier(seal) for seal in bank.experts}
        return pool_of(bank, dossiers, wanted, key_of(self._secret(), nonce))

    def announce(
        self,
        owner: Actor | None,
        wanted: Wanted,
        composition: Composition,
        contributors: tuple[str, ...],
        least: Statute = PANEL_SIZE,
    ) -> Draw:
        """A draw of the experts of one panel. Whoever has a part in the tender is stayed away from,
        whether `wanted` names it or not.
        """
        check_composition(composition, wanted.at, least)
        tender = wanted.draw.partition(":")[0]
        wanted = msgspec.structs.replace(wanted, parties=wanted.parties | self._parties(tender))
        nonce = _nonce(owner, wanted, composition, contributors)
        pool = self.pool(wanted, nonce)
        return self._draws.announce(
            owner,
            DrawAnnounced(
                draw=wanted.draw,
                tender=tender,
                purpose=EXPERTS,
                options=pool.options,
                groups=composition.groups(),
                contributors=contributors,
                recused=pool.recused,
                owners=composition.owners,
                nonce=nonce,
            ),
        )

    def _parties(self, tender: str) -> frozenset[str]:
        """Buyer and owner, and every bidder whose envelope is open."""
        if self._office.phase_of(tender) is None:
            raise DrawRefusal(problem=f"没有项目 {tender} / no such tender")
        state = self._office.load(tender)
        bidders = {bid.bidder_id for bid in state.opened.values()}
        return frozenset({state.drafted.buyer_id, state.owner, *bidders})

    def reasons(self, draw: str, code: str, wanted: Wanted) -> list[Reason]:
        """Against one who was drawn, once the opening has shown who bids."""
        dossier = self._behind(draw, code)
        return reasons_against(dossier, wanted.parties, wanted.at)

    def unseal(self, draw: str) -> Draw:
        """Everybody who was drawn, the ones who were replaced included."""
        state = self._draws.load(draw)
        codes = [code for codes in state.present.values() for code in codes] + list(state.gone)
        known = {name.code for name in state.names}
        names = [self._name(draw, code) for code in codes if code not in known]
        return self._draws.unseal(draw, names) if names else state

    def _name(self, draw: str, code: str) -> Unsealing:
        dossier = self._behind(draw, code)
        salt = salt_of(self._key(draw), draw, seal_of(dossier))
        return Unsealing(code, dossier.who, dossier.name, salt.hex())

    def _behind(self, draw: str, code: str) -> Dossier:
        """Found by making the codes of everybody again who ever was in the bank."""
        key, bank = self._key(draw), self._docket.load()
        for seal in (*bank.experts, *sorted(bank.former)):
            dossier = self._dossier(seal)
            salt = salt_of(key, draw, seal)
            if sealed_name(draw, dossier.who, dossier.name, salt) == code:
                return dossier
        raise DrawRefusal(problem=f"{code[:12]}：没有这样的专家 / no such expert")

    def _key(self, draw: str) -> bytes:
        return key_of(self._secret(), self._draws.load(draw).terms.nonce)

    def _dossier(self, seal: str) -> Dossier:
        if seal not in self._read:
            raw = read_secret(self._folder / "dossiers" / seal)
            self._read[seal] = msgspec.json.decode(raw, type=Dossier)
        return self._read[seal]

    def _secret(self) -> bytes:
        path = self._folder / "names.key"
        if not path.exists():
            write_secret(path, os.urandom(_SECRET))
        return read_secret(path)

    def _write(self, decide: Callable[[Bank], Fact | None], actor: Actor | None = None) -> Bank:
        def facts(bank: Bank, _: object) -> list[Fact]:
            fact = decide(bank)
            return [fact] if fact else []

        return self._docket.act(facts, actor)


def _nonce(
    owner: Actor | None, wanted: Wanted, composition: Composition, contributors: tuple[str, ...]
) -> str:
    """Of this act with these very words."""
    words = {
        "act": owner.act_id if owner else "",
        "away_only": wanted.away_only,
        "composition": composition,
        "contributors": contributors,
        "draw": wanted.draw,
        "parties": sorted(wanted.parties),
        "region": wanted.region,
        "unavailable": sorted(wanted.unavailable),
    }
    return sha256(canonical(words)).hex()
