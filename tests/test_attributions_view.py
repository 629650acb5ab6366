"What Python prepares for the view of attributions: what is sent equals the tree, what is said equals the table, what is not asked for stays at home."
import json

import numpy as np, pytest, traitlets as t, xarray as xr
from hypothesis import given, settings, strategies as st

import trees
from mtl_explain.attributions import LIMIT, Attributions, _both, _codes, _decode, _labels, _same, kept_rows, own_unit, player_kinds
from mtl_explain.concept_map import ConceptMap
from mtl_explain.schema import check, example, node, tasks_of
from mtl_explain.view import link, traits_of
from test_view import state_of


@pytest.fixture(scope='module')
def ex(): return example()


def sent(view):
    "The arrays of the only task, decoded as the browser does it"
    f = {k: np.frombuffer(a['data'], a['dtype']) for k, a in view._arrays.items()}; i = view._info['tasks'][0]
    E, S, P, T = (len(i[k]) for k in ('explainers', 'samples', 'players', 'targets'))
    out = {k: _decode(f[k].reshape(E, S, P, T), f[top].reshape(E, T)) for k, top in [('value', 'top'), ('se', 'se_top')]}
    return out | {k: f[k].reshape(E, S, T) for k in ('score', 'base', 'delta')} | {k: f[k] for k in f if k not in ('value', 'se', 'score', 'base', 'delta')}


# ---- keywords and labels

def test_keywords_and_labels_are_checked(ex):
    assert set(traits_of(Attributions))=={'concepts', 'explainer', 'features', 'names', 'order', 'players', 'rows', 'samples', 'show', 'targets', 'tasks', 'top', 'variables'}
    with pytest.raises(TypeError, match="no keyword 'sample'; did you mean 'samples'"): Attributions(ex, sample=3)
    v = Attributions(ex, tasks=['vote'], samples=[15, '15', 9], targets=['vote for Dole'], features=['age'], concepts=['c01'], variables=['vote · age'])
    assert v.samples==['15', '9'] and v.players=='feature' and v.explainer=='shapley' and v.names=={}
    for trait, value, match in [('tasks', ['votes'], "tasks: no 'votes'; did you mean 'vote'"), ('samples', [-1], "samples: no '-1'"), ('targets', ['x'], "targets: no 'x'"), ('features', ['agee'], "did you mean 'age'"), ('players', 'features', "players: no 'features'; did you mean 'feature'"),
                                ('explainer', 'shap', "explainer: no 'shap'; did you mean 'shapley'"), ('concepts', ['c99'], "concepts: no 'c99'"), ('variables', ['age'], "variables: no 'age'"), ('names', {'c99': 'x'}, "no 'c99'")]:
        with pytest.raises(ValueError, match=match): setattr(v, trait, value)
    with pytest.raises(ValueError, match="players: no 'edges'"): Attributions(ex, players='edges')
    for trait, value in [('show', 'pie'), ('order', 'x'), ('top', 0)]:
        with pytest.raises(t.TraitError): setattr(v, trait, value)
    assert v.samples==['15', '9'] and v.tasks==['vote']


def test_links_by_equal_names(ex):
    m, a = ConceptMap(ex), Attributions(ex, players='concept'); link(m, a)
    m.concepts = ['c03']; m.tasks = ['vote', 'diabetes']; m.names = {'c03': 'age & means'}
    assert a.concepts==['c03'] and a.tasks==['vote', 'diabetes'] and a.names=={'c03': 'age & means'}
    a.tasks = ['marriage']; assert m.tasks==['marriage']
    assert Attributions(ex, players='concept').names=={'c03': 'age & means'}  # the map wrote it into the tree, and every other view finds it there
    ex['concepts']['label'][:] = ''


# ---- what is sent

def test_what_is_sent_is_what_the_tree_says(ex):
    v = Attributions(ex, tasks=['doctor visits']); info = v._info['tasks']; assert [i['name'] for i in info]==list(tasks_of(ex, 'data')) and v._info['kinds']==['feature', 'variable', 'concept', 'edge']
    one = Attributions(trees.three()); got, n = sent(one), trees.three()['attribution/feature/doctor visits'].to_dataset()
    for k, name in [('value', 'attribution'), ('se', 'attribution_se')]: assert np.abs(got[k] - 2.5*n[name].values).max() <= 2.5*np.abs(n[name].values).max()/32767
    assert np.allclose(got['score'], 3 + 2.5*n.score.values, rtol=1e-6) and np.allclose(got['base'][0], 3 + 2.5*.2, rtol=1e-6) and np.allclose(got['base'][3], 3)
    assert np.allclose(got['fit'].reshape(4, -1)[2], .83) and np.allclose(got['sink'].reshape(4, 30, 2)[3], 2.5*n.sink_score.values[3, :, :, 0], rtol=1e-6) and one._info['tasks'][0]['sinks']==['bias', 'identity']
    ledger = got['base'] + np.nansum(got['value'], 2) + np.nansum(got['sink'].reshape(4, 30, 2, 1), 2); closed = [0, 1, 3]
    assert np.abs(ledger[closed] - got['score'][closed]).max() < 2e-3 and np.isnan(got['delta'][2]).all()
    assert np.allclose(got['truth'].reshape(30, 1), np.round(np.abs(n.score.values[0]))*2.5 + 3, rtol=1e-6)


