"""What a number counts: every number carries its basis, and numbers on different bases are never combined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from twokey.chips.errors import UserError

H100E_8BIT: Final = "h100e: 8-bit operations"
H100E_BANDWIDTH: Final = "h100e: memory bandwidth"
TPP: Final = "tpp: total processing performance"
UNITS: Final = "units: accelerator packages"

DEFINITIONS: Final[dict[str, tuple[str, str]]] = {
    H100E_8BIT: ("dense 8-bit operations a second / 1,979 TOPS (Epoch convention)", "稠密 8 位运算速率 / 1,979 TOPS"),
    H100E_BANDWIDTH: ("memory bandwidth / 3,350 GB/s", "显存带宽 / 3,350 GB/s"),
    TPP: ("sum of TPP, the highest over precisions (ECCN 3A090 note 2)", "TPP 之和，取各精度最大值"),
    UNITS: ("accelerator packages, of one named chip or of domestic makers", "加速器封装件数"),
    "usd: China incl. Hong Kong by customer headquarters": (
        "all products sold to customers headquartered in China or Hong Kong, wherever the chips sit; includes gaming",
        "总部在中国内地或香港的客户，含游戏产品，不论芯片在何处",
    ),
    "usd: China incl. Hong Kong by billing location": (
        "billing location, used by the company until FY26Q2; not comparable with the headquarters basis",
        "按开票地，公司用至 FY26Q2；与总部口径不可比",
    ),
    "usd: China-specific data-centre GPUs": ("H20, then H200, sold to China", "对华数据中心专用 GPU（H20，后为 H200）"),
    "units: cards of every grade (IDC)": ("every grade of accelerator card", "各档加速卡"),
    "units: chips sold to Chinese owners (Epoch)": (
        "data-centre chips of the A100 class and up",
        "A100 级及以上数据中心芯片",
    ),
}


_ZH: Final = {
    H100E_8BIT: "H100 当量：8 位运算",
    H100E_BANDWIDTH: "H100 当量：显存带宽",
    TPP: "TPP：综合运算性能",
    UNITS: "件数：加速器封装",
}


def basis_in(basis: str, lang: str) -> str:
    """Return the name of a basis in English or in Chinese; a basis of a data series keeps its own name.

    >>> basis_in(TPP, "en"), basis_in(TPP, "zh")
    ('tpp: total processing performance', 'TPP：综合运算性能')
    """
    return _ZH.get(basis, basis) if lang == "zh" else basis


class MixedBasisError(UserError):
    """Numbers on different bases were to be combined or set side by side."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit and basis; sums, differences and ratios exist only within one basis.

    >>> hq = Quantity(19.677, "usd_bn", "usd: China incl. Hong Kong by customer headquarters")
    >>> hq / hq
    1.0
    >>> hq + Quantity(17.108, "usd_bn", "usd: China incl. Hong Kong by billing location")
    Traceback (most recent call last):
    twokey.outlook.basis.MixedBasisError: cannot combine numbers on different bases: usd: China incl. Hong Kong by \
billing location; usd: China incl. Hong Kong by customer headquarters. Choose one basis
    """

    value: float
    unit: str
    basis: str

    def __add__(self, other: Quantity) -> Quantity:
        one_basis([self, other])
        return Quantity(self.value + other.value, self.unit, self.basis)

    def __sub__(self, other: Quantity) -> Quantity:
        one_basis([self, other])
        return Quantity(self.value - other.value, self.unit, self.basis)

    def __truediv__(self, other: Quantity) -> float:
        one_basis([self, other])
        return self.value / other.value


def one_basis(quantities: Iterable[Quantity]) -> str:
    """Return the one basis and unit that all quantities share; raise `MixedBasisError` where they do not.

    >>> one_basis([Quantity(1.0, "h100e", H100E_8BIT), Quantity(2.0, "h100e", H100E_8BIT)])
    'h100e: 8-bit operations'
    """
    kept = list(quantities)
    bases = sorted({quantity.basis for quantity in kept})
    if len(bases) != 1:
        raise MixedBasisError(
            f"cannot combine numbers on different bases: {'; '.join(bases) or 'nothing given'}. Choose one basis"
        )
    units = sorted({quantity.unit for quantity in kept})
    if len(units) != 1:
        raise MixedBasisError(f"cannot combine {bases[0]} in different units: {', '.join(units)}. Convert one of them")
    return bases[0]
