"""Each figure draws what the incident holds, where it belongs, and is left out without data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex

from postmortem.report import figures
from postmortem.report.figures import style
from postmortem.run import Run
from tests.report import factory

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from postmortem.incident import Incident


def texts(plot: Axes) -> list[str]:
    return [text.get_text() for text in plot.texts if text.get_text()]


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("normaliser", ["ranges", "effect-1-hand-made"]),
        ("distillation", ["curves", "decomposition", "effect-1-hand-made", "effect-2-hand-made"]),
        ("infinite_gradients", ["curves", "effect-1-hand-made"]),
        ("explosion", ["concentration"]),
        ("long_run", ["curves"]),
    ],
)
def test_only_what_has_data_is_drawn(name: str, drawn: list[str]) -> None:
    assert list(figures.draw(*getattr(factory, name)())) == drawn


def test_infinite_norms_stand_at_the_top_and_are_counted() -> None:
    figure = figures.draw(*factory.infinite_gradients())["curves"]
    loss, norm = figure.axes
    curve, bad, *_ = norm.get_lines()
    assert np.asarray(bad.get_xdata()).tolist() == [1, 2, 3, 4, 5, 6]
    assert set(np.asarray(bad.get_ydata()).tolist()) == {0.87}
    assert np.nan_to_num(np.asarray(curve.get_ydata())).tolist() == [0] * 6 + [1068, 941, 1013, 877]
    assert texts(norm) == ["inf × 6: amp/scaler-startup"]
    assert texts(loss) == []
    assert loss.get_ylabel() == "loss"
    assert norm.get_xlabel() == "order in the log"
    assert "gradient norm is inf in 6 of 10 values" in figure.get_suptitle()


def test_the_prediction_interval_is_a_band_with_the_value_in_it() -> None:
    figure = figures.draw(*factory.distillation())["curves"]
    (plot,) = figure.axes
    (band,) = plot.patches
    box = band.get_extents().transformed(plot.transData.inverted())
    assert (box.y0, box.y1) == pytest.approx((15.96, 33.39))
    assert np.asarray(plot.get_lines()[0].get_xdata()).tolist() == list(range(0, 700, 100))
    assert plot.get_xlabel() == "step (updates)"
    assert figure.get_suptitle().replace("\n", " ").startswith("Loss 28.34 at step 600 lies within the 15.96")


def test_a_long_run_is_thinned_and_keeps_its_spikes_and_its_count() -> None:
    figure = figures.draw(*factory.long_run())["curves"]
    (plot,) = figure.axes
    x, y = (np.asarray(data) for data in plot.get_lines()[0].get_data())
    assert x.size < 4_000
    assert [float(y[x == step][0]) for step in (50_000, 90_000, 140_000)] == [40, 60, 90]
    assert texts(plot) == ["nan × 500: nonfinite/loss"]
    assert plot.get_yscale() == "log"


def test_what_stands_for_a_loss_is_drawn_under_the_log_s_own_name() -> None:
    logged = factory.log("x.log", 3)
    rows: list[dict[str, object]] = [
        {"file": "x.log", "line": line, "record": 0, "step": line, "name": "mse", "value": value, "meaning": "value"}
        for line, value in ((1, 9.0), (2, 4.0), (3, 16.0))
    ]
    figure = figures.draw(factory.incident(logged, []), factory.run(logged, metrics=rows))["curves"]
    (plot,) = figure.axes
    assert plot.get_ylabel() == "mse"
    assert np.asarray(plot.get_lines()[0].get_ydata()).tolist() == [9.0, 4.0, 16.0]
    assert figure.get_suptitle() == "Mse goes from 9 to 16"


def losses(**splits: list[float]) -> tuple[Incident, Run]:
    """The losses of each split, one of each on a line, all at the same batch of an epoch."""
    logged = factory.log("x.log", 9)
    rows: list[dict[str, object]] = [
        {
            "file": "x.log",
            "line": line,
            "record": 0,
            "step": 40,
            "name": "loss",
            "source_name": f"{split}_loss",
            "split": split,
            "value": value,
            "meaning": "value",
        }
        for split, values in splits.items()
        for line, value in enumerate(values, 1)
    ]
    return factory.incident(logged, []), factory.run(logged, metrics=rows)


def test_the_evaluation_s_loss_is_drawn_beside_the_training_s() -> None:
    figure = figures.draw(*losses(train=[2.0, 1.0, 0.5], eval=[2.5, 1.5, 3.0]))["curves"]
    (plot,) = figure.axes
    drawn = {
        to_hex(line.get_color()): np.asarray(line.get_ydata()).tolist()
        for line in plot.get_lines()
        if line.get_linestyle() == "-"
    }
    assert drawn[style.BLUE.lower()] == [2.0, 1.0, 0.5]
    assert drawn[style.GREEN.lower()] == [2.5, 1.5, 3.0]
    assert "evaluation" in texts(plot)
    assert figure.get_suptitle() == "Loss goes from 2 to 0.5; loss of the evaluation goes from 2.5 to 3"


def test_where_every_step_is_the_same_the_order_of_the_log_is_drawn() -> None:
    (plot,) = figures.draw(*losses(train=[2.0, 1.0, 0.5], eval=[2.5, 1.5, 3.0]))["curves"].axes
    assert plot.get_xlabel() == "order in the log"
    assert len(set(np.asarray(plot.get_lines()[0].get_xdata()).tolist())) == 3


def test_an_evaluation_that_is_never_finite_is_counted_on_its_axis() -> None:
    (plot,) = figures.draw(*losses(train=[2.0, 1.0, 0.5], eval=[math.nan] * 3))["curves"].axes
    assert texts(plot) == ["nan \u00d7 3"]


def test_an_evaluation_alone_is_the_loss_that_is_drawn() -> None:
    figure = figures.draw(*losses(eval=[2.5, 1.5, 3.0]))["curves"]
    assert figure.get_suptitle() == "Loss goes from 2.5 to 3"


def test_a_value_without_a_step_stands_at_the_step_before_it() -> None:
    incident, run = factory.distillation()
    step = pl.when(pl.col("step") == 300).then(None).otherwise(pl.col("step"))  # the fourth of seven
    gap = Run(run.frames() | {"metrics": run.metrics.with_columns(step.alias("step"))}, run.logs)
    (plot,) = figures.draw(incident, gap)["curves"].axes
    assert np.asarray(plot.get_lines()[0].get_xdata()).tolist() == [0, 100, 200, 200, 400, 500, 600]


def test_steps_that_begin_anew_give_way_to_the_order_of_the_log() -> None:
    incident, run = factory.distillation()
    again = Run(run.frames() | {"metrics": run.metrics.with_columns(pl.col("step") % 300)}, run.logs)
    (plot,) = figures.draw(incident, again)["curves"].axes
    assert plot.get_xlabel() == "order in the log"
    assert np.asarray(plot.get_lines()[0].get_xdata()).tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_ranges_stand_against_the_bound_on_a_log_axis() -> None:
    figure = figures.draw(*factory.normaliser())["ranges"]
    (plot,) = figure.axes
    assert plot.get_yscale() == "log"
    dots = [line for line in plot.get_lines() if line.get_marker() == "o"]
    # the larger of |min| and |max| of each layer: 31 reaches further down than up
    reaches = [float(np.asarray(dot.get_ydata())[0]) for dot in dots]
    assert reaches == [11.5, 12.25, 13, 139264, 95232, 75264]
    assert [to_hex(dot.get_color()).upper() for dot in dots] == [style.BLUE] * 3 + [style.RED] * 3
    assert "bound: 15.97" in texts(plot)
    assert "8,700 times the bound" in figure.get_suptitle()  # 139264 / 15.97 = 8720.4
    assert plot.xaxis.get_major_formatter()(28, 2) == "28"


def test_the_decomposition_stacks_the_term_by_its_weight_with_its_interval() -> None:
    figure = figures.draw(*factory.distillation())["decomposition"]
    (plot,) = figure.axes
    wholes, parts = ([bar.get_height() for bar in bars] for bars in plot.containers[:2])
    assert wholes == [28.19, 22.34, 28.34]  # only the steps at which both were printed
    assert parts == pytest.approx([0.62 * 38.0254, 0.62 * 28.6117, 0.62 * 38.3527])
    (spread,) = [c for c in plot.collections if isinstance(c, LineCollection)]
    low, high = spread.get_segments()[0][:, 1]
    assert (low, high) == pytest.approx((0.56 * 38.0254, 0.68 * 38.0254))
    assert "0.62 × kd_loss\nweight 0.56 to 0.68\nat most 0.739" in texts(plot)
    # 0.62 * 28.6117 / 22.34 = 0.7941, 0.62 * 38.3527 / 28.34 = 0.8391
    assert figure.get_suptitle() == "kd_loss makes up 79.4 % to 83.9 % of loss"


def test_effects_go_from_before_to_after_with_the_verdict_as_colour_and_word() -> None:
    figure = figures.draw(*factory.normaliser())["effect-1-hand-made"]
    (plot,) = figure.axes
    assert plot.get_xscale() == "log"
    words = [text for text in texts(plot) if text in {"refuted", "confirmed", "not reproduced"}]
    # from below: the second fix first; a mechanism that never showed the log's numbers has no effect to draw
    assert words == ["refuted", "confirmed", "refuted", "refuted"]
    after = [line for line in plot.get_lines() if line.get_markersize() == 9]
    assert [float(np.asarray(dot.get_xdata())[0]) for dot in after] == [139264, 8.4, 8211, 1394]
    assert to_hex(after[1].get_color()).upper() == style.VERDICTS["confirmed"]
    assert plot.get_xlabel() == "largest |output|"


def test_each_quantity_has_a_figure_whose_title_is_the_claim_and_the_verdict() -> None:
    drawn = figures.draw(*factory.distillation())
    effects = [figure for name, figure in drawn.items() if name.startswith("effect")]
    assert [figure.axes[0].get_xlabel() for figure in effects] == ["KD term", "gradient norm, relative to T = 3"]
    claims = [verdict.claim for verdict in factory.distillation()[0].verdicts]
    titles = [" ".join(figure.get_suptitle().split()) for figure in effects]
    assert titles == [
        f"{claim[0].upper()}{claim[1:]}? temperature 3 → 2: inconclusive" for claim in claims[: len(titles)]
    ]


def test_a_quantity_that_has_no_curve_is_marked_at_its_step() -> None:
    incident, run = factory.distillation()
    lost = incident.findings[0].model_copy(
        update={
            "rule": "nonfinite/loss",
            "role": "consequence",
            "values": {"metric": "lm_loss", "kind": "nan", "step": 436},
        }
    )
    figure = figures.draw(incident.model_copy(update={"findings": [lost]}), run)["curves"]
    assert any("lm_loss nan: nonfinite/loss" in text for text in texts(figure.axes[0]))


def test_an_infinite_effect_stays_on_the_sheet(tmp_path: Path) -> None:
    incident, run = factory.infinite_gradients()
    first = incident.replays[0]
    assert first.effect is not None
    effect = first.effect.model_copy(update={"before_median": math.inf, "before_high": math.inf})
    changed = incident.model_copy(update={"replays": [first.model_copy(update={"effect": effect})]})
    figure = figures.draw(changed, run)["effect-1-hand-made"]
    (plot,) = figure.axes
    ring = next(line for line in plot.get_lines() if line.get_markersize() == 12)
    assert np.asarray(ring.get_xdata()).tolist() == [21]  # three times the largest finite value, 7
    assert "inf" in texts(plot)
    style.save(figure, tmp_path / "effects.png")


def test_shares_of_the_squared_norm_add_up() -> None:
    figure = figures.draw(*factory.explosion())["concentration"]
    (plot,) = figure.axes
    widths = [bar.get_width() for bar in plot.patches]  # type: ignore[attr-defined]
    assert sum(widths) == pytest.approx(100)
    # the squares of 757541177707724800 and of 1.6e17, each over 776853774304905088
    assert widths[:2] == pytest.approx([95.0898, 4.2420], abs=1e-3)
    assert figure.get_suptitle().startswith("95.1 % of the squared gradient norm sits in")


def test_hostile_text_is_drawn_as_text(tmp_path: Path) -> None:
    hostile = "$\\frac{$ \x1b[31m 漢字 🔥 \u202e $x^2$"
    incident, run = factory.distillation()
    first = incident.replays[0]
    assert first.effect is not None
    changed = first.model_copy(
        update={
            "mechanism": hostile,
            "family": hostile,
            "fix": first.fix.model_copy(update={"knob": hostile, "new": hostile}),
            "effect": first.effect.model_copy(update={"quantity": hostile}),
        }
    )
    marked = incident.findings[2].model_copy(update={"rule": hostile})
    drawn = figures.draw(
        incident.model_copy(update={"replays": [changed], "findings": [incident.findings[1], marked], "verdicts": []}),
        run,
    )
    paths = [tmp_path / f"{name}.png" for name in drawn]
    for figure, path in zip(drawn.values(), paths, strict=True):
        style.save(figure, path)
    assert [path.stem for path in paths] == ["curves", "decomposition", "effect-1-hand-made"]
    assert style.plain("$a$ 漢\x1b") == r"\$a\$ \u6f22\x1b"
    assert style.plain(style.plain("$a$")) == style.plain("$a$")


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        figures.write(figures.draw(*factory.explosion()), tmp_path / name)
    first, second = ((tmp_path / name / "concentration.png").read_bytes() for name in ("a", "b"))
    assert first == second
