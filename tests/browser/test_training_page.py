"The training view without a kernel, as a saved page: read, hover, pin, keys, table, few tasks and many, what is said where nothing can be drawn."
import re

import pytest

from mtl_explain.training import TrainingMonitor
from mtl_explain.view import page as document
from test_attributions_page import OVERLAPS
from test_training_view import history, left_out, with_conflicts, with_ledger
import trees

PEOPLE = ['vote', 'marriage', 'doctor visits', 'card spending', 'travel mode', 'diabetes']
PULL = ((0, 3, .11), (1, 2, .14), (1, 3, -.21), (2, 3, -.17), (3, 4, -.24), (2, 5, .19))
FOCUS = "document.activeElement.getAttribute('aria-label')"
CLIPPED = '''() => { const svg = document.querySelector('.mtl-picture svg').getBoundingClientRect();
  return [...document.querySelectorAll('.mtl-picture svg text')].filter(t => { const b = t.getBoundingClientRect(); return b.width && (b.left < svg.left - 2 || b.right > svg.right + 2 || b.top < svg.top - 2 || b.bottom > svg.bottom + 2) }).map(t => t.textContent) }'''


def words(page, part): return page.locator(f'.mtl .mtl-{part}').inner_text().replace('\xa0', ' ').replace('\u202f', ' ')
def panel(task): return f'[role=gridcell][data-what=panel][data-task="{task}"]'
def cell(a, b): return f'[role=gridcell][data-what=cell][data-task="{a}"][data-task2="{b}"]'
def six(**kw): return history(PEOPLE, n=24, worse=(3,), blind=(), **kw)
def many(n=12): return with_conflicts(history([f'table {i:03d}' for i in range(121)], n=n, worse=(7, 90), blind=(50,)), pairs=[(3*i, 3*i+1, (-.2, .2)[i % 2] - i*.002*(-1)**(i % 2)) for i in range(20)])


@pytest.fixture
def saved(tmp_path): return TrainingMonitor(with_conflicts(six(), pairs=PULL)).save_html(tmp_path/'t.html')


def test_read_hover_and_pin(open_page, saved):
    page = open_page(saved)
    assert words(page, 'q')=='Is it learning, and who hurts whom?' and words(page, 'a')=='Five of six tasks beat a guess; card spending does not, and three tasks pull against it.'
    assert words(page, 'progress')=='600 steps in 12 s · the model keeps its best, step 575' and page.locator('.mtl-bar').is_hidden() and 'no rows of data and no weights' in words(page, 'note')
    assert [p.get_attribute('data-task') for p in page.locator('[data-what=panel]').all()][0]=='card spending' and page.locator('[data-what=panel]').count()==6 and page.locator('[data-what=spark]').count()==3
    said = page.locator('.mtl-picture').text_content()
    for want in ('worse than a guess', '▲ 1.0', 'Validation loss per task, worst first', 'a guess', 'attention entropy', '600 steps', 'Do their gradients agree?', '+ helps', '− conflicts', 'hatched: no evidence', '−.24', '+.19'): assert want in said, want
    assert page.locator('[data-what=cell][data-kind=hurts]').count()==6 and page.locator('[data-what=cell][data-kind=unclear]').count()==18
    assert '6 of 15 pairs differ from the null' in words(page, 'lines') and 'All three conflicts involve card spending.' in words(page, 'lines')
    # hover reads a step, in every panel at once; a click pins
    box = page.locator(panel('vote')).bounding_box(); page.mouse.move(box['x']+box['width']*.25, box['y']+box['height']*.6)
    assert re.match(r'vote, step 150: validation loss [\d.]+ of a guess’s, training [\d.]+\.$', words(page, 'reading')) and page.locator('.mtl-marks line').count()==9 and page.locator('.mtl-marks circle').count()==2
    page.mouse.move(box['x']+box['width']*575/600, box['y']+box['height']*.6); assert words(page, 'reading').endswith('Best step: its weights are kept.')
    page.click(panel('vote')); page.mouse.move(2, 2); assert page.locator('.mtl-chip').inner_text().startswith('task: vote') and words(page, 'reading').startswith('vote, step 575') and page.locator('.mtl-pins rect').count()==2
    page.hover(cell('travel mode', 'card spending')); assert words(page, 'reading')=='travel mode and card spending: their gradients have cosine −.24: they pull against each other (two unrelated tasks: −.10 to +.10).'
    page.hover(cell('vote', 'marriage')); assert 'no evidence that they help or hurt each other' in words(page, 'reading')
    page.click(cell('marriage', 'doctor visits')); assert page.locator('.mtl-chip').count()==2; page.keyboard.press('Escape'); page.keyboard.press('Escape'); assert page.locator('.mtl-chip').count()==0
    page.hover('[data-what=head][data-task="card spending"]'); assert words(page, 'reading').startswith('card spending: conflicts with travel mode −.24, marriage −.21 and doctor visits −.17; helped by vote +.11')


