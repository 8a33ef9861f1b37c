"""What several commands share: options, and the configuration in force."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from postmortem.config import Config

SEVERITIES: Final = ("info", "low", "medium", "high", "critical")


def formats(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command that reads logs with `--formats`: it gets the files and folders as `formats`."""
    return click.option(
        "--formats",
        multiple=True,
        metavar="PATH",
        type=click.Path(path_type=Path),
        help="A dialect, or a folder of them, to read with.",
    )(function)


def rules(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command that judges by rules with `--rules`: it gets the folders as `rule_folders`."""
    return click.option(
        "--rules",
        "rule_folders",
        multiple=True,
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="A folder of further rules.",
    )(function)


def configuration() -> Config:
    """The configuration that the options of the group ask for. PostmortemError where it cannot be used."""
    from postmortem import config

    options = click.get_current_context().find_root().params
    file: Path | None = options.get("config")
    if options.get("no_config"):
        if file is not None:
            raise PostmortemError("--config and --no-config: give one of the two")
        return config.Config()
    return config.load(file) if file is not None else config.nearest(Path.cwd())


def joined(configured: tuple[Path, ...], given: tuple[Path, ...]) -> list[Path]:
    """Paths of the configuration, then those of the command line, each once and where it stands last."""
    paths = {path.resolve(): path for path in reversed((*configured, *given))}
    return list(reversed(paths.values()))


def progress(done: int, of: int) -> None:
    """Say on a terminal how far a long work is."""
    if sys.stderr.isatty():
        click.echo(f"\r{done:,} of {of:,} runs" + ("\r\x1b[K" if done == of else ""), err=True, nl=False)
