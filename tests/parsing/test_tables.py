"""Tables of a heading and rows: what is one, which column a number is of, and what a log's table gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem.parsing import cells, names, tables
from tests.parsing.reading import metrics, read, values

NAMES = names.load()
FASTAI = "epoch     train_loss  valid_loss  accuracy  time"
CHAINER = "epoch       iteration   main/loss   lr          validation/main/loss"
SPACY = "E    #       LOSS TOK2VEC  LOSS NER  SCORE"
SKORCH = "  epoch    train_loss    valid_acc    dur"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (FASTAI, ["epoch", "train_loss", "valid_loss", "accuracy", "time"]),
        (CHAINER, ["epoch", "iteration", "main/loss", "lr", "validation/main/loss"]),
        (SPACY, ["E", "#", "LOSS TOK2VEC", "LOSS NER", "SCORE"]),
        (SKORCH, ["epoch", "train_loss", "valid_acc", "dur"]),
        ("| step | loss | grad_norm |", ["step", "loss", "grad_norm"]),
        ("|  AP   |  AP50  |  APs  |", ["AP", "AP50", "APs"]),
        (" Epoch  |  Train loss  |  Train / Val  |  Dur", ["Epoch", "Train loss", "Train / Val", "Dur"]),
        ("epoch train_loss val_loss", ["epoch", "train_loss", "val_loss"]),
        ("epoch train loss valid loss f2_opt", ["epoch", "train loss", "valid loss", "f2_opt"]),
        (
            "#  step      rmse_val    rmse_f_val rmse_f_trn     lr",
            ["step", "rmse_val", "rmse_f_val", "rmse_f_trn", "lr"],
        ),
        ("# batch      l2_tst    lr", ["batch", "l2_tst", "lr"]),
        (
            "ep    loss    | now: loss   acc   | val: loss   acc",
            ["ep", "loss", "now loss", "now acc", "val loss", "val acc"],
        ),
        ("     d1     d2     d3  abs_rel    rmse", ["d1", "d2", "d3", "abs_rel", "rmse"]),
        ("iter Logloss", ["iter", "Logloss"]),
        ("epoch       loss", ["epoch", "loss"]),
        ("EPOCH TIMESTAMP BAD_EPOCHS TRAIN_LOSS", ["EPOCH", "TIMESTAMP", "BAD_EPOCHS", "TRAIN_LOSS"]),
        ("Itn.  NER Loss  NER F.  Tag %  CPU WPS", ["Itn.", "NER Loss", "NER F.", "Tag %", "CPU WPS"]),
        ("****train_loss,train_acc,valid_loss,valid_ac***** ", ["train_loss", "train_acc", "valid_loss", "valid_ac"]),
    ],
)
def test_a_heading_names_what_counts_and_what_measures(text: str, columns: list[str]) -> None:
    assert [cell.text for cell in tables.heading(text, NAMES)] == columns


@pytest.mark.parametrize(
    "text",
    [
        "the loss of an epoch is its mean",  # words
        "epoch: 3  loss: 2.0  lr: 1",  # pairs
        "name        size        type",  # nothing that counts or measures
        "     d1     d2     d3  abs_rel    size",  # none of which is known
        "epoch       size",  # two columns, of which none measures
        "epoch 3 | train: 0.5  0.9 | val: 0.6  0.8",  # values
        "train_loss,train_acc,valid_loss,valid_ac",  # nothing counts
        "**** the loss, its norm, and the rest ****",  # words between ornaments
    ],
)
def test_what_is_no_heading(text: str) -> None:
    assert tables.heading(text, NAMES) == ()


def test_rows_that_begin_with_a_split_stand_under_their_heading() -> None:
    text = (
        "Epoch 6\n\u2502 y     \u2502   loss \u2502     r2 \u2502\n\u255e\u2550\u2550\u256a\u2550\u2550\u2561\n"
        "\u2502 train \u2502 0.8125 \u2502 1.0000 \u2502\n\u2502 vali  \u2502 1.0625 \u2502 0.9900 \u2502\n"
    )
    assert values(text) == [
        (None, 6.0, "loss", "train", 0.8125),
        (None, 6.0, "r2", "train", 1.0),
        (None, 6.0, "loss", "eval", 1.0625),
        (None, 6.0, "r2", "eval", 0.99),
    ]


def test_names_in_quotes_may_be_several_words() -> None:
    text = "'Validation error', 'Training error', 'Epoch', 'D/T'\n0.5, 0.75, 1, 2020-02-03/10:20:30\n"
    assert values(text) == [(None, 1.0, "error", "eval", 0.5), (None, 1.0, "error", "train", 0.75)]


def test_beside_episodes_steps_are_how_long_one_was() -> None:
    assert values("episode  reward  steps\n1  0.5  20\n2  1.5  30\n") == [
        (1, None, "reward", None, 0.5),
        (1, None, "steps", None, 20.0),
        (2, None, "reward", None, 1.5),
        (2, None, "steps", None, 30.0),
    ]
    assert values("steps  reward\n20  0.5\n30  1.5\n") == [
        (20, None, "reward", None, 0.5),
        (30, None, "reward", None, 1.5),
    ]


def test_each_row_may_end_with_its_time_and_a_comma() -> None:
    text = "epoch, train_loss, test_loss, time\n0, 2.5, 3.5, Sep02-10:20:30,\n1, 1.5, 2.25, Sep02-11:20:30,\n"
    assert values(text) == [
        (None, 0.0, "loss", "train", 2.5),
        (None, 0.0, "loss", "eval", 3.5),
        (None, 1.0, "loss", "train", 1.5),
        (None, 1.0, "loss", "eval", 2.25),
    ]


def test_each_row_may_end_with_the_unit_of_its_last_cell() -> None:
    heading = "Epoch    Train Loss   Test Acc     Time\n"
    text = f"{heading}1        2.5          0.25         0.5     s\n10       1.5          0.75         0.25    s\n"
    assert values(text) == [
        (None, 1.0, "loss", "train", 2.5),
        (None, 1.0, "accuracy", "eval", 0.25),
        (None, 1.0, "time", None, 0.5),
        (None, 10.0, "loss", "train", 1.5),
        (None, 10.0, "accuracy", "eval", 0.75),
        (None, 10.0, "time", None, 0.25),
    ]


def test_each_row_may_end_with_what_it_took() -> None:
    text = "epoch train_loss valid_loss\n1 2.5 3.5 (00:13)\n2 1.5 2.25 (01:00:09)\n"
    assert values(text) == [
        (None, 1.0, "loss", "train", 2.5),
        (None, 1.0, "loss", "eval", 3.5),
        (None, 2.0, "loss", "train", 1.5),
        (None, 2.0, "loss", "eval", 2.25),
    ]


def test_a_dash_that_stands_for_nothing_is_a_cell() -> None:
    text = "epoch loss acc val_loss f1\n1    0.5    -    -    0.25\n2 0.5 - - 0.125\n"
    assert [(epoch, name, value) for _, epoch, name, _, value in values(text)] == [
        (1.0, "loss", 0.5),
        (1.0, "f1", 0.25),
        (2.0, "loss", 0.5),
        (2.0, "f1", 0.125),
    ]


def test_dashes_between_columns_are_as_good_as_bars() -> None:
    heading = "Epoch - Loss - Training Accuracy - Validation Accuracy\n"
    text = f"{heading}0 - 0.5 - 76.5 - 76.25\n         92.75\n1 - 0.25 - 92.75 - 95.5\n"
    assert values(text) == [
        (None, 0.0, "loss", None, 0.5),
        (None, 0.0, "accuracy", "train", 76.5),
        (None, 0.0, "accuracy", "eval", 76.25),
        (None, 1.0, "loss", None, 0.25),
        (None, 1.0, "accuracy", "train", 92.75),
        (None, 1.0, "accuracy", "eval", 95.5),
    ]


@pytest.mark.parametrize(
    ("heading", "name"),
    [("Epoch 1/75 Losses", "loss"), ("Epoch 1:", "column_1"), ("--- epoch 1 accuracy ---", "accuracy")],
)
def test_numbers_alone_below_a_counter_are_of_it(heading: str, name: str) -> None:
    assert values(f"{heading}\n2.5\n1.25\n") == [(None, 1.0, name, None, 2.5), (None, 1.0, name, None, 1.25)]


@pytest.mark.parametrize("step", ["nan", "inf", "-inf", "1e30", "10000000000000000000"])
def test_what_counts_nothing_is_no_step_and_its_row_is_read(step: str) -> None:
    losses = [row for row in values(f"step loss acc\n1 0.5 0.2\n{step} 0.4 0.3\n3 0.3 0.4\n") if row[2] == "loss"]
    assert losses == [(1, None, "loss", None, 0.5), (None, None, "loss", None, 0.4), (3, None, "loss", None, 0.3)]


def test_a_number_alone_is_no_row_of_a_table_and_no_row_stands_below_a_counter() -> None:
    assert values("epoch train_loss valid_loss\n0.5\n") == []
    assert values("Epoch 1\n0.5 0.25\n0.5 0.25 0.125\n") == []
    text = "epoch train_loss valid_loss\nEpoch 1\n1 0.5 0.25\n"
    assert values(text) == [(None, 1.0, "loss", "train", 0.5), (None, 1.0, "loss", "eval", 0.25)]


def test_a_table_of_two_columns() -> None:
    assert values("iter Logloss\n0 0.625\n1 0.5\n") == [
        (0, None, "logloss", None, 0.625),
        (1, None, "logloss", None, 0.5),
    ]


def test_a_row_may_end_with_nothing_where_its_last_value_is_missing() -> None:
    assert values("epoch, train_loss, val_loss\n0, 2.5, 3.5\n1, 1.5,\n")[2:] == [(None, 1.0, "loss", "train", 1.5)]


def test_between_semicolons_names_are_words_and_cells_may_be_checksums() -> None:
    log = "# round;site A;site B;test loss;crc\n1;1.5;1.25;1.75;0896de4a\n2;1.0;0.5;1.25;b28fdd0f\n"
    assert values(log) == [
        (1, None, "site_a", None, 1.5), (1, None, "site_b", None, 1.25), (1, None, "loss", "eval", 1.75),
        (2, None, "site_a", None, 1.0), (2, None, "site_b", None, 0.5), (2, None, "loss", "eval", 1.25),
    ]  # fmt: skip


def test_what_a_probability_is_of_is_no_assignment() -> None:
    heading = "Epoche;Verlust_Train;P(y=1|pos);P(y=1|neg)"
    assert [cell.text for cell in tables.heading(heading, NAMES)] == heading.split(";")
    assert tables.heading("epoch;loss=0.5;acc;auc", NAMES) == ()


def test_a_row_is_numbers_and_nothing_else() -> None:
    assert [cell.text for cell in cells.row("0   0.534  nan  -  00:12  +")] == ["0", "0.534", "nan", "-", "00:12", "+"]
    assert [cell.text for cell in cells.row("| 1 | 2.5 | 80% |")] == ["1", "2.5", "80%"]
    assert [cell.text for cell in cells.row("| 1 | [2.5] | [1.5, 1.0] |")] == ["1", "2.5", "1.5, 1.0"]
    assert cells.row("0   0.534 steps") == cells.row("12") == cells.row("") == ()


def test_the_ratio_of_two_splits_is_of_neither() -> None:
    heading, row = " Epoch  |  Train loss  |  Train / Val", "     3  |    0.5       |     0.25    "
    assert values(f"{heading}\n{row}") == [(None, 3.0, "loss", "train", 0.5), (None, 3.0, "train_val", None, 0.25)]


def test_a_list_in_a_cell_is_its_numbers() -> None:
    heading, row = "| Epoch |    Loss    | recall |", "|   6   | [3.5, 1.5] | [0.25] |"
    assert values(f"{heading}\n{row}") == [
        (None, 6.0, "loss", None, 3.5),
        (None, 6.0, "loss", None, 1.5),
        (None, 6.0, "recall", None, 0.25),
    ]
    rows = metrics(f"{heading}\n{row}")
    assert rows["scope"].to_list() == ["part_0", "part_1", None]


def test_a_fraction_counts_what_is_done_and_a_logger_may_print_the_table() -> None:
    heading, row = "[INFO]:    Epoch     Batch     box     id", "[INFO]:     3/20     1/40    0.225     18"
    assert values(f"{heading}\n{row}") == [(1, 3.0, "box", None, 0.225), (1, 3.0, "id", None, 18.0)]


def test_fastai() -> None:
    rows = (
        "0         0.534       0.421       0.812     00:12",
        "saved",
        "1         0.4         nan         0.9       00:11",
    )
    found = values("\n".join((FASTAI, *rows)))
    assert found[:3] == [
        (None, 0.0, "loss", "train", 0.534),
        (None, 0.0, "loss", "eval", 0.421),
        (None, 0.0, "accuracy", None, 0.812),
    ]
    assert [(epoch, name, split) for _, epoch, name, split, _ in found[3:]] == [
        (1.0, "loss", "train"),
        (1.0, "loss", "eval"),
        (1.0, "accuracy", None),
    ]


def test_what_only_an_evaluation_measures() -> None:
    assert values("E    #       LOSS NER  ENTS_F\n  0     200       8.5   42.5\n") == [
        (200, 0.0, "loss_ner", None, 8.5),
        (200, 0.0, "ents_f", "eval", 42.5),
    ]


def test_a_row_that_lacks_cells_is_read_by_the_edges_of_its_columns() -> None:
    rows = ("199         311900      3.57168     0.0001", "199         312000      3.47        0.0001      5.776")
    found = values("\n".join((CHAINER, *rows)))
    assert found == [
        (311900, 199.0, "loss", "train", 3.57168),
        (311900, 199.0, "lr", None, 0.0001),
        (312000, 199.0, "loss", "train", 3.47),
        (312000, 199.0, "lr", None, 0.0001),
        (312000, 199.0, "loss", "eval", 5.776),
    ]


def test_names_as_wide_as_their_columns_stand_a_blank_apart() -> None:
    text = """average  since         example   current  current  current
