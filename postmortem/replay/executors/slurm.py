"""Work sent to a SLURM cluster by submitit, a job a piece.

submitit learns how a job ended from accounting, which many clusters do without. Here a job is done when its result lies
in the folder, and lost when `scontrol show job` says that it has ended otherwise: failed, killed for time or memory,
or gone with its node.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from postmortem.errors import PostmortemError
from postmortem.replay.protocol import Answer, Lost
from postmortem.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from submitit.slurm.slurm import SlurmExecutor

    from postmortem.replay.executors import Piece

    Job = Any  # submitit's, of whatever its function returns

HOW_TO_GET_SUBMITIT: Final = "--executor slurm needs submitit; pip install 'postmortem[slurm]' brings it"
#: The states in which a job can still bring a result; any other one is its end.
_OPEN: Final = frozenset(
    {"PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"}
)
_FIELD: Final = re.compile(r"\b(JobState|Reason|ExitCode|NodeList)=(\S+)")
_SAID: Final = re.compile(r"(?:slurmstepd(?:-\S+)?|srun): error: (?P<what>.*)")
#: Seconds that a shared file system may take to show a result, and that a controller may not answer.
_LATE: Final = 20.0
_SILENT: Final = 120.0
#: How the folder of the jobs is called; a number follows.
_FOLDER: Final = "postmortem-jobs-"
_SHOWN: Final = 300  # characters of what a job says of its own end


@dataclass(slots=True)
class Slurm:
    """Jobs on one partition. `minutes` and `memory_gb` are limits of each job; None is the cluster's default."""

    partition: str | None = None
    gpus: int = 0
    minutes: int = 60
    memory_gb: float | None = None
    cpus: int = 1
    where: Path = field(default_factory=Path)  # on a file system that the nodes share
    poll: float = 2.0  # seconds
    apart: bool = True

    def run(self, pieces: Sequence[Piece]) -> Iterator[Answer | Lost]:
        """Submit all, wait for all, and give what came back. PostmortemError where nothing can be submitted.

        Whatever ends the waiting cancels what still runs. The jobs' folder stays where something was lost.
        """
        executor = self._executor()
        jobs: list[Job] = []
        try:
            jobs.extend(self._submit(executor, piece) for piece in pieces)
            outcomes = self._wait(pieces, jobs)
        except BaseException:
            if jobs:
                subprocess.run(["scancel", *(job.job_id for job in jobs)], check=False)  # noqa: S603, S607 - our jobs
            raise
        if all(isinstance(outcome, Answer) for outcome in outcomes):
            shutil.rmtree(executor.folder, ignore_errors=True)
        yield from outcomes

    def _submit(self, executor: SlurmExecutor, piece: Piece) -> Job:
        try:
            return executor.submit(piece)
        except (OSError, RuntimeError) as error:  # what sbatch says, as submitit passes it on
            shutil.rmtree(executor.folder, ignore_errors=True)
            reason = visible(str(error).strip().splitlines()[-1], _SHOWN)
            raise PostmortemError(f"--executor slurm: the job was not taken: {reason}") from None

    def _executor(self) -> SlurmExecutor:
        try:
            from submitit.slurm.slurm import SlurmExecutor
        except ImportError:
            raise PostmortemError(HOW_TO_GET_SUBMITIT) from None
        if shutil.which("sbatch") is None:
            raise PostmortemError("--executor slurm: no sbatch here; run it on a machine of the cluster")
        executor = SlurmExecutor(Path(tempfile.mkdtemp(prefix=_FOLDER, dir=self.where)).absolute())
        wanted = {
            "job_name": "postmortem",
            "partition": self.partition,
            "time": self.minutes,
            "cpus_per_task": self.cpus,
            "gpus_per_node": self.gpus or None,
            "mem": None if self.memory_gb is None else f"{int(self.memory_gb * 1024)}M",
            "stderr_to_stdout": True,
            # submitit's signal before the end would stop short jobs at once; and one that lost its node stays lost,
            # where it would wait for ever to be run again
            "additional_parameters": {"signal": "CONT@1", "no-requeue": True},
        }
        executor.update_parameters(**{name: value for name, value in wanted.items() if value is not None})
        return executor

    def _wait(self, pieces: Sequence[Piece], jobs: Sequence[Job]) -> list[Answer | Lost]:
        watches = [_Watch(piece.title, job) for piece, job in zip(pieces, jobs, strict=True)]
        outcomes: dict[int, Answer | Lost] = {}
        while True:
            # all at every turn: a controller forgets what has ended some minutes ago
            for place, watch in enumerate(watches):
                if place not in outcomes and (outcome := watch.look()) is not None:
                    outcomes[place] = outcome
            if len(outcomes) == len(watches):
                return [outcomes[place] for place in range(len(watches))]
            time.sleep(self.poll)


@dataclass(slots=True)
class _Watch:
    """One job, looked at again and again."""

    title: str
    job: Job
    ended: str = ""  # how, once the controller has said so
    since: float = 0.0  # when it did, or when it stopped answering

    def look(self) -> Answer | Lost | None:
        """What became of it; None while it can still bring something."""
        if self.job.paths.result_pickle.exists():
            return self._result()
        if not self.ended:
            self._ask()
        if not self.ended or time.monotonic() - self.since < _LATE:
            return None
        return self._lost(self.ended)

    def _ask(self) -> None:
        asked = subprocess.run(  # noqa: S603 - the id is sbatch's own
            ["scontrol", "show", "job", "--oneliner", self.job.job_id],  # noqa: S607 - the cluster's own
            capture_output=True,
            text=True,
            check=False,
        )
        told = dict(_FIELD.findall(asked.stdout))
        now = time.monotonic()
        if "JobState" in told:
            self.since = now
            if told["JobState"] not in _OPEN:
                self.ended = _words(told)
        elif "Invalid job id" in asked.stderr:
            self.ended, self.since = "SLURM knows it no more", now
        elif not self.since:
            self.since = now
        elif now - self.since > _SILENT:
            self.ended, self.since = f"the controller does not answer: {visible(asked.stderr.strip(), _SHOWN)}", now

    def _result(self) -> Answer | Lost:
        from submitit.core import utils

        try:
            word, result = utils.pickle_load(self.job.paths.result_pickle)
        except Exception as error:  # noqa: BLE001 - a file that another machine wrote may hold anything
            return self._lost(f"its result cannot be read: {error}")
        if word == "success" and isinstance(result, Answer):
            return result
        raised = str(result).strip().splitlines()[-1]
        return self._lost(f"raised {raised.removeprefix(f'{PostmortemError.__module__}.')}")

    def _lost(self, because: str) -> Lost:
        reason = f"job {self.job.job_id}: {because}"
        if said := _first_words(self.job.paths.stdout):
            reason += f"; SLURM says: {said}"
        return Lost(what=self.title, because=visible(reason, 2 * _SHOWN))


def _words(told: dict[str, str]) -> str:
    """How SLURM says that a job ended: `TIMEOUT on node01 (TimeLimit), exit code 0:0`."""
    node = f" on {told['NodeList']}" if told.get("NodeList", "(null)") != "(null)" else ""
    reason = f" ({told['Reason']})" if told.get("Reason", "None") != "None" else ""
    return f"{told['JobState']}{node}{reason}, exit code {told.get('ExitCode', 'unknown')}"


def _first_words(log: Path) -> str:
    """The first line in which SLURM itself says what it did to the job: the later ones follow from it."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    said = (found["what"] for line in lines if (found := _SAID.match(line)))
    return visible(next(said, "").strip(" *"), _SHOWN)
