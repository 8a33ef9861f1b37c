"""For each reader a file's name, and bytes that it claims such a file by."""

from __future__ import annotations

from typing import Final

from tensorboardX.proto.event_pb2 import Event

from tests.readers.test_event_file import _record
from tests.readers.test_wandb_run import _history, _log

HEADS: Final = {
    "columns": ("loss.txt", b"1 2.5\n2 1.5\n3 1.25\n4 1.125\n5 1.0\n"),
    "delimited": ("x.csv", b"step,loss,lr\n1,2.5,0.1\n"),
    "event_file": ("events.out.tfevents.1", _record(Event(file_version="brain.Event:2").SerializeToString())),
    "history": ("history.json", b'{"loss": [2.5, 1.5, 1.25], "val_loss": [2.75, 2.0, 1.75], '),
    "json_lines": ("x.jsonl", b'{"step": 1, "loss": 2.5}\n' * 10),
    "json_list": ("x.json", b'[{"step": 1, "loss": 2.5}, '),
    "sacct": ("sacct.txt", b"JobID|State|ExitCode|Elapsed|MaxRSS|ReqMem|AllocTRES\n1|FAILED|1:0|01:00|1K|1Gn|cpu=1\n"),
    "sacct_json": ("sacct.json", b'{"meta": {"Slurm": {}}, "jobs": [{"job_id": 1, "state": "FAILED"}, '),
    "scontrol": ("job.txt", b"JobId=1 JobName=a\n   JobState=FAILED Reason=None\n"),
    "seff": ("seff.txt", b"Job ID: 1\nState: FAILED (exit code 1)\n"),
    "trainer_state": ("trainer_state.json", b'{"global_step": 2, "log_history": [{"step": 1, "loss": 2.5}, '),
    "wandb_run": ("run-1.wandb", _log([_history(1, loss="2.5")])),
}