loss     last          counter     label  predict features
0.750000 0.500000            2    0.0000   0.7071        5
0.625000 0.500000            4    1.0000   0.2929       15
"""
    assert [row for row in values(text) if row[2] in {"loss", "features"}] == [
        (2, None, "loss", None, 0.75),
        (2, None, "features", None, 5),
        (4, None, "loss", None, 0.625),
        (4, None, "features", None, 15),
    ]


def test_columns_with_commas_between_in_a_log_of_text() -> None:
    comma = "training starts\nepoch,loss,val_acc\n0,2.5,0.25\n1,2.25,\n"
    assert values(comma) == [
        (None, 0, "loss", None, 2.5),
        (None, 0, "accuracy", "eval", 0.25),
        (None, 1, "loss", None, 2.25),
    ]
    assert values("x\n" + comma.replace(",", ";"))[:1] == [(None, 0, "loss", None, 2.5)]
    assert tables.heading("the epoch, the loss, and more", NAMES) == ()


def test_a_comma_that_may_be_of_a_number_or_between_two_is_tried_once() -> None:
    assert cells.row("1" + ",234" * 95 + "x") == ()
    assert [cell.text for cell in cells.row("1" + ",234" * 5)] == ["1", "234", "234", "234", "234", "234"]
    assert cells.row("1, 2; 3, 4") == ()  # one kind of separator


def test_a_cell_between_bars_may_be_a_word() -> None:
    text = "| epoch | size | train | top1 |\n|---|---|---|---|\n| 1 | 8px | 1.5 | 62.5% |\n| a | b | 2 |\n"
    assert values(text) == [(None, 1, "train", "train", 1.5), (None, 1, "accuracy", None, 62.5)]


def test_a_report_by_class_has_its_classes_as_scopes() -> None:
    text = """epoch 1 loss 0.5
              precision    recall  f1-score   support

         cat      0.950     0.900     0.924       100
           7      0.500     0.250     0.333        20

    accuracy                          0.792       120
