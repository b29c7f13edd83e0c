"""Validation and calibration: groups stay whole, refusals are counted, and fits predict what they did not see."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from twokey.chips import UserError
from twokey.cli.deploy import deploy
from twokey.deploy import constants as keep
from twokey.deploy.calibrate import predictions
from twokey.deploy.constants import UNFITTED, packaged
from twokey.deploy.counterparts import counterparts, kept_together
from twokey.deploy.fitting import fit, folds
from twokey.deploy.measurements import Measurement, groups, public, read_text
from twokey.deploy.predict import predict, prepare
from twokey.deploy.validate import pairs, validate

TEXT = files("twokey.deploy").joinpath("data/measurements.csv").read_text("utf-8")


def rows_of(how_many: int, /, **changes: str) -> str:
    rows = list(csv.DictReader(TEXT.splitlines()))[:how_many]
    for row in rows:
        row.update(changes)
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@given(st.lists(st.sampled_from("abcdefghij"), min_size=2, max_size=60), st.integers(2, 6))
def test_a_group_is_never_split(names: list[str], count: int) -> None:
    parts = folds(names, count)
    assert sorted(i for part in parts for i in part.tolist()) == list(range(len(names)))
    homes = [{k for k, part in enumerate(parts) if any(names[i] == name for i in part)} for name in set(names)]
    assert all(len(home) == 1 for home in homes)


def test_public_rows_are_all_answered() -> None:
    done = validate(public(), packaged())
    assert done.answered == 1
    assert re.fullmatch(r"median [\d.]+ % p90 [\d.]+ % answered 100\.0 %", done.last_line())


def test_held_out_figures_of_the_packaged_constants_are_recorded() -> None:
    recorded = packaged().fit
    assert recorded["held_out_median_error"] > recorded["fitted_median_error"]
    assert recorded["held_out_median_error"] <= 0.15
    assert recorded["held_out_p90_error"] <= 0.60
    assert recorded["groups"] == len(set(groups(public())))


def test_a_fit_predicts_groups_that_it_did_not_see() -> None:
    """Two of six folds are left out in turn; their errors are pooled, since a single fold has few groups."""
    rows = public()
    errors = []
    for number in (0, 3):
        left = set(folds(groups(rows), 6)[number].tolist())
        seen = prepare([row for i, row in enumerate(rows) if i not in left])
        unseen = [row for i, row in enumerate(rows) if i in left]
        fitted = fit(seen, rounds=6)
        measured = np.array([row.value for row in unseen])
        errors.append(np.abs(predict(prepare(unseen), fitted) / measured - 1))
        fitted_on = np.array([row.value for row in seen.rows])
        own = float(np.median(np.abs(predict(seen, fitted) / fitted_on - 1)))
        assert own < float(np.median(np.abs(predict(seen, UNFITTED) / fitted_on - 1)))
    assert np.median(np.concatenate(errors)) < 0.20


def test_the_source_of_a_row_does_not_help_to_predict_it() -> None:
    rows = public()[:200]
    hidden = [replace(row, source_family="elsewhere", group="g", id="x", provenance="") for row in rows]
    assert np.allclose(predictions(rows, packaged()), predictions(hidden, packaged()))


def test_own_measurements_move_the_constants_and_nothing_else() -> None:
    own = [row for row in public() if row.device.family == "cdna"]
    faster = [replace(row, value=row.value * 1.3) for row in own if row.kind != "train"]
    k = fit(prepare(faster), packaged(), rounds=5)
    before, after = (float(np.median(predict(prepare(faster), c))) for c in (packaged(), k))
    assert after > before
    assert k.values["family.hopper.compute"] == packaged().values["family.hopper.compute"]


def test_families_of_a_platform_lean_on_each_other() -> None:
    """What Ascend chips are short of their prior, chips nobody measured off CUDA are expected to be short of too."""
    rows = [row for row in public() if row.device.family == "ascend910"]
    k = fit(prepare(rows), rounds=5)
    named = ("compute", "narrow", "eta_m", "layer_us")
    own, kin, far = (
        np.array([np.log(k.of("family", family, name) / UNFITTED.of("family", family, name)) for name in named])
        for family in ("ascend910", "cambricon", "hopper")
    )
    assert np.abs(own).max() > 0.05
    assert np.allclose(kin, 0.7 * own, atol=1e-3)
    assert np.allclose(far, 0, atol=1e-9)
    assert not k.calibrated("family", "cambricon")


def test_an_engine_without_graphs_is_expected_to_launch_slowly() -> None:
    row = next(row for row in public() if row.group == "vllm_ascend|decode|Ascend-910B|Qwen3-32B")
    eager, replayed = (
        predict(prepare([replace(row, engine=engine)]), UNFITTED)[0] for engine in ("vllm-ascend", "sglang-ascend")
    )
    layers = row.shape.layers
    assert eager - replayed > 0.2 * layers  # ms


def test_pairs_count_only_equal_work_on_two_chips() -> None:
    rows = public()
    assert all(
        rows[a].shape == rows[b].shape and rows[a].metric == rows[b].metric and rows[a].device != rows[b].device
        for a, b in counterparts(rows)
    )
    found = pairs(validate(rows, packaged()))
    assert found.pairs == len(counterparts(rows)) > 100
    assert found.sign >= 0.9


def test_a_split_by_pairs_leaves_both_sides_out_at_once() -> None:
    rows = public()
    names = kept_together(rows)
    home = {i: number for number, part in enumerate(folds(names, 6)) for i in part.tolist()}
    assert all(home[a] == home[b] for a, b in counterparts(rows))
    whole = dict(zip(groups(rows), names, strict=True))
    assert [whole[group] for group in groups(rows)] == names
    assert len(set(names)) > 150


def test_constants_are_few() -> None:
    """Six a chip family, two an engine and eight for the world are fitted; the rest are stated assumptions."""
    assert [sum(spread > 0 for _, spread, _, _ in spec.values()) for spec in keep.GROUPS.values()] == [6, 2, 8]


def test_a_bad_row_is_refused_by_line_and_counted() -> None:
    text = rows_of(10) + rows_of(1, chip="H20O").splitlines()[1] + "\n" + rows_of(1, value="-4").splitlines()[1] + "\n"
    rows, refused = read_text(text, "f.csv")
    assert len(rows) == 10
    assert "f.csv:12: chip: H20O" in refused[0]
    assert "f.csv:13: value: must be greater than zero" in refused[1]
    done = validate(rows, packaged(), refused)
    assert done.answered == pytest.approx(10 / 12)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("kind", "decod", "did you mean decode"),
        ("metric", "tpot", "metric"),
        ("precision", "fp7", "precision"),
        ("tp", "two", "not a number"),
        ("batch", "-1", "greater than zero"),
        ("count", "0.5", "one card or more"),
    ],
)
def test_every_bad_field_names_itself(field: str, value: str, words: str) -> None:
    rows, refused = read_text(rows_of(1, **{field: value}), "f.csv")
    assert not rows
    assert words in refused[0]


def test_a_model_that_nobody_knows_is_built_from_the_rows_own_shape() -> None:
    rows, refused = read_text(rows_of(1, model="My-Own-1.7B"), "f.csv")
    assert not refused
    assert np.isfinite(predict(prepare(rows), packaged())).all()


def test_the_command_ends_with_its_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(rows_of(30), "utf-8")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(deploy, ["validate", str(file)], catch_exceptions=False)
    assert Path("mine.predicted.png").read_bytes().startswith(b"\x89PNG")
    assert len(Path("mine.predicted.csv").read_text("utf-8").splitlines()) == 31
    assert result.exit_code == 0
    last = result.stdout.strip().splitlines()[-1]
    assert re.fullmatch(r"median [\d.]+ % p90 [\d.]+ % answered [\d.]+ %", last)
    assert "inside 80 %" in result.stdout


def test_an_empty_file_is_answered_in_words(tmp_path: Path) -> None:
    file = tmp_path / "empty.csv"
    file.write_text(TEXT.splitlines()[0] + "\n", "utf-8")
    result = CliRunner().invoke(
        deploy, ["validate", str(file), "--rows", str(tmp_path / "r.csv"), "--chart", str(tmp_path / "c.png")]
    )
    assert result.exit_code == 0
    assert "No row could be answered" in result.stdout


def test_constants_survive_the_file(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    path.write_text(keep.to_json(packaged()), "utf-8")
    assert keep.read_file(path) == packaged()
    data = json.loads(path.read_text("utf-8"))
    data["values"]["family.hopper.compute"] = 1.7
    path.write_text(json.dumps(data), "utf-8")
    with pytest.raises(UserError, match=r"values\.family\.hopper\.compute: 1\.7 is outside 0\.15 to 1"):
        keep.read_file(path)


def test_measurement_is_a_frozen_record() -> None:
    row: Measurement = public()[0]
    with pytest.raises(AttributeError):
        row.value = 3.0  # type: ignore[misc]
