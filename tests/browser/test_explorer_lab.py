"The explorer in a running JupyterLab: one state in Python and on the page, linked with another view, saved by its button, run again."
from pathlib import Path

CELLS = ['''from trees import people
from mtl_explain.explorer import Explorer
from mtl_explain.concept_flow import ConceptFlow
from mtl_explain.view import link
ex = people()''', 'w = Explorer(ex)\nw', 'f = ConceptFlow(ex)\nlinks = link(w, f)\nf']


def test_explorer_in_a_notebook(lab, open_page, tmp_path):
    lab.run(CELLS, 'explorer.ipynb'); page = lab.page; page.wait_for_selector('.mtl-of-person svg'); x = page.locator('.mtl-explorer')
    assert x.locator('.mtl-part').count()==4 and lab.kernel('print(len([v for v in w.parts.values() if v.comm is not None]))')=='0'
    # page -> kernel -> another view: pins of every kind, and a name
    x.locator('.mtl-of-map [role=gridcell][data-concept=c02][data-task="vote"]').click(); lab.until('print(w.concepts, f.concepts)', "['c02'] ['c02']")
    page.locator('.mtl:not(.mtl-explorer, .mtl-part) .mtl-chip[data-id=c02]').wait_for(); x.locator('.mtl-of-compare [data-what=name][data-concept=c02][aria-expanded=true]').wait_for(state='attached')
    x.locator('.mtl-of-card input').fill('money & means'); page.keyboard.press('Enter'); lab.until("print(w.names.get('c02'), f.names.get('c02'), ex['concepts'].label.sel(concept='c02').item())", 'money & means money & means money & means')
    for k in ('map', 'flow', 'compare'): x.locator(f'.mtl-of-{k} svg text:has-text("money & means")').first.wait_for()
    # kernel -> page
    lab.kernel("w.tasks = ['vote', 'diabetes']; w.samples = ['s3']"); x.locator('.mtl-of-compare .mtl-q:has-text("vote and diabetes")').wait_for(); x.locator('.mtl-controls .mtl-chip[data-kind=row]').first.wait_for()
    lab.kernel('w.large = True'); page.wait_for_selector('.mtl-explorer.mtl-large .mtl-few'); x.locator('text=Usual type').click(); lab.until('print(w.large)', 'False')
    # the button hands out a page that Python wrote, with all of this in it
    with page.expect_download() as d: x.locator('text=Save page').click()
    path = Path(tmp_path/'explorer.html'); d.value.save_as(path); saved = open_page(path, width=1400, ready='.mtl-of-person svg')
    assert saved.locator('.mtl-explorer > .mtl-controls .mtl-chip').count()==4 and 'money & means' in saved.locator('.mtl-chip').first.inner_text() + saved.locator('.mtl-explorer').inner_text() and 'no values of features' in saved.locator('.mtl-note').first.inner_text()
    # Esc on the page, and the run of the cell again leaves one page
    x.locator('.mtl-of-flow [role=grid] [tabindex="0"]').focus(); page.keyboard.press('Escape'); lab.until('print(w.samples)', '[]')
    page.evaluate("async () => { const app = window.jupyterapp, w = window.nbw; w.content.activeCellIndex = 1; await app.commands.execute('notebook:run-cell') }")
    page.wait_for_function("document.querySelectorAll('.mtl-explorer').length === 1 && document.querySelector('.mtl-of-person svg')"); lab.kernel("w.concepts = ['c03']"); page.wait_for_selector('.mtl-explorer > .mtl-controls .mtl-chip[data-id=c03]')
