"Counterfactuals: found where enumeration finds one, never outside the constraints, never larger than they need be."
from itertools import combinations, product

import numpy as np, pandas as pd, pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from mtl_explain.any_model import Head
from mtl_explain.case import case
from mtl_explain.counterfactual import counterfactual

HEADS = {'yes': Head('yes', ['yes'], 'binary', gives='probability'), 'other': Head('other', ['other'])}
N, LEVELS = ['a', 'b', 'c', 'd'], {'e': ['k', 'l', 'm', 'n'], 'f': ['no', 'yes']}


def rows(r, n=200):
    return pd.DataFrame({c: g for c, g in zip(N, (r.normal(size=n), r.gamma(2, 2, n), r.uniform(0, 10, n), r.integers(0, 12, n).astype(float)))} | {c: r.choice(v, n) for c, v in LEVELS.items()})


def standard(x, d):
    "Rows as ten numbers: the numeric columns in standard deviations of x, and a column per level"
    there = {c: x[c].to_numpy() for c in N}
    return np.column_stack([(d[c].to_numpy() - there[c].mean())/there[c].std() for c in N] + [(q==l).astype(float) for c, v in LEVELS.items() for q in [d[c].to_numpy()] for l in v])


# ---- planted rules: each a function of rows -> what is above 0 means yes; and what is to be held

def additive(r, x):
    w, v = r.normal(size=10)*(r.random(10) < .7), r.normal(size=10); cut = r.uniform(.5, 3.)
    return lambda d: standard(x, d) @ w - cut*np.abs(w).sum()/4, lambda d: standard(x, d) @ v

def together(r, x):
    "Nothing happens unless two things (sometimes three) are both so"
    c, t, l = r.choice(N), None, r.choice(LEVELS['e']); t = np.quantile(x[c], r.uniform(.6, .95)); third = r.choice([n for n in N if n!=c]); low = np.quantile(x[third], .3) if r.random() < .4 else np.inf
    return lambda d: np.where((d[c] > t) & (d.e==l) & (d[third] < low), 1., -1.), lambda d: d[third].to_numpy(float)

def either(r, x):
    "Exclusive or: two switches, of which just one is on"
    c, k = r.choice(N, 2, replace=False); t, u = np.quantile(x[c], r.uniform(.2, .8)), np.quantile(x[k], r.uniform(.2, .8))
    return lambda d: np.where((d[c] > t) ^ (d[k] > u), 1., -1.), lambda d: (d.f=='yes')*1.

def conflict(r, x):
    "What raises the answer raises the held one as well; another feature has to make up for it"
    c, k = r.choice(N, 2, replace=False); i, j = N.index(c), N.index(k); s, q = r.uniform(.5, 2, 2)*r.choice([-1, 1], 2); cut = r.uniform(.5, 1.5)
    return lambda d: (z:=standard(x, d))[:, i]*s + .4*z[:, j] - cut, lambda d: (z:=standard(x, d))[:, i] + q*z[:, j]

def window(r, x):
    "A place between two values, and a level that it depends on"
    c, l = r.choice(N), r.choice(LEVELS['e']); m = r.uniform(.1, .85); low, high = np.quantile(x[c], [m, m + .12])
    return lambda d: np.where((d[c] >= low) & (d[c] <= high) & (d.e!=l), 1., -1.) + .1*np.tanh(standard(x, d)[:, 4]), lambda d: d[c].to_numpy(float)*(d.f=='yes')

def three(r, x):
    "Three things at once, none of which does anything alone"
    c, k = r.choice(N, 2, replace=False); t, u, l = np.quantile(x[c], .6), np.quantile(x[k], .4), r.choice(LEVELS['e'])
    return lambda d: np.where((d[c] > t) & (d[k] < u) & (d.e==l), 1., -1.), lambda d: standard(x, d)[:, N.index(c)]*(d.f=='yes')

def tree(r, x):
    "A tree that was fitted to noise: many steps, and no slope anywhere"
    from sklearn.tree import DecisionTreeRegressor
    m = DecisionTreeRegressor(max_depth=7, random_state=int(r.integers(1000))).fit(standard(x, x), r.normal(size=(len(x), 2))); cut = float(np.quantile(m.predict(standard(x, x))[:, 0], .8))
    return lambda d: m.predict(standard(x, d))[:, 0] - cut, lambda d: m.predict(standard(x, d))[:, 1]