def test_units():
    f, m, u = own_unit(['score', 'own', 'sd', 'probability'], ['number', 'ordered', 'nominal'], np.array([3., 0, 0]), np.array([2.5, 1, 1]), ['visits', '', ''])
    assert f.tolist()==[[2.5, 1, 1]] + [[1, 1, 1]]*3 and m[0].tolist()==[3, 0, 0] and u[0]==['visits', 'score', 'score'] and u[1]==['visits', 'place in its order', 'probability'] and u[2]==['standard deviations of the score']*3 and u[3]==['probability']*3
    assert own_unit(['score'], ['number'], np.array([np.nan]), np.array([1.]), ['x'])[0].tolist()==[[1]] and own_unit(['score'], ['number'], np.array([0.]), np.array([0.]), ['x'])[2]==[['score']]
    tree = trees.answers(unit='probability', tasks={'a': [('y', '', 'binary')]}); assert Attributions(tree)._info['tasks'][0]['units']==[['probability']]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(-30, 30))
def test_codes_agree_with_the_numbers_on_what_is_evidence(seed, power):
    r = np.random.default_rng(seed); shape = (2, 5, 4, 3); a = r.normal(size=shape)*10.**power*r.choice([0, 1e-6, 1], shape); se = np.abs(r.normal(size=shape))*10.**power*r.choice([0, .01, 1], shape)
    a[r.random(shape) < .1] = np.nan; a[0, 0, 0, 0], a[0, 0, 0, 1] = np.inf, -np.inf; out = _both(a, se)
    b, s = _decode(out['value'], out['top']), _decode(out['se'], out['se_top']); ok = np.isfinite(a)
    assert (np.isnan(b)==~ok).all() and ((b==0)==(a==0))[ok].all() and (np.sign(b)==np.sign(a))[ok].all() and ((s > 0)==(se > 0)).all()
    top = np.where(ok, np.abs(a), 0).max((1, 2), keepdims=True); assert (np.abs(np.where(ok, b-np.where(ok, a, 0), 0)) <= top/30000).all()
    sure = np.abs(np.where(ok, a, 0)) > 3e-4*top  # a number near the step of the code may have an error below it
    assert ((np.abs(b) > 1.96*s)==(np.abs(a) > 1.96*se))[ok & sure].all()
    q, up = _codes(np.zeros((1, 0, 2, 1))); assert q.shape==(1, 0, 2, 1) and up.tolist()==[[0]]


def test_codes_are_nudged_where_rounding_would_change_the_evidence():
    r = np.random.default_rng(0); se = r.uniform(.1, 1, (1, 200, 5, 2)); a = 1.96*se*(1 + r.choice([-3e-6, 3e-6], se.shape))*r.choice([-1, 1], se.shape); out = _both(a, se)
    b, s = _decode(out['value'], out['top']), _decode(out['se'], out['se_top']); assert ((np.abs(b) > 1.96*s)==(np.abs(a) > 1.96*se)).all() and np.abs(s - se).max() < 1e-4


def test_same_rows_have_the_same_labels_and_values():
    d = trees.answers(samples=3)['data/doctor visits'].to_dataset().variables; one = _same(['a'], ['1', '2', '3'], d, 't')
    assert one==_same(['a'], ['1', '2', '3'], d, 'u') and one != _same(['a'], ['1', '2', '4'], d, 't') and one != _same(['b'], ['1', '2', '3'], d, 't') and _same(['a'], ['1'], None, 't') != _same(['a'], ['1'], None, 'u')


def test_large_results_send_some_rows_of_each_task():
    rows = kept_rows([200, 12, 0], [40_000, 100, 10]); assert sum(len(r)*b for r, b in zip(rows, [40_000, 100, 10])) <= LIMIT and list(rows[1])==list(range(12)) and len(rows[2])==0 and rows[0][0]==0 and rows[0][-1]==199
    assert [len(r) for r in kept_rows([50], [10**9])]==[1] and kept_rows([], [])==[]
    tree = trees.leaves(samples=120, features=40); v = Attributions(tree, samples=['1208']); i = v._info['tasks'][0]
    assert len(i['samples']) < 120==i['stored'] and '1208' in i['samples'] and sum(len(a['data']) for a in v._arrays.values()) < 1.2*LIMIT
    gone = next(str(s) for s in tree['attribution/feature/leaf'].sample.values if str(s) not in i['samples']); v.samples = [gone]
    assert gone in v._info['tasks'][0]['samples'] and len(v.table())==40+3
    v.show = 'rows'; assert len(v.table())==120*40  # what was not sent is in the table


