"""The floors of the house: who may import whom. ARCHITECTURE.md tells them; this holds them."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("federation", "node")

# The first line that fits says the floor of a module.
FLOORS = (
    ("federation", 0),
    ("node.model", 0),
    ("node.errors", 0),
    ("node.settings", 0),
    ("node.uris", 0),
    ("node.translation", 0),
    ("node.clock", 0),
    ("node.words", 0),
    ("node.pixels", 0),
    ("node.sizes", 0),
    ("node.categories", 0),
    ("node.globe", 0),
    ("node.logs", 0),
    ("node.gazetteer", 0),
    ("node.store", 1),
    ("node.exchange", 3),
    ("node.web", 4),
    ("node.workers", 4),
    ("node.founding", 4),
    ("node.app", 5),
    ("node.cli", 5),
    ("node.__main__", 5),
    ("node.commands", 5),
    ("node.demo", 5),
    ("node", 2),  # the trade itself
)
# What a floor may not name from outside the house.
BANNED = {
    0: {"starlette", "sqlite_utils"},
    1: {"starlette", "httpx2", "httpcore2", "federation"},
    2: {"starlette", "httpx2", "httpcore2", "federation", "sqlite_utils"},
    3: {"starlette", "sqlite_utils"},
}
SQLITE = {"node.store", "node.gazetteer"}  # others may name its Connection as a type, no more
SQL_WORDS = ("SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "PRAGMA ")


def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def floor(module: str) -> int:
    if module == "node":  # only the version is there
        return 0
    return next(level for name, level in FLOORS if module == name or module.startswith(f"{name}."))


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """What a file imports: modules of the house by their full name, others by their first."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return {name if name in known else name.split(".")[0] for name in found}


MODULES = modules()
ARROWS = {name: imports(path, MODULES) for name, path in MODULES.items()}


def test_the_house_is_read_at_all() -> None:
    assert len(MODULES) > 60
    assert "federation.signatures" in ARROWS["node.web.activitypub"]


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_leans_on_its_own_floor_or_below(module: str) -> None:
    for target in ARROWS[module] & MODULES.keys():
        assert floor(target) <= floor(module), f"{module} imports {target} from above"


def test_the_protocol_knows_nothing_of_shops() -> None:
    for module, arrows in ARROWS.items():
        if module.startswith("federation"):
            assert not {name for name in arrows if name.split(".")[0] == "node"}, module


def test_there_is_no_circle() -> None:
    graph = {
        module: {target for target in arrows if target in MODULES and target != module}
        for module, arrows in ARROWS.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_floor_names_no_library_of_another(module: str) -> None:
    if module.startswith("federation"):
        banned = {"starlette", "sqlite3", "sqlite_utils", "node", "jinja2"}
    else:
        banned = BANNED.get(floor(module), set())
    used = {name.split(".")[0] for name in ARROWS[module]}
    assert not used & banned


@pytest.mark.parametrize("module", sorted(MODULES))
def test_sql_is_in_the_store_alone(module: str) -> None:
    if any(module == name or module.startswith(f"{name}.") for name in SQLITE):
        return
    tree = ast.parse(MODULES[module].read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not node.value.lstrip().startswith(SQL_WORDS), f"{module}: {node.value[:60]!r}"
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "sqlite3"
        ):
            assert node.attr in ("Connection", "Error"), f"{module} uses sqlite3.{node.attr}"
