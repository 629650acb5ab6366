"What Python prepares for the view of routes: flows add up to what concepts hold, what is sent equals the tree, what is not sent is counted."
import numpy as np, pytest, traitlets as t, xarray as xr
from hypothesis import given, settings, strategies as st

import trees
from mtl_explain.attributions import Attributions
from mtl_explain.concept_flow import ConceptFlow, _sent
from mtl_explain.concept_map import ConceptMap, shares
from mtl_explain.flows import flows, places, routes
from mtl_explain.schema import check, example, node, tasks_of
from mtl_explain.view import link, traits_of
from test_view import state_of


def with_edges(tree, seed=0, drop=()):
    "The same tree with (variable, concept) pairs as players: each concept's importance divided at random, with errors"
    r = np.random.default_rng(seed); ids = tree['concepts'].concept.values.astype(str); v = tree['variables'].to_dataset().to_dataframe(); groups = {}
    for task, n in tasks_of(tree, 'attribution/concept').items():
        if task in drop: continue
        mine = list(v[(v.task==task) & (v.role=='input')].index); imp = n['importance'].to_dataset(); E, _, T = imp.importance.shape
        part = r.dirichlet(np.ones(len(mine)), len(ids)).T  # (variable, concept)
        size = (part[:, :, None]*imp.importance.values[:, None]).reshape(E, -1, T) if len(mine) else np.zeros((E, 0, T))
        players = np.array([f'{i} → {c}' for i in mine for c in ids], dtype=str); S, dims = n.sizes['sample'], ('explainer', 'sample', 'player', 'target')
        a = r.normal(size=(E, S, len(players), T))*size[:, None]; d = n.to_dataset()
        pl = dict(player=players, variable=('player', np.repeat(np.array(mine, dtype=str), len(ids))), concept=('player', np.tile(ids, len(mine))))
        keep = {k: d[k] for k in ('score', 'base', 'delta', 'evaluations', 'status')}
        main = xr.Dataset({**keep, 'attribution': (dims, a), 'attribution_se': (dims, np.zeros_like(a))}, coords={**pl, **{k: x for k, x in d.coords.items() if 'player' not in x.dims}}, attrs=d.attrs)
        dim = ('explainer', 'player', 'target')
        summary = dict(importance=(dim, size), importance_se=(dim, np.where(r.random(size.shape) < .2, size, size*.1)), direction=(dim, np.full(size.shape, np.nan)), spread=imp.spread, none=imp['none'])
        groups[f'attribution/edge/{node(task)}'] = main; groups[f'attribution/edge/{node(task)}/importance'] = xr.Dataset(summary, coords=dict(explainer=d.explainer, player=players, target=d.target), attrs=imp.attrs)
    out = tree.copy()
    for k, g in groups.items(): out[k] = xr.DataTree(g)
    return check(out)


@pytest.fixture(scope='module')
def ex():
    "The stored explanation, as if edges had not been explained"
    return example().filter(lambda n: not n.path.startswith('/attribution/edge'))
@pytest.fixture(scope='module')
def edged(): return with_edges(trees.people())


def arrays(view): return {k: np.frombuffer(a['data'], a['dtype']).reshape(a['shape']) for k, a in view._arrays.items()}


# ---- flows

def test_routes_of_a_task_add_up_to_what_its_concepts_hold(ex, edged):
    for tree, measure in [(ex, 'concept'), (edged, 'edge')]:
        r, s = routes(tree), shares(tree).isel(explainer=0); assert r.attrs['measure']==measure and (np.diff(r.flow) <= 0).all() and np.isclose(r.mass.iloc[-1], 1)
        both = r.groupby(['task', 'concept']).flow.sum()
        for (task, c), x in both.items(): assert np.isclose(x, s.share.sel(task=task, concept=c), atol=1e-5), (task, c)
        assert np.allclose(r.groupby('task').flow.sum().reindex(s.task.values), 1-s.none, atol=1e-5)


def test_the_stored_edges_are_measured_routes():
    r = routes(example()); assert r.attrs['measure']=='edge' and (r.se > 0).all() and (r.groupby('task').flow.sum() < 1).all() and r.groupby('task').flow.sum().min() > .5


