"""Commands that people are to give again."""

from __future__ import annotations

import shlex


def again(*words: str | None, **options: object) -> str:
    """Return a command as it was given, to be given again.

    Parameters:
        words: those that are None are left out.
        options: by their names; None, False and empty ones are left out, of several values each is named.
    """
    line = ["herodeploy", *(word for word in words if word is not None)]
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            line.append(option)
        elif value:
            values = value if isinstance(value, list | tuple) else [value]
            line += [part for each in values for part in (option, str(each))]
    return shlex.join(line)
