"""What no estimate may break: peaks, bandwidths, and that more of anything is never worse."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from twokey.deploy import hardware, model
from twokey.deploy.constants import Constants, packaged
from twokey.deploy.devices import Hardware, altered
from twokey.deploy.equivalence import curve
from twokey.deploy.performance.forward import Pass, padded
from twokey.deploy.performance.network import all_to_all
from twokey.deploy.performance.serving import drafting, prompt_pass
from twokey.deploy.search import Fixed, Options, Work, serving_options, training_options
from twokey.deploy.shapes import Shape

CHIPS = ("H200 SXM", "H20", "Ascend 910C", "Ascend 910B2", "MetaX C500", "Cambricon MLU590", "B200", "L40S", "MI300X")
MODELS = ("DeepSeek-V3", "Qwen3-32B", "Llama-3.1-8B", "Qwen3-30B-A3B", "GPT-OSS-120B", "Gemma-3-27B")
chips = st.sampled_from(CHIPS)
works = st.builds(
    Work,
    kind=st.sampled_from(["prefill", "decode", "serve"]),
    shape=st.sampled_from(MODELS).map(model),
    input=st.sampled_from([128.0, 1024.0, 4096.0, 32768.0]),
    output=st.sampled_from([128.0, 1024.0]),
    tpot_ms=st.sampled_from([None, 30.0, 100.0]),
    engine=st.sampled_from(["own", "vllm", "tensorrt-llm", "sglang"]),
)


def best(found: Options) -> float:
    return float(np.where(found.feasible, found.rate / found.world, 0.0).max())


@settings(deadline=None, max_examples=60)
@given(chips, works)
def test_never_above_the_peak(chip: str, work: Work) -> None:
    device = hardware(chip)
    found = serving_options(device, work, packaged())
    per_token = 2 * (work.shape.active - work.shape.head) * 0.85  # a little less than the matrices of one token
    flops = found.rate * per_token
    assert (flops <= found.world * device.tflops8 * max(1.0, device.tflops4 / device.tflops8) * 1e12 * 1.0001).all()


@settings(deadline=None, max_examples=60)
@given(chips, st.sampled_from(MODELS).map(model), st.sampled_from([256.0, 4096.0, 65536.0]))
def test_decoding_never_reads_faster_than_the_memory(chip: str, shape: Shape, context: float) -> None:
    device = hardware(chip)
    work = Work("decode", shape, input=context)
    found = serving_options(device, work, packaged())
    c, s = found.on.config, work.shape
    read = s.full_share * context + (1 - s.full_share) * min(context, s.window)
    cache = (
        s.layers * found.sequences / c.dp * read * s.cache_values * float(c.cache_bytes) / np.minimum(c.tp, s.kv_heads)
    )
    alone = found.tpot * device.bandwidth_gbs * 1e9 * c.pp
    assert (cache / c.pp <= alone * 1.0001).all()


@settings(deadline=None, max_examples=40)
@given(chips, works, st.sampled_from(["bandwidth_gbs", "memory_gb", "link_gbs", "out_gbs"]), st.floats(1.01, 3.0))
def test_a_better_chip_is_never_slower(chip: str, work: Work, field: str, factor: float) -> None:
    device = hardware(chip)
    better = altered(device, **{field: getattr(device, field) * factor})
    assert best(serving_options(better, work, packaged())) >= best(serving_options(device, work, packaged())) * (
        1 - 1e-9
    )


@settings(deadline=None, max_examples=40)
@given(chips, works, st.integers(1, 700), st.integers(0, 300))
def test_more_chips_are_never_slower(chip: str, work: Work, devices: int, more: int) -> None:
    found = serving_options(hardware(chip), work, packaged())

    def total(n: int) -> float:
        i = found.best_for(n)
        return 0.0 if i is None else float(np.floor(n / found.world[i]) * found.rate[i])

    assert total(devices + more) >= total(devices) * (1 - 1e-9)


@settings(deadline=None, max_examples=25)
@given(chips, st.sampled_from(["Llama-3.1-70B", "DeepSeek-V3", "Qwen3-8B"]), st.sampled_from([64, 512, 4096]))
def test_training_never_above_the_peak_and_clusters_never_slower(chip: str, name: str, devices: int) -> None:
    device, work = hardware(chip), Work("train", model(name))
    found = training_options(device, work, packaged(), devices)
    linear = 6 * (work.shape.active - work.shape.head) * 0.85
    assert (found.rate * linear <= devices * device.tflops16 * 1e12).all()
    points = curve(device, work, packaged(), most=4096)
    rates = [rate for _, rate, _, _ in points]
    assert rates == sorted(rates)


def test_a_tighter_limit_never_serves_more() -> None:
    device = hardware("H200 SXM")
    rates = [
        best(serving_options(device, Work("decode", model("DeepSeek-V3"), tpot_ms=t), packaged()))
        for t in (20, 50, 100)
    ]
    assert rates == sorted(rates)


def test_uncalibrated_chips_have_the_widest_interval() -> None:
    from twokey.deploy.intervals import bounds

    k = packaged()
    known = [bounds(k, kind, "hopper", False, "own") for kind in ("decode", "train", "prefill", "offline_serve")]
    unknown = bounds(k, "decode", hardware("Cambricon MLU590").family, True, "own")
    assert all(unknown[1] / unknown[0] > high / low for low, high in known)
    assert not k.calibrated("family", hardware("Kunlunxin P800").family)


@settings(deadline=None, max_examples=40)
@given(chips, works, st.floats(0.01, 1.0))
def test_reading_the_cache_again_is_never_faster(chip: str, work: Work, reread: float) -> None:
    """Only where query heads share a cached head: MLA and full multi-head attention have nothing to read again."""
    values = dict(packaged().values)
    rates = []
    for share in (0.001, reread):
        values[f"engine.{work.engine}.reread"] = share
        rates.append(best(serving_options(hardware(chip), work, Constants(values))))
    assert rates[1] <= rates[0] * (1 + 1e-9)
    if work.kind == "decode" and work.shape.shared_heads == 1:
        assert rates[1] == rates[0]


@given(st.floats(1, 1e5), st.floats(1.01, 4.0))
def test_tiles_cost_at_most_twice_and_more_rows_never_less(rows: float, factor: float) -> None:
    tile = np.asarray(64.0)
    few, many = (rows * f * float(padded(np.asarray(rows * f), tile)) for f in (1.0, factor))
    assert rows <= few <= 2 * rows
    assert few <= many


def test_a_domain_is_sent_one_copy_of_a_token() -> None:
    """Eight experts over four servers: fewer bytes leave than copies are made."""
    on = serving_options(hardware("H800"), Work("decode", model("DeepSeek-V3")), packaged()).on
    size = np.asarray(1e9)
    once, eight = (float(np.ravel(all_to_all(on, np.asarray(32.0), size, copies))[0]) for copies in (1.0, 8.0))
    assert eight < once
    within = (float(np.ravel(all_to_all(on, np.asarray(8.0), size, copies))[0]) for copies in (1.0, 8.0))
    assert next(within) == next(within)  # inside one domain every copy is sent


def test_two_dies_share_a_cards_figures() -> None:
    device: Hardware = hardware("Ascend 910C")
    found = serving_options(device, Work("prefill", model("Qwen3-32B"), precision="int8"), packaged())
    per_card = best(found) * device.per_card
    assert per_card * 2 * model("Qwen3-32B").active < 1504e12


def _pass_of(device: Hardware, name: str, length: float, engine: str = "own") -> Pass:
    """One prompt of `length` tokens on one device, whatever fits in its memory."""
    on = serving_options(device, Work("prefill", model(name), engine=engine), packaged(), Fixed(tp=1, pp=1, batch=1)).on
    return prompt_pass(on, np.asarray(1.0), np.asarray(length))


def test_launches_of_a_prompt_hide_behind_the_devices_work() -> None:
    """A long prompt keeps the device busy while the host launches; a short one waits for the host."""
    short, long = (_pass_of(hardware("H200 SXM"), "Qwen3-8B", tokens) for tokens in (32.0, 8192.0))
    host = packaged().of("family", "hopper", "layer_us") * packaged().of("world", "all", "prompt_launch") * 1e-6
    least = host * model("Qwen3-8B").layers * packaged().of("engine", "own", "launch")
    assert float(np.ravel(short.total)[0]) >= least
    assert float(np.ravel(long.overhead)[0]) < 0.2 * least < float(np.ravel(long.total)[0])


@settings(deadline=None, max_examples=30)
@given(chips, works, st.floats(1.01, 8.0))
def test_fetching_experts_less_often_is_never_slower(chip: str, work: Work, factor: float) -> None:
    values = dict(packaged().values)
    rates = []
    for block in (64.0, 64.0 * factor):
        values["world.all.block"] = block
        rates.append(best(serving_options(hardware(chip), work, Constants(values))))
    assert rates[0] <= rates[1] * (1 + 1e-9)
    if not work.shape.experts:
        assert rates[0] == rates[1]


def test_experts_come_nearer_the_peak_where_there_is_less_arithmetic_per_byte() -> None:
    """An H20 has a sixth of an H200's arithmetic behind nearly the same memory: reading experts again costs it less."""
    shares = []
    for chip in ("H20", "H200 SXM"):
        device = hardware(chip)
        found = serving_options(device, Work("prefill", model("DeepSeek-V3"), precision="fp8"), packaged())
        shares.append(best(found) * 2 * model("DeepSeek-V3").active / (device.tflops8 * 1e12))
    assert shares[0] > 1.5 * shares[1]


def test_each_drafted_token_takes_its_time() -> None:
    on = serving_options(hardware("H200 SXM"), Work("decode", model("Qwen3-32B")), packaged()).on
    step = np.asarray(20e-3)
    none, one, three = (drafting(on, step, np.asarray(float(n))) for n in (0, 1, 3))
    assert (none == 0).all()
    assert (one > step / model("Qwen3-32B").layers).all()
    assert np.allclose(three, 3 * one)
