"""Estimates and equivalence, by the commands a planner would type."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from twokey.chips import UserError
from twokey.cli.deploy import deploy
from twokey.deploy import hardware, model
from twokey.deploy.constants import packaged
from twokey.deploy.equivalence import curve, equivalent, stops_helping
from twokey.deploy.estimate import best
from twokey.deploy.search import Fixed, Work
from twokey.deploy.shapes import Shape


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


@pytest.mark.parametrize(
    "work",
    [
        lambda shape: Work("serve", shape, input=-1.0),
        lambda shape: Work("serve", shape, output=-1.0),
        lambda shape: Work("serve", shape, tpot_ms=-1.0),
    ],
)
def test_impossible_work_is_refused(work: Callable[[Shape], Work]) -> None:
    with pytest.raises(UserError, match="greater than zero"):
        work(model("Qwen3-8B"))


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


@pytest.mark.parametrize(
    "args",
    [
        "estimate --chip MLU590 --chip A100 --model qwen3-32b --work serve --precision fp8",
        "estimate --chip MLU590 --model qwen3-32b --work train",
        "equivalent --from H200 --count 64 --to MLU590 --work decode:qwen3-32b --tpot 90ms",
        "models --search qwen3",
    ],
)
def test_a_chinese_answer_has_no_english_words(args: str) -> None:
    """Names, units and layouts keep their letters; no word of the command's own does."""
    text = run(*args.split(), "--lang", "zh")
    assert set(re.findall(r"(?<![\w.-])[a-z]{3,}\b", text)) <= {"token", "training", "own", "tokens"}


def test_a_format_that_the_chip_lacks_is_said_to_be_stored_only() -> None:
    e = best(hardware("A100"), Work("decode", model("Qwen3-32B"), precision="fp8"), packaged())
    assert any("does not compute in fp8: weights are stored so, and computed in 16 bits" in note for note in e.notes)
    assert not best(hardware("H200"), Work("decode", model("Qwen3-32B"), precision="fp8"), packaged()).notes


def test_an_unknown_engine_is_an_error() -> None:
    args = ["estimate", "--chip", "H200", "--model", "qwen3-32b", "--work", "decode", "--engine", "vlm"]
    with pytest.raises(UserError, match="did you mean vllm"):
        CliRunner().invoke(deploy, args, catch_exceptions=False)
    assert CliRunner().invoke(deploy, [*args[:-1], "other"]).exit_code == 0


def test_a_global_batch_is_kept_and_more_cards_stop_helping() -> None:
    """Twice the cards cannot bring twice the work once every sequence of the batch has a rank of its own."""
    work = Work("train", model("Llama-3.1-8B"), batch_tokens=1e6)
    device, constants = hardware("Ascend 910C"), packaged()
    ends = stops_helping(device, work, constants)
    assert ends is not None
    assert ends < 8192
    assert best(device, work, constants, 4096).in_flight <= 1e6 / 4096
    larger = stops_helping(device, replace(work, batch_tokens=16e6), constants)
    assert larger is None or larger > ends
    rates = [rate for _, rate, _, _ in curve(device, work, constants)]
    assert rates == sorted(rates)


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    nowhere = tmp_path / "no" / "folder"
    example = Path(__file__).parents[2] / "examples" / "deploy" / "measured.csv"
    for args in (
        ("validate", str(example), "--rows", str(nowhere / "r.csv"), "--chart", str(tmp_path / "c.png")),
        ("validate", str(example), "--rows", str(tmp_path / "r.csv"), "--chart", str(nowhere / "c.png")),
        ("place", str(example.with_name("one_site.toml")), "--out", str(nowhere / "p.json")),
    ):
        with pytest.raises(UserError, match="cannot be written"):
            CliRunner().invoke(deploy, args, catch_exceptions=False)