def test_keyboard_reaches_everything(open_page, saved):
    page = open_page(saved)
    page.locator('.mtl [role=grid] [tabindex="0"]').focus(); assert page.evaluate(FOCUS).startswith('card spending, step 575')
    page.keyboard.press('ArrowRight'); first = page.evaluate(FOCUS); assert first!='' and not first.startswith('card') and page.locator('.mtl-ring').count()==1
    page.keyboard.press('['); assert ', step 550: ' in words(page, 'reading') and page.locator('.mtl-marks line').count()==9; page.keyboard.press(']'); page.keyboard.press(']'); page.keyboard.press(']'); assert ', step 600: ' in words(page, 'reading')
    page.keyboard.press('Escape'); assert ', step 575: ' in words(page, 'reading')
    page.keyboard.press('Enter'); assert page.locator('.mtl-chip').count()==1 and page.evaluate(FOCUS)==first; page.keyboard.press('Escape'); assert page.locator('.mtl-chip').count()==0
    page.keyboard.press('PageDown'); page.keyboard.press('End'); assert 'the same task' in page.evaluate(FOCUS); page.keyboard.press('Home'); assert page.evaluate(FOCUS).startswith('diabetes: ')
    page.keyboard.press('/'); page.keyboard.type('MARR'); assert words(page, 'reading').startswith('1 of 1 found. marriage, step 575'); page.keyboard.press('Enter'); assert page.locator('.mtl-chip').inner_text().startswith('task: marriage') and page.evaluate(FOCUS).startswith('marriage')
    page.keyboard.press('t'); assert page.locator('.mtl-panel tr').count()==7; page.keyboard.press('Escape'); assert page.locator('.mtl-panel').is_hidden() and page.locator('.mtl-reading[aria-live=polite]').count()==1
    assert page.eval_on_selector_all('.mtl [role=grid] [tabindex="0"]', 'a => a.length')==1


def of_pairs(names=PEOPLE, pairs=PULL, runs=3, training=True):
    "A tree with all that the matrix can show"
    h, tree = with_ledger(with_conflicts(history(names, n=12, worse=(), blind=()), pairs=pairs)), trees.three(); tree['interference'], tree['transfer'] = h[['conflict', 'null_low', 'null_high', 'moved', 'rest', 'delta', 'measured', 'conflict_at', 'look_step']].assign_attrs(h.attrs), left_out(names, runs=runs)
    if training: tree['training'] = h
    return tree

