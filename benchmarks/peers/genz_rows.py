"""Rows in (JSON on standard input), GenZ's predictions out: decoding and static batches of the models it has by name.

An efficiency of 0.7 of the roofline is used, at which its error on these rows is least.
"""

import contextlib
import json
import logging
import os
import sys
import time

from GenZ import decode_moddeling, prefill_moddeling

logging.disable(logging.CRITICAL)
EFFICIENCY = 0.7
NAMES = {
    "Llama-2-7B": "llama2_7b",
    "Llama-2-70B": "llama2_70b",
    "Llama-3.1-8B": "llama3_8b",
    "Llama-3.1-70B": "meta-llama/meta-llama-3.1-70b",
    "Llama-3.1-405B": "llama_405b",
    "Mixtral-8x7B": "mixtral_8x7b",
    "GPT-3-175B": "gpt-3",
}


def predict(row: dict) -> float:
    if (
        row["model"] not in NAMES
        or row["kind"] not in {"decode", "offline_serve", "prefill"}
        or not row["tp"]
        or not row["length"]
    ):
        raise ValueError("no model of this name, or no parallelism given")
    d = row["device"]
    fast = row["precision"] in {"fp8", "int8"}
    system = {
        "Flops": d["tflops16"],
        "Memory_size": d["memory_gb"],
        "Memory_BW": d["bandwidth_gbs"],
        "ICN": d["link_gbs"],
        "real_values": True,
    }
    batch = int(row["concurrency"] or row["batch"] or 0)
    if not batch:
        raise ValueError("no batch")
    common = {
        "model": NAMES[row["model"]],
        "batch_size": batch,
        "system_name": system,
        "bits": "fp8" if fast else "bf16",
        "tensor_parallel": int(row["tp"]),
        "pipeline_parallel": int(row["pp"] or 1),
        "system_eff": EFFICIENCY,
    }
    if row["metric"] == "ttft_ms":
        return prefill_moddeling(input_tokens=int(row["length"]), **common)["Latency"]
    out = int(row["output"] or 0)
    step = decode_moddeling(input_tokens=int(row["length"]), output_tokens=out // 2, Bb=1, **common)["Latency"]
    if row["metric"] == "tpot_ms":
        return step
    if row["metric"] == "out_tok_s_per_chip" and out:
        first = prefill_moddeling(input_tokens=int(row["length"]), **common)["Latency"]
        return batch * out / ((first + out * step) / 1e3) / row["count"]
    raise ValueError("metric")


def main() -> None:
    answers, refusal = [], None
    begun = time.perf_counter()
    for row in json.load(sys.stdin):
        try:
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
                answers.append({"id": row["id"], "value": float(predict(row))})
        except Exception as error:  # a peer's refusal, of whatever kind, is an answer here
            if row["model"] in NAMES and refusal is None and row["kind"] == "decode":
                refusal = f"{row['id']}: {error}"
    print(json.dumps({"rows": answers, "refusal": refusal, "seconds": time.perf_counter() - begun}))


main()
