"What Python prepares for the comparison of two tasks: shares equal those of the concept map, overlaps are right, nothing is tested that the tree did not test."
import numpy as np, pytest, traitlets as t, xarray as xr
from hypothesis import given, settings, strategies as st

import trees
from mtl_explain.attributions import Attributions
from mtl_explain.concept_flow import ConceptFlow
from mtl_explain.concept_map import ConceptMap, shares
from mtl_explain.flows import routes
from mtl_explain.schema import check, example
from mtl_explain.task_compare import LIMIT, TaskCompare, overlaps
from mtl_explain.view import link, traits_of
from test_concept_flow import arrays, with_edges
from test_view import state_of


@pytest.fixture(scope='module')
def ex(): return example()


def with_overlap(tree, drop=(), **numbers):
    tasks = tree['concepts'].task.values; T = len(tasks); tree = tree.copy()
    values = dict(overlap=.32, low=.27, high=.38, null=.25, null_low=.18, null_high=.31, p=.03) | numbers
    tree['overlap'] = xr.DataTree(xr.Dataset({k: (('task', 'task_2'), np.full((T, T), float(v))) for k, v in values.items() if k not in drop}, coords=dict(task=tasks, task_2=tasks), attrs=dict(permutations=999, null='names shuffled 999 times')))
    return check(tree)


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 99))
def test_overlap_is_a_shared_part(T, K, seed):
    x = np.random.default_rng(seed).dirichlet(np.ones(K+1), T)[:, :K]; o = overlaps(x)
    assert np.allclose(o, o.T) and np.allclose(np.diag(o), x.sum(1)) and (o <= np.minimum.outer(x.sum(1), x.sum(1)) + 1e-12).all() and (o >= 0).all()
    assert np.allclose(overlaps(np.eye(3)), np.eye(3)) and overlaps(np.array([[np.nan, .5], [.2, -.1]])).tolist()==[[.5, 0], [0, .2]]


def test_shares_are_those_of_the_map(ex):
    v = TaskCompare(ex, 'vote', 'travel mode'); s = shares(ex).isel(explainer=0).sel(task=v._info['tasks'], concept=v._info['concepts']); a = arrays(v); n = s.share.size
    assert np.allclose(a['held'][:n], s.share.values.ravel(), atol=1e-6) and np.allclose(a['held_se'][:n], s.share_se.values.ravel(), atol=1e-6) and np.allclose(a['none'][:len(v._info['tasks'])], s['none'], atol=1e-6)
    x, y = (s.share.sel(task=k).values for k in ('vote', 'travel mode')); assert np.isclose(v.table().attrs['both'], np.minimum(x, y).sum(), atol=1e-6)


def test_a_concept_opens_into_its_widest_routes(ex):
    v = TaskCompare(ex); i, a = v._info, arrays(v); n = i['sets'][0]['n']; r = routes(ex)
    sent = [(i['tasks'][a['of'][x]], i['concepts'][c], i['variables'][x], f) for x, c, f in zip(a['v'][:n], a['c'][:n], a['flow'][:n])]
    mine = [(x, f) for task, c, x, f in sent if (task, c)==('vote', 'c03')]; want = r[(r.task=='vote') & (r.concept=='c03')].head(8)
    assert [x for x, _ in mine]==list(want.variable) and np.allclose([f for _, f in mine], want.flow) and a['routes'].reshape(2, 6, 12)[0].sum()==len(r)


def test_signs_follow_direction_and_doubt():
    tree = trees.small(); n = tree['attribution/variable/a']; imp = n.children['importance'].to_dataset(); imp['direction'][:] = np.array([.9, -.1]).reshape(1, 2, 1); n['importance'] = imp
    v = TaskCompare(tree); sign = dict(zip(v._info['labels'], arrays(v)['sign'])); assert sign['x1']==1 and sign['x2']==2
    imp['direction'][:] = np.array([-.9, np.nan]).reshape(1, 2, 1); n['importance'] = imp; v = TaskCompare(tree); sign = dict(zip(v._info['labels'], arrays(v)['sign'])); assert sign['x1']==-1 and sign['x2']==0
    assert not arrays(TaskCompare(trees.small(variables=False)))['sign'].any()


