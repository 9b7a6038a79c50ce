"""演练 a whole centre on one machine, each institution a process of its own, talking over HTTP.

Two witnesses, five trustees, the server, and parties with keys in their own folders. The
demonstration and the tests both stand on this; a real centre has the same programs elsewhere.
"""

import os
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from trading.committee import Charter
from trading.envelope.identity import Authority
from trading.facts.party import STREAM, PartyEnrolled
from trading.kernel.errors import Usage
from trading.kernel.files import durable_folder, durable_write, write_secret
from trading.kernel.instant import SystemClock
from trading.kernel.party import Role
from trading.kernel.settings import Settings, read_secret
from trading.ledger.entry import act_message
from trading.ledger.fact import write_fact
from trading.ledger.policy import write_policy
from trading.ledger.signature import ActorKey, VerifierKey
from web.centre import TRUSTEES, WITNESSES, log_keys, run_commands
from web.client import Client, act_id
from web.node import CENTRE
from web.pipes import kaifeng
from web.server import WITH_PARENT

__all__ = ["Program", "Rehearsal"]

_ENDING = 20


class Program:
    """One of our programs that serves HTTP; its log stands beside its folder."""

    def __init__(
        self, name: str, command: list[str], log: Path, environment: Mapping[str, str]
    ) -> None:
        self.name, self._log = name, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**environment, WITH_PARENT: "1"},
                text=True,
            )
        self.url = ""

    def wait(self) -> str:
        """The URL that its first line names; Usage if it ended instead."""
        line = self.process.stdout.readline() if self.process.stdout else ""
        found = [word for word in line.split() if word.startswith("http://")]
        if not found:
            code = self.process.wait()
            told = self._log.read_text("utf-8", "replace").strip().rpartition("\n")[2]
            raise Usage(problem=f"{self.name} 未能启动 / did not start ({code}): {told}")
        self.url = found[0]
        return self.url

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