def test_the_matrix_can_show_three_things(open_page, saved, tmp_path):
    assert open_page(saved).get_by_role('group', name='Pairs').count()==0, 'nothing to choose'
    view = TrainingMonitor(of_pairs()); page = open_page(view.save_html(tmp_path/'w.html')); on = lambda: page.locator('.mtl-segment[aria-pressed=true]').inner_text(); said = lambda: page.locator('.mtl-picture').text_content()
    assert on()=='pulls' and 'Do their gradients agree?' in said() and page.locator('[data-what=rest]').count()==0; answer = words(page, 'a')
    page.hover(cell('travel mode', 'card spending')); assert words(page, 'reading').endswith('Over the run: −.24 at step 1, −.16 at step 26, −.08 at step 51.')
    page.locator('.mtl-segment[data-value=pulls]').focus(); page.keyboard.press('Tab'); page.keyboard.press('Enter'); assert on()=='who helped whom' and words(page, 'a')==answer  # the switch is reached with the keys
    for want in ('Who helped whom?', '× 10⁻²', '− lowers: helps', '+ raises: hurts', 'other terms', 'left open', 'measured'): assert want in said(), want
    assert page.locator('[data-what=cell]').count()==36 and page.locator('[data-what=rest][data-task]').count()==18 and 'A ledger of the steps' in words(page, 'lines')
    page.hover(cell('marriage', 'vote')); assert re.match(r'marriage → vote: gradients of the first (lowered|raised) the loss of the second \([−+]0\.\d+\)', words(page, 'reading'))
    page.hover('[data-what=rest][data-part=measured][data-task=vote]'); assert words(page, 'reading').startswith('Measured, vote: the loss ')
    page.click('[data-what=rest][data-part=rest][data-task=vote]'); assert page.locator('.mtl-chip').inner_text().startswith('task: vote'); page.keyboard.press('ArrowDown'); assert page.evaluate(FOCUS).startswith('Left open, vote'); page.keyboard.press('Escape')
    page.click('.mtl-button:has-text("Table")'); assert page.locator('.mtl-panel table').count()==2; rows = page.eval_on_selector_all('.mtl-panel table:last-child tbody tr', 'a => a.map(r => [...r.children].map(c => c.innerText))')
    view.pairs = 'moved'; want = view.table(); assert [r[0] for r in rows]==[*PEOPLE, 'momentum', 'weight decay', 'left open', 'measured']
    for r in rows: some = want[(want.task==r[0]) | (want.part==r[0])]; assert [x==('+' if v > 0 else '−') for x, v in zip((c[0] for c in r[1:]), some.change)]==[True]*6 and all(abs(float(c.replace('−', '-').replace('\u202f', '')) - v) <= .051*abs(v) for c, v in zip(r[1:], some.change) if '×' not in c)
    page.click('.mtl-segment[data-value=transfer]'); assert 'Who helps whom?' in said() and page.locator('[data-what=cell][data-kind=helps]').count()==1 and page.locator('[data-what=cell][data-kind=hurts]').count()==1 and page.locator('[data-what=cell][data-kind=unclear]').count()==28 and '2 of 30 effects' in words(page, 'lines')
    page.hover(cell('vote', 'marriage')); assert words(page, 'reading')=='vote → marriage: without the first, the loss of the second is higher by .12 of a guess’s (95 %: +.07 to +.17): it helps.'

@pytest.mark.parametrize('kind', ['pulls', 'moved', 'transfer'])
def test_what_the_matrix_shows_fits(open_page, tmp_path, kind):
    for names, pairs in ((PEOPLE, PULL), ([f'table {i:03d}' for i in range(20)], ((0, 1, -.3),)), ([f'table {i:03d}' for i in range(121)], ((0, 1, -.3),))):
        path = TrainingMonitor(of_pairs(names, pairs), pairs=kind).save_html(tmp_path/'w.html')
        for width in (1000, 400): page = open_page(path, width=width); assert page.evaluate(CLIPPED)==[] and page.evaluate(OVERLAPS)==[] and page.evaluate('document.documentElement.scrollWidth <= innerWidth')
    assert path.stat().st_size < 2e6
    for runs in (3, 1):
        page = open_page(TrainingMonitor(of_pairs(runs=runs, training=False), pairs=kind).save_html(tmp_path/'a.html'), width=400); assert words(page, 'q')=='Who hurts whom?' and page.locator('[data-what=panel]').count()==0 and page.locator('[data-what=cell]').count()==36 and page.locator('.mtl-progress').is_hidden() and page.locator('.mtl-find').is_hidden() and page.evaluate(OVERLAPS)==[]
    assert kind != 'transfer' or 'have no interval' in words(page, 'lines') and page.locator('[data-kind=untested]').count()==30


