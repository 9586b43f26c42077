"""Every call that the Heroku CLI 11.10 and heroku3 were seen to make has an endpoint here."""

from __future__ import annotations

from typing import Any

import pytest

CALLS = """
GET /pipelines
GET /pipelines/x
POST /pipelines
PATCH /pipelines/x
DELETE /pipelines/x
GET /pipelines/x/pipeline-couplings
POST /filters/apps
GET /teams/x
GET /users/~
GET /users/ann@example.com
GET /users/~/apps
POST /pipeline-couplings
PATCH /pipeline-couplings/x
DELETE /pipeline-couplings/x
GET /apps/x/pipeline-couplings
POST /pipeline-transfers
POST /pipeline-promotions
GET /pipeline-promotions/x/promotion-targets
GET /account/features/x
GET /pipelines/x/review-app-config
POST /pipelines/x/review-app-config
PATCH /pipelines/x/review-app-config
DELETE /pipelines/x/review-app-config
POST /review-apps
GET /review-apps/x
GET /apps/x/review-app
GET /pipelines/x/test-runs
GET /pipelines/x/test-runs/1
GET /test-runs/x/test-nodes
POST /test-runs
PATCH /test-runs/x
GET /app-setups/x
POST /sources
GET /pipelines/x/stage/test/config-vars
PATCH /pipelines/x/stage/test/config-vars
GET /apps
POST /apps
POST /teams/apps
GET /apps/x
PATCH /apps/x
DELETE /apps/x
PUT /apps/x/buildpack-installations
GET /apps/x/buildpack-installations
GET /apps/x/addons
GET /apps/x/collaborators
GET /account
GET /account/rate-limits
GET /apps/x/config-vars
PATCH /apps/x/config-vars
GET /apps/x/releases
POST /apps/x/releases
GET /apps/x/releases/1
GET /apps/x/releases/1/config-vars
GET /apps/x/slugs/x
GET /apps/x/formation
PATCH /apps/x/formation
GET /apps/x/dynos
POST /apps/x/dynos
DELETE /apps/x/dynos
DELETE /apps/x/dynos/web.1
DELETE /apps/x/formations/web
POST /apps/x/dynos/web.1/actions/stop
GET /apps/x/webhooks
POST /apps/x/webhooks
GET /apps/x/webhook-events
GET /apps/x/webhook-deliveries
POST /apps/x/log-sessions
GET /apps/x/builds
POST /apps/x/builds
GET /apps/x/builds/x
DELETE /apps/x/builds/x
DELETE /apps/x/build-cache
POST /oauth/authorizations
GET /oauth/authorizations
GET /oauth/authorizations/~
DELETE /oauth/authorizations/x
DELETE /oauth/sessions/~
GET /apps/x/features
PATCH /apps/x/features/x
GET /apps/x/domains
POST /apps/x/domains
DELETE /apps/x/domains/x
GET /apps/x/sni-endpoints
GET /stacks
GET /regions
""".strip().splitlines()


@pytest.mark.parametrize("call", CALLS)
def test_it_is_served(local: Any, call: str) -> None:
    """A resource that is not there is missed by name; an endpoint that is not there is not."""
    method, path = call.split()
    answer = local.http.request(method, path, json={} if method in ("POST", "PATCH", "PUT") else None)
    assert answer.status_code not in (405, 501), answer.text
    assert "API endpoint was not found" not in answer.text
