"""专家库窗口: experts admitted by the centre, suspended and restored by the supervising body."""

from datetime import date, datetime
from typing import Annotated

import msgspec
from litestar import Controller, post
from litestar.params import FromPath, JSONBody

from evaluation.expert import Dossier, Employment
from trading.facts.expert import ExpertSuspended
from trading.kernel.calendar import check_moment
from web.access import allow
from web.api.bodies import Body, Calls, Digest, Here, Name, SignedBody, Text
from web.auth import actor, authenticate

__all__ = ["BankController"]

Organizations = Annotated[tuple[Name, ...], msgspec.Meta(max_length=100)]


class Job(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    organization: Name
    until: date | None = None


class Admit(Body, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the bank knows of a person stays with the centre; `salt`: pure chance, kept by it."""

    who: Name
    name: Name
    salt: Digest
    specialities: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=20)]
    grade: Name
    region: Name
    employments: Annotated[tuple[Job, ...], msgspec.Meta(max_length=100)] = ()
    shares: Organizations = ()
    kin: Organizations = ()


class Suspend(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    ground: Text
    until: datetime | None = None


class Restore(SignedBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    ground: Text


class Admitted(msgspec.Struct, frozen=True):
    """The hash that names an expert from here on."""

    seal: str


class BankController(Controller):
    path = "/v1/experts"
    tags = ("专家库 bank",)
    guards = (authenticate, allow)

    @post("/", name="admit_expert", sync_to_thread=True)
    def admit(self, data: JSONBody[Admit], ports: Here) -> Admitted:
        """入库; the same dossier again is the same expert."""
        jobs = tuple(Employment(job.organization, job.until) for job in data.employments)
        dossier = Dossier(
            who=data.who,
            name=data.name,
            salt=data.salt,
            employments=jobs,
            shares=data.shares,
            kin=data.kin,
        )
        bank = ports.desks.bank
        return Admitted(bank.admit(dossier, data.specialities, data.grade, data.region))

    @post("/{seal:str}/suspension", name="suspend_expert", sync_to_thread=True)
    def suspend(
        self, seal: FromPath[Digest], data: JSONBody[Suspend], ports: Here, request: Calls
    ) -> Admitted:
        """暂停; without `until`, for good."""
        if data.until:
            check_moment(data.until, "暂停")
        fact = ExpertSuspended(seal=seal, ground=data.ground, until=data.until)
        ports.desks.bank.suspend(actor(request, data), fact)
        return Admitted(seal)

    @post("/{seal:str}/restoration", name="restore_expert", sync_to_thread=True)
    def restore(
        self, seal: FromPath[Digest], data: JSONBody[Restore], ports: Here, request: Calls
    ) -> Admitted:
        """恢复."""
        ports.desks.bank.restore(actor(request, data), seal, data.ground)
        return Admitted(seal)
