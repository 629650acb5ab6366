"The explorer as a saved page: four views without a kernel, still linked; large type; what is not there; loading."
import xml.etree.ElementTree as ET

import pytest

import checks
from mtl_explain.concept_map import ConceptMap
from mtl_explain.explorer import Explorer
from mtl_explain.view import inline, page as document
from trees import hostile, no_concepts, people

READY = '.mtl-of-person svg'


def cell(k, t): return f'.mtl-of-map [role=gridcell][data-concept="{k}"][data-task="{t}"]'
def part(page, key): return page.locator(f'.mtl-of-{key}')
def said(page, sel): return page.locator(sel).first.inner_text().replace('\xa0', ' ').replace('\u202f', ' ')
def order(page): return page.evaluate("[...document.querySelectorAll('.mtl-panel-of')].map(e => [e.className.split('mtl-of-')[1], e.getBoundingClientRect()]).sort((a, b) => a[1].top - b[1].top || a[1].left - b[1].left).map(x => x[0])")


@pytest.fixture(scope='module')
def ex(): return people()


@pytest.fixture(scope='module')
def saved(ex, tmp_path_factory): return Explorer(ex).save_html(tmp_path_factory.mktemp('x')/'explorer.html')


def test_views_are_linked_without_a_kernel(open_page, saved):
    page = open_page(saved, width=1400, ready=READY)
    assert said(page, '.mtl-explorer > .mtl-q')=='What did these six tasks learn to share?'
    note = said(page, '.mtl-explorer > .mtl-note'); assert 'no kernel' in note and 'no values of features, no observed answers, no weights' in note
    assert page.locator('.mtl-part .mtl-controls:visible, .mtl-part .mtl-foot:visible, .mtl-part .mtl-note:visible').count()==0 and page.locator('text=Save page').is_hidden()
    assert order(page)[0]=='map' and page.locator('.mtl-column:visible').count()==2
    # one click in the map, and the flow, the comparison, the card and the bar of pins know it
    page.click(cell('c02', 'card spending')); chips = page.locator('.mtl-explorer > .mtl-controls .mtl-chip')
    assert chips.count()==1 and said(page, '.mtl-chip')=='concept: income ✕ Esc' and page.locator('.mtl-chip:visible').count()==1
    part(page, 'flow').locator('.mtl-pins rect').first.wait_for(state='attached'); part(page, 'compare').locator('[data-what=name][data-concept=c02][aria-expanded=true]').wait_for(state='attached')
    assert 'What does income stand for?' in said(page, '.mtl-of-card') and 'Structure beyond chance: p = .004' in said(page, '.mtl-of-map .mtl-beside')
    # tasks: the comparison takes the last two, the attributions the last; what a view lacks it leaves
    for t in ('vote', 'travel mode'): page.locator(f'.mtl-of-map [role=columnheader][data-task="{t}"]').click(modifiers=['Shift'])
    page.wait_for_selector('.mtl-of-compare .mtl-q:has-text("vote and travel mode")'); page.wait_for_selector('.mtl-explorer > .mtl-foot:has-text("task: travel mode")')
    # a name travels into every view of the page
    page.fill('.mtl-of-card input', 'money & <b>means'); page.keyboard.press('Enter')
    for k in ('map', 'flow', 'compare'): page.wait_for_function(checks.READS, arg=[f'.mtl-of-{k} svg text', 'money & <b>means'])
    assert 'money & <b>means' in said(page, '.mtl-chip') and page.evaluate("document.querySelector('[data-mtl-ready]').mtlModel.get('names').c02")=='money & <b>means'
    # the flow pins too, and Esc releases the last first, from wherever the focus is
    page.locator('.mtl-of-flow [role=gridcell][data-kind=variable]').first.click(); chips.nth(3).wait_for(); assert chips.nth(3).get_attribute('data-kind')=='variable'
    for left in (3, 2, 1, 0): page.keyboard.press('Escape'); page.wait_for_function(f"document.querySelectorAll('.mtl-explorer > .mtl-controls .mtl-chip').length === {left}")


