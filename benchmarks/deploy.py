"""How fast and how good the deploy room is, beside its peers, in one run: `python benchmarks/deploy.py`.

Peers run in an interpreter of their own: `python -m venv peers; peers/bin/pip install -r requirements/bench-deploy.in`,
then `--peers peers/bin/python`. Everything is printed as measured; nothing is asserted.

Calculon is in no registry (the package of that name there is another project), so llm-analysis alone stands for the
models of training.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path

import numpy as np

from twokey.deploy import hardware, model
from twokey.deploy.assembly import Assembly, assemble
from twokey.deploy.calibrate import calibrate
from twokey.deploy.conditions import DomesticShare, EndUse
from twokey.deploy.constants import packaged
from twokey.deploy.estimate import best
from twokey.deploy.measurements import Measurement, public
from twokey.deploy.needs import Need, needs
from twokey.deploy.place import place_with
from twokey.deploy.plan import Fleet, Plan, Site, Workload
from twokey.deploy.search import Work, serving_options
from twokey.deploy.solver import solve

CHIPS = (
    "H200 SXM",
    "H20",
    "H100 SXM",
    "H800 SXM",
    "A100 SXM",
    "L40S",
    "Ascend 910C",
    "Ascend 910B2",
    "Ascend 910B3",
    "MetaX C500",
    "Hygon-DCU-64G",
    "MTT-S4000",
)
MODELS = (
    "DeepSeek-V3",
    "Qwen3-32B",
    "Qwen3-235B-A22B",
    "Llama-3.1-8B",
    "Llama-3.1-70B",
    "Qwen3-14B",
    "GLM-4.5-Air",
    "Kimi-K2",
)


def say(text: str) -> None:
    print(text, flush=True)


def speed() -> None:
    constants = packaged()
    work = Work("serve", model("DeepSeek-V3"), 4096, 1024, tpot_ms=60)
    device = hardware("H200 SXM")
    serving_options(device, work, constants)
    begun, worked, tried, turns = time.perf_counter(), time.process_time(), 0, 0
    while time.perf_counter() - begun < 3:
        tried += len(serving_options(device, work, constants).world)
        turns += 1
    seconds, worked = time.perf_counter() - begun, time.process_time() - worked
    say(
        f"configurations a second: {tried / seconds:,.0f}, of processor time {tried / worked:,.0f} "
        f"({turns} searches of {tried // turns:,})"
    )
    times = []
    for chip in CHIPS[:8]:
        for kind in ("decode", "serve", "prefill"):
            w = Work(kind, model("Qwen3-32B"), 4096, 1024)
            begun = time.perf_counter()
            best(hardware(chip), w, constants)
            times.append(time.perf_counter() - begun)
    say(
        f"best configuration of one workload on one chip: median {1e3 * np.median(times):.1f} ms, "
        f"most {1e3 * max(times):.1f} ms"
    )


def instance(seed: int, workloads: int = 5000, sites: int = 50, kinds: int = 4) -> Plan:
    """Return a random plan: fifty sites, `kinds` of twelve chips at each, eight candidate sites for a workload."""
    rng = np.random.default_rng(seed)
    places = tuple(Site(f"s{i}", "CN", 1e9) for i in range(sites))
    fleets = tuple(
        Fleet(site.name, hardware(CHIPS[c]), float(rng.integers(40, 400) * 8), 1.0, float(rng.uniform(0.5, 4)))
        for site in places
        for c in rng.choice(len(CHIPS), size=kinds, replace=False)
    )
    made = []
    for i in range(workloads):
        chosen = tuple(f"s{j}" for j in rng.choice(sites, size=8, replace=False))
        name = MODELS[int(rng.integers(len(MODELS)))]
        use = ("research", "product")[int(rng.integers(2))]
        if rng.random() < 0.8:
            made.append(
                Workload(
                    f"w{i}",
                    "inference",
                    model(name),
                    use,
                    float(rng.uniform(0.5, 2)),
                    float(rng.choice([1024.0, 4096.0])),
                    512.0,
                    (float(rng.uniform(2e4, 2e5)),),
                    float(rng.choice([60.0, 120.0])),
                    sites=chosen,
                )
            )
        else:
            made.append(
                Workload(
                    f"w{i}",
                    "training",
                    model(name),
                    use,
                    float(rng.uniform(0.5, 2)),
                    4096.0,
                    1.0,
                    (),
                    None,
                    float(rng.choice([2e10, 5e10])),
                    float(rng.choice([15.0, 30.0])),
                    sites=chosen,
                )
            )
    conditions = (
        DomesticShare("inference", "inference", 0.6, "nominal-compute"),
        DomesticShare("training", "training", 0.3, "tasks"),
        EndUse("h200", ("H200 SXM",), ("research",)),
    )
    return Plan(f"random {seed}", "served", places, fleets, tuple(made), conditions)


def greedy(built: Assembly) -> float:
    """Place the most valuable work per card first, where there is room, keeping each share as it goes."""
    plan = built.plan
    left = np.array([f.cards for f in plan.fleets])
    domestic = np.array([f.device.domestic for f in plan.fleets])
    shares = [c for c in plan.conditions if isinstance(c, DomesticShare)]
    debt = {c.id: 0.0 for c in shares}
    room = np.ones(len(plan.workloads))
    worth = 0.0
    is_job = built.period < 0
    order = np.argsort(-(built.worth / np.maximum(built.cards, 1e-9)) - 1e12 * domestic[built.fleet], kind="stable")
    for i in order:
        w, f = built.workload[i], built.fleet[i]
        part = min(room[w], left[f] / max(built.cards[i], 1e-9))
        if is_job[i]:
            part = float(part >= 1)
        mine = [c for c in shares if (c.of == "training") == bool(is_job[i])]
        for c in mine:
            weight = (c.at_least - domestic[f]) * built.measure[c.id][i]
            if weight > 0:
                allowed = max(-debt[c.id], 0.0) / weight
                part = float(allowed >= 1) if is_job[i] else min(part, allowed)
        if part <= 0:
            continue
        for c in mine:
            debt[c.id] += (c.at_least - domestic[f]) * built.measure[c.id][i] * part
        room[w] -= part
        left[f] -= built.cards[i] * part
        worth += built.worth[i] * part
    return worth


def placement(seeds: int, workloads: int, direct: float, kinds: int) -> None:
    for seed in range(seeds):
        plan = instance(seed, workloads, kinds=kinds)
        begun, worked = time.perf_counter(), time.process_time()
        need: dict[tuple[int, str], Need] = needs(plan, packaged())
        estimated = time.perf_counter() - begun
        begun = time.perf_counter()
        answer = place_with(plan, need, say, seconds=60, prices=False)
        seconds, worked = time.perf_counter() - begun, time.process_time() - worked
        built = assemble(plan, need)
        share = greedy(built) / answer.bound
        say(
            f"seed {seed}: 50 sites x 12 chips ({kinds} at each) x {workloads:,} workloads, "
            f"{answer.columns:,} columns: needs {estimated:.1f} s, placed in {seconds:.1f} s "
            f"({worked:.1f} s of processor time with the needs), "
            f"{100 * answer.gap:.2f} % below the linear bound; greedy "
            f"{100 * (1 - share):.2f} % below"
        )
        if direct and seed == 0:
            begun = time.perf_counter()
            found = solve(built.programme, direct, gap=1e-3)
            seconds = time.perf_counter() - begun
            gap = 1 + found.objective / answer.bound if np.isfinite(found.objective) else float("nan")
            say(
                f"  direct mixed-integer solve: {seconds:.0f} s of {direct:.0f} allowed, "
                f"{100 * gap:.2f} % below the bound ({found.status})"
            )


def peers(python: str) -> None:
    rows = public()
    say("held-out predictions for the comparison (about two minutes)")
    held_out = calibrate(rows, progress=lambda text: say(f"  {text}")).held_out
    for peer in ("llm_analysis", "genz"):
        script = Path(__file__).with_name("peers") / f"{peer}_rows.py"
        job = json.dumps([_plain(row) for row in rows])
        done = subprocess.run(
            [python, str(script)], input=job, capture_output=True, text=True, check=False, timeout=900
        )
        if done.returncode:
            say(f"{peer}: does not run here: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
            continue
        answers = json.loads(done.stdout.strip().splitlines()[-1])
        theirs = {a["id"]: a["value"] for a in answers["rows"] if a["value"]}
        index = [i for i, row in enumerate(rows) if row.id in theirs]
        if not index:
            say(f"{peer}: accepted none of the rows; first refusal: {answers.get('refusal')}")
            continue
        measured = np.array([rows[i].value for i in index])
        other = np.abs(np.array([theirs[rows[i].id] for i in index]) / measured - 1)
        ours = np.abs(held_out[index] / measured - 1)
        say(
            f"{peer} on the {len(index)} rows it accepts: median {100 * np.median(other):.1f} %, 90th "
            f"{100 * np.quantile(other, 0.9):.1f} % "
            f"({1e3 * answers['seconds'] / len(index):.2f} ms a row); twokey, groups left out: median "
            f"{100 * np.median(ours):.1f} %, "
            f"90th {100 * np.quantile(ours, 0.9):.1f} %"
        )


def _plain(row: Measurement) -> dict[str, object]:
    s = row.shape
    fields = (
        "id",
        "kind",
        "metric",
        "count",
        "tp",
        "pp",
        "dp",
        "ep",
        "precision",
        "length",
        "output",
        "batch",
        "concurrency",
        "recompute",
        "engine",
    )
    return {
        **{name: getattr(row, name) for name in fields},
        "model": s.name,
        "shape": {
            name: getattr(s, name)
            for name in ("layers", "hidden", "ffn_width", "qkv_width", "kv_heads", "experts", "head", "total")
        },
        "device": {
            name: getattr(row.device, name)
            for name in ("name", "tflops16", "tflops8", "memory_gb", "bandwidth_gbs", "link_gbs", "out_gbs", "per_card")
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="Python interpreter that has the peers")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kinds", type=int, default=4, help="chips at each site, of twelve")
    parser.add_argument("--workloads", type=int, default=5000)
    parser.add_argument("--direct", type=float, default=60, help="seconds for the direct MILP; 0 leaves it out")
    given = parser.parse_args()
    speed()
    placement(given.seeds, given.workloads, given.direct, given.kinds)
    if given.peers:
        peers(given.peers)
    else:
        say("peers left out: give --peers PYTHON")


if __name__ == "__main__":
    main()
