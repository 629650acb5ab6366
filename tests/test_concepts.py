"Concepts: the level of structure, and of structure within one sign of the effect, in worlds where the truth is known."
import numpy as np, pandas as pd, pytest, xarray as xr
from mtl_explain.concepts import concepts
from mtl_explain.schema import node

def world(seed, samples, meaning, tasks=6, features=8, names=5, even=.2, name=lambda t: f'task {t}'):
    """A result whose attention follows the sign of a feature's effect, and beside it the feature's concept only if `meaning`.
    Concepts lean to one sign, so sign alone makes features of one concept alike. Directions are correlations as `samples` rows would show them."""
    rng = np.random.default_rng(seed); n = tasks*features
    concept, lean = np.concatenate([rng.choice(names, features) for _ in range(tasks)]), np.r_[1, -1, rng.choice([-1, 1], names-2)]
    sign = np.where(rng.random(n) < .85, 1, -1)*lean[concept]*~(rng.random(names) < even)[concept]
    direction = np.tanh(np.arctanh((.5*rng.uniform(.2, 1.8, n)*sign).clip(-.97, .97)) + rng.normal(size=n)/np.sqrt(max(samples-3, 1)))
    by_sign, by_concept = rng.normal(size=(3, 12)), rng.normal(size=(names, 12))
    w = np.exp(.5*rng.normal(size=(n, 12)) + by_sign[sign+1] + (by_concept[concept] if meaning else 0))
    task, ids = np.repeat([name(t) for t in range(tasks)], features), [f'v{k}' for k in range(n)]
    v = pd.DataFrame(dict(task=task, family=task, feature=ids, level='', role='input', kind='number', concept=[f'meaning {c}' for c in concept]), pd.Index(ids, name='variable'))
    groups = {'/variables': xr.Dataset.from_dataframe(v), '/attention': xr.Dataset(dict(weight=(('variable', 'concept'), w/w.sum(1, keepdims=True))), coords=dict(variable=ids, concept=[f'c{k+1:02d}' for k in range(12)]))}
    for t in range(tasks):
        own, at = slice(t*features, (t+1)*features), f'/attribution/variable/{node(name(t))}'
        groups[at] = xr.Dataset(coords=dict(explainer=['shapley'], sample=np.arange(samples), player=ids[own], target=['y']), attrs=dict(task=name(t)))
        each = lambda a: (('explainer', 'player', 'target'), a[None, :, None])
        groups[f'{at}/importance'] = xr.Dataset(dict(importance=each(np.ones(features)), direction=each(direction[own]), spread=(('explainer', 'target'), np.ones((1, 1)))))
    return xr.DataTree.from_dict(groups)

def claims(samples, meaning, runs=40):
    "Share of worlds in which the levels say 'beyond chance': plain, within signs"
    found = [concepts(world(s, samples, meaning), permutations=99, seed=s).attrs for s in range(runs)]
    return [np.mean([a[k] <= .05 for a in found]) for k in ('p', 'p_signed')]

@pytest.mark.parametrize('samples', [10, 30, 300])
def test_where_only_signs_are_shared_the_level_within_signs_does_not_claim_more(samples):
    plain, signed = claims(samples, False)
    assert plain > .9, 'the plain level must see the signs, or there is nothing to guard against'
    assert signed <= .15

def test_where_meaning_is_shared_it_is_found_within_signs(): assert claims(100, True)[1] >= .8

def test_a_feature_whose_sign_is_unclear_keeps_its_name():
    tree = world(0, 10, True)
    for t, n in tree['attribution/variable'].children.items(): n['importance'].direction.values[:] = .5
    a = concepts(tree, permutations=49).attrs
    assert a['p_signed']==1 and a['clear_signs']==0 and a['p'] < .1
    for t, n in tree['attribution/variable'].children.items(): n['importance'].direction.values[:] = .96
    a = concepts(tree, permutations=49).attrs
    assert a['p_signed']==a['p'] and a['clear_signs']==48

def test_the_samples_that_count_are_those_of_the_summary():
    "A result that was cut to a few samples still says of how many its summary is"
    tree = world(0, 10, True)
    for n in tree['attribution/variable'].children.values(): n['importance'].direction.values[:] = .5; n['importance'].attrs['samples'] = 100
    assert concepts(tree, permutations=9).attrs['clear_signs']==48

def test_unknown_directions_and_tasks_without_effects_are_unclear():
    tree = world(0, 100, True); first, second = list(tree['attribution/variable'].children)[:2]
    tree[f'attribution/variable/{first}/importance'].direction.values[:] = np.nan
    tree = xr.DataTree.from_dict({k: n for k, n in tree.to_dict().items() if not k.startswith(f'/attribution/variable/{second}')})
    clear = concepts(world(0, 100, True), permutations=9).attrs['clear_signs']
    assert concepts(tree, permutations=9).attrs['clear_signs'] < clear

def test_without_effects_there_is_no_level_within_signs():
    tree = world(0, 10, True).drop_nodes('attribution')
    assert set(concepts(tree, permutations=9).attrs) >= {'p', 'auc'} and not {'p_signed', 'clear_signs'} & set(concepts(tree, permutations=9).attrs)

def test_names_of_tasks_cannot_mix_the_strata():
    odd = lambda t: ['a', 'a|1', 'a|-1', 'a|2', 'a|2|0', '|'][t]
    plain, hostile = (concepts(world(1, 100, True, name=n), permutations=49).attrs for n in (lambda t: f'task {t}', odd))
    assert plain['p_signed']==hostile['p_signed'] and plain['p']==hostile['p']
