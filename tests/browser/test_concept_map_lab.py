"The concept map in a running JupyterLab: what the pointer and the keys do reaches Python, and the other way round."
import pytest

CELLS = ['''from trees import people, hostile
from mtl_explain.concept_map import ConceptMap
ex = people()''', '''m = ConceptMap(ex)
m''']


def cell(k, t): return f'[role=gridcell][data-concept="{k}"][data-task="{t}"]'


@pytest.fixture
def shown(lab):
    lab.run(CELLS, 'map.ipynb')
    lab.page.wait_for_selector('.mtl [role=grid]')
    return lab


def test_both_ways(shown):
    lab, page = shown, shown.page
    view = page.locator('.mtl')
    # hover: JavaScript alone
    page.hover(cell('c02', 'travel mode'))
    assert 'income → travel mode: 21' in view.locator('.mtl-reading').inner_text()
    assert page.locator('.mtl-marks rect').count() >= 1 and lab.kernel('print(m.concepts)')=='[]'
    # click pins, and Python knows
    page.click(cell('c02', 'travel mode'))
    lab.until('print(m.concepts)', "['c02']")
    assert '5 of 6 tasks' in view.locator('.mtl-card').inner_text()
    # a name: Enter keeps, Esc reverts
    field = view.locator('.mtl-name input'); assert field.input_value()=='income'
    field.fill('money </script><b>'); field.press('Escape'); assert field.input_value()=='income'
    field.fill('money & means'); field.press('Enter')
    lab.until("print(m.names['c02'])", 'money & means')
    assert lab.kernel("print(ex['concepts'].label.sel(concept='c02').item())")=='money & means'
    page.wait_for_selector('.mtl [role=rowheader]:has-text("money & means")')
    # Python changes the view
    lab.kernel("m.shade = 'attention'"); page.wait_for_selector('.mtl-segment[data-value=attention][aria-pressed=true]')
    assert 'attention' in view.locator('.mtl-lines').inner_text()
    lab.kernel("m.concepts = ['c09', 'age']; m.shade = 'importance'"); page.wait_for_selector('.mtl-chip[data-id=c01]')
    lab.kernel("m.names = {**m.names, 'c12': 'named from Python'}"); page.wait_for_selector('.mtl [role=rowheader]:has-text("named from Python")')
    # Esc releases the last
    page.hover('.mtl-q'); page.locator(cell('c09', 'diabetes')).focus(); page.keyboard.press('Escape')
    lab.until('print(m.concepts)', "['c09']")


def test_keyboard_alone(shown):
    lab, page = shown, shown.page
    page.locator('.mtl [role=grid] [tabindex="0"]').focus()
    for k in ['ArrowDown', 'ArrowRight', 'Enter']: page.keyboard.press(k)
    lab.until('print(m.concepts)', "['c02']")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')")=='income, marriage: 4 %'
    assert 'income → marriage' in page.locator('.mtl-reading').inner_text()
    page.keyboard.press('/'); page.keyboard.type('blood'); assert 'blood fats' in page.locator('.mtl-reading').inner_text()
    page.keyboard.press('Enter'); lab.until('print(m.concepts)', "['c09']")
    page.keyboard.press('t'); assert page.locator('.mtl-panel tr').count()==14
    page.keyboard.press('Escape'); assert page.locator('.mtl-panel').is_hidden()
    page.keyboard.press('Escape'); lab.until('print(m.concepts)', '[]')


def test_two_views_and_a_dark_theme(lab):
    lab.run([*CELLS, 'from mtl_explain.view import link\nn = ConceptMap(ex)\nlinks = link(m, n)\nn'], 'two.ipynb')
    page = lab.page; page.wait_for_function("document.querySelectorAll('.mtl [role=grid]').length === 2")
    page.locator('.mtl').nth(0).locator(cell('c03', 'diabetes')).click()
    page.locator('.mtl').nth(1).locator('.mtl-chip[data-id=c03]').wait_for()
    assert page.locator('.mtl').nth(0).get_attribute('data-theme')=='light'
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    page.wait_for_selector('.mtl[data-theme=dark]')
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
    page.wait_for_selector('.mtl[data-theme=light]')


def test_hostile_names(lab):
    lab.run([CELLS[0], 'h = ConceptMap(hostile())\nh'], 'hostile.ipynb')
    page = lab.page; page.wait_for_selector('.mtl [role=grid]')
    assert page.evaluate('window.hacked')is None and page.locator('.mtl img').count()==0
    page.locator('.mtl [role=gridcell][data-kind=effect]').first.click()
    assert page.evaluate('window.hacked') is None and page.locator('.mtl img').count()==0
    assert '</script><img' in page.locator('.mtl').inner_text()
