"The comparison of two tasks without a kernel, as a saved page: read, hover, open, choose tasks, keys, table, what is said where nothing can be drawn."
import re, xml.etree.ElementTree as ET

import nbformat, numpy as np, pytest
from nbconvert import HTMLExporter

from mtl_explain.schema import example
from mtl_explain.task_compare import TaskCompare
from test_attributions_page import OVERLAPS
from test_concept_flow import with_edges
from test_task_compare import with_overlap
from trees import HOSTILE, hostile, large, make, no_concepts, people, small


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


@pytest.mark.parametrize('width', [1000, 600, 400])
@pytest.mark.parametrize('which', ['people', 'example', 'edges', 'hostile', 'large', 'small'])
def test_no_label_lies_on_another(open_page, tmp_path, which, width):
    tree = dict(people=people, example=example, edges=lambda: with_overlap(with_edges(people())), hostile=hostile, large=large, small=small)[which]()
    page = open_page(TaskCompare(tree).save_html(tmp_path/'o.html'), width=width); assert page.evaluate(OVERLAPS)==[]
    page.locator('[role=rowheader]').first.click(); assert page.evaluate(OVERLAPS)==[] and page.locator('.mtl-chip').count()==1 and page.evaluate('document.documentElement.scrollWidth <= innerWidth')


def test_hostile_names_are_text(open_page, tmp_path):
    page = open_page(TaskCompare(hostile(), *HOSTILE[:2]).save_html(tmp_path/'h.html', title='</title><script>window.hacked=1</script>'))
    page.locator('[role=rowheader]').first.click(); page.locator('[data-what=variable]').first.click(); page.keyboard.press('t')
    assert page.evaluate('window.hacked') is None and page.locator('.mtl img, .mtl script').count()==0 and HOSTILE[0] in page.locator('.mtl-panel').inner_text()
    with page.expect_download() as d: page.click('[aria-label="Save SVG"]')
    assert not [e for e in ET.parse(d.value.path()).iter() if e.tag.endswith(('script', 'img'))]


@pytest.mark.parametrize('theme, paper', [('light', (255, 255, 255)), ('dark', (17, 17, 17))])
def test_saving_pictures(open_page, saved, theme, paper):
    page = open_page(saved, theme=theme); page.click(name('c02'))
    with page.expect_download() as d: page.click('.mtl-button:has-text("PNG")')
    assert d.value.suggested_filename=='task-compare.png' and open(d.value.path(), 'rb').read(8)==b'\x89PNG\r\n\x1a\n'
    with page.expect_download() as d: page.click('[aria-label="Save SVG"]')
    tree = ET.parse(d.value.path()); said = '|'.join(''.join(t.itertext()) for t in tree.iterfind('.//{*}text'))
    for want in ('What do vote and travel mode share', 'They share 32', 'Shared by both', 'its variables', 'not tested'): assert want in said, want
    assert 'Find a name' not in said and tree.getroot().find('{*}rect').get('fill')=='#%02x%02x%02x' % paper


def test_states(open_page, tmp_path):
    from mtl_explain.view import page as document
    for tree, text in [(no_concepts(), 'no concepts'), (make({'only': ([('y', '', 'number')], ['x'])}, [[40]]), 'one task')]:
        (tmp_path/'s.html').write_text(document(TaskCompare(tree).to_html(), 'state'), encoding='utf-8'); page = open_page(tmp_path/'s.html'); assert text in page.locator('.mtl').inner_text() and not page.locator('.mtl-controls').is_visible()
    page = open_page(TaskCompare(people(concepts_explained=False)).save_html(tmp_path/'n.html')); assert 'attention, which is not effect' in words(page, 'a')
    page = open_page(TaskCompare(make({'a': ([('y', '', 'number')], ['x']), 'b': ([('z', '', 'number')], ['u'])}, [[0, 0]])).save_html(tmp_path/'z.html')); assert words(page, 'a')=='No concept moves either task.'