"""
    rows = metrics(text).select("name", "scope", "value").rows()
    assert rows == [
        ("loss", None, 0.5),
        *(("precision", "cat", 0.95), ("recall", "cat", 0.9), ("f1", "cat", 0.924), ("support", "cat", 100.0)),
        *(("precision", "7", 0.5), ("recall", "7", 0.25), ("f1", "7", 0.333), ("support", "7", 20.0)),
        ("accuracy", None, 0.792),
    ]
    splits = "       loss     acc\n     F1\n"  # two of them are no heading
    assert metrics(splits).is_empty()
    splits = "          loss     acc      f1\nTRN        2.5    0.25     0.5\nDEV        1.5    0.75     0.5\n"
    assert values(splits)[::3] == [(None, None, "loss", "train", 2.5), (None, None, "loss", "eval", 1.5)]
    other = "epoch   loss     acc     f1\nall        2.5    0.25     0.5\n"
    assert values(other) == []  # a name is no number of an epoch
    framed = "| class | IoU | Acc |\n|-------|-----|-----|\n| road | 90.5 | 95.25 |\n"
    assert metrics(framed).select("name", "scope", "value").rows() == [
        ("iou", "road", 90.5),
        ("accuracy", "road", 95.25),
    ]


def test_many_columns_far_apart_of_which_the_first_counts_are_a_table() -> None:
    text = "gen         mean      best    eval(8)   rmse[mm]\n0        -675.5   -461.5    -510.5      1.5\n"
    assert values(text) == [
        (0, None, "mean", None, -675.5),
        (0, None, "best", None, -461.5),
        (0, None, "eval", "eval", -510.5),
        (0, None, "rmse", None, 1.5),
    ]
    assert tables.heading("gen    mean  best", NAMES) == ()


def test_numbers_below_no_heading_are_unread_and_counted() -> None:
    reader = read("0.5  0.25  0.125\n0.5  0.25  0.125\n")
    assert reader.log.unread == 2
    assert reader.log.frames()["metrics"]().is_empty()


def test_rows_of_a_table_are_read_lines() -> None:
    reader = read(f"{FASTAI}\n0         0.534       0.421       0.812     00:12\nword\n0.1 0.2\n")
    assert reader.log.unread == 2  # the word, and numbers that fit no column
    assert reader.log.used["generic"] == 2


@given(st.text(st.characters(max_codepoint=0x2FF), max_size=80))
def test_any_text_is_a_heading_a_row_or_neither(text: str) -> None:
    found = tables.heading(text, NAMES) or cells.row(text)
    assert [text[slice(*cell.at)] for cell in found] == [cell.text for cell in found]


def test_with_bars_between_the_columns_none_need_count() -> None:
    """OpenAI's baselines print the step above the table."""
    rows = "0.75000 |  1.73e+05 | 0.5\n    0.25000 |  1.67e+05 | 1.5\n"
    text = f"*** Iteration 10 ***\n   pol_surr |   vf_loss |    kl\n    {rows}"

    assert values(text) == [
        (10, None, "pol_surr", None, 0.75),
        (10, None, "vf_loss", None, 173000.0),
        (10, None, "kl", None, 0.5),
        (10, None, "pol_surr", None, 0.25),
        (10, None, "vf_loss", None, 167000.0),
        (10, None, "kl", None, 1.5),
    ]


