"""The lab's answer in each of its outputs: the same verdicts and intervals, and inert whatever a log says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from postmortem.incident import Environment
from postmortem.lab.replayed import Replayed
from postmortem.replay.protocol import Fix, Lost, Prior, Verdict
from postmortem.report.registry import Target
from postmortem.report.replayed import OUTPUTS
from tests.report import factory
from tests.report.hostile import TEXTS

if TYPE_CHECKING:
    from postmortem.rules.finding import VerdictWord

RULE = "impossible/normalised-beyond-bound"
FIX = Fix(knob="eps", old=1e-5, new=1e-3)
CLAIM = "the output stays within the bound"


def verdict(rule: str, word: VerdictWord, because: str) -> Verdict:
    return Verdict(rule=rule, fix=FIX, claim=CLAIM, verdict=word, basis="replay", because=because)


def replayed(text: str = "said", seeds: tuple[int, ...] = (0,)) -> Replayed:
    """One experiment, a fix that is refuted by one mechanism and not reproduced by another, and a verdict by law."""
    shown = factory.replay(
        "lost variance",
        RULE,
        FIX,
        CLAIM,
        "refuted",
        before=(139264.0, 139264.0, 139264.0),
        after=(1302.0, 1394.0, 1489.0),
        share=0.25,
    )
    not_shown = factory.replay("honest std", RULE, FIX, CLAIM, "not_reproduced", because=f"16 at most {text}")
    return Replayed(
        tool_version="0.1.0",
        of=f"logs/{text}.log",
        seeds=list(seeds),
        questions={shown.experiment: f"Does it? {text}"},
        verdicts=[
            verdict(RULE, "refuted", f"holds in 25% {text}"),
            verdict("other/rule", "inconclusive", f"no experiment {text}"),
        ],
        replays=[one.model_copy(update={"seed": seed}) for seed in seeds for one in (shown, not_shown)],
        priors={shown.experiment: [Prior(name="width", text="256 to 4096", because="usual")]},
        cannot_show={shown.experiment: f"which {text}"},
        predictions=[],
        measure_next=[f"print {text}"],
        failed=[],
        lost=[Lost(what="dtype fp32", because=f"killed {text}")],
        environment=Environment(versions={}, device="cpu", seed=0, replay="ran", seconds=1.5),
    )


@pytest.mark.parametrize("name", ["markdown", "terminal"])
def test_verdicts_effects_and_what_is_ruled_out_are_told(name: str) -> None:
    told = OUTPUTS.load(name).render(replayed(), Target())
    text = " ".join(re.sub(r"[*|`\\]", " ", told).split())
    for part in (
        "refuted",
        "holds in 25% said",
        "in 25 %",
        "139,264 -> 1,394 (1,302 to 1,489)",
        "311 of 1,024 kept, seed 0",
        "16 at most said",
        "Without a replay of their own",
        "no experiment said",
        "which said",
        "print said",
        "dtype fp32: killed said",
    ):
        assert part in text, part
    assert "256 to 4096" not in text


@pytest.mark.parametrize("name", ["markdown", "terminal"])
def test_verbose_tells_every_seed_and_what_was_drawn(name: str) -> None:
    two = replayed(seeds=(0, 1))
    short, long = (OUTPUTS.load(name).render(two, Target(verbose=verbose)) for verbose in (False, True))
    assert short.count("kept, seed") == 1
    assert [long.count(f"kept, seed {seed}") for seed in (0, 1)] == [1, 1]
    assert "256 to 4096 (usual)" in " ".join(long.split())
    assert "seeds 0 to 1" in short


@pytest.mark.parametrize("text", TEXTS)
def test_markdown_is_inert(text: str) -> None:
    told = OUTPUTS.load("markdown").render(replayed(text), Target())
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", told)
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(told)
    inner = [child for token in tokens for child in (token.children or [])]
    assert {token.type for token in [*tokens, *inner]} & {"link_open", "image", "html_inline", "html_block"} == set()
    assert [token.content for token in tokens if token.type == "fence"] == []
    # one table for the claim and one for what has no replay, of one row each
    assert sum(token.type == "tr_open" for token in tokens) == 4


def test_json_holds_all_seeds() -> None:
    told = json.loads(OUTPUTS.load("json").render(replayed(seeds=(0, 1)), Target()))
    assert [one["seed"] for one in told["replays"]] == [0, 0, 1, 1]
    assert told["verdicts"][0]["verdict"] == "refuted"
