"""What models and chips are: published sizes, units, and errors that name the remedy."""

from __future__ import annotations

import pytest

from twokey.chips import UserError
from twokey.deploy import hardware, model, models
from twokey.deploy.candidates import number
from twokey.deploy.units import count, kilowatts, milliseconds

TIED = {"Llama-3.2-1B", "Llama-3.2-3B"}  # embeddings shared with the output projection
LOOSE = {"Qwen1.5-MoE-A2.7B", "Skywork-13B", "MPT-1B"}


@pytest.mark.parametrize("name", sorted(set(models()) - TIED - LOOSE))
def test_shape_reproduces_published_size(name: str) -> None:
    m = model(name)
    own = m.layers * (m.attention + m.dense_ffn) + m.moe_layers * m.experts * m.expert + 2 * m.head
    assert own == pytest.approx(m.total, rel=0.06)


def test_910c_card_is_two_devices() -> None:
    die, card = hardware("Ascend 910C"), hardware("Ascend 910B2")
    assert die.per_card == 2
    assert die.tflops16 * die.per_card == 752
    assert die.memory_gb * die.per_card == 128
    assert die.bandwidth_gbs == card.bandwidth_gbs


def test_b200_and_h20_count_as_one() -> None:
    assert hardware("B200").per_card == 1
    assert (hardware("H20").tflops16, hardware("H20").tflops8) == (148, 296)


def test_domestic_is_the_vendors_country() -> None:
    assert hardware("MetaX C500").domestic
    assert hardware("Cambricon MLU590").domestic
    assert not hardware("H20").domestic


def test_precision_that_the_chip_lacks_is_only_stored() -> None:
    shape = model("Qwen3-8B")
    on_a100, on_h100 = (number("fp8", hardware(chip), shape, "vllm") for chip in ("A100 SXM", "H100 SXM"))
    assert (on_a100.bits, on_a100.weight) == (16, 1)
    assert on_h100.bits == 8
    assert number("fp8", hardware("Ascend 910C"), shape, "vllm").bits == 16
    assert number("int8", hardware("Ascend 910C"), shape, "vllm").bits == 8


def test_unknown_names_come_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean H20"):
        hardware("H20O")
    with pytest.raises(UserError, match=r"did you mean DeepSeek-V3"):
        model("deepsek-v3")


def test_unknown_figures_are_not_invented() -> None:
    with pytest.raises(UserError, match="no public figure for memory bandwidth"):
        hardware("MLU690").need()


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (milliseconds, "50 parsecs"),
        (milliseconds, "-5ms"),
        (milliseconds, "0"),
        (count, "many"),
        (kilowatts, "20 mw!"),
        (kilowatts, "20"),
    ],
)
def test_bad_units_are_refused(read: object, text: str) -> None:
    with pytest.raises(UserError, match="field"):
        read(text, "field")  # type: ignore[operator]


def test_units() -> None:
    assert milliseconds("0.05s", "x") == 50
    assert count("4k", "x") == 4000
    assert kilowatts("2.5MW", "x") == 2500
