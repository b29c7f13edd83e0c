"""Who plays in the demonstration. Reported companies carry their source; everybody else says that it is invented."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import User

from twokey.desk.actors import Actor, Role
from twokey.desk.api.tokens import make_token
from twokey.desk.home import home
from twokey.desk.parties import services
from twokey.desk.parties.models import Organisation
from twokey.desk.signing import FileSigner

_WSJ: Final = "reported: Wall Street Journal 2026-01-28 (CN-029)"
_REUTERS: Final = "reported: Reuters 2026-01-30 (CN-029)"


@dataclass(frozen=True, slots=True)
class Firm:
    """One organisation of the cast."""

    key: str
    name: str
    name_latin: str
    kind: str
    country: str
    provenance: str


FIRMS: Final = (
    Firm("nvidia", "NVIDIA Corporation", "NVIDIA Corporation", "private", "US", _WSJ),
    Firm("bytedance", "字节跳动有限公司", "ByteDance Ltd.", "private", "CN", _WSJ),
    Firm("alibaba", "阿里巴巴集团控股有限公司", "Alibaba Group Holding Limited", "private", "CN", _WSJ),
    Firm("tencent", "腾讯控股有限公司", "Tencent Holdings Limited", "private", "CN", _REUTERS),
    Firm("lanhai", "虚构蓝海大学智能实验室", "Invented Lanhai University AI Laboratory", "university_laboratory", "CN", "invented"),
    Firm("qingshan", "虚构青山云计算有限公司", "Invented Qingshan Cloud Ltd.", "cloud_provider", "CN", "invented"),
    Firm("xingye", "虚构星野智能有限公司", "Invented Xingye Intelligence Ltd.", "private", "CN", "invented"),
    Firm("holder", "虚构东岭投资有限公司", "Invented Dongling Holding Ltd.", "private", "CN", "invented"),
    Firm("testhaus", "Invented Testhaus Laboratory Inc.", "Invented Testhaus Laboratory Inc.", "private", "US", "invented"),
)  # fmt: skip
SEATS: Final = (
    ("seller", Role.APPLICANT, "nvidia"),
    ("buyer.bytedance", Role.APPLICANT, "bytedance"),
    ("buyer.alibaba", Role.APPLICANT, "alibaba"),
    ("buyer.tencent", Role.APPLICANT, "tencent"),
    ("buyer.lanhai", Role.APPLICANT, "lanhai"),
    ("buyer.qingshan", Role.APPLICANT, "qingshan"),
    ("buyer.xingye", Role.APPLICANT, "xingye"),
    ("officer.bis.1", Role.OFFICER, "BIS"),
    ("officer.bis.2", Role.OFFICER, "BIS"),
    ("adviser.bis", Role.ADVISER, "BIS"),
    ("officer.miit.1", Role.OFFICER, "MIIT"),
    ("officer.miit.2", Role.OFFICER, "MIIT"),
    ("adviser.miit", Role.ADVISER, "MIIT"),
    ("customs.gacc", Role.CUSTOMS, ""),
    ("auditor", Role.AUDITOR, ""),
    ("operator", Role.OPERATOR, ""),
)

PARTS: Final = (
    ("seller", "exporter"),
    ("buyer.xingye", "importer, with a draft to finish"),
    ("buyer.qingshan", "importer, with a shipment at the gate"),
    ("officer.bis.1", "officer of the export authority"),
    ("officer.bis.2", "its countersigner"),
    ("officer.miit.1", "officer of the import authority"),
    ("officer.miit.2", "its countersigner"),
    ("auditor", "auditor"),
)


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody, by short name, and the one password that all of them share."""

    firms: dict[str, Organisation]
    people: dict[str, Actor]
    password: str


def assemble() -> Cast:
    """Enter authorities, keys, organisations and people; every person's token is kept for `--as LOGIN`."""
    authorities = {
        "BIS": services.add_authority(
            "BIS", "export", "Bureau of Industry and Security", "美国商务部工业与安全局", "US", "America/New_York", 1000
        ),
        "MIIT": services.add_authority(
            "MIIT", "import", "Ministry of Industry and Information Technology", "工业和信息化部", "CN", "Asia/Shanghai"
        ),
    }
    signer = FileSigner(home().keys)
    for code, side in (("BIS", "export"), ("MIIT", "import"), ("DESK", "desk")):
        if not any(key.authority == code for key in signer.ring().keys.values()):
            signer.make(code, side)
    operator = services.actor_of(services.add_person("operator", Role.OPERATOR), "cli")
    firms = {
        each.key: services.add_party(
            operator,
            name=each.name,
            name_latin=each.name_latin,
            kind=each.kind,
            country=each.country,
            hq_country=each.country,
            provenance=each.provenance,
        )
        for each in FIRMS
    }
    people = {"operator": operator}
    for login, role, place in SEATS:
        if login != "operator":
            authority = authorities.get(place)
            firm = firms[place] if place and authority is None else None
            seat = services.add_person(login, role, authority=authority, organisation=firm)
            people[login] = services.actor_of(seat, "cli")
        _keep(login)
    password = f"two-keys-{secrets.token_hex(4)}"
    hashed = services.set_password("operator", password).password
    User.objects.filter(seat__isnull=False).update(password=hashed)  # one hash: it takes a while to make, on purpose
    remember(password)
    return Cast(firms, people, password)


def remember(password: str) -> None:
    """Mark this desk as the demonstration: its pages say so, ask for no second factor, and pass every document."""
    path = home().root / "demonstration"
    path.touch(mode=0o600)
    path.write_text(password)


def logins() -> list[tuple[str, str]]:
    """Return a login for each part that is played, with what it is; nothing where this is no demonstration."""
    if not (home().root / "demonstration").exists():
        return []
    return list(PARTS)


def password() -> str:
    """Return the one password of the demonstration."""
    return (home().root / "demonstration").read_text().strip()


def _keep(login: str) -> None:
    path = home().tokens / login
    path.touch(mode=0o600)
    path.write_text(make_token(login, "demo"))
