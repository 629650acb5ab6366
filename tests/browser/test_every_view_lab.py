"""What holds for every view of the table in views.py in a running JupyterLab, all in one notebook: hover, pin, keys, both ways between page and Python, two views of one model,
links, themes, running a cell again, closing, opening the notebook again; and one view in Notebook 7."""
import json, re

from nbconvert import HTMLExporter
import nbformat

import checks
from test_every_view import CDN, all_drawn, words
from views import VIEWS

SETUP = '''import cases
from mtl_explain import *
from mtl_explain.view import link, traits_of
from test_training_view import history, with_conflicts
ex = example(); h = with_conflicts(history([str(t) for t in ex['tasks'].task.values], n=12, blind=()), pairs=((0, 3, .2), (1, 2, -.2)))'''
N = len(VIEWS)

# The notebook `path`, open as `nbw`, with every cell in the page; with a kernel, or without
OPEN = '''async ([path, kernel]) => { const app = window.jupyterapp; await app.restored; const w = await app.commands.execute('docmanager:open', {path, factory: 'Notebook', ...(kernel ? {} : {kernelPreference: {shouldStart: false, autoStartDefault: false, canStart: true}})});
  await w.context.ready; if (kernel) await w.sessionContext.ready; await w.sessionContext.session?.kernel?.info; await w.revealed; window.nbw = w; w.content.widgets.forEach((c, i) => { c.node.dataset.at = i }); if (kernel) w.content.notebookConfig = {...w.content.notebookConfig, windowingMode: 'none'}; }'''
RUN = '''async cells => { const app = window.jupyterapp; for (const i of cells) { nbw.content.activeCellIndex = i; nbw.content.deselectAll(); await app.commands.execute('notebook:run-cell'); }
  return nbw.content.widgets.flatMap(c => c.model.toJSON().outputs ?? []).filter(o => o.output_type === 'error').map(o => o.ename + ': ' + o.evalue) }'''
# How many listeners the models of these ids have that views put there (anywidget itself listens for _esm and _css); a model is remembered, so that it can be asked when it is closed
HEARD = '''async ids => { const manager = await nbw.content.rendermime.createRenderer('application/vnd.jupyter.widget-view+json')._manager.promise; window.kept ??= {};
  for (const id of ids) kept[id] ??= await manager.get_model(id);
  return ids.map(id => Object.entries(kept[id]._events ?? {}).filter(([k]) => /^change:(?!_esm|_css)/.test(k)).reduce((n, [, a]) => n + a.length, 0)) }'''


def write(root, name, sources):
    nb = dict(cells=[dict(cell_type='code', id=f'c{i}', metadata={}, source=s, execution_count=None, outputs=[]) for i, s in enumerate(sources)], metadata=dict(kernelspec=dict(name='python3', display_name='Python 3', language='python')), nbformat=4, nbformat_minor=5)
    (root/name).write_text(json.dumps(nb))


def drawn(page, n):
    "Wait for so many views; if they do not come, say what stands there instead"
    try: page.wait_for_function("n => document.querySelectorAll('.mtl-picture > *').length === n", arg=n, timeout=60_000)
    except Exception: raise AssertionError(page.evaluate("() => [...document.querySelectorAll('.jp-OutputArea-output')].map(e => e.innerText.slice(0, 120))")) from None


def theme(page, name):
    page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", f'JupyterLab {name}'); page.wait_for_function("t => [...document.querySelectorAll('.mtl')].every(e => e.dataset.theme === t)", arg=name.lower())
    page.wait_for_selector('#jupyterlab-splash', state='detached')  # JupyterLab removes its splash 200 ms after a theme is there, and stumbles over a second change in that time


