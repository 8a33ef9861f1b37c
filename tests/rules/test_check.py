"""A rule is tried on its own logs, and what does not hold is said with its place."""

from __future__ import annotations

import pytest

from postmortem.rules.check import Problem, cases, check
from postmortem.rules.rule import Rule

FIRES = "step 1: loss=1.0\nstep 2: loss=9.0\n"
NEAR = "step 1: loss=1.0\nstep 2: loss=5.0\n"
QUIET = "step 1: loss=1.0\n"


def rule(**fields: object) -> Rule:
    """A rule that fires on a loss above 5."""
    tests = {
        "fires": [{"log": FIRES, "lines": [2]}],
        "near": [{"log": NEAR, "but": "5 is not above 5"}],
        "quiet": [{"log": QUIET}],
    }
    written = {
        "id": "mine/large",
        "path": "mine/large.yaml",
        "title": "A large loss",
        "role": "context",
        "severity": "low",
        "confidence": "certain",
        "requires": {"metrics": ["loss"]},
        "detect": "SELECT line, value FROM metrics WHERE name = 'loss' AND value > 5",
        "message": "the loss is {value:.0f}",
        "why": "large",
        "not_proof": "nothing",
        "false_positives": "none known",
        "references": ["arithmetic"],
        "tests": tests,
    }
    return Rule.model_validate(written | fields)


def with_tests(**cases: object) -> Rule:
    return rule(tests=rule().tests.model_dump() | cases)


def test_a_sound_rule_has_no_problem() -> None:
    assert check(rule(), known={"mine/large"}) == []


def test_the_logs_are_those_of_the_file_with_their_places() -> None:
    assert [(case.place, case.log, case.lines) for case in cases(rule())] == [
        (("tests", "fires", 0), FIRES, (2,)),
        (("tests", "near", 0), NEAR, ()),
        (("tests", "quiet", 0), QUIET, ()),
    ]


@pytest.mark.parametrize(
    ("cases", "place", "text"),
    [
        ({"fires": [{"log": NEAR, "lines": [2]}]}, ("tests", "fires", 0), "expected to fire on line 2, stays quiet"),
        (
            {"fires": [{"log": "step 1: lr=1e-4\n", "lines": [1, 3]}]},
            ("tests", "fires", 0),
            "expected to fire on lines 1, 3, stays quiet: no metric loss in this log",
        ),
        ({"fires": [{"log": FIRES}]}, ("tests", "fires", 0), "expected evidence on no line, found on line 2"),
        (
            {"near": [{"log": NEAR, "but": "5"}, {"log": FIRES, "but": "9"}]},
            ("tests", "near", 1),
            "expected to stay quiet, fires on line 2: the loss is 9",
        ),
        ({"quiet": [{"log": FIRES}]}, ("tests", "quiet", 0), "expected to stay quiet, fires on line 2: the loss is 9"),
        (
            {"quiet": [{"log": "nothing\n"}]},
            ("tests", "quiet", 0),
            "no log of a training run: none of its 1 lines holds a metric, a tensor's range, an event or a job",
        ),
    ],
)
def test_a_log_that_is_not_judged_as_written_is_named(cases: object, place: tuple[str | int, ...], text: str) -> None:
    assert isinstance(cases, dict)
    (problem,) = check(with_tests(**cases))
    assert (problem.place, problem.text) == (place, text)
    assert problem.log is not None


def test_a_name_that_stands_for_nothing_is_named() -> None:
    (problem,) = check(rule(message="{value:g} is above {most:g}"))
    assert problem.place == ("tests", "fires", 0)
    assert problem.text == "message and next: {most} is no column of the query and no parameter"
    (problem,) = check(rule(next=["look at {batch}"]))
    assert problem.text == "message and next: {batch} is no column of the query and no parameter"


def test_a_parameter_may_be_named() -> None:
    params = {"most": {"default": 5.0, "unit": "nats", "why": "so much"}}
    named = rule(message="{value:g} is above {most:g}", params=params)
    assert check(named) == []
    assert named.filled(named.message, {"value": 9.0}) == "9 is above 5"


def test_what_explains_a_stronger_finding_explains_a_weaker_one() -> None:
    weaker = rule(id="mine/weaker", weaker_than=["mine/large"])
    assert rule().accounts_for(weaker)
    assert rule(id="mine/cause", explains=["mine/large"]).accounts_for(weaker)
    assert not weaker.accounts_for(rule())
    assert not weaker.accounts_for(weaker)
    assert not rule(id="mine/other", explains=["mine/else"]).accounts_for(weaker)


def test_references_to_nothing_are_named() -> None:
    broken = rule(explains=["loss/zero", "loss/zer"], weaker_than=["loss/zer"], refutes=["mine/large"])
    assert check(broken, known={"loss/zero", "mine/large"}) == [
        Problem(("explains", 1), "explains: no rule loss/zer; did you mean loss/zero?"),
        Problem(("weaker_than", 0), "weaker_than: no rule loss/zer; did you mean loss/zero?"),
        Problem(("refutes", 0), "refutes: itself"),
    ]
