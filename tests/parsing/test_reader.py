"""Whole logs to frames: places, blocks, records of one line, encodings, and what is left unread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postmortem.errors import PostmortemError
from postmortem.parsing import dialect
from postmortem.parsing.dialects import Dialects
from postmortem.parsing.reader import Reader
from postmortem.reading import read
from postmortem.sources.chunks import Bytes

if TYPE_CHECKING:
    from pathlib import Path

    from postmortem.run import Run


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "job-1234567.log"


def run_of(path: Path, text: str | bytes) -> Run:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(str(path))


def rows(frame: pl.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return frame.select(columns).rows()


def test_a_heading_places_the_lines_below_it(log: Path) -> None:
    run = run_of(log, "Epoch 8, Batch 0:\nTotal gradient norm: 7.5\n\nTotal gradient norm: 8.5\n")
    assert rows(run.metrics, "epoch", "step", "step_unit", "value") == [
        (8.0, 0, "batch_of_epoch", 7.5),
        (None, None, None, 8.5),
    ]


def test_a_block_makes_one_row(log: Path) -> None:
    run = run_of(log, "Top exploding parameter:\n  a.b.weight\n  norm = 9.0\n  max value = 3.0\nstep 1: loss=2.0\n")
    assert rows(run.tensors, "line", "name", "kind", "norm", "max", "max_text") == [
        (1, "a.b.weight", "gradient", 9.0, 3.0, "3.0")
    ]
    assert rows(run.metrics, "step", "name", "value") == [(1, "loss", 2.0)]


def test_a_progress_bar_is_many_records_and_a_glued_error_is_read(log: Path) -> None:
    bar = "\r  5%|▌    | 60/1200 [00:10<03:10,  6.00it/s, loss=2.5]"
    error = "slurmstepd: error: *** JOB 25883692 ON gr015 CANCELLED AT 2022-10-13T04:10:12 ***"
    run = run_of(log, f"{bar}{bar.replace('60/', '61/')}{error}\n")
    assert rows(run.metrics, "line", "record", "step", "value", "meaning") == [
        (1, 1, 60, 2.5, "running_mean"),
        (1, 2, 61, 2.5, "running_mean"),
    ]
    assert rows(run.jobs, "job", "state", "node") == [("25883692", "CANCELLED", "gr015")]


@pytest.mark.parametrize("encoding", ["utf-8", "mac_roman", "cp1252", "cp1254"])
def test_mojibake_gives_the_same_frames(log: Path, encoding: str) -> None:
    text = (
        "✓ a (after cat) [stage 1]: min=-2.5, max=3.5, mean=0.5, std=1.5\nStep 6: KD Raw: 38.5, Temperature²: 9.0 ❌\n"
    )
    garbled = text if encoding == "utf-8" else text.encode().decode(encoding, errors="replace")
    run = run_of(log, garbled)
    assert rows(run.tensors, "name", "op", "scope", "min", "max") == [("a", "cat", "1", -2.5, 3.5)]
    assert rows(run.metrics, "step", "name", "value") == [(6, "kd_loss", 38.5), (6, "temperature_squared", 9.0)]


def test_invalid_bytes_codes_and_line_ends_do_not_matter(log: Path) -> None:
    run = run_of(log, b"\xff\xfe step 1: \x1b[31mloss\x1b[0m=\x1b[1m2.5\x1b[0m \x80\r\nstep 2: loss=1.5\x00\r\n")
    assert rows(run.metrics, "line", "step", "value") == [(1, 1, 2.5), (2, 2, 1.5)]


def test_unread_lines_are_counted_and_blank_ones_are_not(log: Path) -> None:
    run = run_of(log, "hello there\n\nstep 1: loss=2.0\nnothing to see\n")
    assert (run.logs[0].lines, run.logs[0].unread_lines, run.logs[0].truncated) == (4, 2, False)


def test_of_an_endless_line_the_beginning_is_read_and_it_is_counted(log: Path) -> None:
    run = run_of(log, "step 1: loss=2.0 " + "." * 1_000_000 + "\nstep 2: loss=1.5\n")
    assert rows(run.metrics, "step", "value") == [(1, 2.0), (2, 1.5)]
    assert run.logs[0].cut_lines == 1


def test_a_cut_log_is_read_as_far_as_it_goes(log: Path) -> None:
    run = run_of(log, "step 1: loss=2.0\nstep 2: los")
    assert run.logs[0].truncated
    assert rows(run.metrics, "step", "value") == [(1, 2.0)]


def test_records_glued_together_are_read_from_left_to_right_and_once(log: Path) -> None:
    bar = "  5%|▌    | 60/1200 [00:10<03:10,  6.00it/s, loss=2.5]"
    run = run_of(log, f"{bar}[Eval] loss: 3.5, ppl: 33.12\n")
    assert rows(run.metrics, "step", "name", "value", "split", "dialect") == [
        (60, "loss", 2.5, None, "tqdm"),
        (60, "loss", 3.5, "eval", "kd"),
        (60, "perplexity", 33.12, "eval", "kd"),
    ]


def test_a_dialect_names_what_it_prints_where_it_has_no_value(log: Path) -> None:
    spec = dialect.Dialect(
        name="mine",
        title="mine",
        source="mine",
        names={"gn": "grad_norm"},
        placeholders={"grad_norm": [-1.0]},
        lines=[
            dialect.Line(
                pattern="mine {step:int} |",
                frame="place",
                rest="",
                sample=dialect.Sample(text="mine 3 |", gives={"step": 3}),
            )
        ],
    )
    reader = Reader(str(log), Dialects([spec]))
    reader.read([Bytes(b"mine 3 | gn: -1.0 | loss: 2.5\nmine 4 | gn: 0.5\n", goes_on=False)])
    assert rows(reader.log.frames()["metrics"](), "step", "name", "value", "meaning") == [
        (3, "grad_norm", -1.0, "placeholder"),
        (3, "loss", 2.5, "value"),
        (4, "grad_norm", 0.5, "value"),
    ]


def test_the_file_name_gives_the_job(log: Path) -> None:
    run = run_of(log, "step 1: loss=2.0\n")
    assert run.metrics["job"].to_list() == ["1234567"]


def test_offsets_are_bytes_to_the_start_of_the_line(log: Path) -> None:
    run = run_of(log, "é\nstep 1: loss=2.0\n")
    assert run.metrics["offset"].to_list() == [3]


def test_pandas_gets_the_same_values(log: Path) -> None:
    frames = run_of(log, "step 1: loss=2.0\nstep 2: loss=nan\n").to_pandas()
    assert frames["metrics"]["value"].isna().tolist() == [False, True]
    assert set(frames) == {"metrics", "tensors", "events", "settings", "jobs"}


@pytest.mark.parametrize(
    "text", ["To be, or not to be: that is the question.\n", "# A readme\n\nInstall it with pip.\n", "lr = 1e-4\n"]
)
def test_a_text_that_is_no_log_is_refused(log: Path, text: str) -> None:
    with pytest.raises(PostmortemError, match="no log of a training run"):
        run_of(log, text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400).filter(lambda noise: not set(noise) & (set(range(32)) - set(b"\t\n\r\x1b"))))
def test_no_bytes_break_the_reader(tmp_path: Path, noise: bytes) -> None:
    run = run_of(tmp_path / "noise.log", b"step 1: loss=2.5\n" + noise + b"\nstep 7: loss=1.5\n")
    values = run.metrics.filter(pl.col("name") == "loss")["value"].to_list()
    assert (values[0], values[-1]) == (2.5, 1.5)


def test_a_blank_line_right_below_a_heading_does_not_end_it(log: Path) -> None:
    run = run_of(log, "Epoch 8, Batch 3:\n\nTotal gradient norm: 7.5\n\nTotal gradient norm: 8.5\n")
    assert rows(run.metrics, "step", "value") == [(3, 7.5), (None, 8.5)]


def test_an_evaluation_s_bar_does_not_place_what_training_prints(log: Path) -> None:
    def bar(at: int, total: int) -> str:
        return f"\r {at * 100 // total}%|█    | {at}/{total} [00:10<03:10,  6.00it/s]"

    text = bar(500, 1000) + "".join(bar(i, 30) for i in range(1, 31)) + "\n{'eval_loss': 2.5, 'epoch': 1.0}\n"
    run = run_of(log, text + bar(501, 1000) + "\n{'loss': 2.25, 'epoch': 1.0}\n")
    assert [row[:2] for row in rows(run.metrics, "step", "value")] == [(500, 2.5), (501, 2.25)]


def test_an_optimizer_s_eps_is_told_from_a_normaliser_s(log: Path) -> None:
    config = '"params": {\n  "lr": 2e-5,\n  "eps": 1e-8,\n  "weight_decay": 0.1\n}\n'
    run = run_of(log, f"{config}layer_norm_eps = 1e-5\nstep 1: loss=2.5\n")
    assert set(rows(run.settings, "key", "number")) >= {("optimizer_eps", 1e-8), ("eps", 1e-5)}


def test_an_error_at_the_end_of_an_endless_line_is_found(log: Path) -> None:
    error = "slurmstepd: error: *** JOB 25883692 ON gr015 CANCELLED AT 2022-10-13T04:10:12 ***"
    run = run_of(log, "step 1: loss=2.5 é " + "0.1234, " * 200_000 + error + "\nstep 2: loss=1.5\n")
    assert rows(run.jobs, "line", "job", "state", "node") == [(1, "25883692", "CANCELLED", "gr015")]
    assert rows(run.metrics, "step", "value") == [(1, 2.5), (2, 1.5)]


def test_a_step_that_is_too_large_beside_what_a_dialect_knows_is_none(log: Path) -> None:
    line = " validation loss at the end of training for val data | lm loss value: 2.5E+00 |step={}\n"
    run = run_of(log, line.format("9" * 400) + line.format("8" * 3))
    assert rows(run.metrics, "line", "step", "name", "value") == [(1, None, "lm_loss", 2.5), (2, 888, "lm_loss", 2.5)]


def test_a_digit_that_a_pattern_asks_for_at_a_line_s_beginning_tells_two_lines_apart(log: Path) -> None:
    run = run_of(log, "Process finished with exit code 0\nProcess finished with exit code 1\n")
    assert rows(run.events, "line", "kind") == [(1, "completed"), (2, "exit_code")]


def test_a_time_of_several_units_is_found_wherever_its_digits_end(log: Path) -> None:
    text = "".join(f"Epoch: {epoch:02} | Epoch Time: {epoch}m {7 * epoch % 60}s\n" for epoch in range(1, 130))
    values = run_of(log, text).metrics["value"].to_list()
    assert values == [60.0 * epoch + 7 * epoch % 60 for epoch in range(1, 130)]


def test_frames_are_the_same_where_their_columns_are_made_side_by_side(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "".join(f"[rank{n % 2}]: step {n}: loss={1 / n:.4f}, lr=0.5, grad_norm=1.25\n" for n in range(1, 200))
    one = run_of(log, text).metrics
    monkeypatch.setattr("postmortem.parsing.framing._MANY", 100)
    assert run_of(log, text).metrics.equals(one)
    assert one["step"].to_list() == [n for n in range(1, 200) for _ in range(3)]
