"The view of routes without a kernel, as a saved page: read, hover, pin, slider, keys, table, what is said where nothing can be drawn."
import re

import pytest

from mtl_explain.concept_flow import ConceptFlow
from test_attributions_page import OVERLAPS
from test_concept_flow import with_edges
from trees import make, no_concepts, people, unnamed
from views import large


def words(page, part): return page.locator(f'.mtl .mtl-{part}').inner_text().replace('\xa0', ' ').replace('\u202f', ' ')
def mark(kind, id): return f'[role=gridcell][data-kind={kind}][data-id="{id}"]'
FOCUS = "document.activeElement.getAttribute('aria-label')"


@pytest.fixture(scope='module')
def ex(): return people()
@pytest.fixture
def saved(tmp_path, ex): return ConceptFlow(ex).save_html(tmp_path/'f.html')


def test_read_hover_and_pin(open_page, saved):
    page = open_page(saved)
    assert words(page, 'q')=='By what route does a variable reach a task?' and re.match(r'The \d+ widest of 173 routes carry 90 % of the flow; the widest is ', words(page, 'a'))
    foot = words(page, 'lines'); shown = int(re.search(r'Showing (\d+) of 173 routes, 90 % of the flow', foot)[1])
    for want in ('one hatched strip', 'attention is not effect', 'Structure beyond chance: p = .004', 'shapley on concepts'): assert want in foot, want
    assert page.locator('[role=gridcell][data-kind=route]').count()==shown and page.locator('[role=gridcell][data-kind=task]').count()==6 and 'no rows of data and no weights' in words(page, 'note')
    page.hover(mark('concept', 'c02')); assert words(page, 'reading').startswith('income: reaches five tasks: card spending 31 %, travel mode 21 % and vote 17 %') and page.locator('.mtl-marks rect').count()==1
    page.click(mark('concept', 'c02')); page.mouse.move(2, 2); assert page.locator('.mtl-chip').inner_text().startswith('concept: income') and words(page, 'a')=='Income reaches five tasks. It weighs most in card spending (31 %), least in marriage (4 %).'
    assert '31 % of its effect' in page.locator('.mtl-picture').text_content().replace('\u202f', ' ') and page.locator('.mtl-pins rect').count()==1 and 'are pinned' in words(page, 'lines') and words(page, 'reading').startswith('income: reaches')
    page.click(mark('task', 'vote')); assert page.locator('.mtl-chip').count()==2 and 'passes through what is pinned' in words(page, 'a') or 'pass through what is pinned' in words(page, 'a')
    page.keyboard.press('Escape'); page.keyboard.press('Escape'); assert page.locator('.mtl-chip').count()==0
    page.locator('[role=gridcell][data-kind=route]').first.dispatch_event('pointermove'); assert '→' in words(page, 'reading') and 'divided by attention, which is not effect' in words(page, 'reading')
    page.locator('[role=gridcell][data-kind=route]').first.dispatch_event('click'); assert page.locator('.mtl-chip').count()==2 and page.locator('.mtl-chip[data-kind=variable]').count()==1
    page.locator('[role=gridcell][data-kind=link]').first.dispatch_event('pointermove'); assert re.search(r'\d %', words(page, 'reading')) and 'variable' in words(page, 'reading')


def test_mass_is_a_slider_and_the_rest_is_one_strip(open_page, saved):
    page = open_page(saved); n = lambda: page.locator('[role=gridcell][data-kind=route]').count(); before = n()
    page.locator('.mtl-range').fill('50'); assert n() < before and re.search(r'5\d % of the flow', words(page, 'lines')) and re.search(r'5\d % of the flow', words(page, 'slide'))
    page.hover('[role=gridcell][data-kind=rest]'); assert 'smaller routes:' in words(page, 'reading')
    page.locator('.mtl-range').focus(); page.keyboard.press('End'); assert n() > before; page.keyboard.press('t'); assert page.locator('.mtl-panel').is_visible(); page.keyboard.press('Escape')
    page.locator('.mtl-range').focus(); page.keyboard.press('/'); assert page.evaluate("document.activeElement.className")=='mtl-find-field'
    page.click('.mtl-segment[data-value=attention]'); assert 'Attention is not effect' in words(page, 'lines') and 'of its attention' in words(page, 'a')


def test_keyboard_reaches_everything(open_page, saved):
    page = open_page(saved); page.locator('.mtl [role=grid] [tabindex="0"]').focus(); assert '(vote):' in page.evaluate(FOCUS)
    page.keyboard.press('ArrowDown'); first = page.evaluate(FOCUS); assert page.locator('.mtl-ring').count()==1
    kinds = []
    for _ in range(4): page.keyboard.press('ArrowRight'); kinds.append(page.evaluate('document.activeElement.dataset.kind'))
    assert kinds==['route', 'concept', 'link', 'task'] and 'runs through concepts' in words(page, 'reading')
    page.keyboard.press('Enter'); assert page.locator('.mtl-chip[data-kind=task]').count()==1 and page.evaluate('document.activeElement.dataset.kind')=='task'
    page.keyboard.press('Escape'); page.keyboard.press('PageUp'); page.keyboard.press('Home'); page.keyboard.press('ArrowDown'); assert page.evaluate(FOCUS)==first
    page.keyboard.press('/'); page.keyboard.type('blood f'); assert 'c09 blood fats' in words(page, 'reading'); page.keyboard.press('Enter'); assert page.locator('.mtl-chip').inner_text().startswith('concept: c09 blood fats')
    page.keyboard.press('t'); rows = page.locator('.mtl-panel tbody tr').count(); assert rows==page.locator('[role=gridcell][data-kind=route]').count()+1
    page.keyboard.press('Escape'); assert page.locator('.mtl-panel').is_hidden() and page.locator('.mtl-reading[aria-live=polite]').count()==1
    page.locator('.mtl [role=grid] [tabindex="0"]').focus(); page.keyboard.press('Escape'); assert page.locator('.mtl-chip').count()==0