def test_find_table_export_and_foot(open_page, saved):
    page = open_page(saved, width=1400, ready=READY)
    page.locator('.mtl-of-flow [role=grid] [tabindex="0"]').focus(); page.keyboard.press('/'); page.keyboard.type('s3'); assert 'row' in said(page, '.mtl-hint')
    page.keyboard.press('Enter'); page.wait_for_selector('.mtl-chip[data-kind=row]'); page.fill('.mtl-find-field >> nth=0', 'diabetes'); page.keyboard.press('Enter'); page.wait_for_selector('.mtl-chip[data-kind=task]')
    page.fill('.mtl-find-field >> nth=0', 'zzz'); assert 'Nothing here' in said(page, '.mtl-hint'); page.keyboard.press('Escape')
    page.locator('.mtl-of-compare [role=grid] [tabindex="0"]').focus(); page.keyboard.press('t'); tables = page.locator('.mtl-explorer > .mtl-panel table'); assert tables.count()==4 and tables.first.locator('tr').count()==14
    page.keyboard.press('Escape'); assert page.locator('.mtl-explorer > .mtl-panel').is_hidden()
    assert 'six tasks, twelve concepts' in said(page, '.mtl-explorer > .mtl-foot') and 'routes' in said(page, '.mtl-explorer > .mtl-foot')
    page.click('summary'); notes = said(page, '.mtl-more'); assert 'Hatched' in notes and notes.count('?')>=4
    with page.expect_download() as d: page.locator('.mtl-explorer > .mtl-foot button:has-text("SVG")').click()
    sheet = ET.parse(d.value.path()).getroot(); text = ' '.join(sheet.itertext())
    for want in ('What did these six tasks', 'Which concepts are shared', 'By what route', 'share, where do they part?', 'no concept'): assert want in text, want


def test_one_column_in_its_order_and_large_type(open_page, saved):
    page = open_page(saved, width=1000, ready=READY, theme='dark')
    assert order(page)==['map', 'card', 'flow', 'compare', 'person'] and page.locator('.mtl-explorer').get_attribute('data-theme')=='dark'
    page.set_viewport_size({'width': 400, 'height': 800}); page.wait_for_selector('.mtl-of-flow .mtl-narrow'); assert page.evaluate('document.documentElement.scrollWidth <= innerWidth') and order(page)==['map', 'card', 'flow', 'compare', 'person']
    page.set_viewport_size({'width': 1600, 'height': 900}); page.locator('.mtl-column:visible').nth(1).wait_for()
    page.click(cell('c02', 'vote')); page.click('text=Large type')
    page.wait_for_selector('.mtl-large .mtl-of-card .mtl-few'); card = said(page, '.mtl-of-card')
    assert card.startswith('income\n') and 'strongest in' in card and 'specificity .16' in card and 'p = .004' in card
    assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('.mtl-of-map .mtl-q')).fontSize)") > 28 and page.evaluate("Math.min(...[...document.querySelectorAll('.mtl-of-map [role=columnheader] text')].map(e => +e.getAttribute('font-size')))") >= 18
    for gone in ('.mtl-find-field', '.mtl-explorer > .mtl-foot', '.mtl-part .mtl-foot', '.mtl-hint'): assert page.locator(gone).first.is_hidden(), gone
    m, c = part(page, 'map').bounding_box(), part(page, 'card').bounding_box(); assert c['x'] > m['x'] + m['width'] and abs(c['y'] - m['y']) < 4 # the card beside the map
    assert page.evaluate('document.documentElement.scrollWidth <= innerWidth')
    page.click('text=Usual type'); page.wait_for_selector('.mtl-explorer:not(.mtl-large)'); page.locator('.mtl-find-field').first.wait_for()


def test_a_tree_without_concepts_and_hostile_names(open_page, tmp_path):
    page = open_page(Explorer(no_concepts()).save_html(tmp_path/'n.html'), width=1300, ready=READY)
    assert page.locator('.mtl-panel-of').count()==1 and 'Not shown: concept map (This explanation has no concepts)' in said(page, '.mtl-explorer > .mtl-foot')
    tree = hostile(); w = Explorer(tree, concepts=['c01', 'c10'], tasks=list(tree['tasks'].task.values.astype(str))[:2])
    page = open_page(w.save_html(tmp_path/'h.html', title='</title><script>window.hacked=1</script>'), width=1400, ready=READY)
    page.fill('.mtl-find-field >> nth=0', 'img'); page.keyboard.press('Enter'); page.locator('.mtl-of-map [role=gridcell][data-kind=effect]').first.click(); page.locator('.mtl-explorer > .mtl-foot button:has-text("Table")').click()
    assert page.evaluate('window.hacked') is None and page.locator('.mtl img, .mtl script').count()==0 and '</script><img' in page.locator('.mtl-explorer > .mtl-panel').inner_text()
    bare = no_concepts(); del bare['attribution']; (tmp_path/'e.html').write_text(document(Explorer(bare).to_html(), 'state'), encoding='utf-8')
    page = open_page(tmp_path/'e.html'); assert 'This explanation has no concepts' in said(page, '.mtl') and 'MTLModel(' in said(page, '.mtl pre')


# ---- the concept map: waiting, cutting, large type, small maps

