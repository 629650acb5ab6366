"Results to and from other packages: there and back nothing changes, and what does not close is refused."
import sys
from functools import lru_cache

import numpy as np, pytest, shap, torch
from captum.attr import IntegratedGradients
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from mtl_explain.interop import SINK, beside, from_captum, from_shap, group, importances, player_values, to_captum, to_shap
from mtl_explain.schema import check, closing, example as read_example, load, save
import trees

example = lru_cache(read_example)

quick = settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
text = st.text(st.characters(blacklist_categories=('Cs',), blacklist_characters='\0'), min_size=1, max_size=8) | st.sampled_from(trees.HOSTILE)
names = lambda lo, hi: st.lists(text.filter(lambda x: not x.startswith(SINK)), min_size=lo, max_size=hi, unique=True)

@st.composite
def books(draw):
    "Arrays that close, with names for every axis"
    P, T, S = draw(names(1, 4)), draw(names(1, 3)), draw(st.lists(st.sampled_from(['bias', 'identity', '/']), unique=True, max_size=2))
    n = draw(st.integers(1, 4)); r = np.random.default_rng(draw(st.integers(0, 999))); draws = lambda *s: r.normal(size=s)*10.**draw(st.integers(-6, 6))
    v, base = draws(n, len(P), len(T)), r.normal(size=(n, len(T))); sink = r.normal(size=(n, len(S), len(T)))
    return dict(players=P, targets=T, sinks=S, v=v, se=np.abs(r.normal(size=v.shape)), base=base, sink=sink, score=base + v.sum(1) + sink.sum(1), data=r.normal(size=(n, len(P))).round(3), task=draw(text))

def as_tree(b, **kw):
    e = shap.Explanation(np.concatenate([b['v'], b['sink']], 1), base_values=b['base'], error_std=np.concatenate([b['se'], np.full(b['sink'].shape, np.nan)], 1), data=np.c_[b['data'], np.full((len(b['v']), len(b['sinks'])), np.nan)],
                         feature_names=b['players'] + [SINK+s for s in b['sinks']], output_names=b['targets'])
    return from_shap(e, task=b['task'], score=b['score'], **kw)


@quick
@given(books())
def test_shap_there_and_back(tmp_path_factory, b):
    tree = as_tree(b); a = group(tree, b['task'])
    np.testing.assert_array_equal(a.attribution.values[0], b['v']); np.testing.assert_array_equal(a.attribution_se.values[0], b['se']); np.testing.assert_array_equal(a.base.values[0], b['base'])
    assert a.player.values.tolist()==b['players'] and a.target.values.tolist()==b['targets'] and closing(tree).ok.all()
    if b['sinks']: assert a.sink.values.tolist()==b['sinks'] and np.array_equal(a.sink_score.values[0], b['sink'])
    e = to_shap(tree, b['task']); back = from_shap(e, task=b['task'], score=b['score'])
    for p in tree.groups: assert back[p].to_dataset(inherit=False).identical(tree[p].to_dataset(inherit=False)) or p=='/', p
    assert np.array_equal(e.data[:, :len(b['players'])], b['data']) and load(save(tree, tmp_path_factory.mktemp('t')/'x.nc')).identical(tree)
    for k, t in enumerate(b['targets']):
        one = to_shap(tree, b['task'], t); assert one.values.shape==(len(b['v']), len(b['players']) + len(b['sinks'])) and one.output_names==t and np.array_equal(one.values, e.values.reshape(*e.values.shape[:2], -1)[..., k])
        np.testing.assert_allclose(one.base_values + one.values.sum(1), b['score'][:, k], rtol=1e-6, atol=1e-6*np.abs(b['v']).max())


@quick
@given(books())
def test_captum_there_and_back(b):
    b = b | dict(sinks=[], sink=b['sink'][:, :0], score=b['base'] + b['v'].sum(1)); tree = as_tree(b); out = to_captum(tree, b['task'], players='feature')
    assert list(out)==b['targets'] and all(x.shape==b['data'].shape and x.dtype==torch.float64 for x in out.values())
    told = dict(inputs=b['players'], task=b['task'], data=b['data'], players='feature', closes='by construction', se={t: b['se'][..., k] for k, t in enumerate(b['targets'])})
    back = from_captum(out, score=torch.tensor(b['score']), base=b['base'], **told)
    assert group(back, b['task']).drop_vars(['method', 'explainer']).identical(group(tree, b['task']).drop_vars(['method', 'explainer']))