def test_concepts_are_divided_by_attention(ex):
    r = routes(ex); one = r[(r.task=='vote') & (r.concept=='c03')].set_index('variable').flow; a = ex['attention'].weight.sel(concept='c03', variable=one.index.to_numpy())
    assert np.allclose(one/one.sum(), a/a.sum(), atol=1e-5) and r.se.isna().all()
    w = routes(ex, width='attention'); assert w.attrs['measure']=='attention' and np.allclose(w.groupby('task').flow.sum(), 1, atol=1e-5)
    use = w.groupby(['task', 'concept']).flow.sum()['vote']; assert np.allclose(use, ex['concepts'].usage.sel(task='vote', concept=use.index.to_numpy()), atol=1e-5)


def test_edges_are_read_as_they_were_measured(edged):
    r = routes(edged); n = edged['attribution/edge/vote']; imp, w = n['importance'].to_dataset().isel(explainer=0), 1/n['score'].std('sample').isel(explainer=0)
    size, se = (imp.importance*w).sum('target'), (imp.importance_se*w).sum('target'); total = size.sum() + (imp['none']*w).sum('target')
    one = r[r.task=='vote']
    for x in one.head(20).itertuples(): i = f'{x.variable} → {x.concept}'; assert np.isclose(x.flow, size.sel(player=i)/total) and np.isclose(x.se, se.sel(player=i)/total)
    part = with_edges(trees.people(), drop=['vote']); assert set(routes(part).task)==set(trees.PEOPLE)-{'vote'} and not ConceptFlow(part).trouble


def test_nothing_that_is_zero_is_a_route(edged): assert (routes(edged).flow > 0).all() and 'c12' not in set(routes(edged).concept)


# ---- what is sent

def test_payload_says_what_the_tree_says(edged):
    v = ConceptFlow(edged); a, i = arrays(v), v._info; r = routes(edged); n = i['sets'][0]['n']
    assert [s['measure'] for s in i['sets']]==['edge', 'attention'] and n==len(r)==i['sets'][0]['count'] and np.isclose(i['sets'][0]['total'], r.flow.sum())
    assert [i['variables'][k] for k in a['v'][:n]]==list(r.variable) and [i['concepts'][k] for k in a['c'][:n]]==list(r.concept) and np.allclose(a['flow'][:n], r.flow) and np.allclose(a['se'][:n], r.se)
    V, T, K = len(i['variables']), len(i['tasks']), len(i['concepts']); number = a['routes'].reshape(2, T, K)[0]; at = i['tasks'].index('vote')
    assert number.sum()==n and number[at].sum()==(r.task=='vote').sum() and np.allclose(a['variable_flow'][:V], r.groupby('variable').flow.sum().reindex(i['variables']).fillna(0))
    assert '(variable, concept) edges' in i['sets'][0]['source'] and '30 samples a task' in i['sets'][0]['source']


def test_the_widest_are_sent_and_five_of_every_variable():
    r = np.random.default_rng(0); f = dict(v=r.integers(0, 50, 2000), flow=r.random(2000)); f['flow'][f['v']==3] *= 1e-6
    at = _sent(f, 50, 300); assert 300 < len(at) <= 300+250 and (np.diff(f['flow'][at]) <= 0).all() and min(np.bincount(f['v'][at], minlength=50))>=5 and set(np.argsort(-f['flow'])[:300]) <= set(at)


def test_full_size_is_a_small_page():
    v = ConceptFlow(trees.large()); size = len(v.to_html()); i, a = v._info, arrays(v)
    assert size < 2.5e6, size
    for s in (0, 1): assert i['sets'][s]['n'] < i['sets'][s]['count'] and len(i['variables'])>2500
    V = len(i['variables']); assert np.isclose(a['variable_flow'][:V].sum(), i['sets'][0]['total'], rtol=1e-4) and a['routes'].reshape(2, -1)[0].sum()==i['sets'][0]['count']


# ---- what may be set

