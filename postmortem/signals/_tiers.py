"""What each failure is: the machine's, a fault of the program, an end from outside, or an echo of another one."""

from __future__ import annotations

import json
from typing import Final, NamedTuple

MACHINE: Final = frozenset(
    {"gpu_xid", "out_of_memory", "worker_killed_memory", "gpu_lost", "node_lost", "node_memory_error"}
)
_MACHINE_CAUSES: Final = frozenset({"gpu_ecc", "gpu_link"})
#: NVIDIA's numbers of errors that are the GPU's own, its memory's or its links'; the others are mostly the program's.
HARDWARE_XIDS: Final = frozenset({48, 61, 62, 64, 74, 79, 94, 95, 119, 120, 140, 143})
FAULTS: Final = frozenset({
    "exception", "segfault", "bus_error", "illegal_instruction", "heap_corrupted", "native_exception",
    "fatal_python_error", "cuda_error", "cuda_out_of_memory", "device_assert", "cuda_no_kernel_image",
    "cuda_device_missing", "driver_mismatch", "duplicate_gpu", "nan_terminated", "all_steps_invalid", "run_aborted",
    "port_in_use", "shared_memory", "disk_full", "quota_exceeded", "library_missing", "command_missing",
    "command_failed", "kaldi_error", "not_started", "arguments_refused", "data_empty",
})  # fmt: skip
ENDS: Final = frozenset({
    "time_limit", "run_limit", "cpu_limit", "scheduler_limit", "preempted", "evicted", "killed", "cancelled",
})  # fmt: skip
ECHOES: Final = frozenset({
    "children_failed", "first_failed_worker", "worker_failed", "task_failed", "task_signalled", "launcher_failed",
    "step_failed", "process_killed", "process_aborted", "signal_fatal", "nccl_timeout", "nccl_heartbeat_timeout",
    "nccl_error", "nccl_network_error", "nccl_cuda_failure", "nccl_abort", "store_timeout", "store_connect_failed",
    "worker_died", "actor_died", "worker_lost", "horovod_shut_down", "mpi_abort", "mpi_error", "exit_code",
    "rendezvous_lost", "collective_stalled", "job_failed",
})  # fmt: skip
_ABORTS: Final = frozenset({"native_exception", "fatal_python_error"})
_OF_ABORTS: Final = ("Dist", "NCCL", "watchdog", "Aborted", "Terminated")
#: Exceptions by which a process says that another one, or the connection to it, is gone, or that it was told to stop.
_ECHO_CAUSES: Final = frozenset({
    "connection_lost", "connection_refused", "store_timeout", "store_failed", "collective_timeout", "nccl_error",
    "rendezvous_failed", "worker_process_died", "worker_lost", "signal_received", "interrupted",
    "dataloader_worker_killed",
})  # fmt: skip
_ECHO_TYPES: Final = frozenset({
    "DistBackendError", "DistNetworkError", "DistStoreError", "ActorDiedError", "ActorUnavailableError",
    "RayActorError", "WorkerCrashedError", "BrokenPipeError", "ConnectionResetError", "CalledProcessError",
    "ChildFailedError", "SignalException", "RayTaskError", "SystemExit",
})  # fmt: skip
ORDER: Final = {"machine": 0, "fault": 1, "end": 1, "echo": 2}


class Failure(NamedTuple):
    """An event that ends a run, or says that one has ended."""

    line: int
    rank: int | None
    ts: str | None
    seconds: float | None
    kind: str
    cause: str | None
    type: str | None
    reason: str | None
    fields: str
    counter: int | None  # where a bar or a counter above it stood


def tier_of(failure: Failure) -> str:
    """machine, fault, end or echo."""
    if failure.kind in MACHINE or failure.cause in _MACHINE_CAUSES:
        return "machine"
    own = json.loads(failure.fields)
    # SLURM gives a reason for what it does itself; without one it is a person, a script, or srun after a failed task
    if failure.kind == "cancelled":
        return "end" if own.get("reason") else "echo"
    if failure.kind in ENDS:
        return "end"
    # NCCL's watchdog and its like end a process by an exception in C++ that nobody catches
    if failure.kind in _ABORTS and any(word in failure.fields for word in _OF_ABORTS):
        return "echo"
    if failure.kind in ECHOES or failure.cause in _ECHO_CAUSES or failure.type in _ECHO_TYPES:
        return "echo"
    return "fault"
