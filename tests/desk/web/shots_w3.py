import os
from pathlib import Path
from typing import Any
import pytest
from twokey.desk.ledger.models import Authorisation, Shipment
from .conftest import check_page, axe, sideways
OUT = Path("/tmp/w3shots"); OUT.mkdir(exist_ok=True)

def test_shots(open_as: Any, desk: Any) -> None:
    a = Authorisation.objects.order_by("-pk")[1]
    s = list(Shipment.objects.order_by("pk"))
    bad = []
    plan = [
      ("batches","/ledger/batches/","officer.miit.1"),("batch","/ledger/batches/1/","officer.miit.2"),
      ("auths","/ledger/authorisations/","auditor"),("auth",f"/ledger/authorisations/{a.pk}/","officer.bis.1"),
      ("auth5","/ledger/authorisations/4/","officer.bis.2"),
      ("ships","/ledger/shipments/","seller"),("ship1",f"/ledger/shipments/{s[0].pk}/","seller"),("ship2",f"/ledger/shipments/{s[1].pk}/","seller"),
      ("ship1c",f"/ledger/shipments/{s[0].pk}/","customs.gacc"),
      ("flows","/ledger/arrived/","auditor"),("open","/ledger/batches/open/","officer.miit.1"),("plan",f"/ledger/shipments/plan/{s[0].order_id}/","seller"),
    ]
    extra = os.environ.get("W3_ONLY")
    for name, path, who in plan:
        if extra and name not in extra.split(","): continue
        for lang, width, dark in (("en",1280,False),("zh",1280,True),("zh",360,False)):
            page = open_as(who, lang, width=width, dark=dark)
            page.goto(path); page.wait_for_load_state("networkidle")
            page.screenshot(path=str(OUT/f"{name}-{lang}-{width}.png"), full_page=True)
            for p in axe(page): bad.append((name,lang,width,p))
            if sideways(page)>0: bad.append((name,lang,width,"sideways",sideways(page)))
            bad += [(name,lang,width,p) for p in page.problems]
            page.context.close()
    print("\n".join(map(str,bad)))
    assert not bad
