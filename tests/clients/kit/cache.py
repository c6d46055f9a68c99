"""Where `install` put the clients; the one place that knows the layout is `install` itself."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

CLIENTS = Path(__file__).resolve().parent.parent


def _installer():
    loader = SourceFileLoader("eyas_clients_install", str(CLIENTS / "install"))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


_install = _installer()
CACHE: Path = _install.cache_dir()
BIN_DIRS: list[Path] = _install.bin_dirs(CACHE)
PYTHON: Path = _install.python_of(CACHE)


def program(name: str) -> str:
    """The path of an installed client program."""
    for folder in reversed(BIN_DIRS):
        if (folder / name).exists():
            return str(folder / name)
    raise FileNotFoundError(f"{name} is not in the cache; run ./install")
