"""Lines that no dialect describes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem.parsing import names
from postmortem.parsing.generic import read_record

NAMES = names.load()


def metrics(text: str) -> dict[str, float]:
    return {NAMES.metric(pair.key).name: pair.value for pair in read_record(text, NAMES).metrics}


@pytest.mark.parametrize(
    ("text", "step", "values"),
    [
        ("step 5: loss=2.5, grad_norm=1.25", 5, {"loss": 2.5, "grad_norm": 1.25}),
        ("{'loss': 2.5, 'learning_rate': 1e-05, 'epoch': 0.5}", None, {"loss": 2.5, "lr": 1e-05}),
        ("Step 600: KD Raw: 38.3527, Temperature²: 9.0", 600, {"kd_loss": 38.3527, "temperature_squared": 9.0}),
        ("loss(x, y) = param(0.0913291)", None, {"loss": 0.0913291}),
        ("step=5, 21.5 examples/sec lr=0.25, loss=0.5", 5, {"lr": 0.25, "loss": 0.5, "throughput": 21.5}),
        ("Epoch: 01 | Epoch Time: 1m 57s", None, {"epoch_time": 117.0}),
        ("{'loss': 2.5, 'elapsed_time': '1h 22m 38s'}", None, {"loss": 2.5}),
        ("accuracy(m, x, label, 0.0:9) = 0.625", None, {"accuracy": 0.625}),
        ("step 3: Stage 0 = 1.73(6.50)\tStage 1 = 0.94(4.04)", 3, {"stage_0": 1.73, "stage_1": 0.94}),
        ("step 3: fold 1 = 0.5, epoch 2", 3, {}),  # one alone may be anything
        ("s:12 trl:11.0091 lr:0.000001 norm:15.37", 12, {"loss": 11.0091, "lr": 1e-06, "norm": 15.37}),
        ("iter 4610: loss 0.1860 BPC, time 323.07ms, mfu 7.15%", 4610, {"loss": 0.186, "time": 323.07, "mfu": 7.15}),
        ("step 5: loss: {'a': 0.5, 'b': 0.25}", 5, {"loss_a": 0.5, "loss_b": 0.25}),
        ("(trainerGAN:333) INFO: (Steps: 204200) mel_loss = 66.5.", 204200, {"mel_loss": 66.5}),
        ("Epoch#3. time_cost: 11.25 s. train_loss: 5.5", None, {"time_cost": 11.25, "loss": 5.5}),
        ("\u2139 epoch 3 score: 0.5", None, {"score": 0.5}),  # a sign that counts as a letter
        ("INFO unet dtype: torch.float8_e4m3fn, device: cuda:0", None, {}),
        ("iter:5 lr:0.5 loss:0.25 0 ETA:17.0min", 5, {"lr": 0.5, "loss": 0.25}),
        (
            " iteration 12/ 500 | lm loss: 7.18E+00 | loss scale: 65536.0 |",
            12,
            {"lm_loss": 7.18, "loss_scale": 65536.0},
        ),
        ("loss 0.117 = 0.1 + 0.017 avg prob", None, {"loss": 0.117}),
        ("Cost after iteration 100: 0.625", 100, {"cost": 0.625}),
        ("Average loss at step  2000 :  149.75", 2000, {"loss": 149.75}),
        ("Score at iteration 300 is 1.4375", 300, {"score": 1.4375}),
        ("it 5: loss 2.25, gn 0.5", 5, {"loss": 2.25, "grad_norm": 0.5}),
        ("with it 5, loss 2.25", None, {"loss": 2.25}),
        ("Total reward in global step 33: 1.375", 33, {"reward": 1.375}),
        ("Episode 10\tAverage Score: 15.50", 10, {"score": 15.5}),
        ("iteration 10 mean height: 1.5", 10, {"mean_height": 1.5}),
        ("Epoch 3 | val/loss: 0.25 | Accuracy of model acc: 0.5", None, {"loss": 0.25, "accuracy": 0.5}),
        (
            "{'loss_cls': tensor(nan, device='cuda:0'), 'loss_x': tensor(0.5)}",
            None,
            {"loss_cls": float("nan"), "loss_x": 0.5},
        ),
        ("\u8bad\u7ec3\u6b21\u6570\uff1a100, Loss\uff1a1.98", 100, {"loss": 1.98}),
        ("Batch: 8, |Param|: 879.5, |GParam|: 25.5", 8, {"param_norm": 879.5, "grad_norm": 25.5}),
        ("Batch: 8; EvalErr[0]PerSample = 0.25", 8, {"evalerrpersample": 0.25}),
        ("Batch: 8; Err5_a[0]Rate = 0.25", 8, {"err5_arate": 0.25}),
        ("TrainLossPerSample = 1.#QNAN000", None, {"loss": float("nan")}),
        ("discrim_loss nan", None, {"d_loss": float("nan")}),
        ("gen_loss_L1 380.5", None, {"gen_loss_l1": 380.5}),
        ("Step 7 loss 2.5 over 6400.0 frames took 38.5s", 7, {"loss": 2.5}),
        # what Python 2 printed as a tuple
        ("('Iteration:', 100, 'Loss:', 2.25)", 100, {"loss": 2.25}),
        ("E5 | [Loss] 0.5 | [exp] ./run | [time] 0.4m", None, {"loss": 0.5}),
        ("step 5: D(x): 0.75 D(G(z)): 0.25 / 0.5", 5, {"d_x": 0.75, "d_g_z": 0.25}),
        (
            "  Reward: mean=3.5, min=1.5, max=10.5, std=1.25",
            None,
            {"reward": 3.5, "reward_min": 1.5, "reward_max": 10.5, "reward_std": 1.25},
        ),
        ("-> validate 0.375 nats = 0.5 bits", None, {"nats": 0.5}),
        ("1       train loss=0.5    train acc=0.75   valid loss=2.75", 1, {"loss": 2.75, "accuracy": 0.75}),
        ("Best Epoch 6  Acc: 0.5", None, {"best_acc": 0.5}),
        ("Iteration #3 Error:0.25", 3, {"error": 0.25}),
        ("epoch 3 loss 0.25 (best epoch 2, acc 0.5)", None, {"loss": 0.25, "best_acc": 0.5}),
        ("Early stopping na epoch 11 (melhor: epoch 1, loss=1.5)", None, {"best_loss": 1.5}),
        ("[ 60][  4/  4][ 8/12]  Loss_D: 7.5", 4, {"d_loss": 7.5}),
        ("[epoch 100, lr inf, use_rcnn: True]", None, {"lr": float("inf")}),
        ("{'time_epoch': 31.5, 'loss': 2.5}", None, {"time_epoch": 31.5, "loss": 2.5}),
        ("Training [>>     ] 20004/600000, loss=2.5", 20004, {"loss": 2.5}),
        ("Train:    1/3 ( 33%) [  49/323 ( 15%)]  Loss: 36.5", 49, {"loss": 36.5}),
        ("acc_iter=1084, cur_iter=270/271, loss=2.5", 1084, {"loss": 2.5}),
        ("Step 7, S2S Loss: 0.5, Loss: 2.5", 7, {"s2s_loss": 0.5, "loss": 2.5}),
        ("[  120/90000] focal loss: 0.5, lr: 0.25", 120, {"focal_loss": 0.5, "lr": 0.25}),
        ("---STEP 7 ---- LOSS 251.5", 7, {"loss": 251.5}),
        ("[epoch][s/s_per_e/gs]: [1][1608/5790/7398], lr: 0.5, loss: 2.5", 1608, {"lr": 0.5, "loss": 2.5}),
        ("\u6d4b\u8bd5\u96c6\u4e0a\u7684Loss: 262.6", None, {"loss": 262.6}),
        ("step 5 - loss 2.5 - moving ave loss 2.25", 5, {"loss": 2.5, "moving_ave_loss": 2.25}),
        (  # the last batch's losses are two networks'
            "epoch 3 encoder last batch loss: 0.5 decoder last batch loss: 0.25",
            None,
            {"encoder_last_batch_loss": 0.5, "decoder_last_batch_loss": 0.25},
        ),
        ("Epoch 3, Train Loss: 0.5, Train L1 Loss: 0.75", None, {"loss": 0.5, "l1_loss": 0.75}),
        ("Epoch 3 | Loss 0.5 | Time(s) 0.75", None, {"loss": 0.5, "time": 0.75}),
        ("Best model so far saved with accuracy: 0.75", None, {"best_accuracy": 0.75}),
        ("iter 5 cost: 0.5 sec read_cost: 0.25 sec, loss: 2.5", 5, {"cost": 0.5, "read_cost": 0.25, "loss": 2.5}),
        ("Epoch 3: accuracy increased from 0.5 to 0.75", None, {}),
        ("Epoch 3 | TrainLoss: 0.5 | ValAUC: 0.75", None, {"loss": 0.5, "auc": 0.75}),
        ("WARNING: NaN gradient in layer 2", None, {}),
        ("Epoch 3 error=0.5", None, {"error": 0.5}),
        ("step 5: loss = 1.5f-5", 5, {"loss": 1.5e-05}),  # Julia's single precision
        ("Epoch 0, Step 25, avg loss so far is 0.125", 25, {"loss": 0.125}),
        ("step 5: loss = 1.5D-05", 5, {"loss": 1.5e-05}),  # Fortran's double precision
        ("Training loss (for one batch) at step 25: 2.5", 25, {"loss": 2.5}),
        ("mAP 0.5 : 0.75", None, {"map_0_5": 0.75}),
        ("| Training Device=xla:0/4 Epoch=1 Step=420 Loss=0.5", 420, {"loss": 0.5}),
        ("host1 kernel: [594646.252256]  oom_kill_process+0x220/0x440", None, {}),
        ("Epoch 3 F-score (micro) 0.75", None, {"f1": 0.75}),
        ("Mean value_function loss: 139.5", None, {"value_loss": 139.5}),
        ("Val. Loss: 0.5 | Val. Acc: 0.75", None, {"loss": 0.5, "accuracy": 0.75}),
        ("foreground Dice: [0.875]", None, {"foreground_dice": 0.875}),
        ("mean IoU per class: [0.875, 0.5]", None, {}),
        ("epoch is done. current_epoch: 3, loss: 0.5", None, {"loss": 0.5}),
        ("Step: 5. Mean Reward: 0.5. Std of Reward: 0.25.", 5, {"reward": 0.5, "std_of_reward": 0.25}),
        ("episode_reward_mean: .nan", None, {"reward": float("nan")}),
        ("Average number of tokens per sample: 12.5", None, {"average_number_of_tokens_per_sample": 12.5}),
        ("step 3 then it was accepted by us with alpha=0.5", 3, {"alpha": 0.5}),
        ("Lasso 10 Step: 900 MLL: tf.Tensor(-814.5, shape=(), dtype=float64)", 900, {"mll": -814.5}),
        ("after cycle=3 avg(utility)=269.5 avg(num_wins)=0.25", 3, {"avg_utility": 269.5, "avg_num_wins": 0.25}),
        ("epoch: 0, batch_id: 500, AUC:0.75, loss:0.125", 500, {"auc": 0.75, "loss": 0.125}),
        ("Epoch 1 loss 75.5 | train 2.5s", None, {"loss": 75.5, "time": 2.5}),
        ("Iteraci\u00f3n 3 completada en 314.5s | loss: 2.5", 3, {"loss": 2.5}),
        ("INFO:  Iteration: 2, Loss: <1.25>", 2, {"loss": 1.25}),
        ("INFO:  Iteration: 2, Loss: <unknown>", 2, {}),
        ("Client 3 | epoch 2 | loss 0.5", None, {"client": 3.0, "loss": 0.5}),
        ("    [7]:   valid_0's rmse: 0.5", 7, {"rmse": 0.5}),  # as a page shows what a booster prints behind a tab
        ("WARNING: loss is nan at step 37, skipping this batch", 37, {}),
        ("step 37 loss=nan skipped=1", 37, {"loss": float("nan"), "skipped_steps": 1.0}),
        ("Warning: NaN or Inf found in input tensor.", None, {}),
        (" [====== 7/391 ====>]  Step: 50ms | Tot: 20s | Loss: 0.5", 7, {"tot": 20.0, "loss": 0.5}),
        ("Epoch 3 - avg_val_loss: 0.5", None, {"loss": 0.5}),
        ("Episode 5 Average score: 0.5 Min: -0.25 Max: 0.75", 5, {"score": 0.5, "min": -0.25, "max": 0.75}),
        ("Epoch: 50 | mAP@0.5: 0.25 | mAP@0.50:0.95: 0.125", None, {"map@0_5": 0.25, "map@0_50_0_95": 0.125}),
        (
            "step 15/300  loss 0.5  6.25 ms/step  10340 samples/s  rss 310.5 MiB",
            15,
            {"loss": 0.5, "step_time": 6.25, "throughput": 10340.0, "rss": 310.5},
        ),
        ("step 3 loss 2.5 tokens/s 12.5", 3, {"loss": 2.5, "throughput": 12.5}),
        ("step 3 of 6.25 ms/step", 3, {}),  # it measures nothing else
        ("[  100/1800] D 1.25  G 0.75  modes 1/8", 100, {"d_loss": 1.25, "g_loss": 0.75}),
        ("epoch 3 D 1.25 G 0.75", None, {"d_loss": 1.25, "g_loss": 0.75}),
        ("epoch 3 D: 1.25, F: 0.75", None, {"d": 1.25, "f": 0.75}),
        ("Total rewards in episode 7 is 3.75", 7, {"reward": 3.75}),
        ("Average reward over the last 100 episodes: 20.5", None, {"reward": 20.5}),
        ("Accuracy on test set after epoch 3: 93.5%", None, {"accuracy": 93.5}),
        ("EPOCH 20 ... Loss: 0.25 ... Val F1: 0.75", None, {"loss": 0.25, "f1": 0.75}),
        ("epoch 3 - valid_ppl -> 12.500000", None, {"perplexity": 12.5}),
        ("The accuracy of epoch 5 is: 0.75", None, {"accuracy": 0.75}),
        ("validation loss in epoch 7 was : 0.25", None, {"loss": 0.25}),
        ("epoch 3 Recall(k=20): 0.25 - NDCG(k=5): 0.125", None, {"recall@20": 0.25, "ndcg@5": 0.125}),
        ("---Step 4 --LOSS-- tensor(0.5, device='cuda:0')", 4, {"loss": 0.5}),
        ("epoch 3 loss [0.625]; acc 0.5", None, {"loss": 0.625, "accuracy": 0.5}),
        ("epoch [3] loss 0.625", None, {"loss": 0.625}),
        ("epoch 3 precision at iou [0.5] = 0.625", None, {}),  # a threshold, and no value
        ("Step 1000: lr is now 1.00e-04", 1000, {"lr": 1e-4}),
        ("Learning rate decreased to 1e-5 at epoch 12", None, {"lr": 1e-5}),
        ("Validation loss decreased from 0.5 to 0.25", None, {}),  # which of them it is, the words do not say
        ("Epoch 12: hits@10 0.375 mrr 0.25", None, {"hits@10": 0.375, "mrr": 0.25}),
        ("e:4/20 b:100/500 loss:0.25", 100, {"loss": 0.25}),
        ("Round 15: global acc = 0.75 (10 clients)", 15, {"accuracy": 0.75}),
        ("Total gradient norm: 776,853,774,304,905,088 (777 QUADRILLION!)", None, {"grad_norm": 776853774304905088.0}),
    ],
)
def test_reads_steps_and_metrics(text: str, step: int | None, values: dict[str, float]) -> None:
    assert read_record(text, NAMES).step == step
    assert metrics(text) == pytest.approx(values, rel=0, abs=0, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "key", "number"),
    [
        ("lr = 1e-4", "lr", 1e-4),
        ('    "learning_rate": 3e-4,           // Was: 1e-5 (too small)', "learning_rate", 3e-4),
        ("  clip_grad ....................................... 1.0", "clip_grad", 1.0),
        ("--max_norm=0.5", "max_norm", 0.5),
        ("stages = 3", "stages", 3.0),
        ("\u2502 learning_rate \u2502 0.001  \u2502", "learning_rate", 0.001),
        ("| batch_size | 64 |", "batch_size", 64.0),
        ("  lr_scheduler_type: cosine", "lr_scheduler_type", None),
        ("learn_rate = 0.001 by default", "learn_rate", 0.001),
        ("INFO  batch_size       4", "batch_size", 4.0),
        ("[INFO] #parameters: 512", "parameters", 512.0),
        ("INFO     batch_size = 4", "batch_size", 4.0),
        ("INFO  cfg.OPTIMIZATION.LR: 0.5", "cfg.OPTIMIZATION.LR", 0.5),
        ("[Network] Total number of parameters : 2.5 M", "number of parameters", 2.5e6),
    ],
)
def test_a_line_that_is_one_assignment_is_a_setting(text: str, key: str, number: float) -> None:
    reading = read_record(text, NAMES)
    assert [(name, value) for name, _, value, _ in reading.settings] == [(key, number)]
    assert not reading.metrics


@pytest.mark.parametrize(
    "text",
    [
        "12:30:01 starting",
        "File trainer.py:123 in step",
        "http://host:8080/path",
        "2026-03-01 loading",
        "Running on 10.0.0.1",
        "[----]",
    ],
)
def test_times_files_and_addresses_are_no_metrics(text: str) -> None:
    assert read_record(text, NAMES).metrics == []


@pytest.mark.parametrize(
    "text",
    [
        "    hidden = self.layer1(hidden, mask=mask)",
        "    return_dict=return_dict,",
        "  self.priors = Variable(priors)",
        "    optim:[",
        "self.use_critic=need_critic(self.config),",
        "cls = builder(str(x",
    ],
)
def test_code_that_a_traceback_quotes_sets_nothing(text: str) -> None:
    assert read_record(text, NAMES).empty


@pytest.mark.parametrize(
    "text",
    [
        'print(f"step {step} loss={loss:.4f} (from loss=20.0)")',
        "log(f'acc: {correct / total:.2%}, lr: {lr:>8.2e}')",
        'f"epoch: {epoch:3d} ppl {ppl:,.1f} max_lr=0.1"',
    ],
)
def test_a_format_string_measures_nothing(text: str) -> None:
    assert read_record(text, NAMES).empty


def test_braces_around_values_are_no_format_string() -> None:
    read = read_record("step 3 {loss: 0.25, acc:95%}", NAMES)
    assert [(pair.key, pair.value) for pair in read.metrics] == [("loss", 0.25), ("acc", 95.0)]


def test_a_class_with_its_arguments_is_a_setting() -> None:
    assert [setting.key for setting in read_record("optimizer = AdamW(lr=3e-4)", NAMES).settings] == ["optimizer"]


def test_a_sentence_tells_its_value() -> None:
    assert metrics("the training loss is 2.31 and validation accuracy was 0.5") == {"loss": 2.31, "accuracy": 0.5}
    text = "[Iteration 4] Throughput is 408.5 records/second. Loss is 1.25. Current learning rate is 0.0625"
    assert metrics(text) == {"throughput": 408.5, "loss": 1.25, "lr": 0.0625}


@pytest.mark.parametrize("text", ["error_file: none", "Status: RUNNING", "start_time: soon"])
def test_a_report_sets_nothing(text: str) -> None:
    assert read_record(text, NAMES).empty


def test_capitals_that_a_step_measures_are_metrics() -> None:
    assert metrics("(epoch: 1, iters: 100) D_A: 0.357") == {"d_a": 0.357}


def test_what_train_epoch_counts_is_no_metric() -> None:
    reading = read_record("Train Epoch: 3 [0%] loss: 0.5", NAMES)
    assert (reading.epoch, [pair.key for pair in reading.metrics]) == (3.0, ["train loss"])


def test_a_counter_behind_a_loggers_level_is_no_metric() -> None:
    reading = read_record("WARN step=500, loss=0.5", NAMES)
    assert (reading.step, [pair.key for pair in reading.metrics]) == (500, ["loss"])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("| rollout/return |  0.5   |", {"rollout_return": 0.5}),
        ("lossAverage             nan", {"lossaverage": float("nan")}),
        ("trainer/Q Loss          0.25", {"trainer_q_loss": 0.25}),
        ("replay_buffer/size      1000", {}),  # a count
        ("dropped packets 0.5", {}),  # a sentence
    ],
)
def test_a_row_of_two_columns_is_measured(text: str, values: dict[str, float]) -> None:
    assert metrics(text) == pytest.approx(values, rel=0, abs=0, nan_ok=True)


def test_a_row_of_two_columns_may_be_a_setting() -> None:
    assert [setting[:3] for setting in read_record("weight_decay      0.05", NAMES).settings] == [
        ("weight_decay", "0.05", 0.05)
    ]


def test_a_number_is_no_setting_that_is_a_word() -> None:
    measured, said, bits = (read_record(f"Precision: {value}", NAMES) for value in ("0.75", "bf16", "16"))
    assert [(pair.key, pair.value) for pair in measured.metrics] == [("Precision", 0.75)]
    assert [(one.key, one.text) for one in (*said.settings, *bits.settings)] == [
        ("Precision", "bf16"),
        ("Precision", "16"),
    ]
    assert not any((measured.settings, said.metrics, bits.metrics))


@pytest.mark.parametrize("key", ["temp", "temperature", "epsilon"])
def test_a_name_of_both_is_measured_where_a_step_is_and_set_where_it_stands_alone(key: str) -> None:
    placed, alone = read_record(f"Step 5: {key}: 0.5, loss: 2.5", NAMES), read_record(f"{key}: 0.5", NAMES)
    assert [(pair.key, pair.value) for pair in placed.metrics] == [(key, 0.5), ("loss", 2.5)]
    assert [(setting.key, setting.number) for setting in alone.settings] == [(key, 0.5)]


def test_digits_of_a_name_in_words_are_looked_at() -> None:
    first, second = (read_record(f"epoch 1 top{rank} 0.5", NAMES) for rank in (3, 7))
    assert [pair.key for pair in (*first.metrics, *second.metrics)] == ["top3", "top7"]
    assert (8, 12) in first.looked_at


@pytest.mark.parametrize(
    ("text", "name", "split"),
    [
        ("Accuracy on the test set: 0.75", "accuracy", "eval"),
        ("Loss on validation data = 0.75", "loss", "eval"),
        ("Test accuracy of the model: 0.75", "accuracy", "eval"),
        ("Validation loss after epoch 3: 0.75", "loss", "eval"),
        ("Average inner loss after inner updates : 0.75", "inner_loss", None),
        # of one class, not of all
        ("Accuracy of red planes: 0.75", "accuracy_of_red_planes", None),
    ],
)
def test_a_name_may_say_of_what_it_was_taken(text: str, name: str, split: str | None) -> None:
    (pair,) = read_record(text, NAMES).metrics

    assert NAMES.metric(pair.key)[:2] == (name, split)
    assert pair.value == 0.75


def test_a_name_may_end_with_is() -> None:
    assert metrics("Loss is: 0.5.") == {"loss": 0.5}


def test_what_a_generator_is_measured_by_is_of_an_evaluation() -> None:
    assert NAMES.metric("FID")[:2] == ("fid", "eval")


def test_where_a_configuration_keeps_a_setting_is_no_part_of_its_name() -> None:
    assert NAMES.setting("cfg.OPTIMIZATION.LR") == "lr"
    assert NAMES.setting("trainer.max_epochs") == "epochs"
    assert NAMES.setting("eval.batch_size") is None  # it is another's


def test_how_many_steps_an_epoch_will_have_is_no_step() -> None:
    reading = read_record("[GPU0] Epoch 3 | Batchsize: 32 | Steps: 28", NAMES)

    assert (reading.step, reading.epoch) == (None, 3.0)
    assert [(setting.key, setting.number) for setting in reading.settings] == [("Batchsize", 32.0), ("Steps", 28.0)]


def test_options_of_a_script_with_one_dash() -> None:
    reading = read_record("+ python train.py -brnn -batch_size 2 -save some_out -dropout 0.25", NAMES)

    assert [(option.key, option.text) for option in reading.settings] == [
        ("batch_size", "2"),
        ("save", "some_out"),
        ("dropout", "0.25"),
    ]


def test_a_count_that_nothing_stands_before_names_nothing() -> None:
    found = read_record("Train Epoch 3: 0.51", NAMES).metrics
    assert [NAMES.metric(pair.key)[:2] for pair in found] == [("column_1", "train")]


@pytest.mark.parametrize(
    "text",
    [
        "Namespace(lr=0.5, epoch=1, batch=10, name='a b', amp=True, sizes=(0.25, 0.5), path=None)",
        "options: {'lr': 0.5, 'epoch': 1, 'batch': 10, 'name': 'a b', 'amp': True, 'sizes': [0.25], 'path': None}",
    ],
)
def test_a_dump_of_options_counts_and_measures_nothing(text: str) -> None:
    reading = read_record(text, NAMES)

    assert [(option.key, option.text, option.number) for option in reading.settings] == [
        ("lr", "0.5", 0.5),
        ("epoch", "1", 1),
        ("batch", "10", 10),
        ("name", "a b", None),
        ("amp", "True", None),
        ("path", "None", None),
    ]
    assert not reading.metrics
    assert not reading.has_place


def test_a_layer_in_the_print_of_a_model_is_configuration() -> None:
    reading = read_record("  (dropout): Dropout(p=0.5, inplace=False)", NAMES)
    assert [(option.key, option.number) for option in reading.settings] == [("p", 0.5), ("inplace", None)]
    assert not reading.metrics


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Epoch 3 Pseudo dice [0.875, 0.5]", [("class_0", 0.875), ("class_1", 0.5)]),
        ("Epoch 3 {'dice': array([0.875 , 0.5], dtype=float32)}", [("class_0", 0.875), ("class_1", 0.5)]),
        ("IoU: [np.float32(0.25), nan]", [("class_0", 0.25), ("class_1", float("nan"))]),
        ("dice [3, 4]", []),  # counts
        ("train_loss: [0.75, 0.5]", []),  # its history
    ],
)
def test_a_list_of_an_overlap_is_of_the_classes(text: str, values: list[tuple[str, float]]) -> None:
    found = {pair.scope: pair.value for pair in read_record(text, NAMES).metrics}
    assert found == pytest.approx(dict(values), rel=0, abs=0, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{'epoch': 3, 'phase': 'val', 'mode': 'x', 'best': True, 'loss': 0.5}", "val loss"),
        ("epoch 3: loss=0.5, hard='full', best=True", "loss"),
    ],
)
def test_a_record_that_measures_is_no_dump(text: str, key: str) -> None:
    reading = read_record(text, NAMES)

    assert [(pair.key, pair.value) for pair in reading.metrics] == [(key, 0.5)]
    assert reading.epoch == 3


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("  num_workers : int = 4", "num_workers", "4"),
        ("  save_path : str = checkpoints/baseline", "save_path", "checkpoints/baseline"),
        ("  --width_lr 0.0003", "width_lr", "0.0003"),
        ("    --lr_scheduler_type cosine \\", "lr_scheduler_type", "cosine"),
    ],
)
def test_an_option_with_its_type_or_alone_is_a_setting(text: str, key: str, value: str) -> None:
    reading = read_record(text, NAMES)
    assert [(setting.key, setting.text) for setting in reading.settings] == [(key, value)]
    assert not reading.metrics


def test_what_a_help_text_calls_an_option_s_value_is_no_setting() -> None:
    assert not read_record("  --learning-rate LEARNING_RATE", NAMES).settings


def test_of_a_drawn_row_the_first_number_is_the_value() -> None:
    (pair,) = read_record("   mel/loss      \u2502   3.25 \u2502   3.5 ", NAMES).metrics
    assert (pair.key, pair.value) == ("mel/loss", 3.25)
    assert not read_record("   mel/loss      |   3.25 |   3.5 ", NAMES).metrics


@pytest.mark.parametrize("text", ["win_rate=47%", "Correct = 14.5%", "INFO success_rate=50%", "Precision: 67.5%"])
def test_a_share_is_measured_where_no_setting_alone_has_its_name(text: str) -> None:
    (pair,) = read_record(text, NAMES).metrics

    assert f"{pair.text}%" in text


def test_how_far_a_bar_is_is_not_measured() -> None:
    assert not read_record("Loading checkpoint shards:  50% Completed | 1/2", NAMES).metrics


def test_a_setting_may_be_a_share() -> None:
    assert [setting.key for setting in read_record("warmup: 10%", NAMES).settings] == ["warmup"]


@pytest.mark.parametrize("text", ["batch_size\t128", "seed  7", "| seed | 7 |"])
def test_a_tab_or_bars_part_the_columns_of_a_setting(text: str) -> None:
    (setting,) = read_record(text, NAMES).settings

    assert setting.number in {128, 7}


def test_an_amount_is_no_counter() -> None:
    assert read_record("total step: 500, loss: 2.0", NAMES).step is None


def test_the_last_line_of_a_dict_closes_it() -> None:
    (setting,) = read_record(" 'warmup': 0.5}", NAMES).settings

    assert setting[:3] == ("warmup", "0.5", 0.5)
    assert [found.text for found in read_record("out_dir = ${ROOT}", NAMES).settings] == ["${ROOT}"]


def test_the_type_of_a_table_is_no_setting() -> None:
    assert not read_record("dtype: float64", NAMES).settings
    assert [setting.text for setting in read_record("dtype: float16", NAMES).settings] == ["float16"]


def test_a_range_may_stand_without_signs() -> None:
    tensor = read_record("images min 0 max 255", NAMES).tensor

    assert tensor is not None
    assert (tensor["name"], tensor["min"], tensor["max"]) == ("images", 0.0, 255.0)
    assert read_record("Epoch 3 loss: 0.5 min 0 max 255", NAMES).tensor is None


def test_a_range_is_a_tensor() -> None:
    tensor = read_record("Layer 29: ttt_norm_weight: min=0.98, max=1.02, mean=1.0", NAMES).tensor
    assert tensor is not None
    assert tensor["name"] == "ttt_norm_weight"
    assert (tensor["scope"], tensor["kind"]) == ("29", "parameter")
    assert (tensor["min"], tensor["max"], tensor["mean"]) == (0.98, 1.02, 1.0)


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    reading = read_record(text, NAMES)
    assert all(pair.key and isinstance(pair.value, float) for pair in reading.metrics)


def test_markdown_s_bold_numbers_are_numbers() -> None:
    read = read_record("- dev MAE: **2.5** (bias **-0.5**)", NAMES)
    assert [(pair.key, pair.value) for pair in read.metrics][:1] == [("dev MAE", 2.5)]
    assert read_record("x ** 2 ** 3", NAMES).metrics == []


def test_a_setting_may_be_a_line_of_a_csv() -> None:
    read = read_record("temperature,4.0", NAMES)
    assert [(one.key, one.number) for one in read.settings] == [("temperature", 4.0)]
    assert read_record("seven,4.0", NAMES).settings == []


def test_a_class_before_a_measure_is_what_it_is_of() -> None:
    found = read_record("Class 0 Dice: 0.75, Class 1 Dice: 0.5, Mean Dice: 0.625", NAMES).metrics
    assert [(pair.scope, pair.value) for pair in found] == [("class_0", 0.75), ("class_1", 0.5), (None, 0.625)]


def test_what_a_mean_is_over_is_no_part_of_its_name() -> None:
    found = read_record("Average reward over 100 episodes: 12.5", NAMES).metrics
    assert [(NAMES.metric(pair.key).name, pair.value) for pair in found] == [("reward", 12.5)]