def test_kinds_of_players(ex):
    assert list(player_kinds(ex))==['feature', 'variable', 'concept', 'edge'] and Attributions(ex, players='variable')._info['kind']=='variable'
    v = Attributions(ex); seen = []; v.observe(lambda c: seen.append(c.new['kind']), '_info'); v.players = 'concept'
    assert seen==['concept'] and v._info['tasks'][0]['concept'][0]=='c01' and v.concepts==[]
    edge = trees.answers(features=['v1 → c01', 'v2 → c01'], players='edge'); n = edge['attribution/edge/doctor visits'].to_dataset()
    edge['attribution/edge/doctor visits'] = xr.DataTree(n.assign_coords(variable=('player', ['doctor visits · v1 → c01', 'v2']), concept=('player', ['c01', 'c01'])))
    e = Attributions(check(edge)); assert e._info['tasks'][0]['concept']==['c01', 'c01'] and e._info['tasks'][0]['feature']==['v1 → c01', 'v2'] and list(e.table().name[1:3])==['v1 → c01 → c01', 'v2 → c01']
    mine = Attributions(trees.answers(players='my groups/ä')); assert mine.players==mine._info['kind']=='my groups/ä' and len(mine.table())==10
    assert _labels('variable', ['a'], {'a': ('f', 'l', 'u', 0, 1)})==[('f', 'l', 'u', '')] and _labels('region', ['x'], {})==[('x', '', '', '')]


def test_values_and_ranks_belong_to_their_rows():
    tree = trees.answers(samples=6); v = Attributions(tree, rows=True); i, f = v._info['tasks'][0], sent(v); text = tree['data/doctor visits'].input_value.values
    x = f['value_of'].reshape(6, 7); said = [[i['words'][int(x[s, k])] if i['digits'][k] < 0 else f'{x[s, k]:.{i["digits"][k]}f}' if i['digits'][k] < 99 else f'{x[s, k]:.6g}' for k in range(7)] for s in range(6)]
    assert said==text.tolist() and [d < 0 for d in i['digits']]==[False]*6+[True] and i['unit'][0]=='years'
    rank = f['rank'].reshape(6, 7); z = tree['data/doctor visits'].input.values; assert all(np.array_equal(np.argsort(rank[:, k]), np.argsort(z[:, k])) for k in range(6)) and rank[:, 0].min()==0 and rank[:, 0].max()==254


# ---- what a page carries

def test_pages_carry_no_rows_unless_asked(tmp_path):
    tree = trees.answers(samples=8); secret = str(tree['data/doctor visits'].input_value.values[3, 0])
    for rows in (False, True):
        v = Attributions(tree, rows=rows); state, _ = state_of(v.to_html()); s = state['state']
        assert ('value_of' in s['_arrays'])==('truth' in s['_arrays'])==('rank' in s['_arrays'])==rows and (s['_info']['tasks'][0]['words']==[])==(not rows)
        assert ('no values of features, no observed answers, no weights' in s['_info']['carries'])==(not rows) and '8 rows' in s['_info']['carries'] and s['_info']['bare']==(not rows)
        assert 'value_of' in v._arrays  # the running notebook has them
    page = Attributions(tree).save_html(tmp_path/'p.html').read_text(); words = [w for w in ('clerk', 'farmer') if w in page]; assert words==[] and f'"{secret}"' not in page


def test_outputs_do_not_change_from_run_to_run(monkeypatch):
    monkeypatch.setenv('IN_TEST', '1'); a, b = (Attributions(trees.three())._repr_mimebundle_() for _ in range(2))
    assert a==b and sorted(a[0])==['text/html', 'text/plain'] and a[0]['text/plain']=='Attributions: 1 task, 30 rows, players: feature'


# ---- the table

