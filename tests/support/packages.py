"""Packages with gates, laid down as an installer would leave them."""

from __future__ import annotations

from pathlib import Path


def lay_down(folder: Path, package: str, module: str, code: str, gates: dict[str, str]) -> Path:
    """Write a module and the metadata of the package that brings it; return the folder, for the import path.

    Parameters:
        gates: the entry points, such as ``{"moon": "acme_gates:GATE"}``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{package.replace('-', '_')}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    lines = "".join(f"{kind} = {at}\n" for kind, at in gates.items())
    (info / "entry_points.txt").write_text(f"[herodeploy.gates]\n{lines}")
    return folder