def test_a_dialect_s_line_may_stand_in_the_columns_of_a_heading() -> None:
    bar = "100%|##########| 8/8 [00:02<00:00,  3.50it/s]"
    text = (
        "     Epoch   gpu_mem       box       obj       cls     total    labels  img_size\n"
        f"       3/9       2G      0.25       0.5     0.125     0.875        31       640: {bar}\n"
        "     Epoch   GPU_mem  box_loss  cls_loss  dfl_loss  Instances      Size\n"
        f"       4/9       2G       1.5      2.25      0.75        31       640: {bar}\n"
    )
    told = {(epoch, name): value for _, epoch, name, split, value in values(text) if split == "train"}
    first = {"box_loss": 0.25, "obj_loss": 0.5, "cls_loss": 0.125, "loss": 0.875}
    second = {"box_loss": 1.5, "cls_loss": 2.25, "dfl_loss": 0.75}
    assert {name: told[3.0, name] for name in first} == first
    assert {name: told[4.0, name] for name in second} == second


def test_numbers_before_a_bar_stand_in_the_columns_of_a_heading() -> None:
    bar = "100%|##########| 8/8 [00:02<00:00,  3.50it/s]"
    text = (
        "     Epoch  iou_loss  dfl_loss  cls_loss\n"
        f"      3/99         0      0.25     1.125: {bar}\n"
        f"      4/99         0      0.75     0.625: {bar}\n"
    )
    told = {(epoch, name): value for _, epoch, name, _, value in values(text)}
    assert told == {
        (3.0, "iou_loss"): 0.0,
        (3.0, "dfl_loss"): 0.25,
        (3.0, "cls_loss"): 1.125,
        (4.0, "iou_loss"): 0.0,
        (4.0, "dfl_loss"): 0.75,
        (4.0, "cls_loss"): 0.625,
    }