RULES = [additive, together, either, conflict, window, three, tree]


def planted(rule, seed):
    r = np.random.default_rng([RULES.index(rule), seed]); x = rows(r); f, g = rule(r, x)
    model = lambda d: dict(yes=1/(1 + np.exp(-np.clip(4*f(d), -50, 50))), other=g(d)*1.)
    return case(model, x, 'yes', int(r.integers(len(x))), heads=HEADS), x, model, r


def enumerated(k, x, model, r, tolerance, most, immutable=(), each=9):
    "The fewest features whose change to values of other rows flips the answer and holds the other; None: no set of `most` does"
    free = [c for c in x if c not in immutable]; start = {c: k.features.value[c] for c in x}
    values = {c: [v for v in (LEVELS[c] if c in LEVELS else r.choice(x[c], each, replace=False)) if v!=start[c]] for c in free}
    for n in range(1, most + 1):
        for which in combinations(free, n):
            tries = pd.DataFrame(list(product(*[values[c] for c in which])), columns=which).assign(**{c: start[c] for c in x if c not in which})[list(x)]
            y = model(tries)
            if (((y['yes'] > .5)!=(k.stored[0] > .5)) & (np.abs(y['other'] - k.stored[1])<=tolerance)).any(): return n
    return None


def check(k, f, tolerance, most, immutable=()):
    "Every suggestion of a result, held against its promises, by asking anew"
    for s in f[f.status.str.startswith('found')].itertuples():
        y = k.ask(s.edits)
        assert 1<=len(s.edits)==s.features<=most and not set(s.edits) & set(immutable) and s.inside and k.outside(s.edits)==[]
        assert (y[0] > .5)!=(k.stored[0] > .5) and np.isclose(y[0], s.after) and abs(y[1] - k.stored[1])<=tolerance + 1e-5*max(1, np.ptp(k.range.loc['other']))
        for c, v in s.edits.items(): assert v!=k.features.value[c] and (v in LEVELS[c] if c in LEVELS else k.features.low[c]<=v<=k.features.high[c] and (k.features.kind[c]!='whole' or v==int(v)))


def outcome(rule, seed, most=3):
    k, x, model, r = planted(rule, seed); tolerance = float(r.choice([.03, .15, 10.]))*float(np.ptp(k.range.loc['other']))
    exists = enumerated(k, x, model, r, tolerance, most)
    if exists is None: return None, None
    f = counterfactual(k, 'yes', hold={'other': tolerance}, most=most, progress=False)
    check(k, f, tolerance, most)
    return exists, f


def test_what_exists_is_found():
    "Of those changes that enumeration finds, at least 95 % are found, with no more features; no rule fails by itself"
    rate = {}
    for rule in RULES:
        pairs = [(n, f) for n, f in (outcome(rule, seed) for seed in range(8)) if n is not None]
        rate[rule.__name__] = len(pairs), sum(f.status[0]=='found' for _, f in pairs), sum(f.status[0]=='found' and f.features[0]<=n for n, f in pairs)
    exist, found, fewest = map(sum, zip(*rate.values()))
    assert exist>=36 and min(found, fewest)>=.95*exist and all(v[2]>=.8*v[0] and v[0]>=4 for v in rate.values()), rate


def test_two_narrow_places_among_fifteen_features_are_found():
    "Each of two features has to be within a tenth of its rows, together: no single step, and few pairs, do anything"
    names, found = [f'n{i}' for i in range(15)], 0
    for seed in range(6):
        r = np.random.default_rng([9, seed]); x = pd.DataFrame(r.normal(size=(300, 15)), columns=names); c, k = r.choice(names, 2, replace=False); m, q = r.uniform(.05, .85, 2)
        ends = np.quantile(x[c], [m, m + .1]), np.quantile(x[k], [q, q + .1])
        inside = lambda d: np.all([(d[f].to_numpy() >= low) & (d[f].to_numpy() <= high) for f, (low, high) in zip((c, k), ends)], 0)
        f = counterfactual(case(lambda d: dict(yes=inside(d)*1., other=d[c].to_numpy()), x, 'yes', int(np.flatnonzero(~inside(x))[0]), heads=HEADS), 'yes', progress=False)
        found += f.status[0]=='found' and set(f.edits[0])<={c, k}
    assert found>=5, found


