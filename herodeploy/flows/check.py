"""The command of `verify`: whatever else must be true of a release in an app."""

from __future__ import annotations

import os
from dataclasses import dataclass

from herodeploy.domain.pipeline import VerifySpec
from herodeploy.errors import PlatformError
from herodeploy.flows.command import given, run_in_checkout
from herodeploy.flows.looks.told import PREFIX
from herodeploy.flows.services import Services

CANNOT_TELL = {75: "it could not tell", 126: "it may not be run", 127: "it was not found"}
"""Exit statuses that say nothing about the release."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A release that is to be verified.

    Parameters:
        app: the app's name.
        web_url: the app's web address.
        slug_id: the artifact; None for a release without code.
    """

    app: str
    web_url: str | None
    version: int
    slug_id: str | None


def run_check(services: Services, subject: Subject, spec: VerifySpec, leg: str | None) -> str | None:
    """Run the command, if there is one, in a checkout of the release's commit; return why it says no, if it does.

    Raises:
        PlatformError: it could not tell.
        RepositoryError: this clone has not that commit.
    """
    if spec.command is None or subject.slug_id is None:
        return None
    commit = services.slug(subject.app, subject.slug_id).commit
    if commit is None:
        raise PlatformError(
            f"`{spec.command}` has no place to run: v{subject.version} of {subject.app} has no commit",
            hint="deliver a commit: herodeploy deliver",
        )
    services.tell("step", f"v{subject.version}: {spec.command}", leg=leg, app=subject.app)
    show = services.sink(leg=leg, app=subject.app, beside=True)
    env = {**given(os.environ), **_variables(services, subject, commit, leg)}
    status = run_in_checkout(services, commit, spec.command, env, spec.timeout, show)
    if status is None:
        return f"`{spec.command}` for {subject.app} took longer than {spec.timeout.total_seconds():.0f}s"
    if status in CANNOT_TELL:
        raise PlatformError(
            f"`{spec.command}` ended with exit status {status} for {subject.app}: {CANNOT_TELL[status]}",
            hint="nothing is known against the release; carry on: herodeploy resume",
        )
    return f"`{spec.command}` says no to v{subject.version} of {subject.app}: exit status {status}" if status else None


def _variables(services: Services, subject: Subject, commit: str, stage: str | None) -> dict[str, str]:
    told = {
        "pipeline": services.spec.name,
        "stage": stage or "",
        "app": subject.app,
        "url": subject.web_url or "",
        "release": f"v{subject.version}",
        "commit": commit,
        "slug": subject.slug_id or "",
    }
    return {f"{PREFIX}{name.upper()}": value for name, value in told.items()}