def test_edges_have_intervals_and_concepts_keep_theirs():
    v = TaskCompare(with_edges(trees.people())); a, i = arrays(v), v._info; n = i['sets'][0]['n']
    assert i['sets'][0]['measure']=='edge' and np.isfinite(a['se'][:n]).all() and np.isfinite(a['held_se'][:72]).all() and 'edges' in i['sets'][0]['source']
    d = v.table(); assert d[d.what=='variable'].evidence.notna().all() and d.attrs['measure']=='edge'


def test_which_two(ex):
    own = overlaps(shares(ex).isel(explainer=0).share.values); tasks = [str(x) for x in ex['concepts'].task.values]; np.fill_diagonal(own, -1)
    v = TaskCompare(ex); assert {v._info['tasks'][k] for k in v._info['pair']}=={tasks[k] for k in np.unravel_index(own.argmax(), own.shape)}
    assert TaskCompare(ex, 'vote').tasks==['vote'] and v._info['tasks'][v._info['partner'][v._info['tasks'].index('vote')]]==tasks[own[tasks.index('vote')].argmax()]
    assert set(TaskCompare(ex, 'vote', 'diabetes').table().task)=={'vote', 'diabetes'} and list(TaskCompare(ex, tasks=['marriage', 'vote', 'diabetes']).table().task.unique())==['vote', 'diabetes']


def test_only_what_the_tree_tested_is_told():
    assert TaskCompare(trees.people())._info['test']==[]
    v = TaskCompare(with_overlap(trees.people())); a = arrays(v); assert v._info['test']==['overlap', 'low', 'high', 'null', 'null_low', 'null_high', 'p'] and np.allclose(a['test_null'], .25) and a['test_null'].shape==(6, 6) and v._info['tested']['null']=='names shuffled 999 times'
    assert TaskCompare(with_overlap(trees.people(), drop=('null_low', 'null_high', 'p')))._info['test']==['overlap', 'low', 'high', 'null']
    bad = with_overlap(trees.people()); bad['overlap'] = xr.DataTree(bad['overlap'].to_dataset().rename(task_2='other')); assert '/overlap/overlap has dims (task, other); expected (task, task_2)' in TaskCompare(bad).trouble


def test_keywords_and_labels_are_checked(ex):
    assert set(traits_of(TaskCompare))=={'tasks', 'concepts', 'variables', 'explainer', 'width', 'sort', 'names'}
    v = TaskCompare(trees.people(), 'vote', 'marriage', concepts=['income', 'c09']); assert v.concepts==['c02', 'c09']
    for make, err, match in [(lambda: TaskCompare(ex, 'vote', 'votes'), ValueError, "tasks: no 'votes'; did you mean 'vote'"), (lambda: TaskCompare(ex, 'vote', 'vote'), ValueError, "a and b are both 'vote'"), (lambda: TaskCompare(ex, 'vote', tasks=['vote']), TypeError, 'not both'), (lambda: TaskCompare(ex, task='vote'), TypeError, "no keyword 'task'; did you mean 'tasks'"), (lambda: TaskCompare({}, 'vote'), TypeError, 'expects an xarray.DataTree')]:
        with pytest.raises(err, match=match): make()
    for trait, value, match in [('concepts', ['incom'], "did you mean 'income'"), ('variables', ['w1'], "no 'w1'"), ('explainer', 'shap', "did you mean 'shapley'"), ('names', {'c99': 'x'}, "no 'c99'")]:
        with pytest.raises(ValueError, match=match): setattr(v, trait, value)
    with pytest.raises(t.TraitError): v.sort = 'size'


