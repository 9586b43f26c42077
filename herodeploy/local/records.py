"""What the local platform remembers: one dataclass a resource, ids as strings, times as aware UTC.

Only plain JSON values inside, so that a record is one row. The API's JSON is made from these in api/.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class App:
    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    router_port: int = 0
    stack: str = "heroku-24"
    build_stack: str | None = None
    """What the next build is for, where that is another stack."""
    region: str = "us"
    maintenance: bool = False
    config: dict[str, str] = field(default_factory=dict)
    buildpacks: list[str] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    formation: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Process type -> {id, command, quantity, size, created_at, updated_at}."""
    next_version: int = 1
    hidden: bool = False
    """CI apps and apps being deleted: not listed."""
    released_at: datetime | None = None
    slug_size: int | None = None
    github: dict[str, Any] = field(default_factory=dict)
    """What was set about its link to a repository; nothing follows from it here."""


@dataclass(slots=True)
class Account:
    id: str
    features: dict[str, bool] = field(default_factory=dict)
    """Features that were switched on or off."""


@dataclass(slots=True)
class Authorization:
    """A token beside the platform's own, which itself is nowhere to be found: only its hash is."""

    id: str
    created_at: datetime
    updated_at: datetime
    description: str
    scope: list[str]
    token_id: str
    token_hash: str
    token_shown: str
    """Its beginning and its end, as lists show it."""
    expires_at: datetime | None = None


@dataclass(slots=True)
class Collaborator:
    id: str
    app_id: str
    email: str
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class Domain:
    id: str
    app_id: str
    hostname: str
    created_at: datetime
    updated_at: datetime

    @property
    def domain(self) -> str:
        """The name by which heroku3 sorts domains."""
        return self.hostname


@dataclass(slots=True)
class Addon:
    id: str
    app_id: str
    """The app that it is billed to; for the databases of a test run, the test node."""
    name: str
    plan: str
    created_at: datetime
    updated_at: datetime
    state: str = "provisioning"
    config: dict[str, str] = field(default_factory=dict, repr=False)
    """What each attachment sets, without its prefix: ``URL`` becomes ``DATABASE_URL``."""
    where: str = ""
    """The server that holds the database."""
    database: str = ""
    role: str = ""


@dataclass(slots=True)
class AddonAttachment:
    id: str
    addon_id: str
    app_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    namespace: str | None = None


@dataclass(slots=True)
class Source:
    id: str
    created_at: datetime
    uploaded: bool = False


@dataclass(slots=True)
class Slug:
    id: str
    app_id: str
    created_at: datetime
    updated_at: datetime
    commit: str | None = None
    commit_description: str | None = None
    checksum: str | None = None
    size: int | None = None
    process_types: dict[str, str] = field(default_factory=dict)
    buildpack: str | None = None
    buildpacks: list[str] = field(default_factory=list)
    stack: str = "heroku-24"


@dataclass(slots=True)
class Build:
    id: str
    app_id: str
    created_at: datetime
    updated_at: datetime
    status: str = "pending"
    source_url: str = ""
    version: str | None = None
    version_description: str | None = None
    checksum: str | None = None
    buildpacks: list[str] = field(default_factory=list)
    stack: str = "heroku-24"
    slug_id: str | None = None
    release_id: str | None = None
    stream_id: str = ""

    @property
    def started_at(self) -> datetime:
        """One of the names that clients sort builds by."""
        return self.created_at


@dataclass(slots=True)
class Release:
    id: str
    app_id: str
    version: int
    created_at: datetime
    updated_at: datetime
    status: str = "pending"
    current: bool = False
    """The release that serves; exactly one an app."""
    slug_id: str | None = None
    config: dict[str, str] = field(default_factory=dict)
    """Config vars as of this release; a rollback restores them."""
    description: str = ""
    stream_id: str | None = None
    """Output of the release phase; None where no release command exists."""
    crashes: bool = False
    """Its dynos were ordered to crash on boot."""
    addon_plan_names: list[str] = field(default_factory=list)
    addon_vars: list[str] = field(default_factory=list)
    """Config vars that add-ons gave at that time; a rollback leaves such alone."""


