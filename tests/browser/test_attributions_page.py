"The view of attributions without a kernel, as a saved page: read, hover, pin, keys, table, what is said where nothing can be drawn."
import re

import pytest

import checks
from mtl_explain.attributions import Attributions
from mtl_explain.schema import example
from trees import answers, heads, leaves, three
from views import large


def words(page, part): return page.locator(f'.mtl .mtl-{part}').inner_text().replace('\xa0', ' ').replace('\u202f', ' ')
def bar(player): return f'[role=gridcell][data-part=bar][data-player="{player}"]'
def dots(page, player): return page.locator(f'[role=gridcell][data-what=dots][data-player="{player}"]')

OVERLAPS = '''() => { const boxes = [...document.querySelectorAll('.mtl-picture svg text')].filter(t => t.textContent.trim() && !t.closest('.mtl-marks, .mtl-pins') && !/rotate/.test(t.getAttribute('transform') ?? '')).map(t => [t.textContent, t.getBoundingClientRect()]), bad = [];
  const svg = document.querySelector('.mtl-picture svg').getBoundingClientRect();
  for (const [s, a] of boxes) if (a.left < svg.left - 2 || a.right > svg.right + 2 || a.bottom > svg.bottom + 2) bad.push('outside: ' + s);
  boxes.forEach(([s, a], i) => boxes.slice(i + 1).forEach(([z, b]) => { if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4) bad.push(`${s} | ${z}`); }));
  return bad; }'''


@pytest.fixture(scope='module')
def three_(): return three()


@pytest.fixture
def saved(tmp_path, three_): return Attributions(three_, rows=True).save_html(tmp_path/'a.html')


def test_read_hover_and_pin(open_page, saved):
    page = open_page(saved)
    assert words(page, 'q')=='Why visits of 5.81 for row 1200?' and words(page, 'a')=='The prediction is 2.31 visits a year above the base of 3.50; age raises it by 5.26.'
    assert 'values of features and observed answers; no weights' in words(page, 'note')
    assert page.locator('[data-part=bar]').count()==7 and page.locator('[data-part=ledger]').count()==7 and page.locator('[data-what=dots]').count()==7
    assert page.locator('[data-part=bar][data-kind=unclear]').count()==1 and '−0.07 n.e.' in page.locator('.mtl-picture').text_content()
    assert page.evaluate(checks.READS, ['.mtl-picture svg text', 'none: shapley leaves nothing in biases'])
    for want in ('closes by construction', '5.81 visits a year', 'mean of 100 training rows', 'rank agreement'): assert want in page.locator('.mtl-picture').text_content(), want
    page.hover(bar('income')); assert re.match(r'income = [\d.]+: −3\.35 visits a year \(95 %: −3\.94 to −2\.75\), lowers\. With other background rows: .* expected gradients: −3\.29\.', words(page, 'reading'))
    page.click(bar('income')); page.mouse.move(2, 2); assert page.locator('.mtl-chip').inner_text().startswith('feature: income') and words(page, 'reading').startswith('income')
    page.hover('[data-what=base] >> nth=0'); assert words(page, 'reading').startswith('base: 3.50 visits a year')
    # a dot is a row: hovering draws it, a click pins it
    box = page.evaluate("() => { const c = document.querySelector('[data-what=dots][data-player=\"income\"]').closest('[role=row]').querySelector('path').getBoundingClientRect(); return [c.left, c.top, c.width, c.height] }")
    for k in range(1, 40):
        page.mouse.move(box[0] + box[2]*k/40, box[1] + box[3]/2)
        if (said:=words(page, 'reading')).startswith('row ') and not said.startswith('row 1200'): break
    row = re.match(r'row (\d+)', said)[1]; assert page.locator('.mtl-marks polyline').count()==1
    page.mouse.down(); page.mouse.up(); assert words(page, 'q').endswith(f'for row {row}?') and page.locator('select[aria-label=Row]').input_value()==row
    page.keyboard.press('Escape'); page.keyboard.press('Escape'); assert words(page, 'q').endswith('row 1200?') and page.locator('.mtl-chip').count()==0


def test_explainers_that_never_close_have_no_ledger(open_page, saved):
    page = open_page(saved)
    page.select_option('select[aria-label=Explainer]', 'lime'); assert page.locator('[data-part=ledger]').count()==0 and 'No ledger' in page.locator('.mtl-picture').text_content() and 'lime never closes' in words(page, 'lines') and 'R² .83' in words(page, 'lines')
    page.select_option('select[aria-label=Explainer]', 'relevance'); said = page.locator('.mtl-picture').text_content()
    for want in ('held by biases, not by any feature', 'held by the variables’ own embeddings', 'a score of zero: the mean of the training rows'): assert want in said, want
    assert 'biases and own embeddings hold' in words(page, 'a') and 'no sampling error: no interval' in words(page, 'lines') and page.locator('[data-part=ledger]').count()==7
    page.click('.mtl-segment[data-value=explainers]'); assert page.locator('[role=columnheader]').count()==4 and page.locator('[data-explainer=lime][role=gridcell]').count()==7
    page.click('[role=columnheader][data-explainer=shapley]'); assert 'closest to shapley' in words(page, 'a')
    page.hover('[role=columnheader][data-explainer=lime]'); assert 'lime, the same row: rank agreement' in words(page, 'reading')