def test_linked_with_the_other_views(ex):
    c, f, m, a = TaskCompare(ex, 'vote', 'diabetes'), ConceptFlow(ex), ConceptMap(ex), Attributions(ex)
    for x in (f, m, a): link(c, x)
    assert f.tasks==m.tasks==a.tasks==['vote', 'diabetes']; m.tasks = ['marriage', 'vote']; assert c.tasks==['marriage', 'vote']; m.concepts = ['c05']; assert c.concepts==f.concepts==['c05']
    f.width = 'attention'; assert c.width=='attention'; m.names = {'c05': 'five'}; assert c.names==f.names==a.names=={'c05': 'five'}


def test_without_importance_attention_is_shown_and_named():
    v = TaskCompare(trees.people(concepts_explained=False)); assert v.width=='attention' and v.table().attrs['measure']=='attention'
    with pytest.raises(ValueError, match='concepts were not explained'): v.width = 'importance'


def test_table():
    d = TaskCompare(trees.people(), 'vote', 'travel mode').table(); one = d[(d.what=='concept') & (d.concept=='c02')].set_index('task').share
    assert abs(one['vote']-.17) < .02 and abs(one['travel mode']-.21) < .02 and abs(d.attrs['both']-.32) < .03 and set(d[d.concept=='c02'].name)=={'income'}
    for _, g in d.groupby('task'): assert np.isclose(g[g.what!='variable'].share.sum(), 1)
    assert not d[(d.concept=='c10') & (d.task=='vote') & (d.what=='concept')].evidence.item()
    v = d[(d.what=='variable') & (d.task=='vote')]; assert np.allclose(v.groupby('concept').share.sum(), d[(d.what=='concept') & (d.task=='vote')].set_index('concept').share.reindex(sorted(v.concept.unique())))


def test_trees_that_cannot_be_drawn_say_why(ex, tmp_path):
    bare = ex.copy(); del bare['attention']; alone = trees.make({'only': ([('y', '', 'number')], ['x'])}, [[40]])
    for tree, match in [(trees.no_concepts(), 'no concepts'), (alone, 'one task'), (bare, 'no attention')]:
        v = TaskCompare(tree, 'vote', 'x'); assert match in v.trouble and v._info['instead']['kind']=='empty'
        for act in (v.table, lambda v=v: v.save_html(tmp_path/'x.html')):
            with pytest.raises(ValueError, match=match): act()


def test_full_size_is_a_small_page():
    v = TaskCompare(trees.large()); size = len(v.to_html()); assert size < 2.5e6, size
    assert sum(s['n'] for s in v._info['sets']) <= 2*LIMIT and v._info['partner'][5] != 5


def test_hostile_names_stay_inside_their_script():
    state, s = state_of(TaskCompare(trees.hostile(), *trees.HOSTILE[:2]).to_html()); assert sorted(set(s.tags))==['div', 'p', 'script'] and state['state']['tasks']==trees.HOSTILE[:2]


@settings(max_examples=15, deadline=None)
@given(tasks=st.integers(2, 4), concepts=st.integers(1, 5), samples=st.integers(0, 3), seed=st.integers(0, 99), explained=st.booleans(), edges=st.booleans())
def test_any_valid_tree_gives_a_page(tasks, concepts, samples, seed, explained, edges):
    r = np.random.default_rng(seed); ts = {f't{i}': ([('y', '', 'number')], [f'x{j}' for j in range(r.integers(1, 4))]) for i in range(tasks)}
    tree = trees.make(ts, r.choice([0, 0, 10, 30, -5], (concepts, tasks)), samples=samples, concepts_explained=explained)
    if edges and explained: tree = with_edges(tree, seed)
    v = TaskCompare(tree, 't1', 't0'); assert not v.trouble and v.to_html().isascii() and 0 <= v.table().attrs['both'] <= 1 + 1e-9
