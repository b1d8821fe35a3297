"""List the commands: every module directly under `slu/` that has a `main`."""

import ast
from pathlib import Path


def commands() -> dict[str, str]:
    """Command names and the first sentence of their docstrings, without importing them."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or "").splitlines()[0]
    return found


def main() -> None:
    print("Voice orders (and voices), understood on your own machine.\n")
    entries = commands()
    for name, text in entries.items():
        print(f"  python -m slu.{name:<12} {text}")
    print("\nEach has --help; settings are given as key=value.")


if __name__ == "__main__":
    main()
