"""Secrets are masked; what only looks like one is not."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postmortem.incident import Setting
from postmortem.report.mask import MASK, mask, scrub
from tests.report import factory

HEX = "0123456789abcdef0123456789abcdef01234567"
#: Pieces of secrets, in letters that a search without case takes for others as well.
PARTS = [
    *(
        "api_Key",
        "PASS",
        "word",
        "wd",
        "paſſword",
        "phrase",
        "ſecret",
        "credentıals",
        "pr\u0130vate_\u212aey",
        "to\u212aen",
    ),
    *("Authorization", "Bearer ", "wandb login ", "hf_", "sk-", "AKIA", "ghp_", "github_pat_", "glpat-", "npm_", "eyJ"),
    *("https", "://a:b@c", "=", ": ", " ", '"', "'", "--", HEX, HEX.upper(), "abc.def.ghi", "None", "x"),
]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("export HF_TOKEN=hf_abcdefghijklmnopqrst0123", "export HF_TOKEN=***"),
        ("login with hf_abcdefghijklmnopqrst0123 ok", "login with hf_*** ok"),
        (f"WANDB_API_KEY={HEX} RANK=0", "WANDB_API_KEY=*** RANK=0"),
        (f"wandb login {HEX}", "wandb login ***"),
        ('{"password": "a b, c", "lr": 3}', '{"password": ***, "lr": 3}'),
        (r'"{\"api_key\": \"abc\"}"', r'"{\"api_key\": ***}"'),
        ("AWS_SECRET_ACCESS_KEY='wJalr/bPx'", "AWS_SECRET_ACCESS_KEY=***"),
        ("key AKIAIOSFODNN7EXAMPLE", "key AKIA***"),
        ("OPENAI sk-proj-abcdefgh1234567890abc", "OPENAI sk-***"),
        ("token: ghp_0123456789abcdefABCDEF", "token: ***"),
        ("via ghp_0123456789abcdefABCDEF", "via ghp_***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("got bearer abcdef123456", "got bearer ***"),
        ("git clone https://bob:hunter2@host/x", "git clone https://bob:***@host/x"),
        ("train.py --api-key abc --lr 3", "train.py --api-key *** --lr 3"),
        ("MYSQL_PASSWORD : hunter2", "MYSQL_PASSWORD : ***"),
    ],
)
def test_a_secret_is_masked_once_and_for_all(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert mask(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "pad_token=<pad> eos_token=</s> mask_token=[MASK]",
        "tokens: 123456789012 consumed_tokens=25.2G",
        "tokenizer=bert-base-uncased",
        "Each token representation is a basic transformer output",
        "api_key=None password=null",
        f"sha256 {HEX} commit {HEX}",
        "loss=104.3560, grad_norm=inf, lr: 1e-05",
        "tcp://10.0.0.1:29500",
        "key: value pairs, bearer capacity",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask(text) == text


@given(st.lists(st.sampled_from(PARTS), max_size=6).map("".join))
def test_what_is_passed_over_holds_no_secret(text: str) -> None:
    quick = mask(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("postmortem.report.mask._HINT", re.compile(""))
        assert mask(text) == quick


def test_an_incident_is_scrubbed_everywhere() -> None:
    incident, _ = factory.normaliser()
    dirty = incident.model_copy(
        update={
            "settings": [Setting(key="db_password", value="two words", origin="log", line=3)],
            "summary": ["It printed HF_TOKEN=hf_abcdefghijklmnopqrst0123.", "No more."],
        }
    )
    clean = scrub(dirty)
    assert clean.settings[0].value == MASK
    assert "hf_abc" not in clean.model_dump_json()
    assert clean.logs == incident.logs
    assert clean.findings == incident.findings


def test_hostile_text_costs_no_more_than_its_length() -> None:
    started = time.process_time()
    for text in ("secret" * 20_000, "eyJ" * 40_000, "-eyJ" * 30_000, "--" * 60_000, 'token="' * 20_000):
        mask(text)
    assert time.process_time() - started < 5  # quadratic work on 120,000 characters takes minutes
