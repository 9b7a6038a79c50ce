"""抽取记录 the transcript of a draw: one file from which anyone recomputes who was drawn.

The ledger that holds the same facts shows more: who signed them, and when (`kaifeng verify`).
"""

from collections.abc import Callable

import msgspec

from trading.draw import Draw, check_announced
from trading.facts.draw import DrawAnnounced, Drawn, StandInCalled, Unsealing
from trading.kernel.canonical import canonical
from trading.kernel.errors import DrawDiffers, DrawRefusal, Refusal
from trading.ledger.checkpoint import Checkpoint
from trading.ledger.note import Note
from trading.ledger.policy import Policy
from trading.lots import commitment, draw_digest, drawn, follower, sealed_name, seed_of

__all__ = ["Recomputed", "Transcript", "read_transcript", "recompute", "write_transcript"]


class Transcript(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hashes and secrets are hex. `last_commitment`: its index in the ledger; `note`: the cosigned
    checkpoint; `drawn`: as the seed gave it, before any stand-in came.
    """

    announced: DrawAnnounced
    commitments: dict[str, str]
    last_commitment: int
    note: str
    secrets: dict[str, str]
    seed: str
    drawn: tuple[Drawn, ...]
    stand_ins: tuple[StandInCalled, ...] = ()
    names: tuple[Unsealing, ...] = ()


class Recomputed(msgspec.Struct, frozen=True):
    zh: str
    en: str
    found: str


def _of(draw: Draw) -> Transcript:
    """DrawRefusal before it is decided."""
    if draw.decided is None:
        raise DrawRefusal(problem=f"{draw.id}：尚未抽取 / not decided yet")
    return Transcript(
        announced=draw.terms,
        commitments=dict(draw.commitments),
        last_commitment=draw.last_commitment,
        note=draw.note,
        secrets=dict(draw.secrets),
        seed=draw.decided.seed,
        drawn=draw.decided.drawn,
        stand_ins=tuple(draw.stand_ins),
        names=tuple(draw.names),
    )


def read_transcript(raw: bytes) -> Transcript:
    try:
        return msgspec.json.decode(raw, type=Transcript)
    except msgspec.MsgspecError as error:
        raise DrawDiffers(problem=f"文件无法读取 / the file cannot be read: {error}") from error


def recompute(
    transcript: Transcript, policy: Policy | None, report: Callable[[Recomputed], None]
) -> None:
    """All steps in order; DrawDiffers at the first that does not hold."""
    steps: tuple[tuple[str, str, Callable[[], str]], ...] = (
        ("公告", "announcement", lambda: _announcement(transcript)),
        ("承诺", "commitments", lambda: _commitments(transcript)),
        ("检查点", "checkpoint", lambda: _checkpoint(transcript, policy)),
        ("种子", "seed", lambda: _seed(transcript)),
        ("抽中", "drawn", lambda: _drawn(transcript)),
        ("补抽", "stand-ins", lambda: _stand_ins(transcript)),
        ("名单", "names", lambda: _names(transcript)),
    )
    for zh, en, step in steps:
        try:
            found = step()
        except DrawDiffers:
            raise
        except (Refusal, ValueError) as problem:
            raise DrawDiffers(problem=problem) from problem
        report(Recomputed(zh, en, found))


# (1) what was to be drawn, from what, and by whom
def _announcement(transcript: Transcript) -> str:
    check_announced(transcript.announced)
    return draw_digest(transcript.announced).hex()


# (2) everybody named there committed, and revealed what it had committed to
def _commitments(transcript: Transcript) -> str:
    digest = draw_digest(transcript.announced)
    expected = sorted(transcript.announced.contributors)
    if sorted(transcript.commitments) != expected or sorted(transcript.secrets) != expected:
        raise DrawDiffers(problem="各方与公告不符 / other contributors than announced")
    for name, said in transcript.commitments.items():
        if commitment(digest, name, bytes.fromhex(transcript.secrets[name])) != said:
            raise DrawDiffers(problem=f"{name} 揭示与承诺不符 / differs from its commitment")
    return f"{len(expected)}"


# (3) the ledger's head came after the last commitment; with a policy: log and witnesses signed it
def _checkpoint(transcript: Transcript, policy: Policy | None) -> str:
    head = _head(transcript)
    if not 0 <= transcript.last_commitment < head.size:
        raise DrawDiffers(problem="检查点早于最后的承诺 / older than the last commitment")
    dated = policy.check(transcript.note).median.isoformat() if policy else "—"
    return f"{head.size} {dated}"


# (4) the seed is the hash of all of that
def _seed(transcript: Transcript) -> str:
    if _own_seed(transcript).hex() != transcript.seed:
        raise DrawDiffers(problem="种子不符 / another seed")
    return transcript.seed


# (5) the seed's order gives the ones who were drawn
def _drawn(transcript: Transcript) -> str:
    announced = transcript.announced
    again = drawn(_own_seed(transcript), announced.options, announced.groups)
    if again != transcript.drawn:
        raise DrawDiffers(problem="抽中者与种子不符 / the seed gives others")
    return f"{sum(len(item.codes) for item in again)} / {len(announced.options)}"


# (6) whoever stood in was the next in order
def _stand_ins(transcript: Transcript) -> str:
    seed = _own_seed(transcript)
    present = {item.group: list(item.codes) for item in transcript.drawn}
    gone: set[str] = set()
    for called in transcript.stand_ins:
        group, code = follower(seed, transcript.announced, present, gone, called.gone)
        if (group, code) != (called.group, called.code):
            raise DrawDiffers(problem=f"补抽应为 {code[:12]} / the next in order is another")
        members = present[group]
        members[members.index(called.gone)] = code
        gone.add(called.gone)
    return f"{len(transcript.stand_ins)}"


# (7) the names are those that the codes hide
def _names(transcript: Transcript) -> str:
    draw = transcript.announced.draw
    known = {code for group in transcript.drawn for code in group.codes}
    known |= {called.code for called in transcript.stand_ins}
    for name in transcript.names:
        if (
            name.code not in known
            or sealed_name(draw, name.who, name.name, bytes.fromhex(name.salt)) != name.code
        ):
            raise DrawDiffers(problem=f"{name.name} 与编号不符 / not behind that code")
    return f"{len(transcript.names)}"


def _own_seed(transcript: Transcript) -> bytes:
    head = _head(transcript)
    secrets = {name: bytes.fromhex(secret) for name, secret in transcript.secrets.items()}
    return seed_of(draw_digest(transcript.announced), head.root, head.size, secrets)


def _head(transcript: Transcript) -> Checkpoint:
    return Checkpoint.parse(Note.parse(transcript.note).text)


def write_transcript(draw: Draw) -> bytes:
    return canonical(_of(draw)) + b"\n"
