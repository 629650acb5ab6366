"The same map without a kernel: as a saved page."
import xml.etree.ElementTree as ET

import pytest

from mtl_explain.concept_map import ConceptMap
from trees import hostile, no_concepts, people, unnamed
from views import large


def cell(k, t): return f'[role=gridcell][data-concept="{k}"][data-task="{t}"]'
def words(page, part): return page.locator(f'.mtl .mtl-{part}').inner_text()


@pytest.fixture(scope='module')
def ex(): return people()


@pytest.fixture
def saved(tmp_path, ex): return ConceptMap(ex, concepts=['c02']).save_html(tmp_path/'map.html')


def test_saved_page_shows_the_same(open_page, saved):
    page = open_page(saved)
    assert words(page, 'q')=='Which concepts are shared, which private?'
    assert words(page, 'a')=='Age, income, health and education serve four tasks or more. Four serve one task; one is unused.'
    assert 'no rows of data and no weights' in words(page, 'note')
    assert 'Structure beyond chance: p = .004' in words(page, 'lines').replace('\xa0', ' ')
    assert page.locator(cell('c02', 'card spending')).text_content()=='31' and page.locator(cell('c04', 'card spending')).text_content()=='n.e.'
    assert page.locator('[role=rowgroup]').count()==4 and '5 of 6 tasks' in words(page, 'card')
    page.hover(cell('c04', 'card spending')); assert 'no evidence' in words(page, 'reading')
    page.click(cell('c09', 'diabetes')); assert 'serves one task' in words(page, 'a').replace('serve one', 'serves one') and 'c09' in words(page, 'card')
    field = page.locator('.mtl-name input'); field.fill('fats'); field.press('Enter')
    assert page.locator('[role=rowheader]:has-text("fats")').count()==1
    page.click('.mtl-segment[data-value=attention]'); assert 'not its effect' in words(page, 'lines') and page.locator('.mtl-grid .mtl-ne').count()==0


def test_keyboard_reaches_everything(open_page, saved):
    page = open_page(saved); seen = []
    for _ in range(12):
        page.keyboard.press('Tab')
        seen.append(page.evaluate("(e => e.className?.baseVal ?? (e.className || e.getAttribute('role')))(document.activeElement) + '|' + (document.activeElement.getAttribute('role') ?? document.activeElement.tagName)"))
    found = ' '.join(seen)
    for want in ('mtl-chip', 'mtl-segment', 'mtl-find-field', 'gridcell', 'INPUT', 'mtl-button'): assert want in found, (want, seen)
    page.locator('[role=grid] [tabindex="0"]').focus()
    for k in ('End', 'ArrowUp'): page.keyboard.press(k)
    assert page.evaluate('document.activeElement.dataset.task')=='diabetes' and page.evaluate('document.activeElement.getAttribute("role")')=='columnheader'
    page.keyboard.press('Enter'); assert page.locator('.mtl-chip[data-kind=task]').count()==1
    page.keyboard.press('PageDown'); assert 'stays although every concept is off' in words(page, 'reading')
    assert page.locator('.mtl-ring').count()==1
    page.keyboard.press('Escape'); page.keyboard.press('Escape'); assert page.locator('.mtl-chip').count()==0
    page.keyboard.press('Shift+Tab'); page.keyboard.type('faith'); page.keyboard.press('Escape'); assert page.locator('.mtl-find-field').input_value()==''


def test_hostile_names_are_text(open_page, tmp_path):
    page = open_page(ConceptMap(hostile()).save_html(tmp_path/'h.html', title='</title><script>window.hacked=1</script>'))
    page.locator('[role=gridcell][data-kind=effect]').first.click(); page.locator('[role=rowheader]').first.hover(); page.keyboard.press('t')
    assert page.evaluate('window.hacked') is None and page.locator('.mtl img, .mtl script, .mtl b b img').count()==0
    assert '</script><img src=x' in page.locator('.mtl-panel').inner_text()
    page.locator('.mtl-name input').fill('</script><img src=x onerror="window.hacked=1">'); page.keyboard.press('Enter')
    with page.expect_download() as d: page.click('text=SVG >> nth=-1')
    tree = ET.parse(d.value.path()); assert not [e for e in tree.iter() if e.tag.endswith(('script', 'img'))]
    assert page.evaluate('window.hacked') is None


def test_hostile_names_from_table_to_page(open_page, tmp_path):
    "Column, class, concept and task names that hold markup, through reading, training and explaining"
    import numpy as np, pandas as pd
    from mtl_explain import MTLModel, Table, TaskSuite, explain, fit, load, save
    bad = lambda what: f'{what}</script><img src=x onerror="window.hacked=1">'
    r = np.random.default_rng(0); x = r.normal(size=(80, 3)); col, two, cls = bad('column'), bad('"\'`${2}'), bad('class')
    frame = pd.DataFrame({col: x[:, 0], two: x[:, 1], bad('level'): np.where(x[:, 2] > 0, bad('yes'), 'no'), 'grade': pd.Categorical(np.where(x[:, 0] > .4, cls, np.where(x[:, 1] > 0, 'b', 'c')))})
    plain_ = pd.DataFrame({'u': x[:, 1], col: x[:, 2], bad('target'): x[:, 0] + x[:, 1]})
    suite = TaskSuite({bad('task'): Table(frame, 'grade', concepts={col: bad('concept'), two: 'b'}), 'plain': Table(plain_, bad('target'), units={bad('target'): bad('unit')}, concepts={'u': bad('concept'), col: 'b'})})
    model = MTLModel(suite); fit(model, suite, steps=5, progress=False)
    tree = load(save(explain(model, suite, samples=12, evaluations=64, permutations=19, progress=False), tmp_path/'h.nc'))
    m = ConceptMap(tree); m.names = {m._info['concepts'][0]: bad('concept')}; m.concepts = m._info['concepts'][:1]
    page = open_page(m.save_html(tmp_path/'h.html', title=bad('title')))
    for c in page.locator('[role=gridcell][data-kind=effect]').all()[:6]: c.hover(); c.click()
    page.locator('[role=rowheader]').first.click(); page.keyboard.press('t')
    assert page.evaluate('window.hacked') is None and page.locator('img').count()==0 and page.title()==bad('title')
    assert bad('concept') in page.locator('.mtl-panel').inner_text() and bad('task') in page.locator('.mtl-panel').inner_text() and page.locator('.mtl-name input').input_value()==bad('concept')
    assert page.locator('.mtl-stands [title*="column</script><img"]').count() > 0 and page.locator('.mtl-stands [title*="class</script><img"]').count() > 0


