"""What counts in a record, in whatever words, and what only looks like it."""

from __future__ import annotations

import pytest

from postmortem.parsing import names
from postmortem.parsing.generic import read_record

NAMES = names.load()


@pytest.mark.parametrize(
    ("text", "epoch", "step", "unit"),
    [
        ("(epoch: 1, iters: 100, time: 0.352) G_A: 0.364", 1, 100, "unknown"),
        ("Epoch: 2, Steps: 131 | Train Loss: 0.5", 2, 131, "unknown"),
        ("[1] \"[85]:  train's auc:0.75  test's auc:0.5\"", None, 85, "unknown"),
        ("[4] TRAIN  loss: 0.5 acc: 0.25", None, 4, "unknown"),
        ("[4] VALIDATION  acc: 0.25", None, 4, "unknown"),
        ("    0-th batch, loss: 2.5", None, 0, "batch_of_epoch"),
        ("    5-th epoch, test acc: 0.75", 5, None, None),
        ("the 21st iteration, loss=0.5", None, 21, "unknown"),
        ("2 epoch, loss: 0.5, time: 12.5", 2, None, None),
        ("0-epoch (99/400): total loss 2.5", 0, None, None),
        ("3 step budget: loss 0.5", None, None, None),
        # behind what a logger puts before a record
        ("root - INFO - 2 epoch, loss: 0.5", 2, None, None),
        ("INFO:root:5th epoch: acc 0.5", 5, None, None),
        ("INFO 3/16, loss: 0.5", None, 3, "unknown"),
        ("Gen 320: fitness 7.5, loss 0.5", None, 320, "unknown"),
        ("PCIe Gen 4 x16, loss: 2.5", None, None, None),
        ("@30   train bpc: 0.75  valid bpc: 0.5", None, 30, "unknown"),
        ("[eval @ 10,000] reward= -4.5", None, 10_000, "unknown"),
        ("Ep. 3 : Up. 500 : loss : 8.5", 3, 500, "unknown"),
        ("it: 40, loss: 0.5", None, 40, "unknown"),
        ("Epoch number 3 loss: 2.5", 3, None, None),
        ("Step no. 30: loss 2.5", None, 30, "unknown"),
        ("cost: 0.5, time this epoch= 2.25", None, None, None),
        ("epoch 2[4500], loss: 0.5, lr: 0.001", 2, 4500, "unknown"),
        ("[3/40][step:2050]  Totalloss:0.5 lr: 0.001", 3, 2050, "unknown"),
        ("Process 300/1200(25.000000%) average loss: 0.5", None, 300, "unknown"),
        ("INFO [train.py:80] Process 300/1200(25.0%) average loss: 0.5, epoch 2", 2, 300, "unknown"),
        ("Epoch 3/12(25.0%) loss: 0.5", 3, None, None),
        ("[2,  4000] loss: 1.836", 2, 4000, "batch_of_epoch"),
        ("[2 :   4000] loss G : 1.836", 2, 4000, "batch_of_epoch"),
        ("[12:05] loss: 1.836", None, None, None),
        ("3/16, train_loss: 0.6612", None, 3, "unknown"),
        ("[ 12/100] loss 0.5", None, 12, "unknown"),
        (" 7| loss 0.75 | acc 0.5", None, 7, "unknown"),
        ("7) loss=0.75 acc=0.5", None, 7, "unknown"),
        (" 7| L 0.75 | sym. 0.9009 | letters 0.25", None, 7, "unknown"),
        ("=====>>>>[4] Train Loss: 0.5  Train ACC: 0.25", None, 4, "unknown"),
        ("E[4], train Loss: 2.375, val loss: 2.25, val Acc: 0.125", 4, None, None),
        ("epoch4-batch-30 loss: 0.5 acc 0.25", 4, 30, "batch_of_epoch"),
        ("Epoch4_Batch30 Loss=0.5", 4, 30, "batch_of_epoch"),
        ("[E4|B30] loss 0.5", 4, 30, "batch_of_epoch"),
        ("Ep4/It300: L=0.5 A=81%", 4, 300, "unknown"),
        ("INFO     Epoch8 [5600/7876] loss = 1.75(6.50)", 8, 5600, "batch_of_epoch"),
        ("7 [D loss: 0.35, acc.: 80.00%] [G loss: 0.7]", None, 7, "unknown"),
        ("Epoch 3/10 [12/100] loss: 0.5", 3, 12, "batch_of_epoch"),
        ("| epoch 003  1000 / 8223 loss=2.25", 3, 1000, "batch_of_epoch"),
        ("Epoch  3, 12850/37527; acc:  4.5", 3, 12850, "batch_of_epoch"),
        ("[#00285] loss_A: 0.5, loss_B: 0.25", None, 285, "unknown"),
        ("#7/1500 - Training Loss: 2.5", None, 7, "unknown"),
        ("model ,epoch 400,train_loss: 0.5", 400, None, None),
        ("Train Epoch: 8 | Batch Status: 640/50000 (1%) | Loss: 1.25", 8, 640, "unknown"),
        ("Global-step 33 --Accept update with kl=2.5e-07", None, 33, "unknown"),
        ("Iteraci\u00f3n 4 | loss=1.75", None, 4, "unknown"),
        ("\u042d\u043f\u043e\u0445\u0430 3: loss=0.5", 3, None, None),
        ("step_40:\tloss 0.5", None, 40, "unknown"),
        ("epoch: 2 | nupdates: 3074 | loss: 470.5", 2, 3074, "unknown"),
        ("Train: [4/300][10/1251]\tlr 0.000001\tloss 6.9400", 4, 10, "batch_of_epoch"),
        ("| epoch   1 |   200/ 2983 batches | loss  7.01", 1, 200, "batch_of_epoch"),
        ("After 100 iterations, the training loss is 2.31", None, 100, "unknown"),
        ("after 2 epochs: loss 2.31", 2, None, None),
        ("\u7b2c 2 \u8f6e \u635f\u5931: 0.65", 2, None, None),
        ("\u00c9poque 2/10 - perte: 0.65", 2, None, None),
        ("\u8f6e\u6b21: 2, loss: 0.65", 2, None, None),
        ("Epoch 43.25 / 50, i = 822990 / 973300, loss = 4.5", 43.25, 822990, "unknown"),
        ("333 154 Loss=nan Time=0.040", 333, 154, "batch_of_epoch"),
        ("154 loss: 0.5", None, 154, "unknown"),
        ("Test 7, loss: 0.5, test acc: 0.75", None, 7, "unknown"),
        ("154 | loss nan | lr 0.5", None, 154, "unknown"),
        ("[proc 0][Train](1000/40000) average loss: 0.5", None, 1000, "unknown"),
        ("Train Epoch: 2 [7007/7010 Srno: 1 (100%)]\tLoss: 0.25", 2, 7007, "batch_of_epoch"),
        ("Game number: 010590  Average reward: 115.5", None, 10590, "unknown"),
        ("[epoch12] loss=20.5", 12, None, None),
        ("2026-01-05 10:00:00, batch i:3, episode_len:12, loss: 0.5", None, 3, "unknown"),
        ("eval epoch: 2, loss: 6.5", 2, None, None),
        # the word and its number in one; a fraction or a leading zero is no prose; thousands; one letter that begins
        ("ep2 100/400 l1 0.5 psnr 20.5", 2, 100, "batch_of_epoch"),
        ("(E2 B16) loss 0.5", 2, 16, "batch_of_epoch"),
        ("it300 loss 0.5", None, 300, "unknown"),
        ("[train] it   100/1500  loss 0.5", None, 100, "unknown"),
        ("it 0040  loss 0.5", None, 40, "unknown"),
        ("step   2,025 | loss 0.5", None, 2025, "unknown"),
        ("e= 2 | loss=0.5", 2, None, None),
        ("2/9 :: loss 0.5 :: acc 0.75", None, 2, "unknown"),
        ("  20/600 >> loss: 0.5", None, 20, "unknown"),
        ("#000080 loss=0.5", None, 80, "unknown"),
        ("Durchlauf 02 | Verlust = 0.5", 2, None, None),
        ("Episodio:  10/200  Recompensa media(10): 0.5", None, 10, "unknown"),
        ("\u8f6e\u6b21\uff1a[1/8]\uff0c\u635f\u5931\uff1a0.5", 1, None, None),
    ],
)
def test_a_measurement_is_placed(text: str, epoch: float | None, step: int | None, unit: str | None) -> None:
    reading = read_record(text, NAMES)
    assert (reading.epoch, reading.step, reading.step_unit) == (epoch, step, unit)
    assert reading.metrics


@pytest.mark.parametrize(
    "text",
    [
        "batch_size: 32, steps: 1000, lr: 0.001",
        "steps: 1000",
        "niter: 300",
        "epoch 3,000 images",
        "reading data/step_40.json, loss: 0.5",
        "make it 3 times faster",
        "3/4 files copied",
        "[1, 2000]",
        "12 [main] starting",
        "Best Accuracy: 91.5 (412/500)",
        "i = 5, loss: 0.5",  # of what?
        "[INFO] [timer.py:157:stop] 0/10, loss: 0.5",  # in a file's line
        "3 154 images",
        "E0105 10:00:00.5 4711 net.cc:17] loss=0.5",  # glog's letter and date
        "ep2 saved",
    ],
)
def test_an_amount_or_a_word_of_prose_counts_nothing(text: str) -> None:
    reading = read_record(text, NAMES)
    assert (reading.epoch, reading.step) == (None, None)


def test_when_it_was_best_is_not_when_the_record_is() -> None:
    reading = read_record("Current loss: 0.5 (best 0.25 @ epoch 3)", NAMES)
    assert (reading.step, reading.epoch) == (None, None)
    assert read_record("loss: 0.5 (epoch 3)", NAMES).epoch == 3.0