def test_the_stored_explanation_goes_through_shap_and_back():
    tree = example()
    for players in ('feature', 'variable', 'concept'):
        for task in ('vote', 'travel mode'):
            a = group(tree, task, players); back = group(from_shap(to_shap(tree, task, players=players), task=task, players=players, score=a.score.values[0], samples=a.sample.values, explainer='shapley'), task, players)
            for array in ('attribution', 'attribution_se', 'base', 'score'): np.testing.assert_array_equal(back[array], a[array])
            assert back.player.values.tolist()==a.player.values.tolist() and back.sample.values.tolist()==a.sample.values.tolist()


def test_shap_of_a_real_model_closes_and_its_own_pictures_run():
    import matplotlib; matplotlib.use('Agg')
    r = np.random.default_rng(0); x = r.normal(size=(12, 4)); f = lambda x: np.c_[x[:, 0]*x[:, 1] + x[:, 2], np.tanh(x).sum(1)]
    e = shap.explainers.Exact(f, x)(x); tree = from_shap(e, task='t', targets=['a', 'b'], score=f(x))
    c = closing(tree); assert c.ok.all() and c.closes.item()=='by construction' and c.gap.item() < 1e-9
    assert group(tree, 't').player.values.tolist()==e.feature_names
    for p in (shap.plots.beeswarm, shap.plots.bar): p(to_shap(tree, 't', 'a'), show=False)
    shap.plots.waterfall(to_shap(tree, 't', 'b')[0], show=False)
    with pytest.raises(ArithmeticError, match="task 't'.*differ by.*closes='never'"): from_shap(e, task='t', targets=['a', 'b'], score=f(x)[:, ::-1])
    assert closing(from_shap(e, task='t', targets=['a', 'b'], score=f(x)[:, ::-1], closes='never')).ok.all()


def test_captums_integrated_gradients_close_in_the_limit():
    torch.manual_seed(0); net = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.GELU(), torch.nn.Linear(8, 2)); x, zero = torch.randn(20, 3), torch.zeros(1, 3)
    def ig(steps): return {f'y{k}': IntegratedGradients(net).attribute(x, zero, target=k, n_steps=steps) for k in range(2)}
    told = dict(inputs=list('abc'), score=net(x), base=net(zero), task='t', data=x)
    tree = from_captum(ig(50), **told); c = closing(tree); assert c.closes.item()=='in the limit' and c.gap.item() < 1e-5
    _, delta = IntegratedGradients(net).attribute(x, zero, target=0, n_steps=50, return_convergence_delta=True)
    np.testing.assert_allclose(group(tree, 't', 'variable').delta.values[0, :, 0], -delta.numpy(), atol=1e-6)
    moved = group(from_captum(ig(50), **{**told, 'score': net(x) + 2e-5}), 't', 'variable')  # what is left over is kept as it is
    np.testing.assert_allclose(moved.delta.values[0, :, 0] + delta.numpy(), 2e-5, atol=1e-6)
    with pytest.raises(ArithmeticError, match='1e-03 is promised'): from_captum(ig(1), **told)
    off = from_captum(ig(1), **{**told, 'score': None}); assert off['attribution/variable/t'].closes.item()=='never' and np.isnan(off['attribution/variable/t'].delta).all()
    parts = {t: (v[:, :1], v[:, 1:]) for t, v in ig(50).items()}  # a module with two inputs answers with a tuple
    assert from_captum(parts, **told)['attribution/variable/t'].equals(tree['attribution/variable/t'])


def test_what_never_closes_gets_no_base():
    r = np.random.default_rng(0); e = shap.Explanation(r.normal(size=(3, 2)), base_values=np.ones(3), feature_names=['a', 'b'], output_names='y')
    tree = from_shap(e); a = group(tree, 'task')
    assert a.closes.item()=='never' and np.isnan(a.delta).all() and np.isnan(a.score).all() and (a.base==1).all()
    assert np.isnan(to_shap(tree, 'task').base_values).all()
    with pytest.raises(ValueError, match=r"cannot be checked.*keeps no score; give score=model\(x\)"): from_shap(e, closes='by construction')


def test_importance_is_written_with_the_known_noise_taken_off():
    r = np.random.default_rng(0); noise = r.normal(0, .1, (400, 1)); real = r.normal(size=(400, 1)); v = np.c_[noise, real]
    tell = lambda se: importances(from_shap(shap.Explanation(v, feature_names=['nothing', 'something'], error_std=se), targets='y')).set_index('player')
    assert tell(np.full(v.shape, .1)).low['nothing'] <= 0 < tell(None).low['nothing'] and tell(np.full(v.shape, .1)).low['something'] > .8