def test_narrow(open_page, saved):
    page = open_page(saved, width=400)
    assert 'Hidden for width: the two margins' in words(page, 'lines') and page.locator('.mtl-menu').first.is_visible() and not page.locator('.mtl-segments').first.is_visible()
    assert page.evaluate('document.documentElement.scrollWidth <= innerWidth')
    page.click('text=Open card'); assert page.locator('.mtl-name input').is_visible()
    page.select_option('.mtl-menu >> nth=0', 'attention'); assert 'not its effect' in words(page, 'lines')


def test_no_evidence_and_no_names(open_page, tmp_path):
    page = open_page(ConceptMap(unnamed()).save_html(tmp_path/'u.html'))
    assert words(page, 'a').replace('\xa0', ' ')=='Four concepts serve four tasks or more; three serve two or three tasks; four serve one task; one is unused. No evidence of structure beyond chance (p = .41).'
    assert 'Read single cells, not the pattern' in words(page, 'lines')
    page = open_page(ConceptMap(people(evidence=None, variables=False, matching=False), concepts=['c01']).save_html(tmp_path/'n.html'))
    assert 'not tested' in words(page, 'lines') and 'attention alone' in words(page, 'card')


def test_stored_explanation_says_what_it_found(open_page, tmp_path):
    "Shared concepts only, structure by the plain null and none within one sign: the page says all three"
    from mtl_explain.schema import example
    page = open_page(ConceptMap(example(), concepts=['c05']).save_html(tmp_path/'e.html')); said = lambda part: words(page, part).replace('\xa0', ' ').replace('\u202f', ' ')
    assert said('a')=='All twelve concepts serve four tasks or more. Shared is the direction of effects (p = .041) rather than meaning (p = .14).'
    assert page.locator('[role=rowgroup]').count()==1 and page.locator('[role=rowgroup]').get_attribute('aria-label')=='Shared: serves four tasks or more'
    for want in ('within one sign of the effect no evidence: p = .14 (names permuted 999 times', 'the direction of effects rather than meaning', 'A concept serves the tasks that together hold 90 % of it', 'no fit beyond chance', '72 to 200 samples a task'): assert want in said('lines'), want
    assert 'serves 5 of 6 tasks' in said('card') and 'No evidence that it matches a named concept' in said('card')


def test_states(open_page, tmp_path, ex):
    empty = ConceptMap(no_concepts())
    broken = ex.copy(); broken['concepts'] = broken['concepts'].to_dataset().rename(task='table'); broken = ConceptMap(broken)
    for view, text, code in [(empty, 'This explanation has no concepts', 'MTLModel('), (broken, '/concepts/usage has dims (table, concept); expected (task, concept)', 'check(')]:
        with pytest.raises(ValueError): view.save_html(tmp_path/'x.html')
        from mtl_explain.view import page as document
        (tmp_path/'s.html').write_text(document(view.to_html(), 'state'), encoding='utf-8')
        page = open_page(tmp_path/'s.html'); assert text in page.locator('.mtl').inner_text() and code in page.locator('.mtl pre').inner_text() and not page.locator('.mtl-controls').is_visible()


def test_full_size(open_page, tmp_path):
    path = ConceptMap(large()).save_html(tmp_path/'l.html'); assert path.stat().st_size < 4e6
    page = open_page(path)
    assert '128 concepts × 121 tasks' in words(page, 'lines') and page.locator('.mtl [role=grid] *').count() < 3000
    page.locator('.mtl [role=grid]').hover(position={'x': 300, 'y': 100}); assert '→' in words(page, 'reading')
    page.locator('.mtl [role=grid]').click(position={'x': 300, 'y': 100}); assert page.locator('.mtl-chip').count()==1
    page.keyboard.press('ArrowRight'); assert '→' in page.evaluate("document.activeElement.getAttribute('aria-label')")
    spent = page.evaluate('''async () => { const g = document.querySelector('.mtl [role=grid]'), r = g.getBoundingClientRect(), t = [];
      for (let i = 0; i < 30; i++) { const s = performance.now(); g.dispatchEvent(new PointerEvent('pointermove', {clientX: r.left + 150 + 9*i, clientY: r.top + 150 + 7*i, bubbles: true})); t.push(performance.now() - s) }
      return t.sort((a, b) => a - b)[15] }''')
    assert spent < 16, f'hover takes {spent:.1f} ms'
