"The training view in a running JupyterLab: it moves while `fit` runs in its cell, ■ stops, a click reaches Python when the cell has ended; linked with the concept map."
import json, time

CELLS = ['''import warnings; warnings.simplefilter('ignore')
from mtl_explain.suites import planted
from mtl_explain.model import MTLModel
from mtl_explain.train import fit
from mtl_explain.training import TrainingMonitor
suite = planted(seed=3, tables=3, rows=80); model = MTLModel(suite)''', '''monitor = TrainingMonitor()
history = fit(model, suite, steps=200_000, evaluate=10, progress=False, monitor=monitor)''']


def start(lab, cells, name):
    "Open a notebook and run it, without waiting for its end"
    nb = dict(cells=[dict(cell_type='code', id=f'c{i}', metadata={}, source=s, execution_count=None, outputs=[]) for i, s in enumerate(cells)], metadata=dict(kernelspec=dict(name='python3', display_name='Python 3', language='python')), nbformat=4, nbformat_minor=5)
    (lab.root/name).write_text(json.dumps(nb))
    lab.page.evaluate('''async path => { const app = window.jupyterapp; await app.restored; const w = await app.commands.execute('docmanager:open', {path, factory: 'Notebook'});
      await w.context.ready; await w.sessionContext.ready; await w.sessionContext.session.kernel.info; await w.revealed; window.nbw = w; window.ran = false; app.commands.execute('notebook:run-all-cells').then(() => { window.ran = true }) }''', name)


def steps(page): return int(page.locator('.mtl .mtl-progress').first.inner_text().split()[1].replace(',', ''))


def test_it_moves_while_fit_runs_and_the_button_stops_it(lab, open_page):
    start(lab, CELLS, 'training.ipynb'); page = lab.page
    page.wait_for_selector('.mtl [data-what=panel]', timeout=60_000)
    assert page.locator('.mtl .mtl-stop').inner_text()=='To stop: the notebook’s ■; the best is kept.' and page.locator('.mtl').count()==1 and page.locator('.mtl .mtl-note').is_hidden()
    first = steps(page); page.wait_for_function(f"parseInt(document.querySelector('.mtl .mtl-progress').textContent.replace(/[^0-9 ]/g, '').trim()) > {first}", timeout=20_000)
    seen = []; end = time.time() + 3
    while time.time() < end: seen.append(steps(page)); time.sleep(.03)
    assert 2 <= len(set(seen)) <= 14 and seen==sorted(seen), 'a few times a second, forwards'
    # hover is JavaScript alone, and goes on while the kernel is busy; a click is kept and reaches Python later
    page.hover('.mtl [data-what=panel] >> nth=0'); page.wait_for_function("document.querySelector('.mtl .mtl-reading').textContent.includes('validation loss')")
    task = page.locator('.mtl [data-what=panel]').nth(1).get_attribute('data-task'); page.locator(f'.mtl [data-what=panel][data-task="{task}"]').click(); page.wait_for_selector('.mtl .mtl-chip')
    assert page.evaluate('window.ran') is False
    page.evaluate('() => window.nbw.sessionContext.session.kernel.interrupt()'); page.wait_for_function('window.ran', timeout=20_000)
    page.wait_for_function("document.querySelector('.mtl .mtl-progress').textContent.startsWith('interrupted (■) after step')")
    assert lab.kernel("print(history.attrs['status'], model.training)")=='interrupted False' and page.locator('.mtl').count()==1
    lab.until('print(monitor.tasks)', repr([task])); assert lab.kernel('print(len(monitor._arrays["step"]["data"])//4 == len(history.step))')=='True'
    # what is stored with the notebook is the whole history, not the beginning
    lab.save(); saved = json.loads((lab.root/'training.ipynb').read_text())['cells'][1]['outputs']; html = ''.join(''.join(o['data'].get('text/html', '')) for o in saved if 'data' in o)
    assert len([o for o in saved if 'data' in o])==2 and html.count('<div data-mtl-live=')==1 and '"status":"interrupted"' in html, 'the live view, and the page that stands by'
    # another history in the same view
    lab.kernel("from test_training_view import history as another; monitor.tasks = []; monitor.update(another(['x', 'y'], n=3, seed=1, blind=(), worse=()))"); page.wait_for_function("document.querySelectorAll('.mtl [data-what=panel]').length === 2")
    lab.kernel("monitor.update(history); monitor.save_html('training.html')"); page_ = open_page(lab.root/'training.html'); assert page_.locator('.mtl-progress').inner_text().startswith('interrupted')
