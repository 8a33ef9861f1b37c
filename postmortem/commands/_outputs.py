"""What commands with several formats share: `--format` and `-o`, which pair in order, and how a text is put out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from postmortem.errors import PostmortemError
from postmortem.report.registry import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from postmortem.report.registry import Registry
    from postmortem.rules.finding import Severity


def options(formats: Registry) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a command: it gets the names of formats as `forms` and the files as `outputs`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        names = click.Choice(formats.names())
        form = click.option("--format", "forms", multiple=True, type=names, help="Pairs with -o, in order.")
        return form(
            click.option(
                "-o",
                "--output",
                "outputs",
                multiple=True,
                type=Path,
                metavar="FILE",
                help="Write to FILE, in the format of its suffix unless --format says which.",
            )(function)
        )

    return decorate


def pairs(formats: Registry, forms: Sequence[str], outputs: Sequence[Path]) -> list[tuple[str, Path | None]]:
    """Formats with their files in order; a format beyond the last file goes to stdout.

    PostmortemError for a file without a format.
    """
    if not forms:
        return [("terminal", None), *((formats.by_suffix(output), output) for output in outputs)]
    if len(outputs) > len(forms):
        raise PostmortemError(f"-o {outputs[len(forms)]}: {len(outputs)} files for {len(forms)} formats")
    return list(zip(forms, [*outputs, *[None] * (len(forms) - len(outputs))], strict=True))


def emit(
    formats: Registry,
    wanted: Sequence[tuple[str, Path | None]],
    *subject: object,
    verbose: bool = False,
    fail_on: Severity = "medium",
) -> None:
    """Put `subject` out in each format, by `render(*subject, target)` of its module.

    PostmortemError if a file cannot be written.
    """
    for form, path in wanted:
        render, target = formats.load(form).render, Target(path, verbose=verbose, fail_on=fail_on)
        if path is None:
            click.echo(render(*subject, target), nl=False)
            continue
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(render(*subject, target), encoding="utf-8")
        except OSError as error:
            raise PostmortemError(f"{path}: cannot be written: {error.strerror}") from None
