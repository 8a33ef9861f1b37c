"""`postmortem replay`: the lab alone, for a log, a written incident, or a step of the user's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from postmortem.commands import _options, _outputs
from postmortem.errors import PostmortemError
from postmortem.report.replayed import OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXECUTORS: Final = ("local", "slurm")
_DTYPES: Final = ("fp16", "bf16", "fp32")


@click.command("replay", short_help="Test fixes in the lab: of a log, an incident, or a step of your own.")
@click.argument("source", required=False, metavar="[LOG|INCIDENT.json]")
@click.option("--list", "listed", is_flag=True, help="Show the experiments that there are.")
@click.option("--experiment", metavar="NAME", help="This experiment alone.")
@click.option("--fix", "fixes", multiple=True, metavar="KNOB=OLD:NEW", help="A fix to test, e.g. eps=1e-5:1e-3.")
@click.option("--dtype", type=click.Choice(_DTYPES), help="The low precision type where the log does not name one.")
@click.option("--device", metavar="DEVICE", help="Where to replay: cpu, cuda. Default: cuda where there is one.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="The first seed.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(1, 1000), help="Repeat with so many seeds.")
@click.option(
    "--draws",
    type=click.IntRange(1, 1_000_000),
    help="Scenarios of each mechanism; of a step, its seeds.  [default: 1024; of a step 64]",
)
@click.option("--rules", "rule_folders", multiple=True, metavar="DIR", type=Path, help="A folder of further rules.")
@_options.formats
@click.option("--target", metavar="MODULE:STEP", help="Replay this function of yours instead of a log.")
@click.option("--knob", "knobs", multiple=True, metavar="NAME=VALUE,VALUE", help="Its knob: as it is, then turned.")
@click.option("--expect", "expects", multiple=True, metavar="CLAIM", help="What turning it does: 'grad_norm < 10'.")
@click.option("--shows", multiple=True, metavar="CLAIM", help="What a seed shows that counts: 'loss > 100'.")
@click.option("--time-limit", default=60.0, show_default=True, type=click.FloatRange(0.1), help="Seconds of a call.")
@click.option("--memory-limit", type=click.FloatRange(0.1), help="GB of address space that it gets.")
@click.option("--executor", type=click.Choice(_EXECUTORS), default="local", show_default=True, help="Where to run.")
@click.option("--partition", metavar="NAME", help="Of SLURM: the jobs' partition.")
@click.option("--gpus", default=0, show_default=True, type=click.IntRange(0), help="Of SLURM: GPUs of a job.")
@click.option("--cpus", default=1, show_default=True, type=click.IntRange(1), help="Of SLURM: cores of a job.")
@click.option("--time", "minutes", default=60, show_default=True, type=click.IntRange(1), help="Of SLURM: minutes.")
@click.option("--memory", type=click.FloatRange(0.1), help="Of SLURM: GB of a job.")
@_outputs.options(OUTPUTS)
@click.option("-v", "--verbose", is_flag=True, help="Show what was drawn, and from which priors.")
def command(
    source: str | None,
    listed: bool,  # noqa: FBT001 - click passes flags by name
    experiment: str | None,
    fixes: tuple[str, ...],
    dtype: str | None,
    device: str | None,
    seed: int,
    seeds: int,
    draws: int | None,
    rule_folders: tuple[Path, ...],
    formats: tuple[Path, ...],
    target: str | None,
    knobs: tuple[str, ...],
    expects: tuple[str, ...],
    shows: tuple[str, ...],
    time_limit: float,
    memory_limit: float | None,
    executor: str,
    partition: str | None,
    gpus: int,
    cpus: int,
    minutes: int,
    memory: float | None,
    forms: tuple[str, ...],
    outputs: tuple[Path, ...],
    verbose: bool,  # noqa: FBT001
) -> None:
    """Test fixes by replays alone: those of a LOG's findings, or of an INCIDENT.json, whose log need not be there.

    With --seeds a verdict that hangs on the seed is inconclusive.

    --target replays a function of yours, step(knobs, seed), that returns a dict of measured numbers. CLAIM is
    NAME < NUMBER, NAME isfinite, NAME decreases by 2x (or by 30%), NAME stays within 10%.

    --executor slurm makes a job of each experiment and seed, and of each value of a step's knob. What is lost is
    named, and what came back is kept.

    Exit codes: 0 replayed, 2 not, or not all.
    """
    if listed:
        _list()
        return
    if (source is None) == (target is None):
        raise PostmortemError("name one thing to replay: a log, an incident, or a --target; --list shows experiments")
    from postmortem.lab.alone import replay
    from postmortem.lab.laboratory import Bench
    from postmortem.lab.steps import replay_step
    from postmortem.replay.device import BEST, chosen, has_torch
    from postmortem.replay.executors.local import Local
    from postmortem.replay.executors.slurm import Slurm
    from postmortem.replay.judge import FEWEST_KEPT
    from postmortem.replay.protocol import Lab

    _refuse("--target", target is None, {"--knob": knobs, "--expect": expects, "--shows": shows})
    _refuse("a log or an incident", source is None, {"--fix": fixes, "--experiment": experiment, "--dtype": dtype})
    _refuse("a log or an incident", source is None, {"--device": device, "--seeds": seeds > 1})
    _refuse("--executor slurm", executor == "local", {"--partition": partition, "--gpus": gpus, "--memory": memory})
    if source is not None and draws is not None and draws < FEWEST_KEPT:
        raise PostmortemError(f"--draws {draws}: a verdict takes {FEWEST_KEPT} scenarios; give that many or more")
    wanted = _outputs.pairs(OUTPUTS, forms, outputs)
    here = executor == "local"
    place = Local() if here else Slurm(partition, gpus=gpus, cpus=cpus, minutes=minutes, memory_gb=memory)
    lab = Lab(
        # the devices of a cluster's nodes are theirs to choose
        device=chosen(device) if here and has_torch() else device or BEST,
        seed=seed,
        draws=draws or (1024 if source else 64),
    )
    bench = Bench(lab, seeds=seeds, dtype=dtype, executor=place)
    if source is not None:
        configuration = _options.configuration()
        replayed = replay(
            source,
            bench,
            experiment=experiment,
            extra_fixes=fixes,
            rule_folders=_options.joined(configuration.rules, rule_folders),
            formats=_options.joined(configuration.formats, formats),
        )
    elif target is not None:
        replayed = replay_step(
            target, bench, knobs=knobs, expects=expects, shows=shows, seconds=time_limit, memory_gb=memory_limit
        )
    _outputs.emit(OUTPUTS, wanted, replayed, verbose=verbose)
    for answer in replayed.failed:
        click.echo(f"postmortem: {answer}", err=True)
    if replayed.environment.replay != "ran":
        raise PostmortemError(f"{source}: not replayed: {replayed.environment.replay}")
    for lost in replayed.lost:
        click.echo(f"postmortem: {lost.what}: {lost.because}", err=True)
    sys.exit(2 if replayed.lost or replayed.failed else 0)


def _refuse(what: str, without: bool, options: Mapping[str, object]) -> None:  # noqa: FBT001
    """Options that mean nothing without something else are refused where that is not given, not passed over."""
    given = next((name for name, value in options.items() if value), None)
    if without and given is not None:
        raise PostmortemError(f"{given} goes with {what}; leave it out, or give that too")


def _list() -> None:
    from postmortem.replay import experiments
    from postmortem.replay.device import HOW_TO_GET_TORCH, has_torch

    if not has_torch():
        raise PostmortemError(HOW_TO_GET_TORCH)
    for name in experiments.names():
        experiment = experiments.load(name)
        click.echo(f"{name}\n    {experiment.question}\n    knobs: {', '.join(sorted(experiment.knobs()))}")
