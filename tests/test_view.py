"What Python prepares for the views: keywords, payloads, names, shares; no browser here (tests/browser has it)."
import json, re, subprocess, sys
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np, pytest, traitlets as t, xarray as xr
from hypothesis import given, settings, strategies as st

import trees
from mtl_explain.concept_map import ConceptMap, bands, shares
from mtl_explain.schema import check, example, load, node, save
from mtl_explain.view import STATIC, View, inline, link, pack, page, static_widgets, to_json, traits_of


@pytest.fixture
def ex(): return trees.people()


class Scripts(HTMLParser):
    "What a browser takes for scripts, and every other tag"
    def __init__(self): super().__init__(); self.scripts, self.tags, self._in = [], [], None
    def handle_starttag(self, tag, attrs): self.tags.append(tag); self._in = dict(attrs) if tag=='script' else None
    def handle_endtag(self, tag): self._in = None if tag=='script' else self._in
    def handle_data(self, d):
        if self._in is not None: self.scripts.append((self._in, d))


def state_of(html):
    s = Scripts(); s.feed(html)
    return json.loads(''.join(d for a, d in s.scripts if a.get('type')=='application/json')), s


# ---- the base class

def test_keywords_are_strict(ex):
    with pytest.raises(TypeError, match="ConceptMap has no keyword 'concept'; did you mean 'concepts'"): ConceptMap(ex, concept=['c01'])
    with pytest.raises(TypeError, match="no keyword '_info'"): ConceptMap(ex, _info={})
    with pytest.raises(TypeError, match='expects an xarray.DataTree, as `explain` and `load` return, not dict'): ConceptMap({})
    with pytest.raises(TypeError, match='not NoneType'): ConceptMap(None)
    assert set(traits_of(ConceptMap))=={'concepts', 'explainer', 'names', 'shade', 'mass', 'tasks'}


def test_what_is_set_is_checked(ex):
    m = ConceptMap(ex, concepts=['income', 'c09'], tasks=['vote'])
    assert m.concepts==['c02', 'c09']
    for trait, value, match in [('concepts', ['incom'], "no concept 'incom'; did you mean 'income'"), ('tasks', ['votes'], "tasks: no 'votes'; did you mean 'vote'"), ('explainer', 'shap', "explainer: no 'shap'; did you mean 'shapley'"),
                                ('names', {'c99': 'x'}, "names: no 'c99'"), ('names', {'c01': 3}, 'a name is text')]:
        with pytest.raises(ValueError, match=match): setattr(m, trait, value)
    with pytest.raises(t.TraitError): m.shade = 'colour'
    with pytest.raises(ValueError, match='did you mean'): ConceptMap(ex, concepts=['c1'])
    assert m.concepts==['c02', 'c09'] and m.names['c02']=='income'


def test_inliner(tmp_path):
    (tmp_path/'_a.js').write_text("export const x = 1;\n// gone\nexport function f() { return '// stays'; }\n")
    (tmp_path/'_b.js').write_text("import {\n  x as y,\n  f\n} from './_a.js';\nexport class B { a = y + f(); }\n")
    (tmp_path/'m.js').write_text("import * as A from './_a.js';\nimport {B} from './_b.js';\nexport default {A, B};\n")
    out = inline('m.js', tmp_path)
    assert 'import' not in out and out.count('const $_a =')==1 and out.index('$_a =') < out.index('$_b =') and 'gone' not in out and '// stays' in out
    for bad, match in [("export * from './_a.js';\n", 'cannot inline'), ("import x from './_a.js';\nexport const z = 1;\n", 'cannot inline')]:
        (tmp_path/'_b.js').write_text(bad)
        with pytest.raises(ValueError, match=match): inline('m.js', tmp_path)
    for p in STATIC.iterdir():
        if p.name.endswith('.js'): assert not re.search(r'^import ', inline(p.name), re.M)


def test_payload_is_json_in_ascii_without_markup():
    for s in trees.HOSTILE:
        out = to_json({'x': s}); assert json.loads(out)=={'x': s} and out.isascii() and '<' not in out and '&' not in out
    with pytest.raises(TypeError, match='cannot send'): to_json({'x': np.zeros(2)})
    with pytest.raises(ValueError): to_json({'x': float('nan')})
    assert pack(a=np.zeros((2, 0)))['a']==dict(shape=[2, 0], dtype='float32', data=b'')


