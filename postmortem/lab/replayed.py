"""What the lab says when it runs alone. The JSON output of `postmortem replay`, with an incident's keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from postmortem.incident import SCHEMA_VERSION, Environment
from postmortem.replay.protocol import Lost, Prediction, Prior, Replay, Verdict


class Replayed(BaseModel):
    """Verdicts on fixes, and the replays that they rest on."""

    model_config = ConfigDict(defer_build=True, extra="forbid", ser_json_inf_nan="strings")

    schema_version: str = SCHEMA_VERSION
    tool_version: str
    of: str  # the log, incident or step
    seeds: list[int]
    questions: dict[str, str]  # experiment -> what it asks
    verdicts: list[Verdict]  # over all seeds
    replays: list[Replay]  # of each seed
    priors: dict[str, list[Prior]]
    cannot_show: dict[str, str]
    predictions: list[Prediction]
    measure_next: list[str]
    failed: list[str]  # fixes that could not be replayed, and why
    lost: list[Lost]  # what brought nothing back, and why
    environment: Environment
