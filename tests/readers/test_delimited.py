"""Tables: an empty cell is no value, a heading is asked for, rows keep their lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from postmortem.errors import PostmortemError
from tests.readers.reading import curve, load, reader_of

if TYPE_CHECKING:
    from pathlib import Path


def test_lightning_leaves_cells_empty(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,step,train_loss_step,val_loss\n0,49,2.5,\n0,99,,1.5\n")
    frames, info = load(path)
    assert frames["metrics"].select("line", "offset", "epoch", "step", "split", "name", "value").rows() == [
        (2, 36, 0.0, 49, "train", "loss", 2.5),
        (3, 46, 0.0, 99, "eval", "loss", 1.5),
    ]
    assert (info.lines, info.unread_lines) == (3, 0)


def test_ultralytics_pads_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text(
        "                  epoch,         train/box_loss,   metrics/mAP50(B),                 lr/pg0\n"
        "                      1,                  1.125,             0.4375,              0.0033250\n"
    )
    frames, _ = load(path)
    assert frames["metrics"].select("epoch", "source_name", "value", "text").rows() == [
        (1.0, "train/box_loss", 1.125, "1.125"),
        (1.0, "metrics/mAP50(B)", 0.4375, "0.4375"),
        (1.0, "lr/pg0", 0.003325, "0.0033250"),
    ]


def test_stable_baselines_names_its_groups(tmp_path: Path) -> None:
    path = tmp_path / "progress.csv"
    path.write_text(
        "rollout/ep_rew_mean,time/iterations,time/total_timesteps,train/value_loss,rollout/ep_len_mean\n"
        "-10.5,4,16384,0.25,859.5\n-9.25,8,32768,0.125,857.5\n"
    )
    frames, _ = load(path)
    assert curve(frames, "reward") == [(16384, -10.5), (32768, -9.25)]
    assert curve(frames, "value_loss") == [(16384, 0.25), (32768, 0.125)]
    assert curve(frames, "episode_length") == [(16384, 859.5), (32768, 857.5)]


def test_an_episode_of_gym_is_a_row(tmp_path: Path) -> None:
    path = tmp_path / "monitor.csv"
    path.write_text('#{"t_start": 1700000000.5, "env_id": "CartPole-v1"}\nr,l,t\n21.5,22,0.25\n30.25,31,0.5\n')
    frames, _ = load(path)
    assert curve(frames, "reward") == [(None, 21.5), (None, 30.25)]
    assert curve(frames, "episode_length") == [(None, 22.0), (None, 31.0)]


@pytest.mark.parametrize(
    ("file", "name", "split"),
    [
        ("run-train-tag-loss.csv", "loss", None),
        ("run-.-tag-Accuracy_val.csv", "accuracy", "eval"),
        ("val_loss.csv", "loss", "eval"),
    ],
)
def test_tensorboard_downloads_one_curve_named_by_the_file(
    tmp_path: Path, file: str, name: str, split: str | None
) -> None:
    path = tmp_path / file
    path.write_text("Wall time,Step,Value\n1700000000.5,100,2.25\n1700000004.0,200,2.125\n")
    frames, _ = load(path)
    assert curve(frames, name) == [(100, 2.25), (200, 2.125)]
    assert frames["metrics"]["split"].to_list() == [split, split]


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", ","])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "table.txt"
    path.write_text("\n".join(delimiter.join(row) for row in [("step", "loss"), ("1", "2.5"), ("2", "1.5")]) + "\n")
    assert reader_of(path) == "delimited"
    assert curve(load(path)[0], "loss") == [(1, 2.5), (2, 1.5)]


def test_beside_episodes_steps_are_how_long_one_was(tmp_path: Path) -> None:
    path = tmp_path / "episodes.csv"
    path.write_text("Episode,Reward,Steps\n0,1.5,20\n1,2.5,30\n")
    frames, _ = load(path)
    assert frames["metrics"].select("step", "name", "value").rows() == [
        (0, "reward", 1.5),
        (0, "steps", 20.0),
        (1, "reward", 2.5),
        (1, "steps", 30.0),
    ]


def test_names_in_single_quotes(tmp_path: Path) -> None:
    path = tmp_path / "errors.csv"
    path.write_text("'Validation error', 'Epoch'\n0.5, 1\n0.25, 2\n")
    frames, _ = load(path)
    assert frames["metrics"].select("epoch", "name", "split", "value").rows() == [
        (1.0, "error", "eval", 0.5),
        (2.0, "error", "eval", 0.25),
    ]


def test_words_for_no_number_and_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("step,loss,grad_norm\n1,nan,inf\n2,-inf,None\n3,NA,1.0\n")
    frames, _ = load(path)
    losses = curve(frames, "loss")
    assert math.isnan(losses[0][1])
    assert losses[1:] == [(2, -math.inf)]
    assert curve(frames, "grad_norm") == [(1, math.inf), (3, 1.0)]


def test_steps_that_pandas_wrote_as_floats(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(",step,loss\n0,10.0,2.5\n1,20.0,1.5\n")
    assert curve(load(path)[0], "loss") == [(10, 2.5), (20, 1.5)]


@pytest.mark.parametrize(
    ("text", "curve_of_loss"),
    [
        (",loss\n0,2.5\n1,1.5\n", [(0, 2.5), (1, 1.5)]),
        (",iteration,loss\n0,100,2.5\n1,200,1.5\n", [(100, 2.5), (200, 1.5)]),  # another column counts
        (",loss\nresnet,2.5\nvgg,1.5\n", [(None, 2.5), (None, 1.5)]),
    ],
)
def test_the_index_of_a_data_frame_counts_where_nothing_else_does(
    tmp_path: Path, text: str, curve_of_loss: list[tuple[int | None, float]]
) -> None:
    path = tmp_path / "loss.csv"
    path.write_text(text)
    assert curve(load(path)[0], "loss") == curve_of_loss


def test_comments_words_and_ragged_rows_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('# lr 1e-3\nstep,loss,note\n1,2.5,"good, so far"\n2,2.0\n3,1.5,\nstep,loss,note\n4,1.25,bad\n')
    frames, info = load(path)
    assert curve(frames, "loss") == [(1, 2.5), (3, 1.5), (4, 1.25)]
    assert info.unread_lines == 1
    assert info.left_out == {"values that are no numbers": 2, "columns with words": 1}


def test_a_heading_in_a_comment_as_numpy_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("# seed 7\n# Cost,Reward,Timestep\n2.5e+01,1.5e+00,1.0e+03\n5.0e+01,2.5e+00,2.0e+03\n")
    assert reader_of(path) == "delimited"
    frames, info = load(path)
    assert frames["metrics"].select("line", "offset", "step", "name", "value").rows() == [
        (3, 32, 1000, "cost", 25.0),
        (3, 32, 1000, "reward", 1.5),
        (4, 56, 2000, "cost", 50.0),
        (4, 56, 2000, "reward", 2.5),
    ]
    assert (info.lines, info.unread_lines) == (4, 0)


def test_a_comment_above_a_heading_is_none(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("# epoch,loss\nepoch,cost\n1,0.5\n")
    assert curve(load(path)[0], "cost") == [(None, 0.5)]


def test_rows_that_are_all_shorter_than_the_heading_are_of_its_first_columns(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("epoch,train_loss,lr,alpha,temperature\n1,2.5,0.125,7\n2,2.25,0.25,8\n3,2.0,0.5,9\n4,1.75,0.25\n")
    frames, info = load(path)
    assert [frames["metrics"].filter(name=name)["value"].to_list() for name in ("loss", "lr", "alpha")] == [
        [2.5, 2.25, 2.0],
        [0.125, 0.25, 0.5],
        [7.0, 8.0, 9.0],
    ]
    assert (info.left_out, info.unread_lines) == ({"columns without values": 1}, 1)


def test_a_single_row_that_is_shorter_is_unread(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("epoch,train_loss,lr\n1,2.5\n2,2.25,0.25\n3,2.0,0.5\n")
    frames, info = load(path)
    assert frames["metrics"].filter(name="loss")["value"].to_list() == [2.25, 2.0]
    assert (info.left_out, info.unread_lines) == ({}, 1)


def test_a_cell_may_run_over_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('step,text,loss\n1,"a\nb, c",2.5\n2,d,1.5\n')
    frames, info = load(path)
    assert frames["metrics"].select("line", "step", "value").rows() == [(2, 1, 2.5), (4, 2, 1.5)]
    assert info.unread_lines == 0


def test_a_quote_that_nobody_closed_costs_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('step,loss\n1,"2.5\n' + "".join(f"{n},1.5\n" for n in range(2, 300)))
    frames, _ = load(path)
    assert curve(frames, "loss")[-298:] == [(n, 1.5) for n in range(2, 300)]


def test_a_wide_table(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("step," + ",".join(f"layer{n}" for n in range(3_000)) + "\n1" + ",0.5" * 3_000 + "\n")
    frames, _ = load(path)
    assert frames["metrics"].height == 3_000


def test_a_cell_of_many_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("step,loss,text\n1,2.5,a\n2,2.0," + "x" * 20_000_000 + "\n3,1.5,b\n")
    frames, info = load(path)
    assert curve(frames, "loss") == [(1, 2.5), (3, 1.5)]
    assert (info.unread_lines, info.cut_lines) == (1, 1)


@pytest.mark.parametrize("text", ["1,2.5\n2,1.5\n", "\n", "# only a remark\n"])
def test_a_table_without_a_heading_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(PostmortemError, match="heading") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_lines_with_commas_are_a_text_log(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("step 1, loss 2.5, lr 0.1\nstep 2, loss 2.25, lr 0.1\n")
    assert reader_of(path) is None
    path.write_text("step,loss\n1,2.5\n2,1.5\nTraceback (most recent call last):\n")
    assert reader_of(path) is None


def test_a_number_with_commas_in_a_sentence_is_no_row(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("Epoch 8, Batch 0:\nTotal gradient norm: 5,853.5\n")
    assert reader_of(path) != "delimited"