@pytest.mark.parametrize('call, error', [
    (lambda e: from_shap(shap.Explanation(e.values, feature_names=['a', 'a'], output_names='y')), "feature_names has 'a' more than once"),
    (lambda e: from_shap(e, targets=['p', 'q']), 'targets has 2 names for 1 columns'),
    (lambda e: from_shap(e, score=np.ones(5)), r'score has the shape \(5, 1\)'),
    (lambda e: from_shap(e, samples=[1, 1, 2]), 'different labels'),
    (lambda e: from_shap(e, closes='always'), "closes='always'"),
    (lambda e: from_shap(shap.Explanation(np.ones((3, 2, 2)))), 'interactions are not attributions'),
    (lambda e: to_shap(from_shap(e), 'task', 'z'), "target='z' is not there; there are 'y'"),
    (lambda e: to_shap(from_shap(e), 'task', explainer='lime'), "explainer='lime'"),
    (lambda e: from_captum({}), 'no targets'),
    (lambda e: from_captum(torch.ones(2, 3, 4)), r'flatten\(1\)'),
    (lambda e: from_captum({'a': torch.ones(2, 3), 'b': torch.ones(2, 4)}), 'differ in shape'),
    (lambda e: from_captum(torch.ones(2, 3), data=torch.ones(2, 4)), 'data has the shape'),
    (lambda e: from_captum(torch.ones(2, 3), se=torch.ones(2, 4)), 'se has the shape'),
    (lambda e: beside(from_shap(e), from_shap(e), task='task'), "both results have an explainer 'shap'"),
    (lambda e: beside(from_shap(e), from_shap(e, samples=list('abc'), explainer='other'), task='task'), 'differ in their samples')])
def test_bad_input_is_named(call, error):
    e = shap.Explanation(np.ones((3, 2)), base_values=np.zeros(3), feature_names=['a', 'b'], output_names='y')
    with pytest.raises(ValueError, match=error): call(e)


@pytest.mark.parametrize('name, call', [('shap', lambda t: to_shap(t, 'vote')), ('torch', lambda t: to_captum(t, 'vote'))])
def test_a_package_that_is_not_there_is_named(monkeypatch, name, call):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=f'pip install {name}'): call(example())


def test_explainers_side_by_side_keep_their_own_numbers():
    r = np.random.default_rng(0); s = dict(players=['a', 'b'], targets=['y'], sinks=[], se=np.ones((3, 2, 1)), base=np.zeros((3, 1)), sink=np.zeros((3, 0, 1)), data=np.ones((3, 2)), task='t')
    one, two = (as_tree({**s, 'v': (v:=r.normal(size=(3, 2, 1))), 'score': v.sum(1)}, explainer=x) for x in ('one', 'two'))
    withsink = as_tree({**s, 'v': one['attribution/feature/t'].attribution.values[0], 'sinks': ['bias'], 'sink': np.ones((3, 1, 1)), 'score': one['attribution/feature/t'].score.values[0] + 1}, explainer='three')
    both = check(beside(one, two, withsink, task='t')); a = group(both, 't')
    assert a.explainer.values.tolist()==['one', 'two', 'three'] and closing(both).ok.all() and len(closing(both))==3
    for x, t in (('one', one), ('two', two), ('three', withsink)): np.testing.assert_array_equal(a.attribution.sel(explainer=x), t['attribution/feature/t'].attribution[0]); assert importances(both).query('explainer==@x').importance.tolist()==importances(t).importance.tolist()
    assert np.isnan(a.sink_score.sel(explainer='one')).all() and to_shap(both, 't', explainer='one').feature_names==['a', 'b'] and to_shap(both, 't', explainer='three').feature_names==['a', 'b', 'sink: bias']
    assert group(one, 't').sizes['explainer']==1  # the first is as it was


def test_values_of_players_where_there_are_none():
    e = shap.Explanation(np.ones((2, 2)), feature_names=['a', 'b'], data=np.array([[1, 'red'], [2.5, None]], object), output_names='y')
    text, number = player_values(from_shap(e), 'task')
    assert text.tolist()==[['1', 'red'], ['2.5', '']] and number[:, 0].tolist()==[1, 2.5] and np.isnan(number[:, 1]).all()
