"""What stands before a bar, and what one line says to the next."""

from __future__ import annotations

from tests.parsing.reading import values


def test_a_bar_describes_itself() -> None:
    text = "[epoch 2/4] loss=0.5, eval_loss=0.25: 100%|\u2588\u2588| 1824/1824 [03:39<00:00,  8.31it/s]\n"
    assert values(text) == [(1824, 2.0, "loss", None, 0.5), (1824, 2.0, "loss", "eval", 0.25)]


def test_a_measurement_gives_its_epoch_to_the_lines_below() -> None:
    text = "Epoch 1/3 - Train Loss: 0.5\n           Val   Loss: 0.25\n"
    assert values(text) == [(None, 1.0, "loss", "train", 0.5), (None, 1.0, "loss", "eval", 0.25)]


def test_a_measurement_keeps_its_step_to_itself() -> None:
    text = "Epoch 1 Batch 100 Loss: 0.5\nEpoch 1 complete - Loss: 0.25\n"
    assert values(text) == [(100, 1.0, "loss", None, 0.5), (None, 1.0, "loss", None, 0.25)]


def test_caffe_prints_net_outputs_below_their_iteration() -> None:
    text = "solver.cpp:237] Iteration 100, loss = 2.5\nsolver.cpp:253]     Train net output #0: accuracy = 0.125\n"
    assert values(text) == [(100, None, "loss", "train", 2.5), (100, None, "accuracy", "train", 0.125)]


def test_a_dictionary_goes_on_below_its_step() -> None:
    text = (
        "INFO:tensorflow:Step 100 per-step time 0.5s\n"
        "INFO:tensorflow:{'Loss/total_loss': 0.75,\n 'learning_rate': 0.03125}\n"
    )
    assert values(text)[1:] == [(100, None, "loss", None, 0.75), (100, None, "lr", "train", 0.03125)]


def test_a_row_of_a_table_holds_a_value_for_each_split() -> None:
    trainer = "2026-02-01 01:29:07,229 - INFO - allennlp.training.trainer - "
    rows = (
        "Epoch 3/19",
        "                  Training |  Validation",
        "loss          |     0.75   |     0.5",
        "memory_MB     |   757.5    |       N/A",
    )
    assert values("".join(f"{trainer}{row}\n" for row in rows)) == [
        (None, 3.0, "loss", "train", 0.75),
        (None, 3.0, "loss", "eval", 0.5),
        (None, 3.0, "memory_mb", "train", 757.5),
    ]


def test_a_rate_that_a_time_stamp_tells_is_of_its_epoch() -> None:
    text = "2026-02-11 09:32:44.207069: \nepoch:  6\n2026-02-11 09:35:00.857095: lr: 0.25\n"
    assert values(text) == [(None, 6.0, "lr", None, 0.25)]
    assert values("epoch:  6\nlr: 0.25\n") == []


def test_beside_a_sentence_another_may_measure() -> None:
    text = "Epoch 5: val_loss 0.5 improved, Saving model to out/a_100.pt\nTraining done. Best val acc: 0.75\n"
    assert values(text) == [(None, 5.0, "loss", "eval", 0.5), (None, None, "best_val_acc", None, 0.75)]


def test_what_a_fork_prints_beside_a_dialect_s_line_is_read_where_it_is_measured() -> None:
    text = "iter 30: loss 2.5, lr 2.5e-05, grad_norm 0.5, time 261.40ms, mfu 8.90%\n"
    told = {name: value for _, _, name, _, value in values(text)}
    assert told == {"loss": 2.5, "lr": 2.5e-05, "grad_norm": 0.5, "step_time": 261.4, "mfu": 8.9}
    text = "====> Epoch: 1 Average loss: 2.5, Acc: 0.5, nobody: 7.5, batch_size: 4, shards: 3\n"
    told = {name: value for _, _, name, _, value in values(text)}
    assert told == {"loss": 2.5, "accuracy": 0.5, "nobody": 7.5}
