"The view of attributions in a running JupyterLab: what the pointer and the keys do reaches Python, and the other way round; linked with the concept map."
CELLS = ['''from mtl_explain.attributions import Attributions
from mtl_explain.concept_map import ConceptMap
from mtl_explain.schema import example
from mtl_explain.view import link
ex = example()''', '''a = Attributions(ex, tasks=['doctor visits'])
a''', '''m = ConceptMap(ex)
links = link(m, a)
m''']


def bar(player): return f'.mtl [data-part=bar][data-player="{player}"]'


def test_pointer_keys_python_and_a_linked_map(lab, open_page):
    lab.run(CELLS, 'answers.ipynb'); page = lab.page
    page.wait_for_function("document.querySelectorAll('.mtl [role=grid]').length === 2")
    view, other = page.locator('.mtl:has([data-part=bar])'), page.locator('.mtl:has([role=rowheader])')
    assert view.locator('.mtl-note').is_hidden() and lab.kernel('print(a.tasks, m.tasks)')=='[] []'  # the map's values win at the start
    # hover: JavaScript alone; click pins, and Python knows
    page.hover(bar('party')); assert view.locator('.mtl-reading').inner_text().startswith('party = ') and lab.kernel('print(a.features)')=='[]'
    page.click(bar('party')); lab.until('print(a.features)', "['party']")
    # the map pins a task: this view shows it
    other.locator('[role=columnheader][data-task=diabetes]').click(); page.wait_for_selector('.mtl [data-part=bar][data-player="blood pressure"]'); lab.until('print(a.tasks)', "['diabetes']")
    # another row by keys
    view.locator('[role=grid] [tabindex="0"]').focus(); page.keyboard.press('PageDown'); page.keyboard.press('Home')
    row = page.evaluate("document.activeElement.dataset.sample"); page.keyboard.press('Enter'); lab.until('print(a.samples)', f"['{row}']")
    # Python changes the view, also to what was not sent
    lab.kernel("a.players = 'concept'"); page.wait_for_selector('.mtl [data-part=bar][data-player=c01]'); assert view.locator('select[aria-label=Players]').input_value()=='concept'
    view.locator('[data-part=bar][data-player=c03]').click(); lab.until('print(m.concepts)', "['c03']"); other.locator('.mtl-chip[data-id=c03]').wait_for()
    field = other.locator('.mtl-name input'); field.fill('<b>years'); field.press('Enter'); page.wait_for_selector('.mtl [data-part=bar][data-player=c03][aria-label^="<b>years"]'); lab.until("print(a.names)", "{'c03': '<b>years'}")
    page.select_option('.mtl select[aria-label=Players]', 'feature'); page.wait_for_selector(bar('blood pressure')); lab.until('print(a.players)', 'feature')
    # saved
    lab.kernel("a.save_html('a.html')"); saved = open_page(lab.root/'a.html')
    assert saved.locator('.mtl-q').inner_text()==view.locator('.mtl-q').inner_text() and 'not carried by this page' in saved.locator('.mtl-lines').inner_text()