def test_inside_nbconvert(open_page, tmp_path, ex, monkeypatch):
    nb = nbformat.v4.new_notebook(); monkeypatch.setenv('IN_TEST', '1'); data, meta = TaskCompare(ex)._repr_mimebundle_(); cell = nbformat.v4.new_code_cell('TaskCompare(ex)'); cell.outputs = [nbformat.v4.new_output('display_data', data=data, metadata=meta)]; nb.cells.append(cell)
    (tmp_path/'nb.html').write_text(HTMLExporter().from_notebook_node(nb)[0], encoding='utf-8')
    page = open_page(tmp_path/'nb.html', hosts=('https://cdnjs.cloudflare.com/', 'https://cdn.jsdelivr.net/')); page.locator('[role=rowheader]').first.click(); assert page.locator('.mtl-chip').count()==1


def test_full_size(open_page, tmp_path):
    path = TaskCompare(large()).save_html(tmp_path/'l.html'); assert path.stat().st_size < 4e6
    page = open_page(path); assert page.locator('select[aria-label=with] option').count()==121
    page.locator('.mtl-find-field').focus(); page.keyboard.type('table 077'); page.keyboard.press('Enter'); assert 'table 077' in words(page, 'q')
    spent = page.evaluate('''async () => { const marks = [...document.querySelectorAll('.mtl [data-r]')], t = [];
      for (let i = 0; i < 30; i++) { const s = performance.now(); marks[(7*i) % marks.length].dispatchEvent(new PointerEvent('pointermove', {bubbles: true})); t.push(performance.now() - s) }
      return t.sort((a, b) => a - b)[15] }''')
    assert spent < 16, f'hover takes {spent:.1f} ms'


def test_odd_trees_are_drawn(open_page, tmp_path):
    from mtl_explain.view import page as document
    views = []
    for k in range(30):
        r = np.random.default_rng(k); T, K = 2 + k % 4, 1 + k % 31; ts = {f't{i}': ([(f'y{j}', '', 'number') for j in range(1 + k % 2)], [f'x{j}' for j in range(1 + r.integers(12))]) for i in range(T)}
        tree = make(ts, r.choice([0, 0, 3, 9, -5], (K, T)), samples=k % 3, concepts_explained=k % 4 > 0, variables=k % 2==0, evidence=None if k % 2 else dict(p=.3), seed=k)
        if k % 5==0: tree = with_overlap(tree, **{x: np.nan for x in ('low', 'high')} if k % 2 else {})
        views.append(TaskCompare(with_edges(tree, k) if k % 3==0 and k % 4 else tree, sort=['shared', 'largest', 'name'][k % 3])); assert not views[-1].trouble
    (tmp_path/'odd.html').write_text(document('\n'.join(v.to_html() for v in views), 'odd'), encoding='utf-8')
    for width in (1000, 400):
        page = open_page(tmp_path/'odd.html', width=width); page.wait_for_function("document.querySelectorAll('.mtl [role=grid]').length === 30 || document.body.innerText.includes('could not be started')"); assert 'could not be started' not in page.inner_text('body')
        page.evaluate("() => { for (const at of document.querySelectorAll('[data-mtl]')) { const m = at.mtlModel; m.set('concepts', m.get('_info').concepts); m.set('width', 'attention'); m.set('tasks', [m.get('_info').tasks[1]]); at.querySelector('.mtl').dispatchEvent(new KeyboardEvent('keydown', {key: 't', bubbles: true})); } }")
        bad = page.evaluate("() => [...document.querySelectorAll('.mtl-picture, .mtl-lines, .mtl-q, .mtl-a, .mtl-panel')].map(e => e.textContent).filter(s => /NaN|undefined|\\[object|Infinity/.test(s))"); assert page.errors==[] and bad==[], bad[:3]
        assert page.evaluate("() => [...document.querySelectorAll('.mtl-picture svg *')].filter(e => [...e.attributes].some(a => /NaN|undefined|Infinity/.test(a.value))).map(e => e.outerHTML.slice(0, 300))")==[]
