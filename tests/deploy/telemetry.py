"""Lines as exporters write them, and what the report makes of them."""

from __future__ import annotations

from collections.abc import Sequence

from twokey.deploy.report.readings import read_exposition
from twokey.deploy.report.usage import Usage, add_up

T0 = 1_793_491_200.0  # 2026-11-01 00:00 UTC


def dcgm(t: float, gpu: int = 0, value: float = 80, namespace: str = "inference", pod: str = "p0") -> str:
    return (
        f'DCGM_FI_DEV_GPU_UTIL{{gpu="{gpu}",UUID="GPU-{gpu}",modelName="NVIDIA H200",Hostname="n1",'
        f'namespace="{namespace}",pod="{pod}"}} '
        f"{value} {int((T0 + t) * 1000)}\n"
    )


def npu_old(  # noqa: PLR0913, PLR0917 - one argument a label
    t: float, n: int = 0, value: float = 50, namespace: str = "inference", pod: str = "q0", model: str = "Ascend910B2"
) -> str:
    return (
        f'npu_chip_info_utilization{{npuID="{n}",modelName="{model}",podName="{pod}",'
        f'namespace="{namespace}"}} {value} {int((T0 + t) * 1000)}\n'
    )


def npu_new(  # noqa: PLR0913, PLR0917 - one argument a label
    t: float, n: int = 0, die: int = 0, value: float = 50, namespace: str = "inference", pod: str = "q0"
) -> str:
    return (
        f'npu_chip_info_utilization{{id="{n}",model_name="Ascend910C",pod_name="{pod}",'
        f'namespace="{namespace}",vdie_id="{die}"}} '
        f"{value} {int((T0 + t) * 1000)}\n"
    )


def usage(text: str, hours: float = 1.0, periods: int = 1, **more: object) -> Usage:
    readings, flags = read_exposition(text, "s.prom", "north", None)
    edges = [T0 + hours * 3600 * i / periods for i in range(periods + 1)]
    found = add_up(readings, edges, {}, **more)  # type: ignore[arg-type]
    return Usage(found.amounts, (*flags, *found.flags), found.edges)


def each_minute(line: object, hours: float = 1.0, skip: Sequence[int] = (), **more: object) -> str:
    return "".join(line(60.0 * i, **more) for i in range(int(hours * 60)) if i not in skip)  # type: ignore[operator]


def kinds(u: Usage) -> set[str]:
    return {flag.kind for flag in u.flags}


def counter(t: float, value: float, pod: str) -> str:
    return (
        f'vllm:generation_tokens_total{{model_name="m",namespace="inference",pod="{pod}"}} {value} '
        f"{int((T0 + t) * 1000)}\n"
    )


SACCT = (
    "JobIDRaw|Account|QOS|Partition|AllocTRES|ElapsedRaw|State|Comment|Start\n"
    "1|lab|inference|inference|cpu=8,gres/gpu:nvidia_h200_sxm=8|3600|COMPLETED||2026-11-01T00:00:00\n"
    "2|lab|inference|inference|cpu=8,gres/npu:huawei_ascend_910b2=16|1800|COMPLETED||2026-11-01T00:15:00\n"
    "2|lab|inference|inference|cpu=8,gres/npu:huawei_ascend_910b2=16|1800|COMPLETED||2026-11-01T00:15:00\n"
    "3|lab|training|training|cpu=8,gres/gpu=8|60|FAILED||2026-11-01T00:00:00\n"
)
