"""Photograph every view, light and dark, wide and on a telephone, into pictures/, which git ignores: the stored explanation, made-up trees where they show more, the concept map inside JupyterLab.

    python tests/tools/pictures.py [--readme] [NAME ...]    `--readme` keeps two of them where the README looks for them; with names, only views whose picture's name begins so
"""
import shutil, sys, tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP/'tests'/'browser'), str(TOP/'tests'/'tools'), str(TOP/'tests')]
from need import chromium

SIZES = {'': 1100, '-narrow': 400}
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


def shoot(browser, name, view, folder, out):
    "Four pictures of a view: one page, whose width and theme change; of the explorer also in two columns"
    page = view.save_html(folder/f'{name}.html'); tab = browser.new_page(viewport=dict(width=1100, height=900), device_scale_factor=1.5); wrong = watch(tab)
    tab.goto(page.as_uri()); tab.wait_for_selector('.mtl-picture > *'); tab.evaluate('document.fonts.ready')
    if name=='concept-map-card': pin_largest(tab)
    for end, width in (SIZES | {'-wide': 1600} if name=='explorer' else SIZES).items():
        tab.set_viewport_size(dict(width=width, height=900)); tab.mouse.move(2, 2)
        for theme in ('light', 'dark'):
            tab.emulate_media(color_scheme=theme); tab.wait_for_selector(f'.mtl[data-theme={theme}]'); tab.wait_for_timeout(250)
            if name=='concept-map-card' and end and (more:=tab.locator('.mtl-card >> text=Open card')).count(): more.click()
            tab.locator('.mtl').first.screenshot(path=out/f'{name}{end}-{theme}.png')
    tab.close()
    if wrong: sys.exit(f'{name}: {wrong}')


def shoot_lab(browser, home, out):
    from conftest import Lab, serve
    with serve(home) as (url, token, root):
        tab = browser.new_page(viewport=dict(width=1500, height=1000), device_scale_factor=1.5); wrong = watch(tab)
        tab.goto(f'{url}/lab?token={token}&reset'); tab.wait_for_function('window.jupyterapp')
        lab = Lab(tab, root); lab.run(['from mtl_explain import *\nex = example()\nConceptMap(ex)'], 'map.ipynb')
        tab.wait_for_selector('.mtl [role=grid]'); pin_largest(tab); tab.mouse.move(2, 2); tab.wait_for_timeout(500)
        tab.screenshot(path=out); lab.close(); tab.close()
    if wrong: sys.exit(f'{out.name}: {wrong}')


def views():
    "Every view by the name of its pictures"
    import cases, trees
    from mtl_explain import Attributions, ConceptFlow, ConceptMap, Explorer, TaskCompare, TrainingMonitor, WhatIf, example
    from views import edges, many, six
    ex, people, one = example(), trees.people(), cases.random_case(0, sample=5); rows = dict(tasks=['doctor visits'], rows=True)
    return {'concept-map': lambda: ConceptMap(ex), 'concept-map-card': lambda: ConceptMap(ex), 'concept-map-bands': lambda: ConceptMap(people, concepts=['c02']), 'concept-map-full': lambda: ConceptMap(trees.large()),
        'concept-flow': lambda: ConceptFlow(ex), 'concept-flow-pinned': lambda: ConceptFlow(ex, concepts=['c05']), 'concept-flow-made-up': lambda: ConceptFlow(edges(), tasks=['vote', 'travel mode']),
        'task-compare': lambda: TaskCompare(ex, 'vote', 'travel mode', concepts=['c05']), 'task-compare-made-up': lambda: TaskCompare(people, 'vote', 'travel mode', concepts=['c02']),
        'attributions': lambda: Attributions(ex, **rows), 'attributions-rows': lambda: Attributions(ex, show='rows', **rows), 'attributions-heatmap': lambda: Attributions(ex, show='targets', tasks=['travel mode']),
        'attributions-leaves': lambda: Attributions(trees.leaves(), show='targets', top=10, samples=['1204']), 'attributions-relevance': lambda: Attributions(trees.three(), explainer='relevance', rows=True), 'attributions-explainers': lambda: Attributions(trees.three(), show='explainers', rows=True),
        'training': lambda: TrainingMonitor(six()), 'training-many': lambda: TrainingMonitor(many()), 'what-if': lambda: WhatIf(one, edits={'age': 60}, off=['c01'], targets=[one.targets.target[1]]), 'explorer': lambda: Explorer(ex, concepts=['c05'], tasks=['vote', 'travel mode'])}


def main():
    from playwright.sync_api import sync_playwright
    out, asked = TOP/'pictures', [a for a in sys.argv[1:] if not a.startswith('-')]; out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as d, sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium(), args=['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'])
        for name, view in views().items():
            if not asked or name.startswith(tuple(asked)): shoot(browser, name, view(), Path(d), out)
        if not asked or 'lab' in asked: shoot_lab(browser, Path(d), out/'concept-map-lab.png')
        browser.close()
    if '--readme' in sys.argv:
        keep = TOP/'nbs/images'; keep.mkdir(exist_ok=True)
        for theme in ('light', 'dark'): shutil.copy(out/f'concept-map-card-{theme}.png', keep/f'concept-map-{theme}.png')
    print(f'pictures in {out}: {", ".join(sorted(p.name for p in out.glob("*.png")))}')


if __name__=='__main__': main()
