"""What holds for every view of the table in views.py, as a saved page and inside nbconvert: it can be read, reached and saved; nothing overlaps or is cut off;
nothing that a name or a number holds breaks it; what it listened to it lets go."""
import re, xml.etree.ElementTree as ET

import nbformat, pytest
from nbconvert import HTMLExporter

import checks, need
from mtl_explain.explorer import Explorer
from mtl_explain.view import STATIC, page as document
from views import VIEWS, people

EACH = pytest.mark.parametrize('row', VIEWS, ids=lambda r: r.name)
CDN = ('https://cdnjs.cloudflare.com/', 'https://cdn.jsdelivr.net/')  # nbconvert's own: MathJax, require.js


def words(at, part): return at.locator(f'.mtl-{part}').first.inner_text().replace('\xa0', ' ').replace('\u202f', ' ')
def together(path, views): path.write_text(document('\n'.join(v.to_html() for v in views), 'views'), encoding='utf-8'); return path
def all_drawn(page, n): page.wait_for_function("n => document.querySelectorAll('.mtl-picture > *').length === n || document.body.innerText.includes('could not be started')", arg=n, timeout=30_000)


@pytest.fixture(scope='module')
def shown(tmp_path_factory):
    "Two pages with all views: as they are met, and each in every other state that looks different too"
    at, usual, more = tmp_path_factory.mktemp('shown'), [r.usual() for r in VIEWS], [v for r in VIEWS for v in r.more()]
    return {'usual': (together(at/'usual.html', usual), len(usual)), 'all': (together(at/'all.html', usual + more), len(usual + more))}


def resize(page, width):
    page.set_viewport_size(dict(width=width, height=900))
    page.wait_for_function("narrow => [...document.querySelectorAll('.mtl')].every(e => e.dataset.state || e.classList.contains('mtl-narrow') === narrow)", arg=width < 560)


# ---- read, pin, save

@EACH
def test_a_saved_page(open_page, tmp_path, row):
    "Six lines, two small sizes, and what a saved picture holds"
    path = row.usual().save_html(tmp_path/'v.html'); assert path.stat().st_size < 1e6
    page = open_page(path); view = page.locator('.mtl')
    assert words(view, 'q').endswith('?') and 0 < len(words(view, 'a')) and words(view, 'reading') and 'no kernel' in words(view, 'note') and view.locator('.mtl-lines > div').count() >= 2
    before = words(view, 'reading'); view.locator(row.mark).hover(); assert words(view, 'reading')!=before and view.locator(row.pin).count()==0
    view.locator(row.mark).click(); assert view.locator(row.pin).count()==1 and page.evaluate("k => document.querySelector('[data-mtl]').mtlModel.get(k).length", row.trait)==1
    page.keyboard.press('Escape'); assert view.locator(row.pin).count()==0
    saved = {}
    for theme, paper in (('light', '#ffffff'), ('dark', '#111111')):
        page.emulate_media(color_scheme=theme); page.wait_for_selector(f'.mtl[data-theme={theme}]')
        with page.expect_download() as d: view.locator('[aria-label="Save SVG"]').click()
        assert d.value.suggested_filename==f'{row.name}.svg'; tree = ET.parse(d.value.path()); said = '|'.join(''.join(t.itertext()) for t in tree.iterfind('.//{*}text')).replace('\xa0', ' ').replace('\u202f', ' ')
        for want in row.says: assert want in said, want
        assert all(w in said for p in ('q', 'a', 'lines') for w in words(view, p).split()) and 'Find a' not in said and 'Save PNG' not in said and tree.getroot().find('{*}rect').get('fill')==paper
        assert page.evaluate("getComputedStyle(document.querySelector('.mtl')).backgroundColor")==f'rgb({int(paper[1:3], 16)}, {int(paper[3:5], 16)}, {int(paper[5:], 16)})'
        saved[theme] = {e.get('fill') for e in tree.iter()}
    assert saved['light']!=saved['dark']
    with page.expect_download() as d: view.locator('.mtl-button:has-text("PNG")').click()
    assert d.value.suggested_filename==f'{row.name}.png' and open(d.value.path(), 'rb').read(8)==b'\x89PNG\r\n\x1a\n'


def test_no_label_lies_on_another_or_is_cut_off_and_all_can_be_read(open_page, shown):
    "In every state, from a wide page to a telephone; text in pictures has a contrast of 4.5 : 1 in both themes"
    page = open_page(shown['all'][0], width=1100); all_drawn(page, shown['all'][1])
    for width in (1100, 400):
        resize(page, width); assert page.evaluate(checks.LABELS)==[], width
        for theme in ('dark', 'light'): page.emulate_media(color_scheme=theme); page.wait_for_function("t => [...document.querySelectorAll('.mtl')].every(e => e.dataset.theme === t)", arg=theme); assert page.evaluate(checks.CONTRAST)==[], (width, theme)


