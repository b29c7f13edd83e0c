import os, json
from .conftest import *
PATHS=["/law/","/law/provisions/","/law/provisions/us-export/letter_2025/","/law/provisions/us-export/to_listed_group/","/law/instruments/us-2023-ac/","/law/instruments/CN-029/","/law/classification/","/law/classification/?question=export","/law/what-if/","/law/difference/","/law/impact/","/law/impact/?draft=scale","/law/chips/","/law/chips/NVIDIA H200 SXM/","/law/chips/compare/?chip=H200&chip=Ascend 910C&chip=H20","/outlook/"]
def test_it(open_as,desk):
    bad=[]
    for lang,width,dark in [("zh",1280,False),("en",360,False),("en",1280,True)]:
        page=open_as("officer.bis.1",lang,width=width,dark=dark)
        for n,path in enumerate(PATHS):
            page.goto(path); page.wait_for_load_state("networkidle")
            page.screenshot(path=f"/tmp/w2/{n:02d}-{lang}-{width}-{dark}.png",full_page=True)
            found=(page.problems[:2], axe(page) if width>1000 else [], sideways(page))
            page.problems.clear()
            if found[0] or found[1] or found[2]>0: bad.append((path,lang,width,dark,*found))
    for b in bad: print(b)
    assert not bad
