""".slugignore: what of a source neither buildpacks nor slug get to see."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path


def apply(app: Path, output: Callable[[str], None]) -> None:
    """Delete ``.git`` and all that ``.slugignore`` names (gitignore patterns; ``!`` has no meaning there)."""
    _delete(app / ".git")
    file = app / ".slugignore"
    if not file.is_file():
        return
    patterns = file.read_text(errors="replace").splitlines()
    negated = [line for line in patterns if line.startswith("!")]
    if negated:
        output(f" !     .slugignore: patterns with ! are not supported and ignored: {', '.join(negated)}")
    count = _delete_matching(app, [line for line in patterns if line not in negated])
    output(f"-----> Deleting {count} {'entry' if count == 1 else 'entries'} matching .slugignore patterns")


def _delete_matching(app: Path, patterns: list[str]) -> int:
    from pathspec import GitIgnoreSpec

    spec = GitIgnoreSpec.from_lines(patterns)
    count = 0
    for folder, folders, files in os.walk(app):
        inside = Path(folder).relative_to(app)
        for name in [*folders, *files]:
            path = inside / name
            if spec.match_file(f"{path.as_posix()}/" if name in folders else path.as_posix()):
                _delete(app / path)
                count += 1
        folders[:] = [name for name in folders if (app / inside / name).is_dir()]
    return count


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
