"""Photograph views of the stored explanation into pictures/: the concept map wide in light and dark, on a telephone, with a pinned card, inside JupyterLab; other views wide and on a telephone, light and dark.

    python tests/tools/pictures.py [--readme]    `--readme` keeps the two wide ones where the README looks for them
"""
import shutil, sys, tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP/'tests'/'tools'), str(TOP/'tests'/'browser')]
from need import chromium

SHOTS = dict(light=('light', 1100, False), dark=('dark', 1100, False), narrow=('light', 400, False), card=('light', 1100, True), **{'card-dark': ('dark', 1100, True), 'card-narrow': ('light', 400, True)})
LARGEST = "a => a.map((e, i) => [parseFloat(e.textContent) || 0, i]).sort((x, y) => y[0] - x[0])[0][1]"


def watch(tab):
    "What goes wrong in a page, or leaves the machine, is an error here"
    wrong = []
    tab.on('console', lambda m: wrong.append(m.text) if m.type=='error' else None); tab.on('pageerror', lambda e: wrong.append(str(e)))
    tab.on('request', lambda r: wrong.append(r.url) if r.url.startswith(('http', 'ws')) and not r.url.startswith(('http://127.0.0.1', 'ws://127.0.0.1')) else None)
    return wrong


def pin_largest(tab):
    cells = tab.locator('.mtl [role=gridcell][data-concept]'); cells.nth(cells.evaluate_all(LARGEST)).click()
    if (more:=tab.locator('.mtl-card >> text=Open card')).count(): more.click()
    tab.evaluate('document.activeElement.blur()')


def shot(browser, page, out, theme, width, pinned):
    tab = browser.new_page(viewport=dict(width=width, height=900), color_scheme=theme, device_scale_factor=1.5); wrong = watch(tab)
    tab.goto(page.as_uri()); tab.wait_for_selector('.mtl [role=grid]'); tab.evaluate('document.fonts.ready')
    if pinned: pin_largest(tab)
    tab.mouse.move(2, 2); tab.wait_for_timeout(200)
    tab.locator('.mtl').screenshot(path=out); tab.close()
    if wrong: sys.exit(f'{out.name}: {wrong}')


def shot_lab(browser, home, out):
    from conftest import Lab, serve
    with serve(home) as (url, token, root):
        tab = browser.new_page(viewport=dict(width=1500, height=1000), device_scale_factor=1.5); wrong = watch(tab)
        tab.goto(f'{url}/lab?token={token}&reset'); tab.wait_for_function('window.jupyterapp')
        lab = Lab(tab, root); lab.run(['from mtl_explain import *\nex = example()\nConceptMap(ex)'], 'map.ipynb')
        tab.wait_for_selector('.mtl [role=grid]'); pin_largest(tab); tab.mouse.move(2, 2); tab.wait_for_timeout(500)
        tab.screenshot(path=out); lab.close(); tab.close()
    if wrong: sys.exit(f'{out.name}: {wrong}')


def more():
    "The other views, by the name of their pictures"
    from mtl_explain.concept_flow import ConceptFlow
    from mtl_explain.schema import example
    from mtl_explain.task_compare import TaskCompare
    ex = example()
    return {'concept-flow': ConceptFlow(ex), 'concept-flow-pinned': ConceptFlow(ex, concepts=['c05']), 'task-compare': TaskCompare(ex, 'vote', 'travel mode', concepts=['c05'])}


def main():
    from playwright.sync_api import sync_playwright
    from mtl_explain import ConceptMap, example
    out = TOP/'pictures'; out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as d, sync_playwright() as p:
        page = ConceptMap(example()).save_html(Path(d)/'map.html')
        browser = p.chromium.launch(executable_path=chromium(), args=['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'])
        for name, how in SHOTS.items(): shot(browser, page, out/f'concept-map-{name}.png', *how)
        for name, view in more().items():
            page = view.save_html(Path(d)/f'{name}.html')
            for theme in ('light', 'dark'):
                for width in (1100, 400): shot(browser, page, out/f'{name}{"-narrow" if width==400 else ""}-{theme}.png', theme, width, False)
        shot_lab(browser, Path(d), out/'concept-map-lab.png')
        browser.close()
    if '--readme' in sys.argv:
        keep = TOP/'nbs/images'; keep.mkdir(exist_ok=True)
        for theme in ('light', 'dark'): shutil.copy(out/f'concept-map-card{"" if theme=="light" else "-dark"}.png', keep/f'concept-map-{theme}.png')
    print(f'pictures in {out}: {", ".join(sorted(p.name for p in out.glob("*.png")))}')


if __name__=='__main__': main()
