from .conftest import *
PATHS=["/law/","/law/provisions/","/law/provisions/us-export/letter_2025/","/law/provisions/us-export/to_listed_group/","/law/instruments/us-2023-ac/","/law/instruments/CN-029/","/law/classification/","/law/classification/?question=export","/law/what-if/","/law/difference/","/law/impact/","/law/impact/?draft=scale","/law/chips/","/law/chips/NVIDIA H200 SXM/","/law/chips/compare/?chip=H200&chip=Ascend 910C&chip=H20","/outlook/"]
@pytest.mark.parametrize("path",PATHS)
def test_it(open_as,desk,path):
    page=open_as("officer.bis.1","en")
    page.goto(path); page.wait_for_load_state("networkidle")
    n=PATHS.index(path)
    page.screenshot(path=f"/tmp/w2/{n:02d}.png",full_page=True)
    assert page.problems==[]
    assert axe(page)==[]
