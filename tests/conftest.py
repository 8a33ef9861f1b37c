"""Settings for all tests."""

from __future__ import annotations

from hypothesis import settings

# how long an example takes depends on what else the machine does; tests are not timed
settings.register_profile("postmortem", deadline=None)
settings.load_profile("postmortem")
