"""A check of hostile logs, as the pipeline would hand it to an output: 10,000 findings, long lines, any markup."""

from __future__ import annotations

from collections import Counter

from postmortem.archive.judged import Judged
from postmortem.check.logs import Check
from postmortem.rules.finding import Evidence
from tests.report import factory

#: What acts somewhere: on a terminal, in HTML, markdown, a workflow's log, a spreadsheet, XML.
TEXTS = (
    "\x1b[31mred\x1b]0;title\x07\x1b[2J",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "[click](javascript:alert(1)) ![x](http://evil.example/x) | cell | `code` **bold**",
    "\n::error file=a::injected\r\n::set-output name=x::y\n::add-mask::z%0A::warning::w",
    '=HYPERLINK("http://evil.example","x")',
    "]]></failure><!-- \x00\x0b\ufffe\uffff\ud800 -->",
    "\u202egnol txet\u2066 \u200b",
)
LONG = "x" * 1_000_000


def check(findings: int = 10_000) -> Check:
    """One log with so many findings, one that could not be judged, one that breaks an expectation."""
    found = [
        factory.finding(
            f"hostile/rule-{number}",
            f"{TEXTS[number % len(TEXTS)]} {number}",
            title=TEXTS[(number + 1) % len(TEXTS)],
            severity="high",
            evidence=[
                Evidence(file="logs/a b.log", line=number + 1, text=LONG if number == 0 else TEXTS[number % len(TEXTS)])
            ],
        )
        for number in range(findings)
    ]
    incident = factory.incident(factory.log("logs/a b.log", findings), found)
    evil = "logs/<b>\x1b[31m,line=1::.log"
    return Check(
        "medium",
        runs=[
            Judged(name="logs/a b.log", incident=incident, known={"hostile/rule-1": "known =cmd|' /C calc'!A0"}),
            Judged(name=evil, problem=f"{evil}: {TEXTS[3]}"),
            Judged(name="logs/c.log", incident=factory.normaliser()[0], broken=[f"must show {TEXTS[1]}, and does not"]),
        ],
        passed_over=Counter({TEXTS[2]: 3}),
        notes=[TEXTS[3]],
        read=3,
    )
