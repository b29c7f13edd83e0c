"""What a transformer is made of: weights, FLOPs and cache bytes per layer, from its published shape."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files

from twokey.chips import UserError, nearest

_ALIASES = {
    "deepseek-r1": "DeepSeek-V3",
    "deepseek-v3.1": "DeepSeek-V3",
    "deepseek-v3-0324": "DeepSeek-V3",
    "llama-3-70b": "Llama-3.1-70B",
    "llama-3.3-70b": "Llama-3.1-70B",
    "llama-3-8b": "Llama-3.1-8B",
    "glm-4.6": "GLM-4.5",
    "kimi-k2.5": "Kimi-K2",
    "gpt-3": "GPT-3-175B",
}
_MLA_QUERY_RANK = 1536  # DeepSeek-V2, V3, Kimi-K2: rank of the query projection
_MLA_HEAD = 128  # width of a head without its rotary part


@dataclass(frozen=True, slots=True)
class Shape:
    """One model's sizes, as plain numbers that the performance functions broadcast over.

    Parameters are counts (not billions). `attention_*_flops` are per query token, per context token and per layer,
    averaged over the layers; `window` bounds the context that the windowed share of layers reads.

    >>> round(model("deepseek-v3").total / 1e9)
    671
    >>> model("Llama-3.1-70B").cache_values
    2048.0
    """

    name: str
    total: float  # parameters of the whole model
    active: float  # parameters that one token uses
    layers: float
    hidden: float
    attention: float  # parameters of attention in one layer
    dense_ffn: float  # parameters of the always-on FFN of one layer, averaged over layers (shared experts counted)
    expert: float  # parameters of one routed expert
    experts: float  # routed experts per MoE layer, 0 for a dense model
    topk: float
    moe_layers: float
    head: float  # parameters of the output projection
    cache_values: float  # cached numbers per token and layer
    kv_heads: float  # ways in which tensor parallelism may split the cache
    decode_flops: float  # attention FLOPs per query token, context token and layer when decoding
    prefill_flops: float  # the same when reading the prompt, without the causal half
    full_share: float  # share of layers that read the whole context
    window: float  # context read by the other layers
    ffn_width: float  # narrowest matrix dimension of the FFN
    qkv_width: float = 0.0
    shared_heads: float = 1.0  # query heads that attend to one cached head (1 for MLA, whose heads share one latent)
    weight4: float = 0.0  # 1 where the experts ship in four bits (MXFP4)


def _number(row: Mapping[str, str], field: str) -> float:
    text = (row.get(field) or "").strip()
    return float(text) if text else 0.0


def _attention_pattern(row: Mapping[str, str], name: str) -> tuple[float, float]:
    """Return the share of layers with full attention, and the window of the others."""
    kind = row.get("attention") or ""
    if "SWA(128)" in kind or name.startswith("GPT-OSS"):
        return 0.5, 128.0
    if "5:1" in kind or name.startswith("Gemma-3"):
        return 1 / 6, 1024.0
    if "alternating" in kind or name.startswith("Gemma-2"):
        return 0.5, 4096.0
    if "hybrid" in kind:
        return 0.25, 0.0
    if "DSA" in kind or name == "DeepSeek-V3.2":
        return 0.08, 2048.0  # a cheap indexer reads the whole context, attention proper at most 2,048 tokens
    return 1.0, 0.0


def shape_of(row: Mapping[str, str], name: str = "") -> Shape:
    """Return the shape described by a row in the form of `models.csv`, or by the shape columns of a measurement.

    Raises UserError where a column that the model cannot do without (layers, hidden, heads, ffn) is empty.
    """
    name = name or row.get("model", "")
    for field in ("layers", "hidden", "heads", "ffn"):
        if not _number(row, field) > 0:
            raise UserError(f"model {name}: {field} is missing; give the shape as in models.csv")
    layers, hidden, heads, ffn = (_number(row, field) for field in ("layers", "hidden", "heads", "ffn"))
    kv_heads = _number(row, "kv_heads") or heads
    head_dim = _number(row, "head_dim") or hidden / heads
    rank, rope = _number(row, "kv_lora_rank"), _number(row, "rope_head_dim")
    if rank:
        width = _MLA_HEAD + rope
        attention = (
            hidden * (_MLA_QUERY_RANK + rank + rope)
            + _MLA_QUERY_RANK * heads * width
            + rank * heads * 2 * _MLA_HEAD
            + heads * _MLA_HEAD * hidden
        )
        cache_values, split = rank + rope, 1.0
        decode_flops, prefill_flops = 2 * heads * (2 * rank + rope), 2 * heads * (width + _MLA_HEAD)
    else:
        attention = 2 * hidden * heads * head_dim + 2 * hidden * kv_heads * head_dim
        cache_values, split = 2 * kv_heads * head_dim, kv_heads
        decode_flops = prefill_flops = 4 * heads * head_dim
    matrices = 3.0 if row.get("gated_ffn", "1") != "0" else 2.0
    experts, shared = _number(row, "experts"), _number(row, "shared_experts")
    always = _number(row, "dense_layers")
    expert = matrices * hidden * ffn if experts else 0.0
    dense = matrices * hidden * ffn * layers
    if experts:
        dense = always * matrices * hidden * _number(row, "dense_ffn") + (layers - always) * shared * expert
    if name == "Snowflake-Arctic":
        dense = layers * 3 * hidden * hidden  # a dense residual FFN runs beside the experts
    head = hidden * _number(row, "vocab")
    own = layers * attention + dense + (layers - always) * experts * expert + 2 * head
    total = _number(row, "total_params_b") * 1e9 or own
    active = _number(row, "active_params_b") * 1e9
    active = active or layers * attention + dense + (layers - always) * _number(row, "topk") * expert + head
    full_share, window = _attention_pattern(row, name)
    return Shape(
        name=name,
        total=total,
        active=active,
        layers=layers,
        hidden=hidden,
        attention=attention,
        dense_ffn=dense / layers,
        expert=expert,
        experts=experts,
        topk=_number(row, "topk"),
        moe_layers=(layers - always) if experts else 0.0,
        head=head,
        cache_values=cache_values,
        kv_heads=split,
        decode_flops=decode_flops,
        prefill_flops=prefill_flops,
        full_share=full_share,
        window=window,
        ffn_width=ffn,
        qkv_width=heads * head_dim,
        shared_heads=1.0 if rank else heads / kv_heads,
        weight4=1.0 if name.startswith("GPT-OSS") else 0.0,
    )


@cache
def models() -> dict[str, Shape]:
    """Return every packaged model by name, in the order of the table."""
    text = files("twokey.deploy").joinpath("data/models.csv").read_text("utf-8")
    return {row["model"]: shape_of(row) for row in csv.DictReader(text.splitlines())}


def _fold(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum() or c == ".")


def model(name: str) -> Shape:
    """Return the packaged model of a name or alias; UserError with the nearest names where there is none.

    >>> model("deepseek-r1").name
    'DeepSeek-V3'
    """
    known = {_fold(key): key for key in models()}
    known.update({_fold(alias): target for alias, target in _ALIASES.items()})
    found = known.get(_fold(name))
    if found is None:
        hint = nearest(name, [*models(), *_ALIASES])
        raise UserError(f"{name}: no model of this name{hint}; `twokey deploy models` lists them")
    return models()[found]


NUMBERS = tuple(field.name for field in fields(Shape) if field.name != "name")