def test_hostile_names_stay_inside_their_script(tmp_path):
    m = ConceptMap(trees.hostile())
    state, s = state_of(m.to_html())
    assert sorted(set(s.tags))==['div', 'p', 'script'] and s.tags.count('script')==2
    assert set(state['state']['_info']['columns'])==set(trees.HOSTILE)
    doc = m.save_html(tmp_path/'x.html', title='</title><script>').read_text(encoding='utf-8')
    p = Scripts(); p.feed(doc); assert p.tags.count('script')==2 and 'img' not in p.tags and "default-src 'none'" in doc
    with pytest.raises(ValueError, match="theme='black'"): page('', '', 'black')


def test_outputs_do_not_change_from_run_to_run(ex, monkeypatch):
    monkeypatch.setenv('IN_TEST', '1')
    a, b = ConceptMap(ex)._repr_mimebundle_(), ConceptMap(trees.people())._repr_mimebundle_()
    assert a==b and sorted(a[0])==['text/html', 'text/plain'] and a[0]['text/plain']=='ConceptMap: 12 concepts × 6 tasks'
    monkeypatch.delenv('IN_TEST')
    data, _ = ConceptMap(ex)._repr_mimebundle_(); assert 'application/vnd.jupyter.widget-view+json' in data and data['text/html']==a[0]['text/html']
    code = 'import sys; sys.path.insert(0, "tests"); import trees, hashlib; from mtl_explain.concept_map import ConceptMap; print(hashlib.sha256(ConceptMap(trees.people()).to_html().encode()).hexdigest())'
    runs = [subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, env={'PYTHONHASHSEED': s}).stdout for s in '12']
    assert runs[0]==runs[1] and len(runs[0]) > 60


def test_in_a_notebook_there_are_two_outputs(ex, monkeypatch):
    "The live widget, and the page that stands by; without a kernel, and in the documentation, the page alone"
    out = []; fake = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1), display=SimpleNamespace(display=lambda data, **kw: out.append((data, kw))))
    monkeypatch.delenv('IN_TEST', raising=False); m = ConceptMap(ex)
    with pytest.raises(NotImplementedError): m._ipython_display_()
    monkeypatch.setitem(sys.modules, 'IPython', fake); m._ipython_display_(); (live, _), (still, kw) = out
    assert list(live)==['application/vnd.jupyter.widget-view+json'] and live['application/vnd.jupyter.widget-view+json']['model_id']==m.model_id==m._key and kw==dict(raw=True, display_id=True)
    assert sorted(still)==['text/html', 'text/plain'] and still['text/html'].startswith(f'<div data-mtl-live="{m.model_id}" data-mtl="') and still['text/html'].replace(f'data-mtl-live="{m.model_id}" ', '')==m.to_html()
    cell = SimpleNamespace(outputs=[dict(data=dict(d)) for d, _ in out]); static_widgets(cell); assert [sorted(o['data']) for o in cell.outputs]==[['text/html', 'text/plain']], 'the documentation takes the page'
    monkeypatch.setenv('IN_TEST', '1')
    with pytest.raises(NotImplementedError): m._ipython_display_()


def test_link():
    class A(View): n, only_a = t.Int().tag(sync=True), t.Int().tag(sync=True)
    class B(View): n = t.Int().tag(sync=True)
    class C(View): z = t.Int().tag(sync=True)
    a, b = A(n=2), B(); ls = link(a, b); assert b.n==2
    b.n = 3; assert a.n==3
    ls[0].unlink(); b.n = 4; assert a.n==3
    with pytest.raises(ValueError, match='no trait in common'): link(a, C())


def test_a_linked_view_stays_where_it_is_when_it_cannot_show_a_value():
    class Two(View):
        n = t.Int().tag(sync=True)
        @t.validate('n')
        def _n(self, p):
            if p.value > 2: raise ValueError('no such n')
            return p.value
    class Any(View): n = t.Int().tag(sync=True)
    a, b = Any(n=1), Two(); link(a, b)
    a.n = 7; assert (a.n, b.n)==(7, 1)
    a.n = 2; assert b.n==2
    b.n = 0; assert a.n==0
    with pytest.raises(ValueError, match='no such n'): b.n = 5
    assert a.n==0


