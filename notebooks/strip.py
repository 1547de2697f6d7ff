"""Write each notebook from its percent script, without outputs: `python notebooks/strip.py`."""

from __future__ import annotations

from pathlib import Path

import jupytext


def stripped(script: Path) -> str:
    """Return the ipynb text of a percent script: no outputs, no random cell ids."""
    notebook = jupytext.read(script)
    for number, cell in enumerate(notebook.cells, start=1):
        cell["id"] = f"cell-{number:02}"
    return jupytext.writes(notebook, fmt="ipynb")


def main() -> None:
    """Rewrite the notebooks that differ from their scripts."""
    for script in sorted(Path(__file__).parent.glob("[0-9]*.py")):
        target, text = script.with_suffix(".ipynb"), stripped(script)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
