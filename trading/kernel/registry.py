"""One file, one plugin: a registry reads the constant of each module in a folder, sorted."""

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Generic, Protocol, TypeVar

from trading.kernel.errors import UnknownPlugin

__all__ = ["Registry"]


class Plugin(Protocol):
    @property
    def code(self) -> str: ...


T = TypeVar("T", bound=Plugin)


class Registry(Generic[T]):
    """Reads `constant` of every module below `package`; others come by entry point.

    A module without the constant, one of the wrong type or a code that is taken: TypeError.
    """

    def __init__(self, kind: type[T], package: str, constant: str) -> None:
        self._kind = kind
        self._plugins: dict[str, T] = {}
        path = importlib.import_module(package).__path__
        for module in sorted(pkgutil.iter_modules(path), key=lambda found: found.name):
            loaded = importlib.import_module(f"{package}.{module.name}")
            self._add(getattr(loaded, constant, None), module.name)
        for point in entry_points(group=f"kaifeng.{package.rpartition('.')[2]}"):
            self._add(point.load(), point.name)

    def _add(self, plugin: object, name: str) -> None:
        if not isinstance(plugin, self._kind):
            raise TypeError(f"{name} does not declare a {self._kind.__name__}")
        if plugin.code in self._plugins:
            raise TypeError(f"{name}: code {plugin.code} is taken")
        self._plugins[plugin.code] = plugin

    def __getitem__(self, code: str) -> T:
        if code not in self._plugins:
            raise UnknownPlugin(plugin=code, known="、".join(self._plugins))
        return self._plugins[code]

    def __iter__(self) -> Iterator[T]:
        return iter(self._plugins.values())

    def __len__(self) -> int:
        return len(self._plugins)