def test_the_page_says_what_the_table_says(open_page, tmp_path):
    view = TrainingMonitor(with_conflicts(history(PEOPLE, n=9, blind=(4,)), pairs=PULL)); page = open_page(view.save_html(tmp_path/'t.html')); page.click('.mtl-button:has-text("Table")')
    shown, want = page.eval_on_selector_all('.mtl-panel tbody tr', 'a => a.map(r => [...r.children].map(c => c.innerText))'), view.table()
    for s, r in zip(shown, want.itertuples()):
        assert s[0]==r.task and s[7].count('−')==len(r.conflicts_with) and all(x in s[7] for x in r.conflicts_with) and all(x in s[8] for x in r.helped_by)
        if r.task=='travel mode': assert s[1]=='–' and s[3]=='no validation rows'
        else: assert abs(float(s[1])-r.validation) < .006 and abs(float(s[2])-r.training) < .006 and (s[3]=='yes')==r.beats_guess and abs(float(s[4])-r.lowest) < .006 and int(s[5])==r.lowest_step and abs(float(s[6])-r.last) < .006
    assert 'One task without validation rows' in words(page, 'lines') and 'no validation rows' in page.locator('.mtl-picture').text_content()


def test_many_tasks(open_page, tmp_path):
    view = TrainingMonitor(many()); path, name = view.save_html(tmp_path/'m.html'), view.table().task[80]; assert path.stat().st_size < 1e6
    for width in (1000, 400):
        page = open_page(path, width=width); assert page.locator('[data-what=panel]').count()==12 and words(page, 'a').startswith('118 of 120 tasks beat a guess') and page.evaluate(OVERLAPS)==[] and page.evaluate(CLIPPED)==[]
        assert '12 of 121 tasks with a panel' in words(page, 'lines') and 'Strongest conflicts' in page.locator('.mtl-picture').text_content() and page.evaluate('document.documentElement.scrollWidth <= innerWidth')
    page = open_page(path)
    page.keyboard.press('Tab'); page.locator('.mtl-find-field').focus(); page.keyboard.type(name); page.wait_for_function("document.querySelector('.mtl-reading').textContent.startsWith('1 of 1 found')"); page.keyboard.press('Enter'); assert page.locator('[data-what=panel]').count()==13 and page.locator(panel(name)).count()==1
    page.locator('[data-what=dot]').first.focus(); page.keyboard.press('ArrowRight'); assert page.evaluate(FOCUS).startswith('table '); page.keyboard.press('PageDown'); page.keyboard.press('End'); assert 'the same task' in page.evaluate(FOCUS)
    spent = page.evaluate('''async () => { const g = document.querySelector('.mtl [role=grid]'), r = g.getBoundingClientRect(), t = [];
      for (let i = 0; i < 30; i++) { const s = performance.now(); g.dispatchEvent(new PointerEvent('pointermove', {clientX: r.left + 60 + 9*i, clientY: r.top + r.height - 300 - 13*i, bubbles: true})); t.push(performance.now() - s) }
      return t.sort((a, b) => a - b)[15] }''')
    assert spent < 16, f'hover takes {spent:.1f} ms'
    page.click('.mtl-button:has-text("Show all 121")'); assert page.locator('[data-what=panel]').count()==121 and page.evaluate(OVERLAPS)==[]; page.click('.mtl-button:has-text("Show the worst 12")'); assert page.locator('[data-what=panel]').count()==13


