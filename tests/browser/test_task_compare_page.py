"The comparison of two tasks without a kernel, as a saved page: read, hover, open, choose tasks, keys, table, what is said where nothing can be drawn."
import re

import pytest

from mtl_explain.task_compare import TaskCompare
from test_attributions_page import OVERLAPS
from test_concept_flow import with_edges
from test_task_compare import with_overlap
from trees import make, no_concepts, people
from views import large


def words(page, part): return page.locator(f'.mtl .mtl-{part}').inner_text().replace('\xa0', ' ').replace('\u202f', ' ')
def name(c): return f'[role=rowheader][data-concept={c}]'
def bar(c, side): return f'[role=gridcell][data-what=bar][data-concept={c}][data-side="{side}"]'
FOCUS = "document.activeElement.getAttribute('aria-label')"


@pytest.fixture(scope='module')
def ex(): return people()
@pytest.fixture
def saved(tmp_path, ex): return TaskCompare(ex, 'vote', 'travel mode').save_html(tmp_path/'c.html')


def test_read_hover_and_open(open_page, saved):
    page = open_page(saved)
    assert words(page, 'q')=='What do vote and travel mode share, where do they part?' and words(page, 'a')=='They share 32 % of what moves them: income, age and education. They part at c08 left–right and c11 journey time.'
    for want in ('Shown: 9 of 12 concepts', 'Hidden: 3 that neither task uses', '“Alone” includes what no concept holds: 17 % and 3 %', 'Hatched, “n.e.”', 'Overlap beyond chance: not tested', 'shapley on concepts'): assert want in words(page, 'lines'), want
    said = page.locator('.mtl-picture').text_content().replace('\u202f', ' ')
    for want in ('vote alone 68 %', 'both 32 %', 'travel mode alone 68 %', 'Shared by both', 'Only in vote', 'Only in travel mode', 'No evidence in either', '2 % n.e.'): assert want in said, want
    assert 'unrelated' not in said and page.locator('[data-what=bar][data-kind=unclear]').count()==1 and page.locator('[role=rowheader]').count()==9
    page.hover(bar('c02', 0)); assert words(page, 'reading')=='income → vote: 17 % of the task’s effect (95 %: 13–21); 21 % of travel mode.' and page.locator('.mtl-marks rect').count()==1
    page.hover('[data-what=sum] >> nth=1'); assert words(page, 'reading').startswith('Both: 32 % of each task’s effect'); page.hover('[data-what=sum] >> nth=2'); assert words(page, 'reading')=='travel mode alone: 68 % of its effect, 3 % of it in no concept.'
    page.click(name('c02')); page.mouse.move(2, 2); assert page.locator('.mtl-chip').inner_text().startswith('concept: income') and page.locator(name('c02')).get_attribute('aria-expanded')=='true' and page.locator('[data-what=variable]').count()>=3 and page.locator('[data-what=more]').count()==2
    assert 'divided by attention, which is not effect' in words(page, 'lines') and words(page, 'reading').endswith('Enter closes it.')
    page.hover('[data-what=variable] >> nth=0'); assert re.match(r'.+ \(vote\): \d+ % of the task’s effect through income, divided by attention; .+\.$', words(page, 'reading'))
    page.click('[data-what=variable] >> nth=0'); assert page.locator('.mtl-chip').count()==2
    page.keyboard.press('Escape'); page.keyboard.press('Escape'); assert page.locator('.mtl-chip').count()==0 and page.locator('[data-what=variable]').count()==0


def test_other_tasks_and_other_orders(open_page, saved):
    page = open_page(saved); page.select_option('select[aria-label=with]', 'marriage'); assert words(page, 'q')=='What do vote and marriage share, where do they part?'
    page.select_option('select[aria-label=Compare]', 'marriage'); assert words(page, 'q')=='What do marriage and vote share, where do they part?'
    first = lambda: page.locator('[role=rowheader]').first.get_attribute('data-concept')
    page.click('.mtl-segment[data-value=largest]'); assert first()=='c08' and 'Shared by both' not in page.locator('.mtl-picture').text_content(); page.click('.mtl-segment[data-value=name]'); assert page.locator('[role=rowheader]').first.get_attribute('aria-label').startswith('age')
    page.click('.mtl-segment[data-value=attention]'); assert 'attention, which is not effect' in words(page, 'a') and 'attention, which is not its effect' in words(page, 'lines')