def test_an_error_of_a_linked_view_is_an_error():
    "What a view refuses stays with the other one; what goes wrong while it shows a value is not hidden"
    class Any(View): n = t.Int().tag(sync=True)
    class Broken(View):
        n = t.Int().tag(sync=True)
        @t.observe('n')
        def _drawn(self, change):
            if change.new==3: raise ValueError('a real error')
    a, b = Any(n=1), Broken(); link(a, b)
    with pytest.raises(ValueError, match='a real error'): a.n = 3
    a.n = 4; assert b.n==4
    b.n = 5; assert a.n==5


def test_docs_prefer_the_page():
    class Cell: outputs = [{'data': {'application/vnd.jupyter.widget-view+json': {}, 'text/html': ''}}, {'data': {'application/vnd.jupyter.widget-view+json': {}}}, {'text': 'stdout'}]
    static_widgets(Cell); assert [list(o.get('data', {})) for o in Cell.outputs]==[['text/html'], ['application/vnd.jupyter.widget-view+json'], []]


# ---- the concept map

def test_shares_by_hand(ex):
    s = shares(ex).isel(explainer=0)
    for task in ex['concepts'].task.values:
        n = ex['attribution/concept'][node(task)]; imp = n.children['importance'].to_dataset(); w = 1/n['score'].std('sample')
        size, none = (imp.importance*w).sum('target').isel(explainer=0), (imp['none']*w).sum('target').isel(explainer=0)
        assert np.allclose(s.share.sel(task=task), size/(size.sum()+none)) and np.isclose(s.none.sel(task=task), none/(size.sum()+none))
    assert np.allclose(s.share.sum('concept') + s.none, 1)


def test_payload_says_what_the_tree_says(ex):
    m = ConceptMap(ex); info, arr = m._info, m._arrays
    f = lambda k: np.frombuffer(arr[k]['data'], arr[k]['dtype']).reshape(arr[k]['shape'])
    want = shares(ex).sel(concept=info['concepts'], task=info['columns'])
    assert np.allclose(f('share'), want.share) and list(f('degree'))==list(ex['concepts'].degree.sel(concept=info['concepts']))
    assert [b['n'] for b in info['bands']]==[4, 3, 4, 1] and info['concepts'][-1]=='c12' and info['concepts'][:4]==['c01', 'c02', 'c03', 'c04']
    k, j = info['concepts'].index('c09'), info['columns'].index('diabetes')
    assert {info['variables'][i] for i in f('top_variable')[0, k, j]}=={'serum s5', 'serum s1'} and info['basis']==['importance']
    assert info['matches'][0]=={'named': 'age', 'p': pytest.approx(.006)} and info['evidence']['p']==.004
    assert 'off: concept taken away' in info['sources'][0] and '30 samples a task' in info['sources'][0]


def test_signs_follow_direction_and_doubt():
    tree = trees.small(); n = tree['attribution/variable/a']; imp = n.children['importance'].to_dataset()
    imp['direction'][:] = np.array([.9, .1]).reshape(1, 2, 1); n['importance'] = imp
    m = ConceptMap(tree); a = m._arrays; f = lambda k: np.frombuffer(a[k]['data'], a[k]['dtype']).reshape(a[k]['shape'])
    names, got = m._info['variables'], {}
    for k in range(3):
        for pos, s in zip(f('top_variable')[0, k, 0], f('top_sign')[0, k, 0]): got[names[pos]] = s
    assert got=={'x1': 1, 'x2': 2}


def test_names_go_back_into_the_tree(ex, tmp_path):
    m = ConceptMap(ex, names={'c06': 'risk\n time\0'})
    assert m.names['c06']=='risk  time' and m.names['c01']=='age' # added to the names that the tree had
    ex = trees.small(variables=False); m = ConceptMap(ex, names={'c01': 'a', 'c02': 'b'})
    m.names = {**m.names, 'c03': trees.HOSTILE[0], 'c02': '  '}
    back = load(save(ex, tmp_path/'t.nc'))
    assert back['concepts'].label.values.tolist()==['a', '', trees.HOSTILE[0]] and m.names=={'c01': 'a', 'c03': trees.HOSTILE[0]}
    assert ConceptMap(back).names==m.names and check(ex) is ex


