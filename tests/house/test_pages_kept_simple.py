"""What a page may not do: show itself before it looked at the viewer, hold SQL, reckon with money, or trust markup."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.viewer import SCREENS

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "pages"
SQL = re.compile(r"(?is)\b(select\b.+\bfrom|insert\s+into|delete\s+from|update\b.+\bset|create\s+table)\b")
MONEY_TO_TEXT = PAGES / "parts" / "format.py"


def all_files() -> list[Path]:
    return sorted(PAGES.rglob("*.py"))


def screens() -> list[Path]:
    """The files that are screens: those in the folders of the roles."""
    return [path for path in all_files() if path.parent not in (PAGES, PAGES / "parts")]


def named(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(PAGES)) for path in paths]


def calls(node: ast.AST) -> Iterator[ast.Call]:
    return (each for each in ast.walk(node) if isinstance(each, ast.Call))


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def passes(node: ast.stmt) -> bool:
    """Whether a statement shows nothing: imports, definitions, constants and types."""
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
    return bool(targets) and all(isinstance(each, ast.Name) and each.id[0].isupper() for each in targets)


@pytest.mark.parametrize("path", screens(), ids=named(screens()))
def test_a_screen_looks_at_its_viewer_before_anything_else(path: Path) -> None:
    acts = [node for node in ast.parse(path.read_text()).body if not passes(node)]
    asked = [call for call in calls(acts[0]) if name_of(call) == "require_screen"]
    assert asked, f"{path.name} begins with something else than session.require_screen"
    screen = asked[0].args[-1]
    assert isinstance(screen, ast.Constant)
    assert screen.value in SCREENS


def test_every_screen_has_a_page_of_its_own_name() -> None:
    asked = [
        call.args[-1].value
        for path in screens()
        for call in calls(ast.parse(path.read_text()))
        if name_of(call) == "require_screen" and isinstance(call.args[-1], ast.Constant)
    ]
    assert sorted(asked) == sorted(SCREENS)


@pytest.mark.parametrize("path", all_files(), ids=named(all_files()))
def test_no_page_holds_sql(path: Path) -> None:
    prose = {id(node) for node in docstrings(ast.parse(path.read_text()))}
    texts = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    strings = [node.value for node in texts if isinstance(node.value, str) and id(node) not in prose]
    sentences = [value for value in strings if SQL.search(value) and not re.search(r"[.!?…]\s*$", value)]
    assert sentences == []


def docstrings(module: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(module):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


@pytest.mark.parametrize(
    "path", [path for path in all_files() if path != MONEY_TO_TEXT], ids=lambda path: str(path.relative_to(PAGES))
)
def test_no_page_reckons_with_money(path: Path) -> None:
    found = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.BinOp) and any(is_money(side) for side in (node.left, node.right))
    ]
    assert found == []


def is_money(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value).endswith(("_minor", "_nano"))
    word = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return word.endswith(("_minor", "_nano"))


@pytest.mark.parametrize("path", all_files(), ids=named(all_files()))
def test_raw_markup_is_written_by_us_alone(path: Path) -> None:
    for call in calls(ast.parse(path.read_text())):
        is_raw = any(
            word.arg == "unsafe_allow_html" and getattr(word.value, "value", True) for word in call.keywords
        ) or (name_of(call) == "html" and isinstance(call.func, ast.Attribute))
        if is_raw:
            assert all(isinstance(given, ast.Constant) for given in call.args), ast.unparse(call)
