"""Check that every public function, class and module has a docstring, and that those with numbers and faults say so.

Run by `make lint`. A public function that raises UserError says "Errors:"; one whose arguments or result carry a unit
in their name (`_gbs`, `_usd`, `_mm2`, `_w`) names the unit. Provisions are left out: `twokey law check` types them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "twokey"
UNITS = {"_gbs": "GB/s", "_usd": "USD", "_mm2": "mm²", "_tflops": "TFLOPS", "_tops": "TOPS"}


def problems(path: Path) -> Iterator[str]:
    """Yield what is missing in one file, as "file:line: what"."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    shown = path.relative_to(SOURCE.parents[1])
    if not ast.get_docstring(tree):
        yield f"{shown}:1: the module says nothing of itself"
    for node in _public(tree):
        docstring = ast.get_docstring(node)
        if not docstring:
            yield f"{shown}:{node.lineno}: {node.name} has no docstring"
        elif isinstance(node, ast.FunctionDef):
            yield from _says(node, docstring, f"{shown}:{node.lineno}")


def _public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    one for one in node.body if isinstance(one, ast.FunctionDef) and not one.name.startswith("_")
                )


def _says(node: ast.FunctionDef, docstring: str, where: str) -> Iterator[str]:
    raises = any(
        isinstance(part, ast.Raise)
        and isinstance(part.exc, ast.Call)
        and getattr(part.exc.func, "id", "") == "UserError"
        for part in ast.walk(node)
    )
    command = any(
        "click" in ast.unparse(decorator) or ".command" in ast.unparse(decorator) for decorator in node.decorator_list
    )
    if raises and not command and "rror" not in docstring:
        yield f"{where}: {node.name} raises UserError and its docstring does not say when (Errors: ...)"
    names = [argument.arg for argument in node.args.args + node.args.kwonlyargs] + [node.name]
    for suffix, unit in UNITS.items():
        if (
            any(re.search(rf"{suffix}$", name) for name in names)
            and unit not in docstring
            and suffix[1:].upper() not in docstring.upper()
        ):
            yield f"{where}: {node.name} has a number in {unit} and its docstring does not say so"


def main() -> None:
    """Print every problem and end with 1 if there is one."""
    found = [
        problem
        for path in sorted(SOURCE.rglob("*.py"))
        if "packs" not in path.parts and "migrations" not in path.parts
        for problem in problems(path)
    ]
    print("\n".join(found) or f"docstrings: {len(list(SOURCE.rglob('*.py')))} modules are in order")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
