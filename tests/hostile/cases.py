"""`python -m tests.hostile.cases`: which test holds which case of cases.toml.

A test holds a case when its name says so (`test_sig_06_07_08_…`, `test_ssrf_01_to_05_and_20_…`), a
parameter's id does, or its docstring names it (`SIG-06`).
"""

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_KINDS = "sig|org|jsn|ssrf|dos|htm"
_IN_NAME = re.compile(rf"(?:^|_)({_KINDS})((?:_(?:[0-9]{{2}}|to|and))+)")
_IN_TEXT = re.compile(rf"\b({_KINDS.upper()})-([0-9]{{2}})\b")


def known() -> dict[str, dict[str, str]]:
    """The cases: titles by id, by group."""
    return tomllib.loads((Path(__file__).parent / "cases.toml").read_text(encoding="utf-8"))


def of_name(name: str) -> Iterator[str]:
    """The ids in a test's name, or in a parameter's id."""
    for kind, numbers in _IN_NAME.findall(name):
        before, through = 0, False
        for word in numbers.split("_")[1:]:
            if word.isdigit():
                for number in range(before + 1 if through else int(word), int(word) + 1):
                    yield f"{kind.upper()}-{number:02}"
                before, through = int(word), False
            else:
                through = word == "to"


def held() -> dict[str, list[str]]:
    """The tests by the ids that they hold."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(ROOT.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if not node.name.startswith("test_"):
                continue
            ids = set(of_name(node.name))
            ids |= {"-".join(pair) for pair in _IN_TEXT.findall(ast.get_docstring(node) or "")}
            for decorator in node.decorator_list:
                for part in ast.walk(decorator):
                    if isinstance(part, ast.keyword) and part.arg == "id":
                        ids |= set(of_name(str(ast.literal_eval(part.value))))
            for one in ids:
                found[one].append(f"{path.relative_to(ROOT.parent)}::{node.name}")
    return found


def main() -> None:
    """Prints the table."""
    by_id = held()
    for group, cases in known().items():
        print(f"\n{group}\n")
        for one, title in cases.items():
            print(f"{one:8} {title}")
            for test in by_id.get(one, ["NO TEST"]):
                print(f"         {test}")


if __name__ == "__main__":
    main()