def test_table_equals_the_tree():
    tree = trees.three(); n = tree['attribution/feature/doctor visits'].to_dataset()
    for k, e in enumerate(n.explainer.values):
        d = Attributions(tree, explainer=str(e), samples=['1212']).table(); one = n.sel(sample='1212').isel(explainer=k, target=0); p = d[d.term=='feature']
        assert list(p.name)==trees.SPEND and np.allclose(p.amount, 2.5*one.attribution) and np.allclose(p.se, 2.5*one.attribution_se) and (d['sample']=='1212').all() and (d.unit=='visits a year').all()
        with_error = p.se > 0; assert (p.low.notna()==with_error).all() and (p.evidence==(~with_error | (p.amount.abs() > 1.96*p.se))).all() and d[d.term!='feature'].evidence.isna().all()
        assert list(d[d.term!='feature'].term)==(['base', 'score'] if e=='lime' else ['base', *['sink']*2*(e=='relevance'), 'delta', 'score'])
        if e!='lime': assert np.isclose(d.amount.iloc[:-1].sum(), d.amount.iloc[-1], atol=1e-5)
    d = Attributions(tree, show='explainers').table(); assert list(d.explainer.unique())==['shapley', 'expected gradients', 'lime', 'relevance']
    d = Attributions(tree, show='rows').table(); assert len(d)==30*7 and np.allclose(d.amount, 2.5*n.attribution.isel(explainer=0, target=0).values.ravel())


def test_table_of_targets():
    tree = trees.heads(); v = Attributions(tree, show='targets', samples=['1204']); d = v.table(); assert set(zip(d.task, d.target))=={('visits', 'visits'), ('ill', 'ill'), ('care', 'care: home'), ('care', 'care: clinic')} and len(d)==4*(7+3) and len(set(v._info['tables']))==1
    v.samples = []; d = v.table(); i = tree['attribution/feature/ill'].children['importance'].to_dataset().isel(explainer=0, target=0); mine = d[d.target=='ill']
    assert len(d)==4*7 and np.allclose(mine.amount, i.importance/i.spread) and np.allclose(mine.direction, i.direction)
    apart = Attributions(trees.heads(shared=False), show='targets', samples=['1204']); assert len(set(apart._info['tables']))==3 and set(apart.table().task)=={'visits'}
    apart.samples = []; assert set(apart.table().task)=={'visits', 'ill', 'care'}  # the same players, over all rows of each


def test_what_was_not_reached_and_what_is_not_there():
    tree = trees.answers(samples=5, missing=(1,)); v = Attributions(tree, samples=['1204']); assert v.table()[lambda d: d.term=='feature'].amount.isna().all() and not v.table()[lambda d: d.term=='feature'].evidence.any()
    assert list(np.frombuffer(v._arrays['status']['data'], np.int8))==[0, 1, 0, 0, 0]
    none = Attributions(trees.answers(samples=0)); assert not none.trouble and len(none.table())==0 and none._info['tasks'][0]['samples']==[]
    assert Attributions(trees.answers(data=False), rows=True)._info['tasks'][0]['features']==[] and len(Attributions(trees.answers(importance=False), show='targets').table())==0
    bare = trees.answers(); del bare['attribution']; v = Attributions(bare, tasks=['nowhere']); assert 'holds no attributions' in v.trouble and v._info['instead']['code']=='explain(model, suite)'
    bad = trees.answers(); n = bad['attribution/feature/doctor visits'].to_dataset(); bad['attribution/feature/doctor visits'] = n.rename(target='goal'); v = Attributions(bad)
    assert v._info['instead']['kind']=='error' and 'dims (explainer, sample, player, goal)' in v.trouble
    with pytest.raises(ValueError, match='goal'): v.table()


@settings(max_examples=30, deadline=None)
@given(targets=st.integers(1, 3), features=st.integers(1, 6), samples=st.integers(0, 4), explainers=st.lists(st.sampled_from(list(trees.WAYS)), min_size=1, max_size=4, unique=True), seed=st.integers(0, 99), flags=st.tuples(*[st.booleans()]*5),
       names=st.lists(st.text(max_size=12).filter(lambda s: s and '\0' not in s and not any(0xd800 <= ord(c) < 0xe000 for c in s)), min_size=3, max_size=3, unique=True), show=st.sampled_from(['answer', 'rows', 'targets', 'explainers']))
def test_any_valid_tree_gives_a_page(targets, features, samples, explainers, seed, flags, names, show):
    again, fit, data, importance, shared = flags
    tree = trees.answers({n: [('y', f'l{k}', 'nominal') for k in range(targets)] for n in names[:1+seed % 3]}, [f'x{i}' for i in range(features-1)]+['job'], samples, tuple(explainers), sinks=dict(relevance=('bias',)) if seed % 2 else None, again=again, fit=fit, data=data, importance=importance, shared=shared, missing=(0,) if samples and seed % 5==0 else (), seed=seed)
    v = Attributions(tree, show=show, rows=bool(seed % 2)); assert not v.trouble
    state, s = state_of(v.to_html()); assert s.tags.count('script')==2 and [i['name'] for i in state['state']['_info']['tasks']]==list(tasks_of(tree, 'attribution/feature')) and len(v.table()) >= 0
    assert json.loads(json.dumps(state))==state and node(names[0])
