"The concept map in a running JupyterLab: what the pointer and the keys do reaches Python, and the other way round."
def cell(k, t): return f'[role=gridcell][data-concept="{k}"][data-task="{t}"]'


QUICK = '''from mtl_explain import *
suite = people()
model = MTLModel(suite)
history = fit(model, suite, steps=60, progress=True)
ex = explain(model, suite, samples=10, evaluations=128)
ConceptMap(ex)'''


def everything(page):
    "All that a map says, but for what is hovered or pinned"
    text = lambda part: page.locator(f'.mtl .mtl-{part}').inner_text()
    return dict(q=text('q'), a=text('a'), foot=text('lines'), cells=page.eval_on_selector_all('.mtl [role=gridcell]', 'a => a.map(e => [e.getAttribute("aria-label"), e.textContent, e.dataset.kind])'),
                heads=page.eval_on_selector_all('.mtl [role=rowheader], .mtl [role=columnheader], .mtl [role=rowgroup]', 'a => a.map(e => e.getAttribute("aria-label"))'), shade=page.locator('.mtl-segment[aria-pressed=true]').inner_text())


def test_quick_start(lab, open_page):
    "The lines of the README, with fewer steps and samples: trained, explained and looked at in JupyterLab, and the same in a saved page"
    lab.run([QUICK], 'quick.ipynb'); page = lab.page; page.wait_for_selector('.mtl [role=grid]')
    view = page.locator('.mtl'); lab.kernel('m = _')
    assert view.locator('[role=rowheader]').count()==13 and view.locator('[role=columnheader]').count()==6 and view.locator('.mtl-note').is_hidden()
    k, other = page.eval_on_selector_all('.mtl [role=gridcell][data-kind=effect][data-task="travel mode"]', 'a => a.slice(0, 2).map(e => e.dataset.concept)')
    # hover: JavaScript alone
    page.hover(cell(k, 'travel mode'))
    assert '→ travel mode:' in view.locator('.mtl-reading').inner_text() and page.locator('.mtl-marks rect').count() >= 1 and lab.kernel('print(m.concepts)')=='[]'
    # click pins, and Python knows
    page.click(cell(k, 'travel mode')); lab.until('print(m.concepts)', str([k]))
    assert 'Strongest variables, by task' in view.locator('.mtl-card').inner_text() and page.locator('.mtl-ring').count()==0
    # a name: Esc reverts, Enter keeps; the view's trait and the tree have it
    field = view.locator('.mtl-name input'); assert field.input_value()==''
    field.fill('money </script><b>'); field.press('Escape'); assert field.input_value()=='' and lab.kernel('print(m.names)')=='{}'
    field.fill('money & means'); field.press('Enter')
    lab.until(f"print(m.names.get('{k}'))", 'money & means'); assert lab.kernel(f"print(ex['/concepts'].label.sel(concept='{k}').item())")=='money & means'
    page.wait_for_selector('.mtl [role=rowheader]:has-text("money & means")')
    # Python changes the view
    lab.kernel("m.shade = 'attention'"); page.wait_for_selector('.mtl-segment[data-value=attention][aria-pressed=true]'); assert 'not its effect' in view.locator('.mtl-lines').inner_text()
    lab.kernel(f"m.concepts = ['{other}', 'money & means']; m.shade = 'importance'"); page.wait_for_selector(f'.mtl-chip[data-id={other}]')
    lab.kernel(f"m.names = {{**m.names, '{other}': 'named from Python'}}"); page.wait_for_selector('.mtl [role=rowheader]:has-text("named from Python")')
    page.wait_for_selector('.mtl-segment[data-value=importance][aria-pressed=true]'); live = everything(page)
    # the same in a page without kernel
    lab.kernel("m.save_html('quick.html')"); saved = open_page(lab.root/'quick.html')
    assert everything(saved)==live and saved.locator('.mtl-chip').count()==2 and 'no kernel' in saved.locator('.mtl-note').inner_text() and 'money & means' in saved.locator('.mtl-chip >> nth=1').inner_text()
    saved.hover(cell(k, 'vote')); page.hover(cell(k, 'vote')); assert saved.locator('.mtl-reading').inner_text()==view.locator('.mtl-reading').inner_text()!=''
    # Esc releases the last
    page.hover('.mtl-q'); page.locator(cell(other, 'diabetes')).focus(); page.keyboard.press('Escape'); lab.until('print(m.concepts)', str([other]))
