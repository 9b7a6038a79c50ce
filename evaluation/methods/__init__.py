"""One file, one method: each module declares `METHOD`."""

from evaluation.method import Method
from trading.kernel.registry import Registry

METHODS: Registry[Method] = Registry(Method, __name__, "METHOD")