def test_every_view(lab, lab_url, open_page):
    page, first, second = lab.page, range(1, N+1), range(N+1, 2*N+1); ids = lambda: json.loads(lab.kernel(f'import json; print(json.dumps([v.model_id for v in [{", ".join(f"v{i}" for i in range(N))}]]))'))
    write(lab.root, 'every.ipynb', [SETUP, *(f'v{i} = {r.lab}\nv{i}' for i, r in enumerate(VIEWS)), *(f'v{i}' for i in range(N))])
    page.evaluate(OPEN, ['every.ipynb', True]); page.evaluate(checks.HOLDS); assert page.evaluate(RUN, list(range(2*N+1)))==[]; drawn(page, 2*N)
    begin, held = ids(), page.evaluate('held()'); heard = page.evaluate(HEARD, begin); assert len(held) >= 3*2*N and min(heard) >= 6, (held, heard)
    for i, r in enumerate(VIEWS):
        a, b = page.locator('.mtl').nth(i), page.locator('.mtl').nth(N + i); a.scroll_into_view_if_needed(); assert a.locator('.mtl-note').is_hidden(), r.name
        pinned = lambda n, r=r, i=i: lab.until(f'print(len(v{i}.{r.trait}))', n); chips = a.locator(r.pin).count()
        # hover: JavaScript alone
        before, had = words(a, 'reading'), lab.kernel(f'print(len(v{i}.{r.trait}))'); a.locator(r.mark).hover(); assert words(a, 'reading')!=before and lab.kernel(f'print(len(v{i}.{r.trait}))')==had=='0', r.name
        # a click pins: Python and the other view of the same model know; Esc releases
        a.locator(r.mark).click(); pinned('1'); b.locator(f'{r.pin} >> nth={chips}').wait_for(); page.keyboard.press('Escape'); pinned('0'); b.locator(f'{r.pin} >> nth={chips}').wait_for(state='detached')
        # keys
        if r.keys:
            page.mouse.move(2, 2); b.locator('[role=grid] [tabindex="0"]').focus()
            for k in r.keys: page.keyboard.press(k)
            a.locator(f'{r.pin} >> nth={chips}').wait_for(); assert page.evaluate("document.activeElement.closest('.mtl') !== null"); page.keyboard.press('Escape'); a.locator(f'{r.pin} >> nth={chips}').wait_for(state='detached')
        # Python changes both
        said, there = r.ask; lab.kernel(said.replace('v.', f'v{i}.'))
        for x in (a, b): x.locator(there).first.wait_for()
    assert page.evaluate(HEARD, begin)==heard and page.evaluate('held()')==held, 'drawing adds no listeners'
    # linked by equal names
    linked = [i for i, r in enumerate(VIEWS) if i and r.links]; lab.kernel(f'links = [link(v0, v) for v in [{", ".join(f"v{i}" for i in linked)}]]')
    page.locator('.mtl').nth(0).locator('[role=columnheader][data-task=diabetes]').click(); lab.until(f'print({" and ".join(f"v{i}.tasks[-1:]==[{chr(39)}diabetes{chr(39)}]" for i in linked)})', 'True')
    lab.kernel("v0.tasks = []")
    theme(page, 'Dark'); assert page.evaluate(checks.CONTRAST)==[]; theme(page, 'Light'); assert page.evaluate(checks.LABELS)==[]
    # each cell run again: new models in their place, the old ones are let go
    assert page.evaluate(RUN, [*first, *second])==[]; drawn(page, 2*N); assert page.evaluate(HEARD, begin)==[0]*N and page.evaluate('held()')==held
    again = ids(); assert not set(again) & set(begin) and page.evaluate(HEARD, again)==heard
    # closed
    lab.kernel(f'for v in [{", ".join(f"v{i}" for i in range(N))}]: v.close()'); page.wait_for_function("document.querySelectorAll('.mtl').length === 0"); assert page.evaluate(HEARD, again)==[0]*N and page.evaluate('held()')==[]
    # opened again with its kernel: the same views, alive (cells further down are drawn when they are scrolled to)
    assert page.evaluate(RUN, [*first, *second])==[]; drawn(page, 2*N); lab.save(); page.evaluate('() => nbw.dispose()'); page.wait_for_function("document.querySelectorAll('.mtl').length === 0"); assert page.evaluate('held()')==[]
    page.evaluate(OPEN, ['every.ipynb', True]); page.wait_for_selector('.mtl[data-mtl-of] .mtl-picture > *', timeout=60_000); page.locator('.mtl[data-mtl-of]').nth(0).locator(VIEWS[0].mark).click(); lab.until(f'print(len(v0.{VIEWS[0].trait}))', '1')
    # opened again in a JupyterLab that knows nothing of it, and not run, without a kernel and with a new one: in place of each live view stands its page, and lives
    lab.close(); assert [e for e in page.errors if 'widget model not found' not in e]==[] # which JupyterLab says while it waits for a kernel's models
    for kernel in (False, True):
        page.goto(lab_url); page.wait_for_function('window.jupyterapp'); page.evaluate(OPEN, ['every.ipynb', kernel])
        for i, r in enumerate(VIEWS):
            page.wait_for_function('i => { nbw.content.scrollToItem(i, "start"); const n = nbw.content.widgets[i].node; return n.isConnected && n.querySelector(".mtl-picture > *") }', arg=i+1, polling=500); cell = page.locator(f'.jp-Cell[data-at="{i+1}"]'); view = cell.locator('.mtl')
            chips = view.locator(r.pin).count(); assert view.count()==1 and 'no kernel' in view.locator('.mtl-note').inner_text() and not re.search('(Loading|Error displaying) widget', cell.inner_text()), r.name
            if not kernel: view.locator(r.mark).click(); view.locator(f'{r.pin} >> nth={chips}').wait_for()
        assert page.evaluate('nbw.sessionContext.session !== null')==kernel and page.locator('.mtl[data-mtl-of]').count()==0
    assert page.errors and all('widget model not found' in e or "null (reading 'kernel')" in e for e in page.errors), 'what JupyterLab itself has to say'; page.errors.clear()
    # what was saved shows every view where there is no kernel
    html, _ = HTMLExporter().from_notebook_node(nbformat.read(lab.root/'every.ipynb', 4)); (lab.root/'every.html').write_text(html, encoding='utf-8')
    saved = open_page(lab.root/'every.html', hosts=CDN); all_drawn(saved, 2*N); assert all('no kernel' in saved.locator('.mtl').nth(i).locator('.mtl-note').inner_text() for i in range(N))


def test_notebook_7(lab_server, notebook7):
    "One view where there is no JupyterLab around the notebook"
    write(lab_server[2], 'seven.ipynb', ['from trees import people\nfrom mtl_explain import ConceptMap\nm = ConceptMap(people())', 'm'])
    lab = notebook7('seven.ipynb'); page = lab.page; view = page.locator('.mtl'); view.locator('[role=grid]').wait_for(); assert view.locator('.mtl-note').is_hidden()
    view.locator('[role=rowheader][data-row="1"]').hover(); assert 'income' in words(view, 'reading'); view.locator('[role=rowheader][data-row="1"]').click(); lab.until('print(m.concepts)', "['c02']")
    page.keyboard.press('Escape'); lab.until('print(m.concepts)', '[]'); lab.kernel("m.shade = 'attention'"); view.locator('.mtl-segment[data-value=attention][aria-pressed=true]').wait_for()
    lab.kernel('m.close()'); page.wait_for_function("document.querySelectorAll('.mtl').length === 0")
