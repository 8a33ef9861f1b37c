"""The command line: the group of commands, and what becomes of an error. A command is a file of `commands/`."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from postmortem import __version__, commands
from postmortem.errors import PostmortemError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: What a shell reports of a program that SIGINT ended, and of one whose reader went away.
_INTERRUPTED: Final = 130
_NO_READER: Final = 141

#: What is made at the start, modules and dialects, stays: to look through it for garbage again and again takes long.
gc.set_threshold(1_000_000, 50, 100)
#: NumPy's library for matrices starts a thread per processor when it is loaded, and none of it is needed here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
#: pydantic looks for plugins of its own in every installed package.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


class Commands(click.Group):
    """The files of `commands/` as commands. Every expected error is one line on stderr and exit code 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the files; one that begins with _ is no command."""
        del ctx
        names = (name.removesuffix(".py") for name in os.listdir(commands.__path__[0]) if name.endswith(".py"))  # noqa: PTH208 - names are all that is wanted
        return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The object `command` of the file, which imports nothing heavy before it runs."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(f"{commands.__name__}.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)  # noqa: S101 - what each file of commands/ must hold
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, but what is near to a wrong name is looked for among all files."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=self.list_commands(ctx), ctx=ctx
            ) from None

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401
    ) -> click.Context:
        """As click's; `--help` is printed here."""
        with _one_line():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        with _one_line():
            return super().invoke(ctx)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - click's own signature
        **extra: Any,  # noqa: ANN401 - click's own
    ) -> Any:  # noqa: ANN401 - whatever a command returns
        """As click's, with a wrong option reported in one line too."""
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.ClickException as error:
            if not standalone_mode:
                raise
            if isinstance(error, click.exceptions.NoArgsIsHelpError):
                error.show()
                sys.exit(error.exit_code)
            context = error.ctx if isinstance(error, click.UsageError) else None
            hint = f" See {context.command_path} --help." if context else ""
            _end(error.exit_code, error.format_message().rstrip(".?") + "." + hint)
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def _one_line() -> Iterator[None]:
    """What cannot go on ends in one line, or in none where nobody reads any more."""
    try:
        yield
    except PostmortemError as error:
        _end(2, str(error))
    except KeyboardInterrupt:
        _end(_INTERRUPTED, "interrupted")
    except OSError as error:
        if error.errno not in {errno.EPIPE, errno.ENOSPC}:
            raise
        # Python flushes stdout once more at its end, and would report that it cannot
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            _end(_NO_READER)
        _end(2, "the output cannot be written: no space left; make room")


def _end(code: int, message: str | None = None) -> NoReturn:
    if message is not None:
        click.echo(f"postmortem: {' '.join(message.splitlines())}", err=True)
    sys.exit(code)


def program() -> None:
    """`main` as a program of its own, which leaves its memory to the system."""
    codes: list[int] = []
    # the first one is run last, when threads and all others have ended; to free all bit by bit takes 0.1 s
    atexit.register(_leave, codes)
    try:
        main()
    except SystemExit as ended:
        codes += [ended.code] if isinstance(ended.code, int) else []
        raise


def _leave(codes: list[int]) -> None:
    """End with the code, if there is one and all that was printed is written; else as Python does it."""
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
        for code in codes:
            os._exit(code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--config", metavar="FILE", type=click.Path(path_type=Path), help="Take this configuration file.")
@click.option("--no-config", "--isolated", is_flag=True, help="Take no configuration file.")
@click.version_option(__version__, prog_name="postmortem")
def main(**_: object) -> None:
    """Read the log of a training run, judge each proposed fix, and say what the next run must show.

    Exit codes: 0 nothing found at or above the threshold, 1 findings, 2 could not judge.

    Configuration: postmortem.toml, or [tool.postmortem] in pyproject.toml, of this folder or the nearest above it.
    """
