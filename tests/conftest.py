"""Settings for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# nothing is kept in the cache of whoever runs the tests, and nothing there decides how they end
os.environ["POSTMORTEM_CACHE"] = "0"

# how long an example takes depends on what else the machine does; tests are not timed
settings.register_profile("postmortem", deadline=None)
settings.load_profile("postmortem")