@pytest.mark.parametrize('theme, width, which', [('light', 1100, 'all'), ('dark', 1100, 'all'), ('light', 400, 'all'), ('dark', 400, 'all')])
def test_nothing_stands_in_anybodys_way(open_page, shown, theme, width, which):
    "No serious violation that axe-core finds"
    page = open_page(shown[which][0], width=width, theme=theme); all_drawn(page, shown[which][1]); page.evaluate(open(need.axe(), encoding='utf-8').read())
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})"); assert len(found['passes']) > 20
    assert [(v['id'], v['help'], [n['html'][:200] + ' … ' + n['failureSummary'][:200] for n in v['nodes'][:3]]) for v in found['violations'] if v['impact'] in ('serious', 'critical')]==[]


def test_the_check_of_labels_finds_what_is_wrong(open_page, tmp_path):
    page = open_page(VIEWS[0].usual().save_html(tmp_path/'v.html')); assert page.evaluate(checks.LABELS)==[]
    plant = lambda code: page.evaluate(f"""() => {{ const svg = document.querySelector('.mtl-picture svg'), t = svg.querySelector('[role=rowheader] text'), box = t.getBBox(), put = (s, more) => {{ const e = t.cloneNode(); e.textContent = s; for (const k in more) e.setAttribute(k, more[k]); e.classList.add('planted'); svg.append(e); }}; {code} }}""")
    for code, want in [('put("upon it", {});', r'upon it.*\||\| upon it'), ('put("far right", {x: +svg.getAttribute("width") - 9, "text-anchor": "start"});', 'outside its picture: far right'), ('put("turned", {transform: `rotate(-30 ${box.x} ${box.y + 8})`});', r'turned.*\||\| turned'),
                       ('const p = document.createElement("p"); p.className = "planted"; p.style.cssText = "margin-top:-24px; height:0"; p.textContent = "upon a line of text"; document.querySelector(".mtl-a").after(p);', r'upon a line of text'),
                       ('const p = document.createElement("p"); p.className = "planted"; p.style.cssText = "width:40px; overflow:hidden; white-space:nowrap"; p.textContent = "too long for its place"; document.querySelector(".mtl-lines").append(p);', 'cut off: too long')]:
        plant(code); found = page.evaluate(checks.LABELS); assert any(re.search(want, x) for x in found), (want, found)
        page.evaluate("() => document.querySelectorAll('.planted').forEach(e => e.remove())"); assert page.evaluate(checks.LABELS)==[]
    plant('put("too pale", {fill: "#bbbbbb", y: 4});'); assert [x for x in page.evaluate(checks.CONTRAST) if 'too pale' in x] and len(page.evaluate(checks.CONTRAST))==1


def test_inside_nbconvert(open_page, tmp_path, monkeypatch):
    "A notebook with all views, saved by a person (its outputs hold the live widget too) and by nbdev"
    nb = nbformat.v4.new_notebook()
    for test in ('', '1'):
        monkeypatch.setenv('IN_TEST', test)
        for r in VIEWS:
            data, meta = r.usual()._repr_mimebundle_(); assert ('application/vnd.jupyter.widget-view+json' in data)==(test=='')
            cell = nbformat.v4.new_code_cell(r.lab); cell.outputs = [nbformat.v4.new_output('display_data', data=data, metadata=meta)]; nb.cells.append(cell)
    (tmp_path/'nb.html').write_text(HTMLExporter().from_notebook_node(nb)[0], encoding='utf-8')
    page = open_page(tmp_path/'nb.html', hosts=CDN); all_drawn(page, 2*len(VIEWS)); assert page.evaluate(checks.LABELS)==[]
    for i, r in enumerate(VIEWS): page.locator('.mtl').nth(i).locator(r.mark).click(); assert [page.locator('.mtl').nth(j).locator(r.pin).count() for j in (i, i + len(VIEWS))]==[1, 0], r.name


# ---- sizes and shapes

@EACH
def test_full_size(open_page, tmp_path, row):
    path = row.full().save_html(tmp_path/'l.html'); assert path.stat().st_size < 4e6
    page = open_page(path, width=1100)
    for width in (1100, 400):
        resize(page, width)
        assert page.evaluate(checks.LABELS)==[] and page.evaluate(checks.TRACES)==[] and page.locator('.mtl-picture *').count() < 6000


