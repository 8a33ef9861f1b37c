"""What holds of every experiment: it says what it assumes, judges by its seed, and survives what a log may say."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postmortem.replay import experiments
from postmortem.replay.protocol import Fact, Fix, Lab, Value
from postmortem.report import experiment_pages
from postmortem.rules import rule as rule_files
from tests.replay.verdicts import lab_of

if TYPE_CHECKING:
    from hypothesis.strategies import DataObject

    from postmortem.replay.experiment import Experiment

RULES, _ = rule_files.load_folder(rule_files.SHIPPED)
EVERY = pytest.mark.parametrize("name", experiments.names())
#: As few scenarios as can be judged.
LAB = lab_of(draws=64)
#: What the device `meta`, which holds shapes and no values, cannot do, and a GPU can: read a value, and autocast.
NOT_ON_META = r"item\(\) cannot be called on meta|unsupported autocast device_type 'meta'"
FACTS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-320, 1e300, 1e38, 65504.0, 3.0, 1e-8]),
    st.floats(),
    st.sampled_from(["", "fp16", "torch.bfloat16", "int8", "nan", "inf", "inside", "normaliser", "adam", "1e400"]),
    st.text(max_size=8),
)


class AnyLog(dict[str, Fact]):
    """Facts of whatever name is asked for, each drawn once."""

    def __init__(self, data: DataObject) -> None:
        super().__init__()
        self._data = data

    def get(self, key: str, default: object = None) -> Fact:  # noqa: ARG002 - all are there
        """Whatever a log may hold under that name."""
        if key not in self:
            self[key] = self._data.draw(FACTS, label=key)
        return self[key]


def fixes(experiment: Experiment) -> list[Fix]:
    """A fix of each of its knobs, as a rule has it, or to a number that every knob takes."""
    named: dict[str, Value] = {
        fix.knob: fix.new
        for rule in RULES
        for fix in rule.fixes
        if rule.experiment == experiment.name and fix.new is not None and not str(fix.new).startswith("$")
    }
    usual: dict[str, Value] = {"dtype": "fp32", "sides": "both", "reduction": "mean", "mask_fill": -1e4}
    return [Fix(knob=knob, new=named.get(knob, usual.get(knob, 1.0))) for knob in sorted(experiment.knobs())]


@EVERY
def test_it_says_what_it_asks_assumes_claims_and_cannot_show(name: str) -> None:
    experiment = experiments.load(name)
    assert experiment.name == name
    assert experiment.question.endswith("?")
    assert experiment.cannot_show.strip()
    assert experiment.claims
    assert all(prior.text.strip() and prior.because.strip() for prior in experiment.priors)
    assert len({prior.name for prior in experiment.priors}) == len(experiment.priors) > 0
    assert len({claim.id for claim in experiment.claims}) == len(experiment.claims)


@EVERY
def test_two_mechanisms_or_more_compete(name: str) -> None:
    mechanisms = experiments.load(name).mechanisms({})
    assert len({(mechanism.name, mechanism.family) for mechanism in mechanisms}) == len(mechanisms) > 1


@EVERY
def test_a_rule_names_it_with_fixes_that_it_can_judge(name: str) -> None:
    rules = [rule for rule in RULES if rule.experiment == name]
    assert rules
    knobs = experiments.load(name).knobs()
    assert all({fix.knob for fix in rule.fixes} <= knobs for rule in rules)


@EVERY
@settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_whatever_a_log_says_is_survived(name: str, data: DataObject) -> None:
    experiment, facts = experiments.load(name), AnyLog(data)
    asked = data.draw(st.sampled_from(fixes(experiment)), label="fix")
    answer = experiment.run("rule", facts, [asked], LAB)
    for replay in answer.replays:
        assert replay.because
        assert replay.verdict in {"confirmed", "refuted", "inconclusive", "not_reproduced"}
        assert (replay.share is not None) == (replay.effect is not None)
        if replay.verdict in {"confirmed", "refuted"}:
            assert replay.scenarios.kept >= 64


@EVERY
def test_without_facts_each_fix_is_answered_and_the_same_seed_answers_the_same(name: str) -> None:
    experiment = experiments.load(name)
    asked = fixes(experiment)
    first, again = (experiment.run("rule", {}, asked, LAB) for _ in range(2))
    assert {replay.fix.knob for replay in first.replays} == experiment.knobs()
    assert [(r.verdict, r.share, r.effect) for r in first.replays] == [
        (r.verdict, r.share, r.effect) for r in again.replays
    ]


@EVERY
def test_scenarios_are_drawn_observed_and_compared_where_the_lab_is(name: str) -> None:
    # an operation on tensors of two devices raises, so that what runs on `meta` runs on any device
    experiment, facts = experiments.load(name), experiment_pages.example(name).facts
    knobs: list[dict[str, Value]] = [{}, *({fix.knob: fix.new} for fix in fixes(experiment))]
    followed = 0
    for mechanism in experiment.mechanisms(facts):
        try:
            scenario = mechanism.drawn(facts, Lab(draws=256, device="meta"))
            seen = [mechanism.observe(scenario, turned) for turned in knobs]
            seen[0]["kept"] = mechanism.reproduces(seen[0], facts)
        except RuntimeError as error:
            if not re.search(NOT_ON_META, str(error)):
                raise
            continue
        followed += 1
        assert {values.device.type for observed in seen for values in observed.values()} == {"meta"}
    assert followed or name in {"amp-startup", "ctc-infeasible"}