def test_keyboard_reaches_everything(open_page, saved):
    page = open_page(saved); focus = "document.activeElement.getAttribute('aria-label')"
    page.locator('.mtl [role=grid] [tabindex="0"]').focus(); assert page.evaluate(focus).startswith('base')
    page.keyboard.press('ArrowDown'); assert page.evaluate(focus).startswith('age = ') and page.locator('.mtl-ring').count()==1
    page.keyboard.press('ArrowRight'); assert 'from 3.50 to' in page.evaluate(focus)
    page.keyboard.press('Enter'); assert page.locator('.mtl-chip').count()==1 and page.evaluate(focus).startswith('age: from')
    page.keyboard.press('PageDown'); said = page.evaluate(focus); assert said.startswith('row ') and page.evaluate("document.activeElement.dataset.what")=='dots'
    page.keyboard.press('Home'); first = page.evaluate(focus); page.keyboard.press('ArrowRight'); assert page.evaluate(focus)!=first and words(page, 'reading').startswith('row ')
    row = re.match(r'row (\d+)', page.evaluate(focus))[1]; page.keyboard.press('Enter'); assert words(page, 'q').endswith(f'row {row}?')
    page.keyboard.press('Escape'); page.keyboard.press('Escape'); assert page.locator('.mtl-chip').count()==0 and words(page, 'q').endswith('row 1200?')
    page.keyboard.press('/'); page.keyboard.type('self'); assert 'feature self-rated health' in words(page, 'reading'); page.keyboard.press('Enter'); assert page.locator('.mtl-chip').inner_text().startswith('feature: self-rated health')
    page.keyboard.press('/'); page.keyboard.type('1212'); page.keyboard.press('Enter'); assert words(page, 'q').endswith('row 1212?')
    page.keyboard.press('t'); assert page.locator('.mtl-panel tr').count()==11 and page.locator('.mtl-panel').inner_text().count('chronic diseases')==1
    page.keyboard.press('Escape'); assert page.locator('.mtl-panel').is_hidden() and page.locator('.mtl-reading[aria-live=polite]').count()==1


def test_the_page_says_what_the_table_says(open_page, tmp_path, three_):
    view = Attributions(three_, samples=['1216'], rows=True); page = open_page(view.save_html(tmp_path/'t.html')); page.locator('.mtl [role=grid] [tabindex="0"]').focus(); page.keyboard.press('t')
    shown = {r[0]: r for r in page.eval_on_selector_all('.mtl-panel tbody tr', 'a => a.map(r => [...r.children].map(c => c.innerText))')}; want = view.table(); n = lambda s: float(s.replace('−', '-').replace('+', '').replace(',', ''))
    for r in want[want.term=='feature'].itertuples(): assert abs(n(shown[r.name][2])-r.amount) < .006 and (shown[r.name][4]=='yes')==r.evidence and abs(n(shown[r.name][3].split(' to ')[0])-r.low) < .006
    assert abs(n(shown['score'][2])-want.amount.iloc[-1]) < .006 and abs(n(shown['base'][2])-want.amount.iloc[0]) < .006


def test_targets(open_page, tmp_path):
    page = open_page(Attributions(leaves(), samples=['1204'], show='targets', top=10).save_html(tmp_path/'l.html'))
    assert '10 of 64 features' in words(page, 'lines') and 'of 100 targets' in words(page, 'lines') and '54 others, summed' in page.locator('.mtl-picture').text_content() and 'not carried by this page' in words(page, 'lines')
    heads_ = page.locator('[role=columnheader]'); assert 10 < heads_.count() < 25 and page.evaluate(OVERLAPS)==[]
    cell = page.locator('[data-what=cell][data-kind=effect]').first; cell.hover(); assert '→' in words(page, 'reading'); cell.click(); assert page.locator('.mtl-chip').count()==1 and page.locator('.mtl-pins rect').count() >= 2
    page.keyboard.press('/'); page.keyboard.type('Acer 098'); page.keyboard.press('Enter'); assert page.locator('[role=columnheader][data-target="species: Acer 098 capillipes"]').count()==1
    page.select_option('select[aria-label=Row]', index=0); assert words(page, 'q')=='Which features move which of 100 targets?'
    page = open_page(Attributions(heads(), show='targets', samples=['1204']).save_html(tmp_path/'h.html'))
    assert page.locator('[role=columnheader]').count()==4 and 'in spreads of each target’s score' in words(page, 'lines')
    page.locator('[role=columnheader][data-target=ill]').click(); assert page.locator('select[aria-label=Task]').input_value()=='ill'
    page.click('.mtl-segment[data-value=answer]'); assert words(page, 'q').startswith('Why a score of') and 'for ill, row 1204' in words(page, 'q')