POKE = '''n => { for (const at of document.querySelectorAll('.mtl')) {
  const grid = at.querySelector('.mtl-picture svg'); if (!grid) continue;
  for (const e of [...grid.querySelectorAll('[role=gridcell], [role=rowheader], [role=columnheader], [data-what]')].slice(0, n)) { const b = e.getBoundingClientRect(); for (const type of ['pointermove', 'pointerdown', 'click']) (e.isConnected ? e : grid).dispatchEvent(new PointerEvent(type, {bubbles: true, cancelable: true, clientX: b.left + b.width/2, clientY: b.top + b.height/2})); }
  for (const key of ['ArrowDown', 'ArrowRight', 'Enter', 'End', 'PageDown', 'Home', 't']) (at.querySelector('.mtl-picture svg [tabindex="0"]') ?? at).dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true})); } }'''


@EACH
def test_hostile_names_and_values(open_page, tmp_path, row):
    views = list(row.hostile()); page = open_page(together(tmp_path/'h.html', views), width=1000); all_drawn(page, len(views)); assert len(views) >= 7
    for width in (1000, 400):
        resize(page, width); assert page.evaluate(checks.LABELS)==[] and page.evaluate(checks.TRACES)==[]
    page.evaluate(POKE, 5); assert page.evaluate(checks.TRACES)==[] and page.evaluate(checks.LABELS)==[] and page.errors==[]
    assert page.evaluate('window.hacked') is None and page.locator('.mtl img, .mtl script, .mtl b b').count()==0 and '</script><img' in page.locator('.mtl').first.inner_text()
    with page.expect_download() as d: page.locator('[aria-label="Save SVG"] >> visible=true').first.click()
    assert not [e for e in ET.parse(d.value.path()).iter() if e.tag.endswith(('script', 'img'))] and page.evaluate('window.hacked') is None


@EACH
def test_odd_trees_are_drawn(open_page, tmp_path, row):
    views = list(row.odd()); assert len(views) >= 30 and not [v.trouble for v in views if v.trouble]
    page = open_page(together(tmp_path/'odd.html', views), width=1000); all_drawn(page, len(views))
    assert page.evaluate(checks.LABELS)==[] and page.evaluate(checks.TRACES)==[] and page.errors==[]
    page.evaluate(POKE, 2); assert page.evaluate(checks.TRACES)==[] and page.errors==[]


# ---- closing

@EACH
def test_a_closed_view_lets_go(open_page, tmp_path, row):
    "Rendered and closed 20 times: no listener on the window, the document or the model is left, no observer, no timer, no element"
    page = open_page(row.usual().save_html(tmp_path/'v.html')); page.evaluate(checks.HOLDS)
    shim = (STATIC/'_shim.js').read_text(encoding='utf-8')
    each, one = page.evaluate(checks.RENDER, [shim, 20, False]), page.evaluate(checks.RENDER, [shim, 5, True])
    assert all(held >= 3 and heard >= 3 for held, heard in each['most']) and len({tuple(m) for m in each['most']})==1, each['most']
    assert [m[1] for m in one['most']]==[k*one['most'][0][1] for k in range(1, 6)], 'five views of one model'
    for r in (each, one): assert r['left']==[] and set(r['heard'])=={0} and r['nodes']==0, r


# ---- several views as one page

def test_the_explorer(open_page, tmp_path):
    "The same for the page of linked views"
    page = open_page(Explorer(people(), concepts=['c02'], tasks=['vote', 'travel mode']).save_html(tmp_path/'x.html'), width=1400, ready='.mtl-of-person svg'); page.evaluate(open(need.axe(), encoding='utf-8').read())
    for theme in ('light', 'dark'):
        page.emulate_media(color_scheme=theme); page.wait_for_function("t => [...document.querySelectorAll('.mtl')].every(e => e.dataset.theme === t)", arg=theme)
        assert [(v['id'], v['nodes'][0]['html'][:200]) for v in page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")['violations'] if v['impact'] in ('serious', 'critical')]==[]
    for width in (1400, 1000, 400):
        page.set_viewport_size(dict(width=width, height=900)); page.wait_for_function("([width, narrow]) => innerWidth === width && document.querySelector('.mtl-of-map .mtl').classList.contains('mtl-narrow') === narrow", arg=[width, width==400])
        page.evaluate('() => new Promise(done => { let n = 4; const next = () => n-- ? requestAnimationFrame(next) : done(); next() })')  # columns are laid out anew, then what is in them is drawn
        assert page.evaluate(checks.LABELS)==[] and page.evaluate(checks.CONTRAST)==[] and page.evaluate(checks.TRACES)==[], width
    page.evaluate(checks.HOLDS); each = page.evaluate(checks.RENDER, [(STATIC/'_shim.js').read_text(encoding='utf-8'), 5, False])
    assert all(held >= 3 and heard >= 3 for held, heard in each['most']) and each['left']==[] and set(each['heard'])=={0} and each['nodes']==0, each