class Rehearsal:
    """Below `folder`: `centre/`, `witness-*/`, `trustee-*/`, `parties/`, `logs/`. What is there
    from an earlier run is used again. `settings` become KAIFENG_* of the server.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        database: str = "",
        settings: Mapping[str, str] | None = None,
        said: Callable[[str, int], None] = lambda _, __: None,
    ) -> None:
        self.folder, self.data = folder, folder / "centre"
        self._port, self.database, self._said = port, database, said
        self._closing = ExitStack()
        self.settings = {
            "witnesses": str(folder / "witnesses.txt"),
            "trustees": str(folder / "trustees.txt"),
            **(settings or {}),
        }
        self.nodes: dict[str, Program] = {}
        self._clients: dict[tuple[str, str], Client] = {}

    def __enter__(self) -> Self:
        try:
            durable_folder(self.data)
            self._start_witnesses()
            self._start_trustees()
            self.start_node("one")
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def url(self) -> str:
        return next(iter(self.nodes.values())).url

    def start_node(self, name: str) -> Program:
        port = self._port if name == "one" else 0
        command = kaifeng("serve", "--data", str(self.data), "--port", str(port), "--name", name)
        if self.database:
            command += ["--database", self.database]
        self.nodes[name] = self._start(f"server-{name}", command)
        self.nodes[name].wait()
        self._said("服务 server", self.nodes[name].process.pid)
        return self.nodes[name]

    def restart_node(self, name: str = "one") -> Program:
        """Once more where it was, whatever ended it: same folder, same port, same name."""
        self.nodes[name].stop()
        self._port = int(self.nodes[name].url.rpartition(":")[2])
        return self.start_node(name)

    def client(self, party: str = "", url: str = "") -> Client:
        """Signing as the party, whose key lies below `parties/`; the same one for the same call."""
        place = party, url or self.url
        if place not in self._clients:
            key = self.key(party) if party else None
            self._clients[place] = self._closing.enter_context(Client(place[1], party, key))
        return self._clients[place]

    def key(self, party: str) -> ActorKey:
        if party == CENTRE:
            return ActorKey.load(self.data / "operator.key")
        path = self.folder / "parties" / f"{party}.key"
        if not path.exists():
            ActorKey.generate().save(path)
        return ActorKey.load(path)

    def enrol(self, party: str, name: str, *roles: Role) -> Client:
        """By the centre's registrar; the party signs its own enrolment."""
        key, identity = self.key(party), act_id()
        fact = PartyEnrolled(
            party=party, name=name, roles=tuple(sorted(roles)), key=key.public.hex()
        )
        message = act_message(STREAM, identity, party, write_fact(fact))
        body = {
            "id": identity,
            "sig": key.sign(message).hex(),
            "party": party,
            "name": name,
            "roles": [str(role) for role in roles],
            "key": key.public.hex(),
        }
        self.client(CENTRE).post("/v1/parties", body)
        return self.client(party)

    def authority(self) -> Authority:
        """A certificate authority for made-up bidders."""
        path = self.folder / "parties" / "rehearsal-ca.pem"
        if not path.exists():
            write_secret(path, Authority.create("演练 CA", SystemClock().read().at).pem())
        return Authority.from_pem(read_secret(path))

    def _start(self, name: str, command: list[str]) -> Program:
        environment = os.environ | {
            f"KAIFENG_{key.upper()}": value for key, value in self.settings.items()
        }
        log = self.folder / "logs" / f"{name}.log"
        program = Program(name, command, log, environment)
        self._closing.callback(program.stop)
        return program

    def _start_witnesses(self) -> None:
        logs = [str(key.verifier) for key in log_keys(self.data, Settings.load({}))]
        options = [word for log in logs for word in ("--log", log)]
        folders = {name: str(self.folder / f"witness-{name}") for name in WITNESSES}
        keys = run_commands(
            [
                kaifeng("witness", "init", folder, "--name", f"{name}.example", *options)
                for name, folder in folders.items()
            ]
        )
        programs = [
            self._start(f"witness-{name}", kaifeng("witness", "serve", folder, "--port", "0"))
            for name, folder in folders.items()
        ]
        self.witnesses = dict(zip(folders, programs, strict=True))
        self._list("witnesses", keys, self.witnesses)
        known = {name: VerifierKey.parse(key) for name, key in zip(folders, keys, strict=True)}
        verifiers = [key.verifier for key in log_keys(self.data, Settings.load({}))]
        policy = write_policy(verifiers, known, len(known))
        durable_write(self.data / "policy.txt", [policy.encode()])

    def _start_trustees(self) -> None:
        folders = {name: str(self.folder / f"trustee-{name}") for name in TRUSTEES}
        policy = str(self.data / "policy.txt")
        keys = run_commands(
            [kaifeng("trustee", "init", folder, "--policy", policy) for folder in folders.values()]
        )
        charter = self.data / "charter.txt"
        text = str(Charter(3, dict(zip(folders, keys, strict=True))))
        durable_write(charter, [text.encode()])
        run_commands(
            [kaifeng("trustee", "appoint", folder, str(charter)) for folder in folders.values()]
        )
        centre = self._operator()
        serve = ("--port", "0", "--centre", centre)
        programs = [
            self._start(f"trustee-{name}", kaifeng("trustee", "serve", folder, *serve))
            for name, folder in folders.items()
        ]
        self.trustees = dict(zip(folders, programs, strict=True))
        self._list("trustees", keys, self.trustees)

    def _operator(self) -> str:
        path = self.data / "operator.key"
        if not path.exists():
            ActorKey.generate().save(path)
        return ActorKey.load(path).public.hex()

    def _list(self, kind: str, keys: list[str], programs: Mapping[str, Program]) -> None:
        """The file by which the server finds them."""
        lines = []
        for (name, program), key in zip(programs.items(), keys, strict=True):
            lines.append(f"{name} {key} {program.wait()}\n".encode())
            self._said(
                f"{'见证人 witness' if kind == 'witnesses' else '受托人 trustee'} {name}",
                program.process.pid,
            )
        durable_write(self.folder / f"{kind}.txt", lines)
