"Cases for tests: of a model with random weights, of invented tables, and of plain functions. Their numbers are invented."
from types import SimpleNamespace

import numpy as np, pandas as pd, torch

from mtl_explain.case import case
from mtl_explain.data import Table, TaskSuite
from mtl_explain.model import MTLModel
from mtl_explain.sharing import Attend, Own
from trees import HOSTILE


def shaken(suite, seed=0, by=.15, **kw):
    "An untrained model whose every number was moved, gates and thresholds too"
    model = MTLModel(suite, seed=seed, **kw); g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters(): p.add_(torch.randn(p.shape, generator=g)*by)
        for n, o in enumerate(model.outcomes): model.threshold[n] *= o['kind']!='number'  # a number has no classes to part
    return model.eval()


def tables(rows=120, seed=0):
    "Two tables with features and targets of every kind, with gaps"
    r = np.random.default_rng(seed); pick = lambda *l: r.choice(np.array(l, object), rows)
    gap = lambda v: pd.Series(v).mask(r.random(rows) < .1)
    a = pd.DataFrame(dict(age=r.integers(18, 90, rows), income=gap(r.gamma(3, 10, rows)), town=gap(pick('village', 'town', 'city')), owner=r.random(rows) < .4, health=pd.Categorical(pick('poor', 'fair', 'good'), ['poor', 'fair', 'good'], ordered=True)))
    a['vote'], a['spends'] = pick('left', 'right'), a.age*3. + r.normal(size=rows)*20
    b = pd.DataFrame(dict(years=r.integers(18, 80, rows)*1., place=pick('town', 'city', 'abroad'), wait=r.normal(size=rows)))
    b['mode'], b['rating'] = pick('car', 'bus', 'train'), pd.Categorical(pick('bad', 'fine', 'great'), ['bad', 'fine', 'great'], ordered=True)
    return TaskSuite(dict(people=Table(a, ['vote', 'spends'], units=dict(age='years', income='1000 USD', spends='USD')), trips=Table(b, ['mode', 'rating'])), seed=seed)


TIES = {'age': {'trips': 'years'}, 'town': {'trips': 'place'}}
def sharings(): return [Attend(5, attention=a, scale=s) for a, s in (('softmax', 1.), ('sparsemax', 2.), ('entmax15', 2.), ('top2', 1.))] + [Attend(4, logits='query', projections=True, restriction='orthogonal'), Own(.5)]
def random_case(i=0, seed=0, immutable=(), sample=3, sharing=None):
    suite = tables(seed=seed)
    return case(shaken(suite, seed, sharing=sharing or sharings()[i], activation=('gelu', 'relu', 'tanh', 'silu')[i % 4], blocks=[(2, 2, 1), (1, 0, 2), (0, 1, 0)][i % 3], dim=8, width=12), suite, 'people', sample, ties=TIES, immutable=immutable)


def plain(names=('hours', 'coffee'), f=None, kinds=None, task='exam', sample='Robin', targets=None, concepts=(), value=None, **more):
    "A case of a plain function of numbers; `kinds`: one for each feature, or levels"
    kinds = kinds or ['whole']*len(names); choice = lambda k: isinstance(k, list)
    value = value or [k[0] if choice(k) else pd.Timestamp('2024-03-01') if k=='date' else 4 for k in kinds]
    ends = lambda k: (None, None) if choice(k) else (pd.Timestamp('2020-01-01'), pd.Timestamp('2024-12-31')) if k=='date' else (0, 10)
    targets = pd.DataFrame(targets or [dict(target='passes', outcome='passes', level='', kind='binary', unit='')]).assign(task=task)
    def ask(edits, off=()):
        row = dict(zip(names, value)) | edits
        s = sum((len(str(v)) if isinstance(v, str) else 0 if v is None else v.year/1000 if hasattr(v, 'year') else float(v)) for v in row.values()) - len(off)
        return (f or (lambda s: np.array([1/(1 + np.exp(2 - s/8 - j)) for j in range(len(targets))])))(s)
    bins = lambda k: (k, np.arange(len(k)) + 1) if choice(k) else (pd.date_range('2020-01-01', '2024-12-31', 6) if k=='date' else np.linspace(0, 10, 6), np.array([1, 5, 9, 4, 2]))
    features = pd.DataFrame(dict(kind=['choice' if choice(k) else k for k in kinds], unit='', value=pd.Series(value, dtype=object).values, low=[ends(k)[0] for k in kinds], high=[ends(k)[1] for k in kinds], missing=[choice(k) for k in kinds], immutable=False), index=pd.Index(names, dtype=object))
    return SimpleNamespace(**dict(task=task, sample=sample, concepts=list(concepts), levels={n: k for n, k in zip(names, kinds) if choice(k)}, stored=ask({}), ask=ask, features=features, histogram={n: bins(k) for n, k in zip(names, kinds)}, targets=targets,
        tied=pd.DataFrame(columns=['feature', 'task', 'sample', 'other']), range=pd.DataFrame(dict(low=[0.]*len(targets), high=[1.]*len(targets)), index=targets.target)) | more)


def hostile():
    names = [h for h in HOSTILE]; kinds = ['whole', ['</script><img src=x onerror="window.hacked=2">', '<b>', 'נאה']] * 5
    return plain(names, kinds=kinds, task=HOSTILE[0], sample=HOSTILE[3], concepts=HOSTILE, targets=[dict(target=h, outcome=h, level='', kind='number', unit=HOSTILE[(i+1) % 10]) for i, h in enumerate(HOSTILE)], f=lambda s: np.array([s, np.nan, np.inf, -np.inf, 1e300, 1e-300, -s, 0., s**3, 5.]))
def classes(n=100): return plain(targets=[dict(target=f'species: {i}', outcome='species', level=f'Acer {i:03d}', kind='nominal', unit='probability') for i in range(n)], f=lambda s: np.exp(-.05*np.abs(np.arange(n) - 7*s))/np.exp(-.05*np.abs(np.arange(n) - 7*s)).sum())
def wide(n=60): return plain([f'column {i:03d} with a long name' for i in range(n)], kinds=[('whole', [f'level {j}' for j in range(40)], 'number')[i % 3] for i in range(n)])
def dated(): return plain(['born', 'job'], kinds=['date', ['clerk', 'none']])