def test_keywords_and_labels_are_checked(ex):
    assert set(traits_of(ConceptFlow))=={'concepts', 'tasks', 'variables', 'explainer', 'width', 'mass', 'names'}
    v = ConceptFlow(trees.people(), concepts=['income', 'c09'], tasks=['vote'], mass=.5); assert v.concepts==['c02', 'c09'] and v.names['c02']=='income'
    with pytest.raises(TypeError, match="no keyword 'concept'; did you mean 'concepts'"): ConceptFlow(ex, concept=['c01'])
    for trait, value, match in [('concepts', ['incom'], "no concept 'incom'; did you mean 'income'"), ('tasks', ['votes'], "tasks: no 'votes'; did you mean 'vote'"), ('variables', ['w1'], "variables: no 'w1'"), ('explainer', 'shap', "did you mean 'shapley'"), ('names', {'c99': 'x'}, "names: no 'c99'")]:
        with pytest.raises(ValueError, match=match): setattr(v, trait, value)
    for trait, value in [('mass', 1.5), ('mass', 0.), ('width', 'colour')]:
        with pytest.raises(t.TraitError): setattr(v, trait, value)
    assert v.mass==.5 and v.tasks==['vote']


def test_linked_with_the_other_views(ex):
    m, f, a = ConceptMap(ex), ConceptFlow(ex), Attributions(ex); link(m, f); link(f, a)
    m.concepts = ['c03']; assert f.concepts==a.concepts==['c03']
    f.variables = [f._info['variables'][0]]; assert a.variables==f.variables
    m.names = {'c01': 'one'}; assert f.names==a.names=={'c01': 'one'}
    f.tasks = ['vote']; assert m.tasks==['vote']


def test_without_importance_attention_is_shown_and_named():
    v = ConceptFlow(trees.people(concepts_explained=False)); assert v.width=='attention' and v.explainer=='' and v.table().attrs['measure']=='attention'
    with pytest.raises(ValueError, match="explain it with players='edge'"): v.width = 'importance'


def test_several_explainers():
    v = ConceptFlow(trees.people(explainers=('shapley', 'occlusion')), explainer='occlusion'); assert [s['explainer'] for s in v._info['sets']]==['shapley', 'occlusion', ''] and v.table().attrs['measure']=='concept'


def test_table(edged):
    v = ConceptFlow(edged, concepts=['c02'], tasks=['vote']); d = v.table()
    assert d.pinned.sum()==((d.concept=='c02') & (d.task=='vote')).sum() > 0 and set(d[d.concept=='c02'].label)=={'income'} and not d.evidence.all() and d.evidence.any()
    assert np.allclose(d.high-d.flow, 1.96*d.se) and (d.low >= 0).all() and (d.evidence==(d.flow > 1.96*d.se)).all()


def test_trees_that_cannot_be_drawn_say_why(ex, tmp_path):
    v = ConceptFlow(trees.no_concepts(), tasks=['x']); assert 'no concepts' in v.trouble and v._info['instead']['kind']=='empty'
    bare = ex.copy(); del bare['attention']; v = ConceptFlow(bare); assert 'no attention' in v.trouble
    for act in (v.table, lambda: v.save_html(tmp_path/'x.html')):
        with pytest.raises(ValueError, match='no attention'): act()


def test_hostile_names_stay_inside_their_script():
    state, s = state_of(ConceptFlow(trees.hostile()).to_html()); assert sorted(set(s.tags))==['div', 'p', 'script'] and set(state['state']['_info']['tasks'])==set(trees.HOSTILE)


def test_families_stand_side_by_side(): assert ConceptFlow(trees.people(families=['x', 'y', 'x', 'z', 'y', 'w']))._info['tasks'][:2]==['vote', 'doctor visits']


@settings(max_examples=15, deadline=None)
@given(tasks=st.integers(1, 4), concepts=st.integers(1, 5), samples=st.integers(0, 3), seed=st.integers(0, 99), explained=st.booleans(), edges=st.booleans())
def test_any_valid_tree_gives_a_page(tasks, concepts, samples, seed, explained, edges):
    r = np.random.default_rng(seed); ts = {f't{i}': ([('y', '', 'number')], [f'x{j}' for j in range(r.integers(1, 4))]) for i in range(tasks)}
    tree = trees.make(ts, r.choice([0, 0, 10, 30, -5], (concepts, tasks)), samples=samples, concepts_explained=explained)
    if edges and explained: tree = with_edges(tree, seed)
    v = ConceptFlow(tree); assert not v.trouble and v.to_html().isascii() and (v.table().flow > 0).all()
    b = places(tree); assert all(np.isfinite(flows(tree, b, m, e)['flow']).all() for m, e in [(s['measure'], s['explainer']) for s in v._info['sets']])
    if edges and explained and samples: assert flows(tree, b, 'edge', 'shapley')['held'].sum() <= tasks + 1e-6
