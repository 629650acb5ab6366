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


def standard(x, d): return np.column_stack([(d[c] - x[c].mean())/x[c].std() for c in N] + [(d[c]==l).astype(float) for c, v in LEVELS.items() for l in v])


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

RULES = [additive, together, either, conflict, window]


def planted(rule, seed):
    r = np.random.default_rng([RULES.index(rule), seed]); x = rows(r); f, g = rule(r, x)
    model = lambda d: dict(yes=1/(1 + np.exp(-np.clip(4*f(d), -50, 50))), other=g(d)*1.)
    return case(model, x, 'yes', int(r.integers(len(x))), heads=HEADS), x, model, r


def enumerated(k, x, model, r, tolerance, most, immutable=(), each=12):
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
    k, x, model, r = planted(rule, seed); tolerance = float(r.choice([.1, .3, 10.]))*float(np.ptp(k.range.loc['other']))
    exists = enumerated(k, x, model, r, tolerance, most)
    f = counterfactual(k, 'yes', hold={'other': tolerance}, most=most, progress=False)
    check(k, f, tolerance, most)
    return exists, f


@pytest.mark.parametrize('rule', RULES, ids=lambda f: f.__name__)
def test_what_exists_is_found(rule):
    exist = found = fewest = 0
    for seed in range(24):
        n, f = outcome(rule, seed)
        if n is None: continue
        exist += 1; found += f.status[0]=='found'; fewest += f.features[0]<=n and f.status[0]=='found'
    assert exist>=8 and found>=.95*exist and fewest>=.95*exist, (exist, found, fewest)