def test_keyboard_reaches_everything(open_page, saved):
    page = open_page(saved); page.locator('.mtl [role=grid] [tabindex="0"]').focus(); assert page.evaluate(FOCUS).startswith('vote alone')
    page.keyboard.press('ArrowRight'); assert page.evaluate(FOCUS).startswith('Both:') and page.locator('.mtl-ring').count()==1
    page.keyboard.press('ArrowDown'); assert page.evaluate('document.activeElement.dataset.what')=='name'; page.keyboard.press('Enter'); assert page.locator('.mtl-chip').count()==1 and page.evaluate('document.activeElement.dataset.what')=='name'
    page.keyboard.press('ArrowDown'); assert page.evaluate('document.activeElement.dataset.what')=='variable' and 'through income' in words(page, 'reading')
    page.keyboard.press('Enter'); assert page.locator('.mtl-chip[data-kind=variable]').count()==1; page.keyboard.press('Escape'); page.keyboard.press('Escape'); assert page.locator('.mtl-chip').count()==0
    page.keyboard.press('/'); page.keyboard.type('journey'); assert 'concept c11 journey time' in words(page, 'reading'); page.keyboard.press('Enter'); assert page.locator('.mtl-chip').inner_text().startswith('concept: c11')
    page.keyboard.press('/'); page.keyboard.type('diabetes'); assert 'Enter compares with it' in words(page, 'reading'); page.keyboard.press('Enter'); assert words(page, 'q').startswith('What do vote and diabetes share')
    page.keyboard.press('t'); assert page.locator('.mtl-panel').is_visible() and 'no concept' in page.locator('.mtl-panel').inner_text(); page.keyboard.press('Escape'); assert page.locator('.mtl-panel').is_hidden() and page.locator('.mtl-reading[aria-live=polite]').count()==1


def test_the_page_says_what_the_table_says(open_page, tmp_path):
    view = TaskCompare(with_edges(people()), 'vote', 'travel mode', concepts=['c02']); page = open_page(view.save_html(tmp_path/'t.html')); page.locator('.mtl [role=grid] [tabindex="0"]').focus(); page.keyboard.press('t')
    shown, d = page.eval_on_selector_all('.mtl-panel tbody tr', 'a => a.map(r => [...r.children].map(c => c.innerText))'), view.table(); n = lambda s: float(re.match(r'<?\d+', s)[0].replace('<1', '.5'))
    assert abs(n(shown[0][4])-100*d.attrs['both']) <= .5; label = lambda c: {'c01': 'age', 'c02': 'income', 'c03': 'health', 'c04': 'education', 'c05': 'household'}.get(c, c)
    want = d[(d.what=='concept') & (d.share > 0)]; seen = 0
    for r in want.itertuples():
        row = next(x for x in shown if x[0].startswith(label(r.concept)) and not x[1]); cell = row[2 if r.task=='vote' else 3]; assert abs(n(cell)-100*r.share) <= .5 and ('n.e.' in cell)==(not r.evidence), (row, r); seen += 1
    assert seen==len(want) and len([x for x in shown if x[1]])==(d[(d.what=='variable') & (d.concept=='c02')].groupby('task').size().clip(upper=8)).sum() and 'Variables: measured' in words(page, 'lines')


def test_interval_and_null_where_the_tree_has_them(open_page, tmp_path, ex):
    page = open_page(TaskCompare(with_overlap(ex), 'vote', 'travel mode').save_html(tmp_path/'i.html')); assert 'two unrelated tasks: 25 % (18–31)' in page.locator('.mtl-picture').text_content().replace('\u202f', ' ')
    assert 'Overlap beyond chance: p = .03: 32 % (95 %: 27–38) against 25 % between unrelated tasks, names shuffled 999 times.' in words(page, 'lines') and page.evaluate(OVERLAPS)==[]
    page.select_option('select[aria-label=with]', 'diabetes'); assert 'belongs to another explainer' in words(page, 'lines')
    page = open_page(TaskCompare(with_overlap(ex, p=.4), 'vote', 'travel mode').save_html(tmp_path/'j.html')); assert words(page, 'a').endswith('No evidence that it is more than chance (p = .40).')


def test_states(open_page, tmp_path):
    from mtl_explain.view import page as document
    for tree, text in [(no_concepts(), 'no concepts'), (make({'only': ([('y', '', 'number')], ['x'])}, [[40]]), 'one task')]:
        (tmp_path/'s.html').write_text(document(TaskCompare(tree).to_html(), 'state'), encoding='utf-8'); page = open_page(tmp_path/'s.html'); assert text in page.locator('.mtl').inner_text() and not page.locator('.mtl-controls').is_visible()
    page = open_page(TaskCompare(people(concepts_explained=False)).save_html(tmp_path/'n.html')); assert 'attention, which is not effect' in words(page, 'a')
    page = open_page(TaskCompare(make({'a': ([('y', '', 'number')], ['x']), 'b': ([('z', '', 'number')], ['u'])}, [[0, 0]])).save_html(tmp_path/'z.html')); assert words(page, 'a')=='No concept moves either task.'


def test_full_size(open_page, tmp_path):
    path = TaskCompare(large()).save_html(tmp_path/'l.html'); assert path.stat().st_size < 4e6
    page = open_page(path); assert page.locator('select[aria-label=with] option').count()==121
    page.locator('.mtl-find-field').focus(); page.keyboard.type('table 077'); page.keyboard.press('Enter'); assert 'table 077' in words(page, 'q')
    spent = page.evaluate('''async () => { const marks = [...document.querySelectorAll('.mtl [data-r]')], t = [];
      for (let i = 0; i < 30; i++) { const s = performance.now(); marks[(7*i) % marks.length].dispatchEvent(new PointerEvent('pointermove', {bubbles: true})); t.push(performance.now() - s) }
      return t.sort((a, b) => a - b)[15] }''')
    assert spent < 16, f'hover takes {spent:.1f} ms'
