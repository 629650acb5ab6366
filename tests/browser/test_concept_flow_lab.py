"Routes and comparison in a running JupyterLab: what the pointer and the keys do reaches Python and the linked views, and the other way round."

CELLS = ['''from trees import people
from mtl_explain.view import link
from mtl_explain.concept_map import ConceptMap
from mtl_explain.concept_flow import ConceptFlow
from mtl_explain.task_compare import TaskCompare
ex = people()''', '''f = ConceptFlow(ex)
f''', '''c = TaskCompare(ex, 'vote', 'travel mode')
links = link(c, f)
c''']


def mark(kind, id): return f'[role=gridcell][data-kind={kind}][data-id="{id}"]'


def test_flow_and_comparison_are_linked(lab):
    lab.run(CELLS, 'flow.ipynb'); page = lab.page; page.wait_for_function("document.querySelectorAll('.mtl [role=grid]').length === 2")
    flow, compare = page.locator('.mtl').nth(0), page.locator('.mtl').nth(1); assert flow.locator('.mtl-note').is_hidden() and flow.locator('.mtl-chip[data-kind=task]').count()==2
    # hover: JavaScript alone
    flow.locator(mark('concept', 'c02')).hover(); assert 'income' in flow.locator('.mtl-reading').inner_text() and lab.kernel('print(f.concepts)')=='[]'
    # a pin reaches Python, and opens the concept in the other view
    flow.locator(mark('concept', 'c02')).click(); lab.until('print(f.concepts, c.concepts)', "['c02'] ['c02']"); compare.locator('.mtl-chip[data-id=c02]').wait_for(); assert compare.locator('[data-what=variable]').count() >= 3
    compare.locator('[data-what=variable]').first.click(); lab.until('print(f.variables==c.variables, len(c.variables))', 'True 1'); flow.locator('.mtl-chip[data-kind=variable]').wait_for()
    # Python changes both views
    lab.kernel("c.tasks = ['marriage', 'vote']; f.mass = .5; f.names = {'c02': 'money & means'}; c.sort = 'largest'"); compare.locator('.mtl-q:has-text("What do marriage and vote share")').wait_for(); compare.locator('.mtl-segment[data-value=largest][aria-pressed=true]').wait_for(); flow.locator('.mtl-chip:has-text("money & means")').wait_for()
    compare.locator('.mtl-segment[data-value=attention]').click(); lab.until('print(f.width)', 'attention'); flow.locator('.mtl-segment[data-value=attention][aria-pressed=true]').wait_for()
    # Esc releases, the variable first
    flow.locator('[role=grid] [tabindex="0"]').focus(); page.keyboard.press('Escape'); lab.until('print(c.variables, c.concepts)', "[] ['c02']")
