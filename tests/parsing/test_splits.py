"""Which split a value is of, where its own name does not say so."""

from __future__ import annotations

from math import inf, isnan, nan

import pytest

from postmortem.parsing import names
from postmortem.parsing.generic import read_record

NAMES = names.load()


def splits(text: str) -> list[tuple[str, str | None, float]]:
    """Name, split and value of each metric in order."""
    found = [(NAMES.metric(pair.key), pair.value) for pair in read_record(text, NAMES).metrics]
    return [(metric.name, metric.split, nan if isnan(value) else value) for metric, value in found]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (  # a name in both splits takes the one before it
            "Epoch 1 | train_loss: 0.5 acc: 0.75 | test_loss: 0.25 acc: 0.875",
            [("loss", "train", 0.5), ("accuracy", "train", 0.75), ("loss", "eval", 0.25), ("accuracy", "eval", 0.875)],
        ),
        (  # a split and the word for its data in one
            "Trainset loss: 0.5, testset loss: 0.25",
            [("loss", "train", 0.5), ("loss", "eval", 0.25)],
        ),
        (  # in other letters as well: Russian for training and validation
            (
                "\u0412\u0430\u043b\u0438\u0434\u0430\u0446\u0438\u044f  - \u041f\u043e\u0442\u0435\u0440\u0438: 0.5 "
                "\u0422\u043e\u0447\u043d\u043e\u0441\u0442\u044c: 0.25"
            ),
            [("loss", "eval", 0.5), ("accuracy", "eval", 0.25)],
        ),
        ("[TEST_SET] Correct: [9571/10000] / Accuracy: [95.75]%", [("accuracy", "eval", 95.75)]),
        ("test set loss: 0.5, test set accuracy: 0.25", [("loss", "eval", 0.5), ("accuracy", "eval", 0.25)]),
        (  # how long the training took says of what split nothing is that follows
            "Epoch 10 loss 0.5 | train 2.5s | Acc 9.25%",
            [("loss", None, 0.5), ("time", "train", 2.5), ("accuracy", None, 9.25)],
        ),
        (  # a split of two words, and a number in letters
            "ep 35 | bce nan | held-out bce inf acc 0.25",
            [("bce", None, nan), ("bce", "eval", inf), ("accuracy", "eval", 0.25)],
        ),
        (  # a letter beside a split, on either side of its sign
            "E001  lr 0.5  L_tr 2.5  L_va 2.25  A_va 0.125",
            [("lr", None, 0.5), ("loss", "train", 2.5), ("loss", "eval", 2.25), ("accuracy", "eval", 0.125)],
        ),
        (  # one name, both splits by letters and by words, and a list of each
            "round 22: logloss t/v 0.25/0.5, auc train/val 0.75/0.625",
            [("logloss", "train", 0.25), ("logloss", "eval", 0.5), ("auc", "train", 0.75), ("auc", "eval", 0.625)],
        ),
        (  # words of Chinese with a blank behind
            "\u7b2c40\u8f6e \u8bad\u7ec3\u5747\u65b9\u8bef\u5dee 2762.5 \u6d4b\u8bd5\u5747\u65b9\u8bef\u5dee 3238.5",
            [("mse", "train", 2762.5), ("mse", "eval", 3238.5)],
        ),
        (  # what an evaluation gives is not always a loss
            "Epoch 0  loss = 0.75 * 1  eval = 0.5",
            [("loss", None, 0.75), ("eval", "eval", 0.5)],
        ),
        (  # the norm of something
            "step 20 | loss 0.25 | lr 6e-04 | |g|  0.5",
            [("loss", None, 0.25), ("lr", None, 6e-4), ("grad_norm", None, 0.5)],
        ),
        (  # two colons are one sign
            "epoch::3 loss::2.5 test_acc::0.125",
            [("loss", None, 2.5), ("accuracy", "eval", 0.125)],
        ),
        (  # a split that is a word of its own is that of the names behind it
            "           Val   Loss: 0.5, mIoU: 0.75",
            [("loss", "eval", 0.5), ("miou", "eval", 0.75)],
        ),
        (  # what is computed of all answers, behind the losses of both splits
            "train_loss=0.5 val_loss=0.25 f1: 0.75 lr=0.125",
            [("loss", "train", 0.5), ("loss", "eval", 0.25), ("f1", "eval", 0.75), ("lr", None, 0.125)],
        ),
        (  # before the second it may be of the first
            "train_loss=0.5 f1: 0.75 val_loss=0.25",
            [("loss", "train", 0.5), ("f1", None, 0.75), ("loss", "eval", 0.25)],
        ),
        (  # a word that goes on
            "Evaluating...  Score:  -2.5, Loss: 0.25",
            [("score", "eval", -2.5), ("loss", "eval", 0.25)],
        ),
        (  # one that is part of a name is not
            "loss: 0.5 - val_loss: 0.25 - top5: 0.75",
            [("loss", None, 0.5), ("loss", "eval", 0.25), ("top5", None, 0.75)],
        ),
        (
            "epoch 1/10 train_loss 0.5 acc 0.75 | val_loss 0.25 acc 0.875",
            [("loss", "train", 0.5), ("accuracy", "train", 0.75), ("loss", "eval", 0.25), ("accuracy", "eval", 0.875)],
        ),
        (  # a split with a bar, or with a bracket, and what it measures
            "[epoch 8] train | loss 0.25 | ppl 1.25 || valid | loss 0.5 | ppl 1.5",
            [
                ("loss", "train", 0.25),
                ("perplexity", "train", 1.25),
                ("loss", "eval", 0.5),
                ("perplexity", "eval", 1.5),
            ],
        ),
        (
            "epoch:004 train=[loss:0.5 acc:0.75] val=[loss:0.25 acc:0.875]",
            [("loss", "train", 0.5), ("accuracy", "train", 0.75), ("loss", "eval", 0.25), ("accuracy", "eval", 0.875)],
        ),
        (  # a name with its splits, and another
            "epoch 1/5 done | loss: train=0.5 val=0.25 | acc: train=0.75 val=0.875",
            [("loss", "train", 0.5), ("loss", "eval", 0.25), ("accuracy", "train", 0.75), ("accuracy", "eval", 0.875)],
        ),
        (  # the split of a name behind it, in brackets
            "[Epoch 5] loss(train)=0.5 loss(val)=0.25 acc (val)=75.5%",
            [("loss", "train", 0.5), ("loss", "eval", 0.25), ("accuracy", "eval", 75.5)],
        ),
        ("Epoch 5: mel loss (unit)=0.5", [("mel_loss", None, 0.5)]),
        (
            "Epoch 24/30: train/loss 0.5 train/acc 0.75 val/loss 0.25 val/acc 0.875",
            [("loss", "train", 0.5), ("accuracy", "train", 0.75), ("loss", "eval", 0.25), ("accuracy", "eval", 0.875)],
        ),
        # a split alone, behind the only measure that there is
        ("epoch 10 complete, loss: 0.25 -> val 0.5", [("loss", None, 0.25), ("loss", "eval", 0.5)]),
        ("Loss at epoch 30 = 0.25; validation = 0.5", [("loss", None, 0.25), ("loss", "eval", 0.5)]),
        (  # shares of both, beside a loss
            "Epoch: 010, Loss: 1.25, Train: 0.75, Val loss: 2.5, Val: 0.5, Test: 0.25",
            [
                ("loss", None, 1.25),
                ("accuracy", "train", 0.75),
                ("loss", "eval", 2.5),
                ("accuracy", "eval", 0.5),
                ("accuracy", "eval", 0.25),
            ],
        ),
        (  # no shares
            "Epoch: 010, Loss: 1.25, Train: 1.75, Val: 1.5",
            [("loss", None, 1.25), ("train", "train", 1.75), ("val", "eval", 1.5)],
        ),
        (  # behind two it may be of either
            "epoch 3 loss 0.25 acc 0.75 val 0.5",
            [("loss", None, 0.25), ("accuracy", None, 0.75), ("val", "eval", 0.5)],
        ),
        # whose it is may stand before it
        ("> All clients testing: Loss 0.5 Acc 0.75", [("loss", "eval", 0.5), ("accuracy", "eval", 0.75)]),
        # a field of its own says it
        ("{'step': 0, 'split': 'test', 'accuracy': '0.25'}", [("accuracy", "eval", 0.25)]),
        ("phase=train step=1 loss=0.5 lr=0.25", [("loss", "train", 0.5), ("lr", None, 0.25)]),
        ("epoch 3 | phase: second | loss 0.25", [("loss", None, 0.25)]),
        # the split of a name that is another's, or behind words that only say how it was taken
        ("Step 5: Validation value loss: 0.5", [("value_loss", "eval", 0.5)]),
        ("Epoch 1 Test set average loss: 0.5", [("loss", "eval", 0.5)]),
        # behind the name
        (
            "Epoch: 0001 loss_train: 0.5 acc_train: 0.75 loss_val: 0.25",
            [("loss", "train", 0.5), ("accuracy", "train", 0.75), ("loss", "eval", 0.25)],
        ),
        ("[ITER 100] Evaluating train: L1 0.5 PSNR 20.5", [("l1", "train", 0.5), ("psnr", "train", 20.5)]),
        ("Epoch: 7 | Val. Loss: 0.5 | Test Loss: 0.25", [("loss", "eval", 0.5), ("loss", "eval", 0.25)]),
        # nobody says what of
        ("step 250 | train 2.5 | val 2.25", [("train", "train", 2.5), ("val", "eval", 2.25)]),
        ("Evaluating: loss 0.5", [("loss", "eval", 0.5)]),
        ("epoch 1 tloss 0.5 vloss 0.25", [("loss", "train", 0.5), ("loss", "eval", 0.25)]),
        ("epoch 1 trainloss: 0.5 valacc: 0.25", [("loss", "train", 0.5), ("accuracy", "eval", 0.25)]),
        ("Pr\u00fcfverlust: 0.5 Validierungsverlust: 0.25", [("loss", "eval", 0.5), ("loss", "eval", 0.25)]),
        ("1/9 :: tr 0.5 :: va 0.25", [("tr", "train", 0.5), ("va", "eval", 0.25)]),
        ("epoch 1 loss 0.5 vloss 0.25", [("loss", None, 0.5), ("vloss", None, 0.25)]),
        # the set that a booster stops by is the last; those before it are apart
        ("[5]\ttraining's auc: 0.75\tvalid_1's auc: 0.5", [("auc", "train", 0.75), ("auc", "eval", 0.5)]),
        ("[5]\tvalidation_0-rmse:0.75\tvalidation_1-rmse:0.5", [("rmse", "eval", 0.75), ("rmse", "eval", 0.5)]),
        # each split and what it measures
        (
            "Training: loss = 0.5, acc = 0.75 | Val: loss = 0.25, acc = 0.125 | Time: 2.5",
            [
                ("loss", "train", 0.5),
                ("accuracy", "train", 0.75),
                ("loss", "eval", 0.25),
                ("accuracy", "eval", 0.125),
                ("time", None, 2.5),
            ],
        ),
        ("[1/20] train 2.5 | valid 2.25", [("train", "train", 2.5), ("valid", "eval", 2.25)]),
        # one name before all splits
        ("acc_seg --- train: 0.75    val: 0.5", [("acc_seg", "train", 0.75), ("acc_seg", "eval", 0.5)]),
        ("epoch --- train: 0.75    val: 0.5", [("train", "train", 0.75), ("val", "eval", 0.5)]),
        # a split with more words, behind a logger's name, in Chinese words
        ("Epoch [7], Val_Teacher mIoU 38.5", [("teacher_miou", "eval", 38.5)]),
        ("INFO:tensorflow:Evaluation result for step 5: loss = 2.5", [("loss", "eval", 2.5)]),
        ("\u6574\u4f53\u6d4b\u8bd5\u96c6\u4e0a\u7684Loss: 2.5", [("loss", "eval", 2.5)]),
        ("\u6574\u4f53\u6d4b\u8bd5\u96c6\u4e0a\u7684\u6b63\u786e\u7387: 0.5", [("accuracy", "eval", 0.5)]),
        ("DEV : loss 0.5 - f1: 0.75", [("loss", "eval", 0.5), ("f1", "eval", 0.75)]),
        ("[valid] step: 100, bleu: 3.25, loss: 0.5", [("bleu", "eval", 3.25), ("loss", "eval", 0.5)]),
        ("INFO trainer.py:88 Validation: loss=0.5", [("loss", "eval", 0.5)]),
        ("[Epoch 3] Loss 6.0 = 4.5 + 1.5 (validation)", [("loss", "eval", 6.0)]),
        ("[Epoch 3] Loss 6.0 = 4.5 + 1.5 (total)", [("loss", None, 6.0)]),
        ("INFO project.eval:51 | epoch 0: loss 0.5", [("loss", "eval", 0.5)]),
        ("__main__ - INFO - Epoch 1 Validation - Loss: 0.5", [("loss", "eval", 0.5)]),
        ("INFO __main__ Validation - Loss: 0.5", [("loss", "eval", 0.5)]),
        ("INFO     | app.main:run:10 - Epoch 1 Validation - Loss: 0.5", [("loss", "eval", 0.5)]),
        ("eval - INFO - Epoch 1 Loss: 0.5", [("loss", "eval", 0.5)]),
        ("[train] [INFO] validation(4992) net:1_368 loss=0.25", [("loss", "eval", 0.25)]),
        ("[train] [INFO] epoch=14.5 loss=0.25", [("loss", "train", 0.25)]),
        ("INFO project.train:51 | epoch 0: loss 0.5", [("loss", None, 0.5)]),
        ("Training Results - Epoch: 1  Avg loss: 0.5", [("loss", "train", 0.5)]),
        # a learning rate and a time are the run's
        ("Test: loss 0.5, lr: 0.25, time: 1.5", [("loss", "eval", 0.5), ("lr", None, 0.25), ("time", None, 1.5)]),
        # both splits of one name
        ("loss train: 0.5  eval: 0.25", [("loss", "train", 0.5), ("loss", "eval", 0.25)]),
        ("epoch 3 acc train 0.5 val 0.25", [("accuracy", "train", 0.5), ("accuracy", "eval", 0.25)]),
        # a split that comes first is that of all but where a name has another
        ("Test 3, loss: 0.5, test acc: 0.75", [("loss", "eval", 0.5), ("accuracy", "eval", 0.75)]),
        # of two that are taken otherwise each keeps what it is
        (
            "Step 3, train acc: 0.5, train avg acc: 0.25",
            [("accuracy", "train", 0.5), ("avg_acc", "train", 0.25)],
        ),
        # in brackets before each, and behind each
        ("epoch 3 [train] loss 0.5 [val] loss 0.25", [("loss", "train", 0.5), ("loss", "eval", 0.25)]),
        ("RMSE: 0.5 (train) 0.75 (test)", [("rmse", "train", 0.5), ("rmse", "eval", 0.75)]),
        ("epoch 3 RMSE: 0.5 (train)", [("rmse", "train", 0.5)]),
        ("epoch 3 loss 0.5 (train), acc 0.75 (test)", [("loss", "train", 0.5), ("accuracy", "eval", 0.75)]),
        ("epoch 3 loss 0.5 (val: loss 0.25)", [("loss", None, 0.5), ("loss", "eval", 0.25)]),
        ("epoch 3 loss 0.5 (val: acc 0.25)", [("loss", None, 0.5), ("accuracy", None, 0.25)]),
        # around it, and as a letter beside it
        ("epoch 3 d_train_loss: 0.5 kd_val_loss: 0.25", [("d_loss", "train", 0.5), ("kd_loss", "eval", 0.25)]),
        ("epoch 3 g_trn_l=2.5,d_trn_l=-8.5", [("g_loss", "train", 2.5), ("d_loss", "train", -8.5)]),
        (
            "epoch 3 trn_l: 0.5 val_l: 0.25 val_a: 0.75",
            [("loss", "train", 0.5), ("loss", "eval", 0.25), ("accuracy", "eval", 0.75)],
        ),
        ("epoch 3 current test error: 0.25", [("error", "eval", 0.25)]),
        ("epoch 3 net_val_size: 0.5", [("net_val_size", None, 0.5)]),
        # a letter says so beside the other; alone it is of a value function
        ("epoch 3 t_loss: 0.5 v_loss: 0.25", [("loss", "train", 0.5), ("loss", "eval", 0.25)]),
        ("epoch 3 v_loss: 0.5 p_loss: 0.25", [("v_loss", None, 0.5), ("p_loss", None, 0.25)]),
        # a dict for each split
        (
            "{'epoch': 3, 'train': {'loss': 0.5, 'acc': 0.75}, 'val': {'loss': 0.25, 'acc': 0.125}}",
            [("loss", "train", 0.5), ("accuracy", "train", 0.75), ("loss", "eval", 0.25), ("accuracy", "eval", 0.125)],
        ),
        ("step 5: loss=0.5, test_acc=0.25", [("loss", None, 0.5), ("accuracy", "eval", 0.25)]),
        (
            "\u8bad\u7ec3\u635f\u5931: 0.5, \u9a8c\u8bc1\u635f\u5931: 0.25",
            [("loss", "train", 0.5), ("loss", "eval", 0.25)],
        ),
    ],
)
def test_the_split_is_the_one_that_the_line_names(text: str, values: list[tuple[str, str | None, float]]) -> None:
    assert splits(text) == values


def test_of_a_booster_s_sets_all_but_the_last_are_told_apart() -> None:
    found = read_record("[5]\tvalidation_0-auc:0.75\tvalidation_1-auc:0.5\tvalidation_2-auc:0.25", NAMES).metrics
    assert [(pair.scope, pair.value) for pair in found] == [("set_0", 0.75), ("set_1", 0.5), (None, 0.25)]
