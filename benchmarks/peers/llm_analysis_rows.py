"""Rows in (JSON on standard input), llm-analysis's predictions out: dense training rows with known parallelism.

Its own advice is an efficiency of about 0.5 of the peak; the run uses that.
"""

import json
import logging
import sys
import time

from llm_analysis.analysis import ActivationRecomputation, DSZeRO, LLMAnalysis
from llm_analysis.config import DtypeConfig, GPUConfig, ModelConfig, ParallelismConfig

logging.disable(logging.CRITICAL)
EFFICIENCY = 0.5


def predict(row: dict) -> float:
    s, d = row["shape"], row["device"]
    if s["experts"] or row["kind"] != "train" or not (row["tp"] and row["pp"] and row["count"] and row["batch"]):
        raise ValueError("needs a dense training row with known parallelism and batch")
    model = ModelConfig(
        name="m",
        num_layers=int(s["layers"]),
        n_head=int(s["qkv_width"] // 128),
        hidden_dim=int(s["hidden"]),
        vocab_size=int(s["head"] / s["hidden"]),
        max_seq_len=int(row["length"]),
        num_key_value_heads=None,
        ffn_embed_dim=int(s["ffn_width"]),
        expansion_ratio=s["ffn_width"] / s["hidden"],
    )
    gpu = GPUConfig(
        name="g",
        mem_per_GPU_in_GB=d["memory_gb"],
        hbm_bandwidth_in_GB_per_sec=d["bandwidth_gbs"],
        intra_node_bandwidth_in_GB_per_sec=2 * d["link_gbs"],
        intra_node_min_message_latency=8e-6,
        peak_fp16_TFLOPS=d["tflops8"] if row["precision"] == "fp8" else d["tflops16"],
        inter_node_bandwidth_in_GB_per_sec=8 * d["out_gbs"],
    )
    tp, pp = int(row["tp"]), int(row["pp"])
    dp = max(int(row["count"]) // (tp * pp), 1)
    analysis = LLMAnalysis(
        model, gpu, DtypeConfig(), ParallelismConfig(tp_size=tp, pp_size=pp, dp_size=dp), flops_efficiency=EFFICIENCY
    )
    per = max(int(row["batch"]) // dp, 1)
    summary = analysis.training(
        batch_size_per_gpu=1,
        gradient_accumulation_steps=per,
        seq_len=int(row["length"]),
        total_num_tokens=int(1e12),
        activation_recomputation=ActivationRecomputation.FULL
        if row["recompute"] == "full"
        else ActivationRecomputation.NONE,
        ds_zero=DSZeRO.STAGE_3 if tp * pp == 1 else DSZeRO.STAGE_1,
    )
    tokens = dp * per * row["length"]
    step = (
        summary["latency_per_iter"]
        if "latency_per_iter" in summary
        else summary["total_training_latency"] * tokens / 1e12
    )
    if row["metric"] == "iter_time_s":
        return step
    if row["metric"] == "tok_s_per_chip":
        return tokens / step / row["count"]
    raise ValueError("metric")


def main() -> None:
    answers, refusal = [], None
    begun = time.perf_counter()
    for row in json.load(sys.stdin):
        try:
            answers.append({"id": row["id"], "value": float(predict(row))})
        except Exception as error:  # a peer's refusal, of whatever kind, is an answer here
            refusal = refusal or f"{row['id']}: {error}" if row["kind"] == "train" else refusal
    print(json.dumps({"rows": answers, "refusal": refusal, "seconds": time.perf_counter() - begun}))


main()