def test_never_more_features_than_allowed_nor_beyond_the_range_of_a_tied_table():
    x = pd.DataFrame(dict(u=np.linspace(0, 100, 201), v=np.linspace(3, 5, 201)[::-1], w=np.resize(['p', 'q'], 201))); both = lambda d: dict(yes=((d.u > 60) & (d.v < 4.2))*1., other=d.u*0.)
    k = case(both, x, 'yes', 40, heads=HEADS); assert counterfactual(k, 'yes', most=1, progress=False).status[0].startswith('none within 1 feature and') and set(counterfactual(k, 'yes', most=2, progress=False).edits[0])=={'u', 'v'}
    young = pd.DataFrame(dict(age=np.linspace(10, 50, 81))); two = case({'a': lambda d: d.u + d.v, 'b': lambda d: d.age*1.}, {'a': x, 'b': young}, 'a', 40, ties={'u': {'b': 'age'}})
    reach = counterfactual(two, two.targets.target[1], want=45., progress=False); assert reach.edits[0]=={'u': reach.after[0]} and 45<reach.after[0]<=50 and reach.inside[0]
    assert counterfactual(two, two.targets.target[1], want=55., progress=False).status[0].startswith('none') and counterfactual(two, two.targets.target[0], want=70., progress=False).edits[0]['u']>50


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(rule=st.sampled_from(RULES[:-1]), seed=st.integers(0, 10**6), most=st.integers(1, 4), tolerance=st.floats(0, 2), immutable=st.sets(st.sampled_from([*N, *LEVELS]), max_size=5), evaluations=st.integers(1, 4000), kept=st.booleans())
def test_never_outside_the_constraints(rule, seed, most, tolerance, immutable, evaluations, kept):
    k, x, model, r = planted(rule, seed)
    if kept: k = case(model, x, 'yes', k.sample, heads=HEADS, immutable=tuple(immutable))
    f = counterfactual(k, 'yes', hold={'other': tolerance}, most=most, immutable=() if kept else tuple(immutable), evaluations=evaluations, seed=seed, progress=False)
    check(k, f, tolerance, most, immutable)
    assert 1<=len(f)<=5 and (f.evaluations<=evaluations).all() and f.features.nunique()==1
    if f.status[0]!='found': assert len(f)==1 and f.edits[0]=={} and f.status[0]==f'none within {most} feature{"s"*(most > 1)} and {f.evaluations[0]:,} evaluations'


def test_nothing_is_superfluous_and_steps_are_small():
    for seed in range(3):
        for rule in (additive, together, conflict):
            k, *_ = planted(rule, seed); f = counterfactual(k, 'yes', hold={'other': 1.}, progress=False)
            for s in f[f.status=='found'].itertuples():
                good = lambda e: (k.ask(e)[0] > .5)!=(k.stored[0] > .5) and abs(k.ask(e)[1] - k.stored[1])<=1.
                for c, v in s.edits.items():
                    if len(s.edits)>1: assert not good({q: w for q, w in s.edits.items() if q!=c}), (rule.__name__, seed, s.edits)
                    if k.features.kind[c]=='number' and (step:=abs(k.features.value[c] - v)/k.features['std'][c]): assert not all(good(s.edits | {c: v + (k.features.value[c] - v)*t}) for t in (.1*s.size/step, .12*s.size/step) if t<1) or .12*s.size>=step, (rule.__name__, seed, s.edits)


def line(n=201):
    x = pd.DataFrame(dict(u=np.linspace(0, 100, n), v=np.linspace(3, 5, n)[::-1], w=np.resize(['p', 'q'], n)))
    return case(lambda d: dict(yes=1/(1 + np.exp(-(d.u.to_numpy() - 61.37))), other=d.u.to_numpy()/10 + d.v.to_numpy()), x, 'yes', 40, heads=HEADS), x