def test_pieces_of_a_run(open_page, tmp_path):
    "The same messages that a kernel sends, put into the page by hand: the picture grows, nothing that was looked at is lost"
    h = six(); path = tmp_path/'p.html'; live = TrainingMonitor(); live.update(h.isel(step=slice(3)).assign_attrs(status='running', best_step=75, seconds=2.)); path.write_text(document(live.to_html(), 'live'), encoding='utf-8')
    page = open_page(path); assert words(page, 'progress').startswith('step 75 of 600 · 14 s left · best at step 75') and 'Saved while it ran.' in words(page, 'controls') and page.locator('[role=progressbar]').get_attribute('aria-valuenow')=='13' and words(page, 'q')=='Is it learning?'
    page.evaluate('''() => { window.said = 0; new MutationObserver(() => window.said++).observe(document.querySelector('.mtl-reading'), {childList: true, subtree: true});
      window.piece = (after, to) => { const m = document.querySelector('[data-mtl]').mtlModel, T = 6, n = (to - after)/25, buf = a => new DataView(new a.constructor(a).buffer), f = (k, v) => ({shape: k, dtype: 'float32', data: buf(Float32Array.from({length: k[0]*(k[1] ?? 1)}, () => v))});
        m.set('_new', {after, now: {...m.get('_info').now, best_step: to, evaluations: to/25}, arrays: {step: {shape: [n], dtype: 'int32', data: buf(Int32Array.from({length: n}, (_, i) => after + 25*(i + 1)))}, train: f([n, T], .3), valid: f([n, T], .5), lr: f([n], .002), entropy: f([n], .8), dead: {shape: [n], dtype: 'int32', data: buf(new Int32Array(n))}}}) } }''')
    page.locator(panel('vote')).focus(); before = page.evaluate('window.said'); page.evaluate('piece(75, 100)'); assert words(page, 'progress').startswith('step 100 of 600') and page.evaluate(FOCUS).startswith('vote, step 100')
    page.evaluate('piece(200, 225)'); assert words(page, 'progress').startswith('step 100 of 600'), 'a piece that does not follow'
    page.mouse.move(2, 2); page.evaluate('document.activeElement.blur()'); quiet = page.evaluate('window.said'); page.evaluate('piece(100, 125)'); page.evaluate('piece(125, 150)'); assert page.evaluate('window.said')==quiet > before, 'nobody is told the same words again'
    page.hover(panel('vote')); where = words(page, 'reading'); page.evaluate('piece(150, 300)'); assert words(page, 'progress').startswith('step 300') and words(page, 'reading').startswith('vote, step') and where.startswith('vote')


def test_narrow_and_large(open_page, tmp_path, saved):
    page = open_page(saved, width=400); assert page.evaluate(OVERLAPS)==[] and page.evaluate(CLIPPED)==[] and page.evaluate('document.documentElement.scrollWidth <= innerWidth') and page.locator('[data-what=cell]').count()==36
    big = tmp_path/'big.html'; big.write_text(saved.read_text().replace('max-width: 1000px', 'max-width: 1600px; --mtl-scale: 1.6'))
    page = open_page(big, width=1600); assert page.evaluate(OVERLAPS)==[] and page.evaluate(CLIPPED)==[] and page.eval_on_selector('.mtl-picture svg text', "e => parseFloat(getComputedStyle(e).fontSize)") >= 18


def test_states(open_page, tmp_path):
    def show(view, name): (tmp_path/name).write_text(document(view.to_html(), 'state'), encoding='utf-8'); return open_page(tmp_path/name)
    page = show(TrainingMonitor(), 'e.html'); assert 'Nothing is being trained' in page.locator('.mtl').inner_text() and 'monitor=TrainingMonitor()' in page.locator('.mtl pre').inner_text() and not page.locator('.mtl-controls').is_visible()
    page = show(TrainingMonitor(history(n=0, status='interrupted', steps=600)), '0.html'); assert words(page, 'a')=='It ended before the first evaluation: nothing is known.' and words(page, 'progress').startswith('interrupted (■) after step 0 of 600')
    page = show(TrainingMonitor(history(('only',), n=1, worse=())), '1.html'); assert words(page, 'a')=='The task beats a guess.' and 'the one task, one evaluation' in words(page, 'lines') and page.locator('.mtl-find').is_hidden() and page.locator('[data-what=panel] ').count()==1
    page = show(TrainingMonitor(history(n=3, blind=(0, 1, 2))), 'b.html'); assert words(page, 'a')=='No task has validation rows: whether it learns is not known.'
    page = show(TrainingMonitor(with_conflicts(six(), pairs=PULL, null=None)), 'u.html'); assert 'not held against a null' in words(page, 'lines') and page.locator('[data-what=cell][data-kind=untested]').count()==30 and 'pull' not in words(page, 'a') and '+ helps' not in page.locator('.mtl-picture').text_content()
    page = show(TrainingMonitor(six(status='stopped early', patience=5, steps=2000)), 's.html'); assert words(page, 'progress').startswith('stopped early at step 600 of 2,000')
