"""Estimates and equivalence, by the commands a planner would type."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from twokey.chips import UserError
from twokey.cli.deploy import deploy
from twokey.deploy import hardware, model
from twokey.deploy.constants import packaged
from twokey.deploy.equivalence import equivalent
from twokey.deploy.estimate import best
from twokey.deploy.search import Fixed, Work


def run(*arguments: str) -> str:
    result = CliRunner().invoke(deploy, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_estimate_names_layout_interval_and_parts() -> None:
    answer = json.loads(
        run(
            "estimate",
            "--chip",
            "H200 SXM",
            "--model",
            "deepseek-v3",
            "--work",
            "decode",
            "--input",
            "4096",
            "--tpot",
            "50ms",
            "--format",
            "json",
        )
    )
    assert answer["low"] < answer["rate"] < answer["high"]
    assert answer["tpot_ms"] <= 50
    assert sum(answer["parts"].values()) == pytest.approx(1)
    assert answer["devices"] == answer["tp"] * answer["pp"] * answer["dp"]
    assert answer["memory_share"] <= 0.9


def test_estimate_reads_well_in_both_languages() -> None:
    args = ("estimate", "--chip", "Ascend 910C", "--model", "deepseek-v3", "--work", "decode", "--tpot", "50ms")
    assert "where the time goes" in run(*args)
    assert "时间去向" in run(*args, "--lang", "zh")


def test_what_is_given_is_kept() -> None:
    e = best(hardware("H20"), Work("serve", model("Qwen3-32B")), packaged(), fixed=Fixed(tp=4, batch=16))
    assert (e.tp, e.pp, e.in_flight) == (4, 1, 16)


def test_uncalibrated_chip_says_so() -> None:
    e = best(hardware("Cambricon MLU590"), Work("decode", model("Qwen3-32B")), packaged())
    assert not e.calibrated
    assert any("uncalibrated" in note for note in e.notes)
    assert e.high / e.low > 6


def test_unknown_power_stays_unknown() -> None:
    assert best(hardware("Ascend 910C"), Work("decode", model("Qwen3-32B")), packaged()).power_kw is None


def test_what_does_not_fit_says_how_much_is_needed() -> None:
    with pytest.raises(UserError, match=r"does not fit.*GB"):
        best(hardware("L40S"), Work("decode", model("DeepSeek-V3")), packaged(), cards=2)
    with pytest.raises(UserError, match=r"within 0\.01 ms a token; the nearest takes"):
        best(hardware("H200"), Work("decode", model("Qwen3-8B"), tpot_ms=0.01), packaged())


@pytest.mark.parametrize("field", ["input", "output", "tpot_ms"])
def test_impossible_work_is_refused(field: str) -> None:
    with pytest.raises(UserError, match="greater than zero"):
        Work("serve", model("Qwen3-8B"), **{field: -1.0})  # type: ignore[arg-type]


def test_144_h800_are_about_173_ascend_910c() -> None:
    """DeepSeek-V3 decode at about 50 ms with MTP: 2,325 tokens a second per H800 against 1,943 per 910C."""
    work = Work("decode", model("DeepSeek-V3"), input=4096, tpot_ms=50.0, draft="mtp")
    e = equivalent(hardware("H800"), 144, hardware("Ascend 910C"), work, packaged())
    assert e.low <= 173 <= e.high
    assert e.here_estimate.rate == pytest.approx(2325, rel=0.25)


def test_144_h800_are_173_ascend_910c_within_a_third() -> None:
    work = Work("decode", model("DeepSeek-V3"), input=4096, tpot_ms=50.0, draft="mtp")
    e = equivalent(hardware("H800"), 144, hardware("Ascend 910C"), work, packaged())
    assert e.exact == pytest.approx(173, rel=0.35)
    assert e.there_estimate.rate == pytest.approx(1943, rel=0.25)


def test_any_pair_both_ways() -> None:
    work = Work("decode", model("Qwen3-32B"), tpot_ms=60.0)
    there = equivalent(hardware("H200"), 1000, hardware("Ascend 910B2"), work, packaged())
    back = equivalent(hardware("Ascend 910B2"), 1000, hardware("H200"), work, packaged())
    assert there.exact / 1000 == pytest.approx(1000 / back.exact, rel=0.05)
    assert there.there.cards >= there.exact - 1e-6
    assert there.there.cards % there.there.cards_per_cluster == 0


def test_training_needs_more_of_the_weaker_chip() -> None:
    work = Work("train", model("Llama-3.1-70B"), input=8192)
    e = equivalent(hardware("H200"), 512, hardware("Ascend 910C"), work, packaged())
    assert e.exact > 512
    assert e.there_estimate.rate * e.exact >= 512 * e.here_estimate.rate * 0.999


def test_equivalence_draws_a_chart_with_its_table(tmp_path: Path) -> None:
    chart = tmp_path / "curve.png"
    text = run(
        "equivalent",
        "--from",
        "H200",
        "--count",
        "64",
        "--to",
        "H20",
        "--work",
        "train:Qwen3-8B",
        "--chart",
        str(chart),
    )
    assert chart.read_bytes().startswith(b"\x89PNG")
    assert "tok/s" in text


def test_no_traceback_reaches_a_user() -> None:
    code = "from twokey.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", code, "deploy", "estimate", "--chip", "H20O", "--model", "x", "--work", "decode"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "no model of this name" in done.stderr