@dataclass(slots=True)
class Pipeline:
    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    stage_config: dict[str, dict[str, str]] = field(default_factory=dict)
    review_config: dict[str, Any] | None = None
    """repo, automatic_review_apps, destroy_stale_apps, stale_days, wait_for_ci, base_name; None while not enabled."""
    next_test_run: int = 1
    owner_id: str | None = None
    """A user's; None for the platform's own account."""
    emptied_at: datetime | None = None
    """When its last app left it."""


@dataclass(slots=True)
class Coupling:
    id: str
    app_id: str
    pipeline_id: str
    stage: str
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class Promotion:
    id: str
    pipeline_id: str
    source_app_id: str
    source_release_id: str
    created_at: datetime
    updated_at: datetime | None = None
    status: str = "pending"


@dataclass(slots=True)
class PromotionTarget:
    id: str
    promotion_id: str
    app_id: str
    release_id: str | None = None
    status: str = "pending"
    error_message: str | None = None


@dataclass(slots=True)
class ReviewApp:
    id: str
    pipeline_id: str
    branch: str
    created_at: datetime
    updated_at: datetime
    status: str = "pending"
    app_id: str | None = None
    app_setup_id: str | None = None
    pr_number: int | None = None
    fork_repo_id: int | None = None
    wait_for_ci: bool = False
    error_status: str | None = None
    message: str | None = None
    predestroy: str | None = None
    app_name: str | None = None
    """Chosen before the app is made, so that none is ever left behind."""


@dataclass(slots=True)
class AppSetup:
    id: str
    app_id: str
    app_name: str
    created_at: datetime
    updated_at: datetime
    status: str = "pending"
    build_id: str | None = None
    build_status: str | None = None
    build_stream_id: str | None = None
    """The build's own while there is the app; it outlives a failed setup's app."""
    failure_message: str | None = None
    manifest_errors: list[str] = field(default_factory=list)
    postdeploy: dict[str, Any] | None = None
    warning: str | None = None
    """Add-ons that were not provided."""
    resolved_success_url: str | None = None


@dataclass(slots=True)
class TestRun:
    __test__ = False

    id: str
    pipeline_id: str
    number: int
    commit_branch: str
    commit_message: str
    commit_sha: str
    source_blob_url: str
    created_at: datetime
    updated_at: datetime
    status: str = "pending"
    clear_cache: bool = False
    debug: bool = False
    app_setup_id: str | None = None
    message: str | None = None
    warning_message: str | None = None


@dataclass(slots=True)
class TestNode:
    __test__ = False

    id: str
    test_run_id: str
    pipeline_id: str
    index: int
    created_at: datetime
    updated_at: datetime
    setup_stream_id: str
    output_stream_id: str
    status: str = "pending"
    exit_code: int | None = None
    error_status: str | None = None
    message: str | None = None


@dataclass(slots=True)
class TestCase:
    __test__ = False

    id: str
    test_run_id: str
    test_node_id: str
    number: int
    description: str
    passed: bool
    created_at: datetime
    updated_at: datetime
    directive: str = ""
    diagnostic: str = ""


@dataclass(slots=True)
class Webhook:
    id: str
    app_id: str
    created_at: datetime
    updated_at: datetime
    include: list[str]
    level: str
    url: str
    secret: str
    authorization: str | None = None


@dataclass(slots=True)
class WebhookEvent:
    id: str
    app_id: str
    include: str
    action: str
    created_at: datetime
    updated_at: datetime
    data: dict[str, Any]
    previous_data: dict[str, Any]


@dataclass(slots=True)
class WebhookDelivery:
    id: str
    app_id: str
    webhook_id: str
    event_id: str
    include: str
    created_at: datetime
    updated_at: datetime
    status: str = "pending"
    num_attempts: int = 0
    next_attempt_at: datetime | None = None
    last_attempt: dict[str, Any] | None = None
