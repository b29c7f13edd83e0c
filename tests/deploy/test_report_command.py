"""`twokey deploy report`: statements, breaches, sites that sent nothing, both languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from telemetry import SACCT, T0, counter, dcgm, each_minute, npu_old, usage

from twokey.chips import UserError
from twokey.cli.deploy import deploy
from twokey.deploy.report.shares import share_of
from twokey.deploy.report.slurm import read as read_sacct
from twokey.deploy.report.usage import filled

PLAN = """
name = "one site"
[[site]]
name = "north"
power = "1MW"
[[fleet]]
site = "north"
chip = "H200"
cards = 1
[[fleet]]
site = "north"
chip = "Ascend 910B2"
cards = 1
[[workload]]
name = "w"
phase = "inference"
model = "Qwen3-8B"
demand = 100
[[condition]]
id = "most"
kind = "domestic-share"
of = "inference"
at_least = 0.6
measure = "nominal-compute"
authority = "NDRC"
"""


def test_statement_and_breach_record(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(PLAN, "utf-8")
    folder = tmp_path / "north"
    folder.mkdir()
    (folder / "2026-11-01.prom").write_text(each_minute(dcgm) + each_minute(npu_old), "utf-8")
    args = [
        "report",
        "--plan",
        str(tmp_path / "plan.toml"),
        "--telemetry",
        f"north={folder}",
        "--from",
        "2026-11-01",
        "--to",
        "2026-11-01T01:00",
        "--out",
        str(tmp_path / "s.md"),
        "--breaches",
        str(tmp_path / "b.json"),
    ]
    result = CliRunner().invoke(deploy, args, catch_exceptions=False)
    assert result.exit_code == 1
    assert "breached" in result.stdout
    (record,) = json.loads((tmp_path / "b.json").read_text("utf-8"))
    assert (record["record"], record["condition"], record["at_least_bp"]) == ("twokey.breach", "most", 6000)
    assert len(record["evidence"][0]["sha256"]) == 64
    again = CliRunner().invoke(deploy, args, catch_exceptions=False)
    assert json.loads((tmp_path / "b.json").read_text("utf-8"))[0]["id"] == record["id"]
    assert again.exit_code == 1
    assert "# Statement of use: one site" in (tmp_path / "s.md").read_text("utf-8")
    CliRunner().invoke(deploy, [*args, "--lang", "zh"], catch_exceptions=False)
    assert "已违反" in (tmp_path / "s.md").read_text("utf-8")


def reported(tmp_path: Path, plan: str, *more: str) -> tuple[int, dict[str, Any]]:
    (tmp_path / "plan.toml").write_text(plan, "utf-8")
    (tmp_path / "2026-11-01.prom").write_text(each_minute(dcgm) + each_minute(npu_old), "utf-8")
    site = ["--telemetry", f"north={tmp_path / '2026-11-01.prom'}", "--from", "2026-11-01", "--to", "2026-11-01T01:00"]
    args = ["report", "--plan", str(tmp_path / "plan.toml"), *site, "--format", "json", *more]
    result = CliRunner().invoke(deploy, args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, json.loads(result.stdout)


def test_a_site_of_the_plan_that_sent_nothing_is_a_gap_as_large_as_its_fleets(tmp_path: Path) -> None:
    south = """
[[site]]
name = "south"
power = "1MW"
[[fleet]]
site = "south"
chip = "Ascend 910B2"
cards = 100
"""
    code, alone = reported(tmp_path, PLAN)
    assert (code, alone["findings"][0]["verdict"]) == (1, "breached")
    code, both = reported(tmp_path, PLAN + south)
    assert (code, both["findings"][0]["verdict"]) == (0, "cannot tell")
    assert any("100 of 100" in flag["words"] for flag in both["flags"])


def test_a_site_that_the_plan_does_not_have_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the plan has no site of this name; did you mean north"):
        reported(tmp_path, PLAN, "--telemetry", f"nroth={tmp_path}")
    with pytest.raises(UserError, match="--zone: 'Asia/Shangai' is not a time zone"):
        reported(tmp_path, PLAN, "--zone", "Asia/Shangai")


def test_a_time_zone_moves_the_time_and_that_of_sacct(tmp_path: Path) -> None:
    code, there = reported(tmp_path, PLAN, "--zone", "Asia/Shanghai")
    assert code == 0
    assert there["findings"][0]["verdict"] == "cannot tell"  # 00:00 there is 16:00 the day before: nothing was sent
    amounts, _ = read_sacct(SACCT, "s", "north", [T0 - 8 * 3600, T0 - 7 * 3600], {}, ZoneInfo("Asia/Shanghai"))
    assert share_of(amounts, "inference", "allocated").share == pytest.approx(8 * 376 / (8 * 376 + 8 * 989.5))


def test_a_site_of_which_only_a_scheduler_speaks_may_have_used_all_that_it_gave_out() -> None:
    tokens = "".join(counter(60.0 * i, 300.0 * i, "q0") for i in range(60))
    north = usage(each_minute(npu_old) + tokens).amounts
    south, _ = read_sacct(SACCT, "s", "south", [T0, T0 + 3600], {})
    both, flags = filled([*north, *south])
    assert [f.source for f in flags] == ["south", "south"]
    used, alone = share_of(both, "inference", "used"), share_of(north, "inference", "used")
    assert (alone.low, alone.high) == (1.0, 1.0)
    assert used.low == pytest.approx(188 / (188 + 8 * 989.5))
    assert used.share == used.high == 1.0
    delivered = share_of(both, "inference", "delivered")
    assert (delivered.share, delivered.low, delivered.high) == (1.0, 0.0, 1.0)
    assert filled(north) == (list(north), [])


def test_flags_and_conditions_are_said_in_chinese(tmp_path: Path) -> None:
    out = tmp_path / "s.md"
    reported(tmp_path, PLAN.replace("cards = 1\n", "cards = 2\n", 1), "--lang", "zh", "--out", str(out))
    text = out.read_text("utf-8")
    assert "most: 推理国产份额不低于 60 %（口径：卡数 × 芯片 16 位稠密算力（TFLOPS）） (NDRC" in text
    assert "无遥测：2 张 NVIDIA H200 SXM 中 1 张无任何数据（north）" in text


def test_bad_options_are_errors() -> None:
    for extra, words in (
        (["--from", "soon", "--to", "2026-11-02"], "is not a date"),
        (["--from", "2026-11-02", "--to", "2026-11-01"], "the end must come after"),
        (["--from", "2026-11-01", "--to", "2026-11-02"], "nothing to report on"),
        (["--from", "2026-11-01", "--to", "2026-11-02", "--telemetry", "x=/nowhere"], "no such file"),
    ):
        result = CliRunner().invoke(deploy, ["report", *extra])
        assert words in str(result.exception)
