"""Tests of HTML reports in a browser; `make browser` runs them where Chromium is installed."""