def test_without_a_heading_a_dialect_s_line_gives_what_it_names() -> None:
    text = "3/9  2G  1.5  2.25  0.75  31  640: 100%|##########| 8/8 [00:02<00:00,  3.50it/s]\n"
    assert {name for _, _, name, _, _ in values(text)} == {"gpu_mem", "box_loss", "instances"}


def test_bars_and_blanks_between_names_and_what_tells_two_of_them_apart() -> None:
    text = "stage ep |  loss   | acc[0-4] acc[5-9]\n  1    2 | 1.5 |   92.5     0.5\n"
    assert [found[1:] for found in values(text)] == [
        (2.0, "stage", None, 1.0),
        (2.0, "loss", None, 1.5),
        (2.0, "acc[0_4]", None, 92.5),
        (2.0, "acc[5_9]", None, 0.5),
    ]


def test_a_name_with_anything_in_its_brackets_heads_a_column() -> None:
    text = "Epoch |  Train CE (\u00b1Phys) |   Val CE\n-----\n    1 |           3.25 |       3.5\n"
    assert [found[1:] for found in values(text)] == [(1.0, "loss", "train", 3.25), (1.0, "loss", "eval", 3.5)]


def test_a_time_stamp_before_a_row_leaves_it_its_first_bar() -> None:
    stamp = "2025-09-05 21:43:07 "
    rows = ("|    ep_rew_mean     | -514     |", "|    total_timesteps | 2048     |", "----")
    found = metrics("".join(f"{stamp}{row}\n" for row in rows))
    assert found.select("step", "name", "value").rows() == [(2048, "reward", -514.0)]


