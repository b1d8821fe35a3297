"""List the commands: every module directly under `slu/` that has a `main`, and every package with a `__main__`."""

import ast
from pathlib import Path

from slu.common.cli import reports_errors


def commands() -> dict[str, str]:
    """Command names and the first sentence of their docstrings, without importing them."""
    found = {}
    home = Path(__file__).parent
    for path in sorted([*home.glob("[a-z]*.py"), *home.glob("[a-z]*/__main__.py")], key=_name):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            found[_name(path)] = (ast.get_docstring(tree) or "").splitlines()[0]
    return found


def _name(path: Path) -> str:
    return path.parent.name if path.stem == "__main__" else path.stem


@reports_errors
def main() -> None:
    print("Voice orders (and voices), understood on your own machine.\n")
    entries = commands()
    for name, text in entries.items():
        print(f"  python -m slu.{name:<12} {text}")
    print("\nEach has --help; settings are given as key=value.", flush=True)


if __name__ == "__main__":
    main()