def test_the_page_says_what_the_table_says(open_page, tmp_path):
    view = ConceptFlow(with_edges(people()), mass=.6); page = open_page(view.save_html(tmp_path/'t.html')); page.locator('.mtl [role=grid] [tabindex="0"]').focus(); page.keyboard.press('t')
    shown = page.eval_on_selector_all('.mtl-panel tbody tr', 'a => a.map(r => [...r.children].map(c => c.innerText))')[:-1]; want = view.table().head(len(shown)); names = {'c01': 'age', 'c02': 'income'}
    for row, r in zip(shown, want.itertuples()):
        assert row[0]==r.name and row[2]==r.task and (row[3]=='<1' or abs(int(row[3])-100*r.flow) <= .5) and ('n.e.' in row[4])==(not r.evidence) and row[1]==names.get(r.concept, row[1])
    assert want.mass.iloc[-1] >= .6 > want.mass.iloc[-2] and 'measured for this variable and concept' in words(page, 'lines')
    page.locator('[role=gridcell][data-kind=route]').first.dispatch_event('pointermove'); assert re.search(r'% of the task’s effect \(95 %: \d+–\d+\)', words(page, 'reading'))


def test_narrow_is_a_list(open_page, saved):
    page = open_page(saved, width=400); assert 'Hidden for width: the ribbons; routes are a list' in words(page, 'lines') and page.evaluate('document.documentElement.scrollWidth <= innerWidth') and page.locator('[role=gridcell][data-kind=route]').count()==24
    page.locator('[role=gridcell][data-kind=route]').first.click(); assert page.locator('.mtl-chip').count()==2 and page.locator('[role=gridcell][data-kind=route]').count()==1; page.click('.mtl-chip >> nth=0')
    assert page.locator('.mtl-menu').first.is_visible() and page.evaluate(OVERLAPS)==[]


def test_states_and_doubt(open_page, tmp_path, ex):
    from mtl_explain.view import page as document
    (tmp_path/'s.html').write_text(document(ConceptFlow(no_concepts()).to_html(), 'state'), encoding='utf-8')
    page = open_page(tmp_path/'s.html'); assert 'This explanation has no concepts' in page.locator('.mtl').inner_text() and 'MTLModel(' in page.locator('.mtl pre').inner_text() and not page.locator('.mtl-controls').is_visible()
    page = open_page(ConceptFlow(unnamed()).save_html(tmp_path/'u.html')); assert 'No evidence of structure beyond chance (p = .41).' in words(page, 'a')
    page = open_page(ConceptFlow(people(concepts_explained=False)).save_html(tmp_path/'n.html')); assert page.locator('.mtl-segments').first.is_hidden() and 'Attention is not effect' in words(page, 'lines')
    page = open_page(ConceptFlow(make({'a': ([('y', '', 'number')], ['x']), 'b': ([('z', '', 'number')], ['u'])}, [[0, 0]])).save_html(tmp_path/'z.html')); assert 'No route carries anything' in words(page, 'a') and 'Nothing flows.' in page.locator('.mtl-picture').text_content()
    page = open_page(ConceptFlow(make({'a': ([('y', '', 'number')], ['x'])}, [[-30]]), mass=1).save_html(tmp_path/'d.html')); page.hover('[role=gridcell][data-kind=variable]'); assert 'Hatched ribbons: no evidence' in words(page, 'lines')


def test_full_size(open_page, tmp_path):
    path = ConceptFlow(large()).save_html(tmp_path/'l.html'); assert path.stat().st_size < 4e6
    page = open_page(path); assert 'more would not fit' in words(page, 'lines') and page.locator('.mtl [role=grid] *').count() < 3000
    page.locator('.mtl-find-field').focus(); page.keyboard.type('table 077'); page.keyboard.press('Enter'); assert 'routes through what is pinned' in words(page, 'lines') and words(page, 'a').startswith('Table 077 is reached through')
    spent = page.evaluate('''async () => { const marks = [...document.querySelectorAll('.mtl [role=gridcell]')], t = [];
      for (let i = 0; i < 30; i++) { const s = performance.now(); marks[(7*i) % marks.length].dispatchEvent(new PointerEvent('pointermove', {bubbles: true})); t.push(performance.now() - s) }
      return t.sort((a, b) => a - b)[15] }''')
    assert spent < 16, f'hover takes {spent:.1f} ms'