def test_narrow_and_large(open_page, tmp_path, saved):
    page = open_page(saved, width=400)
    assert 'Hidden for width: waterfall, beeswarm' in words(page, 'lines') and page.locator('[data-part=ledger]').count()==0 and page.locator('[data-what=dots]').count()==0 and page.evaluate(OVERLAPS)==[]
    assert page.evaluate('document.documentElement.scrollWidth <= innerWidth') and 'score, visits a year' in page.locator('.mtl-picture').text_content()
    page.select_option('.mtl-choice[aria-label=Show] select', 'rows'); assert page.locator('[data-what=dots]').count()==7
    page.select_option('.mtl-choice[aria-label=Show] select', 'explainers'); assert page.evaluate(OVERLAPS)==[] and page.evaluate("() => { const r = document.querySelector('.mtl-picture').getBoundingClientRect().right; return [...document.querySelectorAll('[role=columnheader] text')].filter(t => t.getBoundingClientRect().right > r + 1).map(t => t.textContent) }")==[] and page.evaluate('document.documentElement.scrollWidth <= innerWidth')
    big = tmp_path/'big.html'; big.write_text(saved.read_text().replace('max-width: 1000px', 'max-width: 1600px; --mtl-scale: 1.6'))
    page = open_page(big, width=1600); assert page.evaluate(OVERLAPS)==[] and page.eval_on_selector('.mtl-name-of', "e => parseFloat(getComputedStyle(e).fontSize)") >= 18


def test_states(open_page, tmp_path):
    page = open_page(Attributions(answers(samples=0)).save_html(tmp_path/'0.html')); assert words(page, 'a')=='No row of this table was explained.' and 'samples=200' in page.locator('.mtl-picture').text_content() and page.locator('.mtl-segments').is_hidden()
    page = open_page(Attributions(answers(missing=(0,))).save_html(tmp_path/'m.html')); assert words(page, 'a')=='Row 1200 was not reached: explaining was interrupted.'
    page.select_option('select[aria-label=Row]', '1204'); assert words(page, 'a').startswith('The prediction is')
    page = open_page(Attributions(answers(samples=1, features=['age'])).save_html(tmp_path/'1.html')); assert 'the one feature, the one target, one row' in words(page, 'lines') and page.locator('[data-part=ledger]').count()==1
    from mtl_explain.view import page as document
    bare = answers(); del bare['attribution']; (tmp_path/'b.html').write_text(document(Attributions(bare).to_html(), 'state'), encoding='utf-8')
    page = open_page(tmp_path/'b.html'); assert 'holds no attributions' in page.locator('.mtl').inner_text() and 'explain(model, suite)' in page.locator('.mtl pre').inner_text() and not page.locator('.mtl-controls').is_visible()


def test_the_stored_explanation(open_page, tmp_path):
    ex = example(); path = Attributions(ex, tasks=['doctor visits'], rows=True).save_html(tmp_path/'e.html'); assert path.stat().st_size < 1e6
    page = open_page(path); assert words(page, 'q')=='Why log doctor visits of 0.665 for row 129?' and 'share paid by patient = 100 %' in page.locator('.mtl-picture').text_content().replace('\xa0', ' ') and '12 of 200 rows' in words(page, 'lines')
    page.select_option('select[aria-label=Task]', 'travel mode'); page.click('.mtl-segment[data-value=targets]'); assert page.locator('[role=columnheader]').count()==4


def test_full_size(open_page, tmp_path):
    path = Attributions(large(samples=40), players='variable').save_html(tmp_path/'l.html'); assert path.stat().st_size < 4e6
    page = open_page(path); assert page.locator('select[aria-label=Task] option').count()==121 and '11 others, summed' in page.locator('.mtl-picture').text_content()
    page.keyboard.press('Tab'); page.locator('.mtl-find-field').focus(); page.keyboard.type('table 077'); page.keyboard.press('Enter'); assert 'task: table 077' in words(page, 'lines')
    spent = page.evaluate('''async () => { const g = document.querySelector('.mtl [role=grid]'), r = g.getBoundingClientRect(), t = [];
      for (let i = 0; i < 30; i++) { const s = performance.now(); g.dispatchEvent(new PointerEvent('pointermove', {clientX: r.left + 250 + 9*i, clientY: r.top + 60 + 17*i, bubbles: true})); t.push(performance.now() - s) }
      return t.sort((a, b) => a - b)[15] }''')
    assert spent < 16, f'hover takes {spent:.1f} ms'