MOUNT = '''async ([shim, late]) => { const u = URL.createObjectURL(new Blob([shim], {type: 'text/javascript'})), {StaticModel, revive} = await import(u), {esm, state} = JSON.parse(document.querySelector('script[data-mtl-state]').textContent);
  const {default: view} = await import(URL.createObjectURL(new Blob([esm], {type: 'text/javascript'}))), all = revive(state), m = new StaticModel({...all, _arrays: {}}), el = document.createElement('div'); el.id = 'late'; document.body.prepend(el);
  view.render({model: m, el}); window.m = m; window.arrays = all._arrays; return el.querySelectorAll('.mtl-picture > *').length }'''


def test_a_map_that_waits_says_so_after_a_while(open_page, ex, tmp_path):
    page = open_page(ConceptMap(ex).save_html(tmp_path/'m.html'))
    assert page.evaluate(MOUNT, [inline('_shim.js'), 1])==0 # nothing for 300 ms
    page.wait_for_selector('#late .mtl-skeleton'); assert said(page, '#late .mtl-a')=='Twelve concepts × six tasks on their way.' and page.locator('#late .mtl-skeleton rect').count()==12 and page.locator('#late .mtl-foot').is_hidden()
    page.evaluate('m.set("_arrays", arrays)'); page.wait_for_selector('#late [role=grid]'); assert page.locator('#late .mtl-skeleton').count()==0 and page.locator('#late .mtl-foot').is_visible()
    page.evaluate(MOUNT.replace("el.id = 'late'", "el.id = 'soon'"), [inline('_shim.js'), 1]); page.evaluate('m.set("_arrays", arrays)'); page.wait_for_timeout(400); assert page.locator('#soon [role=grid]').count()==1 and page.locator('#soon .mtl-skeleton').count()==0


def test_a_large_map_is_cut_by_mass(open_page, tmp_path):
    from trees import large
    page = open_page(ConceptMap(large(tasks=60, variables=600, concepts=60)).save_html(tmp_path/'l.html'))
    lines = said(page, '.mtl-lines'); n, of = (int(x.replace(',', '')) for x in lines.split(' cells')[0].removeprefix('Shown: ').split(' of ')); hidden = int(lines.split('Hidden: ')[1].split()[0].replace(',', ''))
    assert n + hidden==of and '60 concepts × 60 tasks' in lines and said(page, '.mtl-slide').endswith('of the effect')
    painted = '''() => { const c = document.querySelector('canvas.mtl-cells'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data, seen = new Set(); for (let i = 0; i < d.length; i += 4) seen.add(d[i] << 16 | d[i+1] << 8 | d[i+2]); return seen.size }'''
    many = page.evaluate(painted); page.locator('.mtl-range').focus(); page.keyboard.press('Home'); page.wait_for_function("document.querySelector('.mtl-lines').innerText.includes('Hidden')")
    few = int(said(page, '.mtl-lines').split(' cells')[0].removeprefix('Shown: ').split(' of ')[0].replace(',', '')); assert few < n/4 and page.evaluate(painted) <= many
    page.keyboard.press('End'); assert 'Hidden' not in said(page, '.mtl-lines') and f'all {of:,} cells' in said(page, '.mtl-lines')
    with page.expect_download() as d: page.click('text=SVG >> nth=-1')
    image = [e for e in ET.parse(d.value.path()).iter() if e.tag.endswith('image')]; assert len(image)==1 and image[0].get('href').startswith('data:image/png')


def test_large_type_folds_the_foot_and_a_small_map_has_its_card_below(open_page, ex, tmp_path):
    path = tmp_path/'t.html'; path.write_text(ConceptMap(ex, concepts=['c02']).save_html(tmp_path/'x.html').read_text().replace('<body>', '<body style="--mtl-scale: 1.6; max-width: none">'), encoding='utf-8')
    page = open_page(path, width=1600); fold = page.locator('.mtl-fold')
    assert page.locator('.mtl-foot').is_hidden() and page.locator('.mtl-controls').is_hidden() and said(page, '.mtl-card').startswith('income')
    fold.click(); assert page.locator('.mtl-foot').is_visible() and page.locator('.mtl-controls').is_visible(); fold.click(); assert page.locator('.mtl-foot').is_hidden()
    from trees import make
    flat = make({f't{i}': ([('y', '', 'number')], ['x1', 'x2']) for i in range(8)}, [[30]*8, [20]*8], samples=4)
    page = open_page(ConceptMap(flat, concepts=['c01']).save_html(tmp_path/'s.html'), width=1100); m, c = page.locator('.mtl-left').bounding_box(), page.locator('.mtl-card').bounding_box()
    assert c['y'] >= m['y'] + m['height'] # below: a tall card beside two rows would leave a white space
    page = open_page(ConceptMap(ex, concepts=['c02']).save_html(tmp_path/'b.html'), width=1100); m, c = page.locator('.mtl-left').bounding_box(), page.locator('.mtl-card').bounding_box(); assert c['x'] >= m['x'] + m['width']
