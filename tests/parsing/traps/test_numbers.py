"""How logs spell numbers, what stands around them, and which of them are no values."""

from __future__ import annotations

import math

import pytest

import postmortem
from tests.parsing.traps.reading import metrics, read, rows

MEGATRON = (
    " iteration {step}/ 500 | consumed samples: {step} | elapsed time per iteration (ms): 812.5 | "
    "learning rate: 1.000E-05 | global batch size:    64 | {loss}loss scale: {scale} | {norm}"
    "number of skipped iterations:   {skipped} | number of nan iterations:   0 |\n"
)


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        ("776,853,774,304,905,088", 776853774304905088.0),
        ("10,050", 10050.0),
        ("25.2G", 25.2e9),
        ("43M", 43e6),
        ("66.91GiB(37.51%)", 66.91),
        ("np.float64(0.40021)", 0.40021),
        ("tensor(2.1, device='cuda:0')", 2.1),
        ('"15.286"', 15.286),
        ("'15.286'", 15.286),
        ("1e-05", 1e-05),
        ("1.5E-04", 1.5e-04),
        ("+2.5", 2.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("~2.5", 2.5),
        ("22%", 22.0),
        ("-100.00%", -100.0),
        ("-17", -17.0),
        ("inf", math.inf),
        ("-inf", -math.inf),
        ("Infinity", math.inf),
        ("1e400", math.inf),
    ],
)
def test_a_spelling_is_its_number(spelling: str, value: float) -> None:
    assert metrics(f"step 5: speed={spelling}, acc=0.5\n") == {"speed": value, "accuracy": 0.5}
    assert metrics(f"step 5: speed: {spelling} | acc: 0.5\n") == {"speed": value, "accuracy": 0.5}


@pytest.mark.parametrize("spelling", ["nan", "NaN", "-nan", "np.float64(nan)", "tensor(nan)", '"nan"'])
def test_nan_is_read_in_every_spelling(spelling: str) -> None:
    found = metrics(f"step 5: loss={spelling}, acc=0.5\n")
    assert math.isnan(found.pop("loss"))
    assert found == {"accuracy": 0.5}


def test_numbers_in_a_json_line_may_be_strings() -> None:
    run = read('{"epoch": 1, "loss": "15.286", "num_updates": "300", "gnorm": "0.5"}\n')
    assert rows(run.metrics, "step", "epoch", "name", "value") == [
        (300, 1.0, "loss", 15.286),
        (300, 1.0, "grad_norm", 0.5),
    ]


@pytest.mark.parametrize(
    "note",
    [
        "  ← matches",
        " (777 QUADRILLION!)",
        " ✅",
        " ❌ 3 times too high",
        " ⚠️",
        " [ok]",
    ],
)
def test_an_annotation_behind_a_value_is_none(note: str) -> None:
    assert metrics(f"Step 14: loss: 14.6408{note}\n") == {"loss": 14.6408}


def test_an_annotation_behind_a_range_is_none() -> None:
    run = read("Layer 29: XV output: min=-61696, max=139264    (range: ~200k)\n")
    assert rows(run.tensors, "scope", "name", "min", "max", "min_text") == [("29", "XV", -61696.0, 139264.0, "-61696")]
    assert run.metrics.is_empty()


@pytest.mark.parametrize("span", ["17-27", "17.5-27.5", "17.5 - 27.5", "17–27", "17â€“27", "103 → 5.2"])
def test_a_range_or_a_pair_is_no_value_of_one_step(span: str) -> None:
    run = read(f"Epoch 6-8: norm = {span}\nstep 9: loss=2.5\n")
    assert rows(run.metrics, "name", "value") == [("loss", 2.5)]


def test_a_range_of_epochs_places_nothing() -> None:
    run = read("Epoch 6-8: norm = 17-27\nstep 9: loss=2.5\n")
    assert rows(run.metrics, "step", "epoch", "value") == [(9, None, 2.5)]
    assert run.logs[0].unread_lines == 1


def test_a_negative_number_is_no_range() -> None:
    assert metrics("step 9: delta = -17, loss = -2.5, gap: -1e-3\n") == {"delta": -17.0, "loss": -2.5, "gap": -1e-3}


def test_keys_come_and_go_and_are_spelled_in_two_ways() -> None:
    run = read(
        MEGATRON.format(step=10, loss="lm loss: 7.18E+00 | ", scale=65536.0, norm="grad norm: 2.500 | ", skipped=0)
        + MEGATRON.format(step=11, loss="", scale=32768.0, norm="", skipped=1)
        + MEGATRON.format(step=12, loss="lm-loss: 1.25E+01 | ", scale=32768.0, norm="", skipped=0)
    )
    curves = {
        name: [(step, value) for step, found, value in rows(run.metrics, "step", "name", "value") if found == name]
        for name in ("lm_loss", "loss_scale", "grad_norm", "skipped_steps")
    }
    assert curves == {
        "lm_loss": [(10, 7.18), (12, 12.5)],
        "loss_scale": [(10, 65536.0), (11, 32768.0), (12, 32768.0)],
        "grad_norm": [(10, 2.5)],
        "skipped_steps": [(10, 0.0), (11, 1.0), (12, 0.0)],
    }


def test_a_placeholder_is_marked() -> None:
    run = read(MEGATRON.format(step=12, loss="lm-loss: 1.25E+01 | ", scale=-1.0, norm="grad norm: 0.000 | ", skipped=0))
    marked = {name: meaning for name, meaning in rows(run.metrics, "name", "meaning") if meaning != "value"}
    assert marked == {"loss_scale": "placeholder", "grad_norm": "placeholder"}


def test_an_empty_running_mean_that_prints_nan_is_no_failure(tmp_path_factory: pytest.TempPathFactory) -> None:
    log = tmp_path_factory.mktemp("nan") / "x.log"
    log.write_text(
        "Epoch 275:   0% 0/342 [00:00<00:00, -72498.33it/s, loss=nan, v_num=3]\n"
        "Epoch 275:   1% 4/342 [00:01<01:00, 4.00it/s, loss=2.5, v_num=3]\n"
    )
    incident, run = postmortem.analyze(str(log), replay=False)
    found = run.metrics.filter(run.metrics["name"] == "loss")
    assert rows(found, "epoch", "step", "meaning") == [(275.0, 0, "running_mean"), (275.0, 4, "running_mean")]
    assert math.isnan(found["value"][0])
    said = [(finding.rule, finding.role) for finding in incident.findings if finding.rule.startswith("nonfinite/")]
    assert said == [("nonfinite/empty-mean", "benign")]