def test_the_step_is_the_smallest_round_one():
    k, _ = line(); f = counterfactual(k, 'yes', progress=False)
    assert f.change[0]=='u 20 → 62' and f.edits[0]=={'u': 62.} and np.isclose(f['size'][0], 42/np.std(np.linspace(0, 100, 201))) and f.before[0]<.5<f.after[0] and f.inside[0] and f.features[0]==1
    assert list(f.columns)==['change', 'edits', 'features', 'size', 'before', 'after', 'held', 'inside', 'evaluations', 'status']
    held = counterfactual(k, 'yes', hold=['other'], tolerance=.4, progress=False)
    assert held.features[0]==2 and set(held.edits[0])=={'u', 'v'} and held.held[0]['other'][0]==k.stored[1] and abs(held.held[0]['other'][1] - k.stored[1])<=.4*np.ptp(k.range.loc['other'])


def test_numbers_pass_or_lie_between():
    k, _ = line(); low, high = k.stored[1] + 3, k.stored[1] + 3.01
    assert counterfactual(k, 'other', want=k.stored[1] + 2, progress=False).after[0]>k.stored[1] + 2 and counterfactual(k, 'other', want=k.stored[1] - 1, progress=False).after[0]<k.stored[1] - 1
    assert low<=counterfactual(k, 'other', want=(low, high), progress=False).after[0]<=high and counterfactual(k, 'other', want=(None, 2), progress=False).status[0].startswith('none') and counterfactual(k, 'yes', want=(.9, None), progress=False).after[0]>=.9


def test_classes_flip():
    x = pd.DataFrame(dict(u=np.linspace(-1, 1, 101), o=pd.Categorical(np.resize(['lo', 'mid', 'hi'], 101), ['lo', 'mid', 'hi'], ordered=True)))
    p = lambda d: (e:=np.exp(np.column_stack([-3*d.u, 0*d.u, 3*d.u + d.o.cat.codes.to_numpy() - 1])))/e.sum(1, keepdims=True)
    k = case(p, x, 'kind', 0, heads={'kind': Head(None, ['A', 'B', 'C'], 'nominal', gives='probability')}, )
    assert k.stored.argmax()==0 and (k.ask(counterfactual(k, 'kind: A', progress=False).edits[0]).argmax()!=0) and k.ask(counterfactual(k, 'kind: C', progress=False).edits[0]).argmax()==2
    assert counterfactual(k, 'kind: C', want=.5, hold={'kind: B': .2}, progress=False).after[0]>.5


def test_a_gap_may_be_filled_and_dates_and_whole_numbers_move():
    x = pd.DataFrame(dict(g=[np.nan, *np.linspace(0, 5, 60)], d=pd.to_datetime('2024-01-01') + pd.to_timedelta(np.arange(61), 'D'), n=np.arange(61), o=pd.Categorical(np.resize(['lo', 'mid', 'hi'], 61), ['lo', 'mid', 'hi'], ordered=True)))
    make = lambda f: case(lambda d: dict(yes=f(d)*1., other=np.zeros(len(d))), x, 'yes', 0, heads=HEADS)
    f = counterfactual(make(lambda d: d.g > 3), 'yes', progress=False); assert list(f.edits[0])==['g'] and f['size'][0]==1 and f.change[0].startswith('g missing → ')
    f = counterfactual(make(lambda d: d.d >= pd.Timestamp('2024-02-01')), 'yes', progress=False); assert f.edits[0]=={'d': pd.Timestamp('2024-02-01')} or pd.Timestamp('2024-02-01')<=f.edits[0]['d']<pd.Timestamp('2024-02-02'); assert f.change[0]=='d 2024-01-01 → 2024-02-01'
    f = counterfactual(make(lambda d: d.n > 30), 'yes', progress=False); assert f.edits[0]=={'n': 31}
    f = counterfactual(make(lambda d: d.o!='lo'), 'yes', progress=False); assert f.edits[0]=={'o': 'mid'}