def test_rows_that_begin_with_a_split_below_a_heading_that_counts_and_costs() -> None:
    text = (
        "dset      epoch    cost    cerr\n"
        "------  -------  ------  ------\n"
        "trn          99  nan       0.01\n"
        "dev          99    1.25    0.25\n"
    )
    told = [(epoch, name, split, str(value)) for _, epoch, name, split, value in values(text)]
    assert told == [
        (99.0, "cost", "train", "nan"),
        (99.0, "cerr", "train", "0.01"),
        (99.0, "cost", "eval", "1.25"),
        (99.0, "cerr", "eval", "0.25"),
    ]


def test_the_index_of_a_printed_frame_is_below_no_name() -> None:
    text = "   epoch  train_loss  val_loss\n0      1      0.6931    0.6921\n1      2      0.5931    0.6021\n"
    assert values(text) == [
        (None, 1.0, "loss", "train", 0.6931),
        (None, 1.0, "loss", "eval", 0.6921),
        (None, 2.0, "loss", "train", 0.5931),
        (None, 2.0, "loss", "eval", 0.6021),
    ]


def test_of_a_frame_with_a_loss_and_nothing_that_counts_the_index_counts() -> None:
    text = "     loss  accuracy  val_loss\n0    1.25      0.50      1.50\n..    ...       ...       ...\n"
    text += "99   0.25      0.75      0.50\n"
    assert values(text) == [
        (0, None, "loss", None, 1.25),
        (0, None, "accuracy", None, 0.5),
        (0, None, "loss", "eval", 1.5),
        (99, None, "loss", None, 0.25),
        (99, None, "accuracy", None, 0.75),
        (99, None, "loss", "eval", 0.5),
    ]
    of_classes = metrics("     recall  accuracy   auc\n0    0.25      0.50  0.75\n1    0.75      0.50  0.75\n")
    assert of_classes.select("step", "scope").unique(maintain_order=True).rows() == [(None, "0"), (None, "1")]