def test_table(ex):
    d = ConceptMap(ex).table(); row = d[(d.concept=='c02') & (d.task=='travel mode')].iloc[0]
    assert len(d)==78 and row['name']=='income' and row.band=='Shared' and row.degree==5 and row.evidence and abs(row.share-.21) < .02
    assert not d[(d.concept=='c04') & (d.task=='card spending')].evidence.item() and list(d.name[-6:])==['no concept']*6 and np.allclose(d.groupby('task').share.sum(), 1)
    d = ConceptMap(trees.people(concepts_explained=False)).table(); assert 'share' not in d and d.attention.notna().all()


def test_without_effects_attention_is_shown_and_named():
    m = ConceptMap(trees.people(concepts_explained=False)); assert m.shade=='attention' and m.explainer==''
    with pytest.raises(ValueError, match='concepts were not explained'): m.shade = 'importance'


def test_an_explainer_that_did_not_play_with_concepts():
    "A linked view may name it; the map goes on with its own"
    ex = example(); other = xr.DataTree.from_dict({n.path: d.assign_coords(explainer=['other']) if n.path.startswith('/attribution/feature') and 'explainer' in d.dims else d for n in ex.subtree for d in [n.to_dataset(inherit=False)]})
    m = ConceptMap(other); before = m.table(); m.explainer = 'other'; assert m.explainer=='other' and m.table().equals(before)
    with pytest.raises(ValueError, match="no 'nobody'"): m.explainer = 'nobody'


def test_several_explainers():
    m = ConceptMap(trees.people(explainers=('shapley', 'occlusion')), explainer='occlusion')
    assert m._info['explainers']==['shapley', 'occlusion'] and m._arrays['share']['shape'][0]==2 and m.explainer=='occlusion'


def test_families_stand_side_by_side():
    m = ConceptMap(trees.people(families=['x', 'y', 'x', 'z', 'y', 'w']))
    assert m._info['families']==['x', 'x', 'y', 'y', 'z', 'w'] and m._info['columns'][:2]==['vote', 'doctor visits']


def test_trees_that_cannot_be_drawn_say_why(ex, tmp_path):
    m = ConceptMap(trees.no_concepts(), concepts=['c01']); assert 'no concepts' in m.trouble and m._info['instead']['kind']=='empty'
    ex.attrs['schema'] = 'mtl_explain/0'; m = ConceptMap(ex); assert m._info['instead']['kind']=='error' and "'mtl_explain/0'" in m.trouble
    for act in (m.table, lambda: m.save_html(tmp_path/'x.html')):
        with pytest.raises(ValueError, match='mtl_explain/0'): act()
    assert 'mtl_explain/0' in m.to_html()


@given(st.lists(st.integers(0, 12), min_size=1, max_size=30), st.integers(1, 12), st.randoms())
def test_bands_hold_every_concept_once(degree, tasks, rnd):
    degree = [min(d, tasks) for d in degree]; dead = [d==0 and rnd.random() < .5 for d in degree]
    found = bands(degree, dead, tasks)
    assert sorted(k for b in found for k in b['rows'])==list(range(len(degree))) and all(b['rows'] and b['rule'] for b in found)
    for b in found:
        if b['name']=='Shared': assert min(degree[k] for k in b['rows']) > tasks/2 or tasks==1
        if b['name']=='Private': assert {degree[k] for k in b['rows']}=={1}


@settings(max_examples=25, deadline=None)
@given(tasks=st.integers(1, 4), concepts=st.integers(1, 5), samples=st.integers(0, 3), seed=st.integers(0, 99), explained=st.booleans(), variables=st.booleans(), names=st.lists(st.text(max_size=8), min_size=4, max_size=4, unique=True))
def test_any_valid_tree_gives_a_page(tasks, concepts, samples, seed, explained, variables, names):
    r = np.random.default_rng(seed); names = [n for n in names if n and '\0' not in n and not any(0xd800 <= ord(c) < 0xe000 for c in n)][:tasks] or ['only']
    ts = {n: ([('y', '', 'number')] + ([('z', 'l', 'nominal')] if i % 2 else []), [f'x{j}' for j in range(r.integers(1, 4))]) for i, n in enumerate(names)}
    tree = trees.make(ts, r.choice([0, 0, 10, 30, -5], (concepts, len(ts))), samples=samples, concepts_explained=explained, variables=variables, evidence=None if seed % 2 else dict(p=.3))
    m = ConceptMap(tree); assert not m.trouble
    state, _ = state_of(m.to_html()); assert state['state']['_info']['columns']==m._info['columns'] and len(m.table())==(concepts + bool(m._info['explainers']))*len(ts)
