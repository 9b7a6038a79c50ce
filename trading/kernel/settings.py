"""Settings: defaults, then `kaifeng.toml`, then `KAIFENG_*`; unknown keys are refused.

A secret never stands in either: the setting named `*_file` holds the path it is read from.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from trading.kernel.errors import SettingUnknown, SettingUnreadable

__all__ = ["Settings", "read_secret"]

_PREFIX = "KAIFENG_"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One field, one setting; `KAIFENG_CLOCK_ERROR_MS` sets `clock_error_ms`."""

    origin: str = "kaifeng.example/ledger"  # the ledger's name, as witnesses know it
    log_ed25519_file: str = ""  # the ledger's Ed25519 key; made beside the ledger when empty
    log_mldsa44_file: str = ""  # the ledger's ML-DSA-44 key; made beside the ledger when empty
    clock_error_ms: int = 50  # bound of the clock's error, as the time service reports it
    batch_limit: int = 1000  # entries committed in one transaction at most
    envelope_limit_mib: int = 2048  # largest envelope admitted
    database: str = ""  # postgresql://…; the data folder's own ledger.db when empty
    objects: str = ""  # where envelopes are kept: a folder, or s3://bucket/prefix
    authority: str = ""  # host[:port] that signed requests must name; any when empty
    trustees: str = ""  # file with a line `NAME KEY URL` for each trustee of the charter
    witnesses: str = ""  # file with a line `NAME VKEY URL` for each witness of the policy
    witness_quorum: int = 0  # how many witnesses must cosign; all of them when 0
    charter_threshold: int = 3  # how many trustees must act together at least
    publish_ms: int = 1000  # how often a grown ledger is taken to the witnesses
    clerk: bool = True  # close at the deadline, ask the trustees and open without a host
    outage_seconds: int = 30  # silence of the platform that counts as an outage
    deadline_limit: int = 1500  # deadlines that one hour may hold
    disk_reserve_mib: int = 512  # free space below which the node says it is not ready
    seal_file: str = ""  # the centre's seal for papers: private key and certificates, PEM
    issuer: str = "公共资源交易中心"  # whose seal it is
    timestamps: str = ""  # URL of an RFC 3161 authority for sealed papers
    warnings: bool = True  # look at every opening for signs of collusion
    model_file: str = ""  # a model of `kaifeng analytics train`; documents alone when empty
    clock_drift_ms: int = 2000  # how far the witnesses' clocks may be from ours

    @classmethod
    def load(cls, environment: Mapping[str, str], file: Path | None = None) -> "Settings":
        given: dict[str, Any] = {}
        if file:
            try:
                given = tomllib.loads(file.read_text("utf-8"))
            except (OSError, ValueError) as error:
                raise SettingUnreadable(key=str(file), problem=error) from error
        for name, value in environment.items():
            if name.startswith(_PREFIX):
                given[name.removeprefix(_PREFIX).lower()] = value
        return cls._checked(given)

    @classmethod
    def _checked(cls, given: dict[str, Any]) -> "Settings":
        for key in given:
            if key not in cls.__struct_fields__:
                raise SettingUnknown(key=key, known=", ".join(cls.__struct_fields__))
        try:
            return msgspec.convert(given, cls, strict=False)
        except msgspec.ValidationError as error:
            raise SettingUnreadable(key=", ".join(given), problem=error) from error


def read_secret(path: Path) -> bytes:
    """The secret's bytes; a file that others may read is refused."""
    try:
        mode = path.stat().st_mode & 0o077
        secret = path.read_bytes()
    except OSError as error:
        raise SettingUnreadable(key=str(path), problem=error) from error
    if mode:
        raise SettingUnreadable(key=str(path), problem=f"chmod 600 {path}")
    return secret
