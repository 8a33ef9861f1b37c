"""Incidents and runs made by hand, as the pipeline would hand them to a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from postmortem import frames
from postmortem.incident import Environment, Incident, Job, Log, NotChecked, Setting
from postmortem.replay.protocol import Effect, Fix, Prediction, Prior, Replay, Scenarios, Verdict
from postmortem.rules.finding import Evidence, Finding
from postmortem.run import Run

if TYPE_CHECKING:
    from postmortem.rules.finding import VerdictWord

INF = float("inf")


def log(path: str, lines: int, *dialects: str, unread: int = 0) -> Log:
    return Log(
        path=path,
        sha256="0f" * 32,
        bytes=60 * lines,
        lines=lines,
        unread_lines=unread,
        dialects=list(dialects),
        truncated=False,
    )


def run(*logs: Log, **rows: list[dict[str, object]]) -> Run:
    return Run({name: frames.build(name, rows.get(name, [])) for name in frames.FRAMES}, logs)


def incident(logged: Log, findings: list[Finding], **changes: object) -> Incident:
    whole: dict[str, object] = {
        "tool_version": "0.1.0",
        "logs": [logged],
        "jobs": [],
        "summary": ["The run went wrong.", "The log does not establish why."],
        "root_causes": [],
        "findings": findings,
        "verdicts": [],
        "replays": [],
        "priors": {},
        "predictions": [],
        "measure_next": [],
        "settings": [],
        "not_checked": [],
        "rule_errors": [],
        "environment": Environment(
            versions={"postmortem": "0.1.0", "torch": "2.13.0"},
            device="cpu",
            seed=0,
            replay="ran",
            seconds=3.2,
        ),
        **changes,
    }
    return Incident.model_validate(whole)


def finding(rule: str, message: str, **changes: object) -> Finding:
    whole: dict[str, object] = {
        "rule": rule,
        "title": rule,
        "role": "context",
        "severity": "medium",
        "confidence": "strong",
        "message": message,
        "values": {},
        "evidence": [],
        "pieces": 0,
        "explained_by": [],
        **changes,
    }
    return Finding.model_validate(whole)


def replay(
    mechanism: str,
    rule: str,
    fix: Fix,
    claim: str,
    verdict: VerdictWord,
    *,
    before: tuple[float, float, float] | None = None,
    after: tuple[float, float, float] | None = None,
    quantity: str = "largest |output|",
    share: float | None = None,
    dtype: str = "float32",
    family: str | None = None,
    because: str = "",
) -> Replay:
    effect = None
    if before and after:
        effect = Effect(
            quantity=quantity,
            low=after[0],
            median=after[1],
            high=after[2],
            before_low=before[0],
            before_median=before[1],
            before_high=before[2],
        )
    return Replay(
        experiment="hand-made",
        mechanism=mechanism,
        family=family,
        rule=rule,
        fix=fix,
        claim=claim,
        verdict=verdict,
        share=share,
        share_low=None if share is None else max(0.0, share - 0.01),
        share_high=None if share is None else min(1.0, share + 0.01),
        effect=effect,
        scenarios=Scenarios(drawn=1024, kept=0 if share is None else 311),
        device="cpu",
        dtype=dtype,
        seed=0,
        seconds=0.4,
        because=because or f"{mechanism}: made by hand",
    )


def normaliser() -> tuple[Incident, Run]:
    """Layers 29 to 31 show far more than a normaliser can give; eps is replayed."""
    logged = log("logs/job-7204342.log", 41, "ttt", "slurm", unread=2)
    ranges = {
        26: (-9.1, 11.5),
        27: (-10.2, 12.25),
        28: (-8.9, 13.0),
        29: (-61696.0, 139264.0),
        30: (-86016.0, 95232.0),
        31: (-75264.0, 20608.0),
    }
    lines = {
        layer: f"Layer {layer}: XV output: min={low:g}, max={high:.0f}    (range: ~{high - low:.0f})"
        for layer, (low, high) in ranges.items()
    }
    run_ = run(
        logged,
        tensors=[
            {
                "file": logged.path,
                "line": layer - 12,
                "record": 0,
                "scope": str(layer),
                "name": "XV",
                "kind": "activation",
                "op": "normalise",
                "min": low,
                "max": high,
            }
            for layer, (low, high) in ranges.items()
        ],
    )
    rule = "impossible/normalised-beyond-bound"
    eps, cast = Fix(knob="eps", old=1e-5, new=1e-3), Fix(knob="dtype", old="bfloat16", new="float32")
    bounded, thousandth = "the output stays within the bound", "the output falls by 100 times or more"
    logged_size = (139264.0, 139264.0, 139264.0)
    honest = "an honest small std: 15.97 is the most that 256 values can give, whatever eps is"
    replays = [
        replay("honest std", rule, eps, bounded, "not_reproduced", because=honest),
        replay(
            "variance lost in bfloat16",
            rule,
            eps,
            bounded,
            "refuted",
            before=logged_size,
            after=(1302.0, 1394.0, 1489.0),
            share=0.0,
            dtype="bfloat16",
            because="variance lost in low precision: holds in 0% of 311, largest |output| 1.393e+05 -> 1,394",
        ),
        replay(
            "another tensor as divisor",
            rule,
            eps,
            bounded,
            "refuted",
            before=logged_size,
            after=(1391.0, 8211.0, 139260.0),
            share=0.02,
            because="another tensor as divisor: holds in 2% of 311, largest |output| 1.393e+05 -> 8,211",
        ),
        replay("honest std", rule, cast, bounded, "not_reproduced", because=honest),
        replay(
            "variance lost in bfloat16",
            rule,
            cast,
            bounded,
            "confirmed",
            before=logged_size,
            after=(3.1, 8.4, 15.6),
            share=1.0,
            because="variance lost in low precision: holds in 100% of 311, largest |output| 1.393e+05 -> 8.4",
        ),
        replay(
            "another tensor as divisor",
            rule,
            cast,
            bounded,
            "refuted",
            before=logged_size,
            after=(138900.0, 139264.0, 140100.0),
            share=0.0,
            because="another tensor as divisor: holds in 0% of 311, largest |output| 1.393e+05 -> 1.393e+05",
        ),
    ]
    findings = [
        finding(
            rule,
            "Layer 29: XV output reaches 139,264. A z-score over n values is at most sqrt(n-1): n would have "
            "to be 1.9e10. What it is divided by is not the standard deviation of that vector (or the "
            "weights exceed 8,721: not printed).",
            title="A normalised tensor is larger than any normalisation can make it",
            role="root_cause",
            severity="critical",
            note="dialect ttt: XV is the output of a normaliser",
            values={
                "scope": "29",
                "name": "XV",
                "value": 139264.0,
                "bound": 15.97,
                "needed": 139264.0**2 + 1,
            },
            evidence=[Evidence(file=logged.path, line=layer - 12, text=lines[layer]) for layer in (29, 30, 31)],
            pieces=3,
        ),
        finding(
            "norm/undersized-eps",
            "eps is 1e-5 in bfloat16, whose spacing at 1 is 7.81e-3: an eps so small does nothing there.",
            role="contributing",
            refuted_by=[rule],
            evidence=[Evidence(file=logged.path, line=6, text="ttt_norm eps = 1e-05")],
            pieces=1,
        ),
        finding(
            "run/silent-exit",
            "The log ends right after 'About to call mb_loss.backward()', without an error and without a "
            "next step; 'Training completed!' was printed all the same.",
            role="consequence",
            severity="high",
            explained_by=[rule],
            evidence=[Evidence(file=logged.path, line=38, text="About to call mb_loss.backward()")],
            pieces=1,
        ),
        finding(
            "fingerprint/low-precision",
            "XV is bfloat16: each printed extreme needs 8 significant bits at most.",
            severity="info",
            evidence=[Evidence(file=logged.path, line=17, text=lines[29])],
            pieces=6,
        ),
    ]
    verdicts = [
        Verdict(
            rule=rule,
            fix=fix,
            claim=claim,
            verdict=word,
            basis="replay",
            because="; ".join(r.because for r in replays if r.fix == fix),
        )
        for fix, claim, word in (
            (eps, bounded, "refuted"),
            (cast, bounded, "inconclusive"),
            (eps, thousandth, "inconclusive"),
        )
    ]
    return incident(
        logged,
        findings,
        jobs=[Job(job="7204342", state="COMPLETED", node="gr015", exit_code=0)],
        summary=[
            "XV in layer 29 reaches 139,264, which no normalisation can give.",
            "It is not divided by its own standard deviation; a larger eps does not cure that.",
        ],
        root_causes=[rule],
        verdicts=verdicts,
        replays=replays,
        priors={
            "hand-made": [
                Prior(name="width", text="64 to 256", because="the head sizes that such layers have"),
                Prior(name="|w|", text="0.5 to 2", because="weights start at 1 and move slowly"),
            ]
        },
        predictions=[
            Prediction(
                id="normaliser/bound",
                metric="tensors.max",
                where="XV, layers 29 to 31",
                low=None,
                high=16.97,
                assumptions=["width <= 256", "|w| <= 1", "|XK| <= 1"],
                statement="|XV output| <= 16.97 in layers 29 to 31",
                basis="law",
            )
        ],
        measure_next=[
            "print shape, min and max of the divisor: one value per vector, none below 0",
            "print min and max of ttt_norm_weight",
        ],
        settings=[Setting(key="eps", value="1e-05", origin="log", line=6)],
        not_checked=[NotChecked(rule=f"grad/rule-{i}", because="no gradient norms in this log") for i in range(7)]
        + [NotChecked(rule=f"lr/rule-{i}", because="no learning rate in this log") for i in range(5)],
    ), run_


def distillation() -> tuple[Incident, Run]:
    """Totals that go nowhere, a distillation term that makes up most of them, one nan clamped to zero."""
    logged = log("kd-run-3.log", 96, "kd", unread=4)
    totals = dict(zip(range(0, 700, 100), (28.19, 22.34, 27.64, 27.60, 22.31, 19.97, 28.34), strict=True))
    terms = {0: 38.0254, 100: 28.6117, 600: 38.3527}
    rows: list[dict[str, object]] = [
        {"name": name, "value": value, "step": step, "line": 10 + step // 10, "record": record}
        for record, (name, values) in enumerate((("loss", totals), ("kd_loss", terms)))
        for step, value in values.items()
    ]
    rows = [{"file": logged.path, "step_unit": "update", "meaning": "value", "split": "train", **row} for row in rows]
    rule = "kd/temperature-squared"
    fix = Fix(knob="temperature", old=3.0, new=2.0, origin="log")
    value, gradient = "the KD term falls to 4/9", "the gradient falls with T squared"
    families = {
        "Gaussian logits": ("refuted", 0.0, (33.6, 41.9, 52.0), (0.68, 1.1, 1.6)),
        "heavy-tailed logits": ("refuted", 0.01, (35.2, 47.3, 68.9), (0.9, 1.7, 3.6)),
        "flat student": ("inconclusive", 0.41, (5.7, 17.1, 25.5), (0.31, 0.55, 0.9)),
        "agreeing top token": ("inconclusive", 0.52, (6.2, 16.5, 24.8), (0.28, 0.5, 0.84)),
    }
    replays = [
        replay(
            "T squared times KL",
            rule,
            fix,
            claim,
            word,  # type: ignore[arg-type]
            family=family,
            share=share,
            before=(38.03, 38.03, 38.03) if claim == value else (1.0, 1.0, 1.0),
            after=kd if claim == value else grad,
            quantity="KD term" if claim == value else "gradient norm, relative to T = 3",
        )
        for claim in (value, gradient)
        for family, (word, share, kd, grad) in families.items()
    ]
    verdicts = [
        Verdict(
            rule=rule,
            fix=fix,
            claim=claim,
            verdict="inconclusive",
            basis="replay",
            because="; ".join(
                f"{r.family}: holds in {r.share:.0%}, {r.effect.before_median:g} -> {r.effect.median:g}"
                for r in replays
                if r.claim == claim and r.effect
            ),
        )
        for claim in (value, gradient)
    ]
    findings = [
        finding(
            rule,
            "KD is multiplied by T squared = 9 at T = 3; the factor is part of the method.",
            role="context",
            evidence=[Evidence(file=logged.path, line=10, text="Step 0:   KD Raw: 38.0254, Temperature²: 9.0")],
            pieces=3,
        ),
        finding(
            "kd/term-dominates",
            "kd_loss enters the loss with weight 0.62 (0.56 to 0.68); it cannot be more than 0.739.",
            role="contributing",
            values={
                "weight": 0.62,
                "weight_low": 0.56,
                "weight_high": 0.68,
                "bound": 0.739,
                "term": "kd_loss",
                "total": "loss",
            },
            pieces=3,
        ),
        finding(
            "loss/noise-not-trend",
            "The loss of 28.34 at step 600 lies within what the six values before it predict, 16.0 to 33.3.",
            role="context",
            values={"metric": "loss", "step": 600, "value": 28.34, "low": 15.96, "high": 33.39},
            evidence=[Evidence(file=logged.path, line=70, text="Step 600: 28.34")],
            pieces=1,
        ),
        finding(
            "nonfinite/clamped",
            "lm_loss was nan at least once and was replaced by zero; the warning is printed once per name.",
            role="masking",
            severity="high",
            evidence=[
                Evidence(
                    file=logged.path,
                    line=58,
                    text="[Warning] lm_loss produced non-finite value (nan); clamping to zero.",
                )
            ],
            pieces=1,
        ),
    ]
    return incident(
        logged,
        findings,
        summary=[
            "Nothing has improved in 600 steps: the loss stays between 19.97 and 28.34.",
            "The log does not establish why; the temperature is not shown to be the cause.",
        ],
        verdicts=verdicts,
        replays=replays,
        measure_next=["print the learning rate and the count of optimizer steps"],
        not_checked=[NotChecked(rule="grad/explosion", because="no gradient norms in this log")],
    ), run(logged, metrics=rows)


def infinite_gradients() -> tuple[Incident, Run]:
    """Six infinite gradient norms from the first batch on, then finite ones; the loss stays finite."""
    logged = log("asr-teacher.log", 24, "generic")
    losses = (104.356, 94.4273, 99.81, 101.2, 96.77, 93.02, 91.4, 88.13, 85.02, 83.9)
    norms = (INF,) * 6 + (1068.0, 941.0, 1013.0, 877.0)
    rows: list[dict[str, object]] = [
        {
            "file": logged.path,
            "line": 3 + 2 * order,
            "record": record,
            "name": name,
            "value": value,
            "meaning": "value",
        }
        for order, pair in enumerate(zip(losses, norms, strict=True))
        for record, (name, value) in enumerate(zip(("loss", "grad_norm"), pair, strict=True))
    ]
    rule = "amp/scaler-startup"
    fixes = {
        Fix(knob="lr", old=1e-4, new=1e-5, origin="log"): ("refuted", 0.0, 6),
        Fix(knob="max_norm", old=1.0, new=0.5, origin="log"): ("refuted", 0.0, 6),
        Fix(knob="dtype", old="float16", new="bfloat16"): ("confirmed", 1.0, 0),
        Fix(knob="init_scale", old=65536.0, new=1024.0): ("confirmed", 1.0, 0),
    }
    claim = "no gradient norm is infinite"
    replays = [
        replay(
            "search for a loss scale",
            rule,
            fix,
            claim,
            word,  # type: ignore[arg-type]
            share=share,
            before=(5, 6, 7),
            after=(max(0, after - 1), after, after + (after > 0)),
            quantity="infinite gradient norms from the first batch on",
            dtype="float16",
        )
        for fix, (word, share, after) in fixes.items()
    ]
    return incident(
        logged,
        [
            finding(
                rule,
                "6 infinite norms from the first batch on, with a finite loss: a scaler looks for its scale.",
                role="benign",
                values={"count": 6.0, "first": INF},
                evidence=[
                    Evidence(file=logged.path, line=3 + 2 * i, text=f"loss={losses[i]:.4f}, grad_norm=inf")
                    for i in range(6)
                ],
                pieces=6,
            )
        ],
        replays=replays,
        verdicts=[
            Verdict(rule=rule, fix=r.fix, claim=claim, verdict=r.verdict, basis="replay", because=r.because)
            for r in replays
        ],
    ), run(logged, metrics=rows)


def explosion() -> tuple[Incident, Run]:
    """One matrix carries almost all of a gradient norm; the norm of each of four parameters is printed."""
    logged = log("cascade-epoch-8.log", 60, "generic")
    total = 776_853_774_304_905_088.0
    norms = {
        "module.cascade_stages.1.output_proj.weight": 757_541_177_707_724_800.0,
        "module.cascade_stages.1.transformer.layers.3.linear2.weight": 1.6e17,
        "module.cascade_stages.1.post_norm.weight": 4.1e16,
        "module.embed.weight": 2.2e12,
    }
    rows: list[dict[str, object]] = [
        {
            "file": logged.path,
            "line": 20 + place,
            "record": 0,
            "name": "grad_norm",
            "scope": scope,
            "value": norm,
        }
        for place, (scope, norm) in enumerate([(None, total), *norms.items()])
    ]
    named = next(iter(norms))
    return incident(
        logged,
        [
            finding(
                "grad/localised",
                f"95.1 % of the squared gradient norm sits in {named}.",
                role="context",
                values={"name": named, "share": (norms[named] / total) ** 2},
            )
        ],
    ), run(logged, metrics=rows)


def long_run(values: int = 200_000) -> tuple[Incident, Run]:
    """A long loss curve that ends in nan, over a step axis, with three spikes."""
    logged = log("long.log", values)
    steps = np.arange(values)
    loss = 1.5 + 9.5 * np.exp(-steps / 20_000) + 0.1 * np.sin(steps)
    loss[[50_000, 90_000, 140_000]] = (40.0, 60.0, 90.0)
    loss[-500:] = np.nan
    frame = frames.build("metrics", []).clear()
    metrics = pl.DataFrame(
        {"line": steps + 1, "record": steps * 0, "step": steps, "value": loss, "name": ["loss"] * values}
    )
    whole = pl.concat([frame, metrics], how="diagonal_relaxed").with_columns(pl.lit(logged.path).alias("file"))
    found = finding(
        "nonfinite/loss",
        "The loss is nan from step 199,500 on.",
        role="consequence",
        evidence=[Evidence(file=logged.path, line=values - 499, text="step=199500 loss=nan")],
        pieces=500,
    )
    return incident(logged, [found]), Run(run(logged).frames() | {"metrics": whole}, (logged,))


#: Keys whose texts are words of the schema, and those of logs that other texts name.
_WORDS = frozenset({"role", "severity", "confidence", "verdict", "basis", "kind", "schema_version"})


def hostile(whole: Incident, text: str) -> Incident:
    """`whole` with `text` behind each text that it holds, names that refer to each other included."""
    return Incident.model_validate(_followed(whole.model_dump(by_alias=True), text))


def _followed(value: object, text: str, key: str = "") -> object:
    if isinstance(value, dict):
        # a fix's origin is a word, a setting's is not
        return {
            name: item if name == "origin" and "knob" in value else _followed(item, text, name)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_followed(item, text) for item in value]
    return value + text if isinstance(value, str) and value and key not in _WORDS else value
