"""The Platform API as the rest of herodeploy sees it: one attribute for each family of resources.

Import this module lazily: it loads the HTTP stack.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from herodeploy.domain.secret import Secret
from herodeploy.heroku import probing, streams
from herodeploy.heroku.account import Account
from herodeploy.heroku.addons import AddOns
from herodeploy.heroku.app_setups import AppSetups
from herodeploy.heroku.apps import Apps
from herodeploy.heroku.buildpacks import Buildpacks
from herodeploy.heroku.builds import Builds
from herodeploy.heroku.config_vars import ConfigVars
from herodeploy.heroku.couplings import Couplings
from herodeploy.heroku.credentials import resolve_base_url, resolve_token, way_in
from herodeploy.heroku.dynos import Dynos
from herodeploy.heroku.formation import Formation
from herodeploy.heroku.logs import Logs
from herodeploy.heroku.pipelines import Pipelines
from herodeploy.heroku.promotions import Promotions
from herodeploy.heroku.releases import Releases
from herodeploy.heroku.review_apps import ReviewApps
from herodeploy.heroku.session import Session
from herodeploy.heroku.slugs import Slugs
from herodeploy.heroku.sources import Sources
from herodeploy.heroku.testruns import TestRuns
from herodeploy.heroku.webhooks import Webhooks


class Heroku:
    """A Heroku-compatible platform.

    Every method raises PlatformUnreachable where no answer comes, and an ApiError for an answer that says no.

    Parameters:
        session: requests to one platform with one token.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.base_url = session.base_url
        self.account = Account(session)
        self.addons = AddOns(session)
        self.app_setups = AppSetups(session)
        self.apps = Apps(session)
        self.buildpacks = Buildpacks(session)
        self.builds = Builds(session)
        self.config_vars = ConfigVars(session)
        self.couplings = Couplings(session)
        self.dynos = Dynos(session)
        self.formation = Formation(session)
        self.logs = Logs(session)
        self.pipelines = Pipelines(session)
        self.promotions = Promotions(session)
        self.releases = Releases(session)
        self.review_apps = ReviewApps(session)
        self.slugs = Slugs(session)
        self.sources = Sources(session)
        self.test_runs = TestRuns(session)
        self.webhooks = Webhooks(session)

    def __repr__(self) -> str:
        return f"Heroku({self.base_url!r})"

    @classmethod
    def connect(
        cls,
        base_url: str | None = None,
        token: Secret | None = None,
        *,
        ask_code: Callable[[bool], str] | None = None,
    ) -> Heroku:
        """Return a client for `base_url` and `token`, else for what the environment names, as the Heroku CLI does.

        HEROKU_HOST and HEROKU_API_KEY are looked at, then ~/.netrc (or $NETRC). UsageError where that leads nowhere.
        No call is made yet.

        Parameters:
            ask_code: returns the second factor that a person types, and is told whether the last one was not taken;
                without it, what needs one is refused.
        """
        url = resolve_base_url(base_url)
        given = token is not None
        return cls(Session(url, token or resolve_token(url), way_in=way_in(url, given=given), ask_code=ask_code))

    def __enter__(self) -> Heroku:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def load(self) -> None:
        """Load what would be loaded at first use; from then on threads may share this client."""
        _ = self._session.library

    def follow(self, url: str, sink: Callable[[str], None]) -> None:
        """Hand each line of an output stream to `sink` until it ends; a cut one is taken up where it was cut."""
        streams.follow(self._session, url, sink)

    def web_url_now(self, web_url: str | None) -> str | None:
        """Return where an app's web address from earlier leads now: a local platform may have another port since."""
        return probing.moved(web_url, self._session.base_url)

    def probe(self, app: probing.Addressed, path: str, timeout: float) -> int | None:
        """Return the HTTP status of the app's own web address; None where no answer comes in `timeout` seconds.

        Redirects are not followed. ``*.localhost`` is reached at 127.0.0.1, without the resolver. PlatformUnreachable
        where no connection is made, which is no answer of the app's.
        """
        return probing.probe(self._session, app, path, timeout)