def test_other_tables_answer_where_ties_lead():
    from test_case import TIES, shaken, tables
    suite = tables(); k = case(shaken(suite), suite, 'poll', 7, ties=TIES); i = list(k.targets.target).index('risk'); low, high = k.range.loc['risk']
    f = counterfactual(k, 'risk', want=float(k.stored[i] + .05*(high - low)), progress=False)
    assert set(f.edits[0])<={'age', 'school'} and f.status[0]=='found' and 30<=f.edits[0].get('age', 40)<=60
    g = counterfactual(k, 'poll → vote', hold='others', tolerance=.1, off=['c01'], progress=False); y, y0 = k.ask(g.edits[0], ['c01']), k.ask({}, ['c01'])
    assert g.before[0]==y0[0] and set(g.held[0])==set(k.targets.target[1:]) if g.status[0]=='found' else len(g)==1
    assert g.status[0]!='found' or (np.abs(y - y0)[1:]<=.1*np.ptp(k.range.to_numpy()[1:], axis=1) + 1e-5).all() and (y[0] > .5)!=(y0[0] > .5)


def test_an_interrupt_returns_the_best_so_far():
    k, x = line(); asked = []
    def slow(d):
        asked.append(len(d))
        if len(asked)==stop: raise KeyboardInterrupt
        return dict(yes=1/(1 + np.exp(-(d.u.to_numpy() - 61.37))), other=d.u.to_numpy())
    stop = 0; k = case(slow, x, 'yes', 40, heads=HEADS)
    stop = len(asked) + 3; f = counterfactual(k, 'yes', progress=False); assert f.status[0]=='found, interrupted' and f.edits[0]['u']>=61.37 and len(asked)==stop
    asked.clear(); stop = 1; f = counterfactual(k, 'yes', progress=False); assert f.status[0].startswith('interrupted within 3 features and') and f.edits[0]=={}


def test_a_budget_is_kept_and_a_long_search_says_so(capsys):
    import time
    k, x = line(); n = counterfactual(k, 'yes', evaluations=20, progress=False); assert n.evaluations[0]<=20
    def dull(d): time.sleep(.0004*len(d)); return dict(yes=np.zeros(len(d)), other=np.zeros(len(d)))
    q = case(dull, x, 'yes', 40, heads=HEADS); f = counterfactual(q, 'yes', evaluations=100_000, most=1)
    assert 'counterfactual: up to about' in capsys.readouterr().out and f.status[0].startswith('none within 1 feature and')


def test_the_same_seed_gives_the_same():
    k, *_ = planted(together, 3); a, b = (counterfactual(k, 'yes', seed=4, progress=False) for _ in range(2)); pd.testing.assert_frame_equal(a, b)


@pytest.mark.parametrize('kw, named', [(dict(target='yess'), "'yess'"), (dict(hold=['othr']), "'othr'"), (dict(hold={'other': -1}), "'other'"), (dict(hold={'other': None}), "'other'"), (dict(hold=['yes']), "'yes'"), (dict(immutable=['uu']), "'uu'"), (dict(most=0), 'most'), (dict(evaluations=0), 'evaluations'), (dict(suggestions=1.5), 'suggestions'),
                                       (dict(target='other'), 'does not flip'), (dict(want='high'), 'high'), (dict(want=(1, 0)), 'above'), (dict(want=(0, 1)), 'already'), (dict(want=(1, 2, 3)), 'want'), (dict(immutable=['u', 'v', 'w']), 'nothing can move'), (dict(tolerance=-1, hold=['other']), 'tolerance'), (dict(off=['c01']), "'c01'"), (dict(want=np.nan), 'want')])
def test_what_cannot_be_asked_is_refused_by_name(kw, named):
    k, _ = line()
    with pytest.raises((ValueError, TypeError), match=named): counterfactual(k, kw.pop('target', 'yes'), progress=False, **kw)


def test_the_result_holds_the_cases_own_values_only():
    k, x = line(); f = counterfactual(k, 'yes', hold='others', tolerance=9., progress=False)
    for s in f.itertuples(): assert all(isinstance(v, (int, float, str)) for v in s.edits.values()) and all(len(p)==2 for p in s.held.values())
    assert 'nbytes' not in dir(f.attrs) and not f.attrs
