"""Logs in a store that speaks S3: a server of moto's on this machine, read by the command's own processes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest
import s3fs
from click.testing import CliRunner
from moto.server import ThreadedMotoServer

from postmortem.archive.database import Database
from postmortem.cli import main
from tests.archive import logs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="runs")
    held = {"good.log": logs.HEALTHY, "2026/bad.out": logs.FAILED, "2026/bad.err": "step 1: loss=1\n"}
    for name, text in held.items():
        client.put_object(Bucket="runs", Key=name, Body=text.encode())
    client.put_object(Bucket="runs", Key="weights.pt", Body=b"x")
    # an earlier test's server had another port
    s3fs.S3FileSystem.clear_instance_cache()
    yield "s3://runs"
    client.close()
    server.stop()


def test_a_bucket_is_checked_and_what_has_not_changed_is_not_fetched(bucket: str, tmp_path: Path) -> None:
    def check() -> dict[str, object]:
        file = tmp_path / "found.json"
        options = ["-j", "1", "--index", str(tmp_path / "index"), "--format", "json", "-o", str(file)]
        assert CliRunner().invoke(main, ["check", bucket, *options]).exit_code == 1
        return dict(json.loads(file.read_text()))

    found = check()
    runs = {run["name"]: run for run in found["runs"]}  # type: ignore[attr-defined]
    assert list(runs) == ["s3://runs/2026/bad.out", "s3://runs/good.log"]
    bad = runs["s3://runs/2026/bad.out"]
    assert bad["root_causes"] == [logs.CAUSE]
    assert [log["path"] for log in bad["logs"]] == ["s3://runs/2026/bad.out", "s3://runs/2026/bad.err"]
    assert bad["findings"][0]["evidence"][0]["file"] == "s3://runs/2026/bad.out"
    assert found["read"] == 2
    assert check()["read"] == 0
    boto3.client("s3").put_object(Bucket="runs", Key="good.log", Body=logs.LOW.encode())
    assert check()["read"] == 1


def test_a_bucket_is_archived(bucket: str, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert CliRunner().invoke(main, ["archive", "add", "-j", "1", str(store), f"{bucket}/2026"]).exit_code == 0
    with Database(store) as database:
        files = database.ask("SELECT DISTINCT file FROM settings UNION SELECT DISTINCT file FROM metrics ORDER BY file")
        assert files["file"].to_list() == ["s3://runs/2026/bad.err", "s3://runs/2026/bad.out"]
