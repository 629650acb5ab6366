"""Every view, one row each: what test_every_view.py and test_every_view_lab.py ask of all of them. A new view is a new row.

A row names its data as functions, so that a file which needs one view makes one view.
"""
from dataclasses import dataclass
from functools import cache

import numpy as np

import cases, trees
from mtl_explain.attributions import Attributions
from mtl_explain.concept_flow import ConceptFlow
from mtl_explain.concept_map import ConceptMap
from mtl_explain.schema import check, example
from mtl_explain.task_compare import TaskCompare
from mtl_explain.training import TrainingMonitor
from mtl_explain.what_if import WhatIf
from test_concept_flow import with_edges
from test_task_compare import with_overlap
from test_training_view import history, with_conflicts, with_ledger
from trees import HOSTILE


@dataclass
class Row:
    name: str          # of its pictures
    usual: object      # () -> a view of everyday data
    more: object       # () -> views in every other state that looks different
    full: object       # () -> the view at full size
    hostile: object    # () -> views of hostile names and values
    odd: object        # () -> 30 views or more of valid trees of odd shapes
    mark: str          # a mark that can be hovered and pinned
    trait: str         # what a click on it changes
    keys: tuple        # keys that pin something, from the place where the focus lands
    says: tuple        # what a saved picture must say
    lab: str           # the line that makes it in a notebook; `ex` is the stored explanation, `h` a history
    ask: tuple         # a change that Python makes, and what then is there
    links: bool = True # can it show a task of the stored explanation?
    pin: str = '.mtl-chip'  # what there is one more of when something is pinned


PEOPLE, PULL = list(trees.PEOPLE), ((0, 3, .11), (1, 2, .14), (1, 3, -.21), (2, 3, -.17), (3, 4, -.24), (2, 5, .19))
SHOW = ('answer', 'rows', 'targets', 'explainers')
people, unnamed, hostile, large, three, stored, edges = (cache(f) for f in (trees.people, trees.unnamed, trees.hostile, trees.large, trees.three, example, lambda: with_edges(trees.people())))


def six(**kw): return with_conflicts(history(PEOPLE, n=24, worse=(3,), blind=(), **kw), pairs=PULL)
def many(n=12): return with_conflicts(history([f'table {i:03d}' for i in range(121)], n=n, worse=(7, 90), blind=(50,)), pairs=[(3*i, 3*i+1, (-.2, .2)[i % 2] - i*.002*(-1)**(i % 2)) for i in range(20)])


# ---- hostile: names that try to be more than text, numbers that are none, too few and too many of everything

def nothing_but(value, tree):
    "The same tree with every third number of its attributions and of their sizes replaced by one that is none"
    tree = tree.copy()
    for n in list(tree.subtree):
        if not n.path.startswith('/attribution'): continue
        d = n.to_dataset(inherit=False)
        for a in {'attribution', 'attribution_se', 'importance', 'importance_se', 'none', 'delta'} & set(d.data_vars): v = d[a].values.copy(); v.flat[::3] = value; d[a] = (d[a].dims, v)
        n.dataset = d
    return tree


def named_badly(): return trees.answers({h: [(h, '', 'binary'), (h+'2', 'lev'+h, 'nominal')] for h in HOSTILE}, features=HOSTILE, samples=4, explainers=(HOSTILE[0], 'lime'), sinks={HOSTILE[0]: (HOSTILE[1],)})
def classes(): return trees.make({'leaf': ([('species', f'Acer {i:03d} {"capillipes" if i % 3 else "mono"}', 'nominal') for i in range(100)], ['margin', 'shape']), 'b': ([('z', '', 'binary')], ['u'])}, [[30, 10], [9, 0]], samples=2)
def one_concept(): return trees.make({'a': ([('y', '', 'number')], ['x']), 'b': ([('z', '', 'number')], ['u'])}, [[40, 20]], samples=1)
@cache
def bad_trees(): return [hostile(), classes(), one_concept(), trees.make({'only': ([('y', '', 'number')], ['x'])}, [[40]]), trees.make({'a': ([('y', '', 'number')], ['x1', 'x2']), 'b': ([('z', '', 'binary')], ['u', 'v'])}, [[40, 30], [20, 0]], samples=0), *(nothing_but(x, trees.small()) for x in (np.nan, np.inf, -np.inf))]


def bad_histories():
    h = with_conflicts(history(HOSTILE, n=4, blind=()), pairs=((0, 1, -.3),), null=.1); h.attrs['null'] = HOSTILE[0]
    return [h, history(('only',), n=1, worse=()), history(n=0), history([], n=0), *(_spoilt(x) for x in (np.nan, np.inf, -np.inf))]
def _spoilt(x): h = with_conflicts(history(n=5, blind=()), pairs=((0, 1, -.3),)); h.validation_loss.values.flat[::2] = x; h.train_loss.values.flat[::3] = x; h.conflict.values.flat[1::3] = x; return h


def bad_answers():
    return [*(Attributions(t, show=s, rows=True) for t in (named_badly(), nothing_but(np.nan, trees.three(samples=5))) for s in SHOW), *(Attributions(trees.leaves(), show=s) for s in ('answer', 'targets')),
        *(Attributions(nothing_but(x, trees.three(samples=5)), show=s) for x, s in ((np.inf, 'answer'), (-np.inf, 'rows'), (np.inf, 'targets'), (-np.inf, 'explainers'))), *(Attributions(trees.answers(**kw)) for kw in (dict(samples=0), dict(samples=1), dict(samples=1, features=['age'])))]


# ---- odd: valid trees of every shape

@cache
def odd_trees():
    "Few tasks and many, few concepts and many, with effects and without, measured routes and estimated ones"
    def one(k):
        r = np.random.default_rng(k); ts = {f't{i}': ([(f'y{j}', '', 'number') for j in range(1 + k % 2)], [f'x{j}' for j in range(1 + r.integers(9))]) for i in range(2 + k % 5)}
        tree = trees.make(ts, r.choice([0, 0, 3, 9, 20, -5], (1 + k % 31, len(ts))), samples=k % 3, concepts_explained=k % 4 > 0, variables=k % 2==0, evidence=None if k % 2 else dict(p=.3), seed=k)
        if k % 5==0: tree = with_overlap(tree, **{x: np.nan for x in ('low', 'high')} if k % 2 else {})
        return with_edges(tree, k) if k % 3==0 and k % 4 else tree
    return [one(k) for k in range(30)]


def odd_maps(): return [ConceptMap(t, shade='attention' if k % 4==0 or k % 7==0 else 'importance') for k, t in enumerate(odd_trees())]
def odd_flows(): return [ConceptFlow(t, mass=[.05, .5, 1][k % 3]) for k, t in enumerate(odd_trees())]
def odd_comparisons(): return [TaskCompare(t, sort=['shared', 'largest', 'name'][k % 3]) for k, t in enumerate(odd_trees())]


def odd_answers():
    r = np.random.default_rng(0); ways = list(trees.WAYS)
    for k in range(30):
        T, P, S, E = (int(r.integers(*x)) for x in ((0, 4), (0, 6), (0, 5), (0, 4))); kind = ['number', 'binary', 'ordered', 'nominal'][k % 4]
        tasks = {f't{i}': [(f'y{j}' if kind!='nominal' else 'y', f'l{j}' if kind=='nominal' else '', kind) for j in range(T)] for i in range(1 + k % 3)}
        tree = trees.answers(tasks, [f'x{i}' for i in range(max(0, P-1))] + ['job']*(P > 0), S, tuple(r.permutation(ways)[:E]), sinks=dict(relevance=('bias', 'concepts')), shared=k % 2==0, again=k % 3==0, fit=k % 4==0, data=k % 5!=0, importance=k % 7!=0, missing=(0,) if S and k % 6==0 else (), unit=['score', 'own', 'sd', 'probability'][k % 4], seed=k, scale=[1., 1e-9, 1e12][k % 3])
        if k % 8==3:
            n = tree[f'attribution/feature/{next(iter(tasks))}'].to_dataset()
            for a in ('attribution', 'attribution_se', 'base', 'score', 'delta'): v = n[a].values.copy(); v.flat[::3] = [np.inf, -np.inf, np.nan][k % 3]; n[a] = (n[a].dims, v)
            tree[f'attribution/feature/{next(iter(tasks))}'] = n
        yield Attributions(check(tree), show=SHOW[k % 4], top=2 + k % 9, rows=True)


def odd_histories():
    r = np.random.default_rng(0)
    for k in range(30):
        T, n = [0, 1, 2, 5, 13, 26, 40][k % 7], int(r.integers(0, 9)); h = history([f'task {i} ' + 'long name '*(k % 5) for i in range(T)], n=n, seed=k, worse=tuple(range(k % 3)), blind=(0,) if k % 4==0 else (), status=['done', 'running', 'interrupted', 'stopped early', 'failed'][k % 5], seconds=[0, 3e5, np.nan][k % 3])
        if k % 6==5 and h.train_loss.size: h.validation_loss[0] = [np.inf, 1e9, -1.][k % 3]; h.train_loss[-1] = np.nan
        if k % 5==2: h = h.drop_vars(['attention_entropy', 'dead_concepts'])
        if k % 2 and T: h = with_conflicts(h, pairs=(), null=[None, .05, 0][k % 3] or None, **({'conflict_se': np.full((T, T), .03)} if k % 4==1 else {}))
        if k % 9==3 and 'conflict' in h and T: h.conflict[0] = [np.nan, np.inf][k % 2]
        yield TrainingMonitor(h, panels=1 + k % 5)


one_case = cache(lambda i=0: cases.random_case(i, sample=5))


def bad_cases():
    plain = lambda v: cases.plain(f=lambda s: np.array([v]))
    return [WhatIf(cases.hostile(), edits={HOSTILE[0]: 9}), WhatIf(cases.classes(), edits={'hours': 9}), WhatIf(cases.wide()), WhatIf(cases.dated(), edits={'born': '2021-05-06'}), *(WhatIf(plain(x), edits={'hours': 2}) for x in (np.nan, np.inf, -np.inf)), WhatIf(cases.plain(['only']))]


def odd_cases():
    for k in range(30):
        c = one_case(k % 6); edits = [{}, {'age': 60}, {'income': None, 'town': None}, {'age': 120, 'income': 900.}, {'health': 'poor'}, {'town': 'city', 'owner': 'yes', 'age': 18}, {'income': 0}][k % 7]
        yield WhatIf(c, edits=edits, off=c.concepts[:k % 4], how=['remove', 'average'][k % 2] if c.concepts else 'remove', targets=[c.targets.target.iloc[k % len(c.targets)]] if k % 3 else [])


# ---- the table

VIEWS = [
    Row('concept-map', lambda: ConceptMap(people()), lambda: [ConceptMap(people(), concepts=['c02'], tasks=['vote']), ConceptMap(people(), shade='attention'), ConceptMap(unnamed()), ConceptMap(stored(), concepts=['c05'])],
        lambda: ConceptMap(large()), lambda: [ConceptMap(t) for t in bad_trees()], odd_maps,
        '[role=rowheader] >> nth=1', 'concepts', ('Enter',), ('Which concepts are shared', 'Age, income, health', 'travel', 'no concept', 'Structure beyond chance', 'shapley on concepts'),
        'ConceptMap(ex)', ("v.shade = 'attention'", '.mtl-segment[data-value=attention][aria-pressed=true]')),
    Row('concept-flow', lambda: ConceptFlow(people()), lambda: [ConceptFlow(people(), concepts=['c02']), ConceptFlow(edges(), tasks=['vote', 'diabetes']), ConceptFlow(people(), width='attention', mass=.5), ConceptFlow(stored())],
        lambda: ConceptFlow(large()), lambda: [ConceptFlow(t) for t in bad_trees()], odd_flows,
        '[role=gridcell][data-kind=concept] >> nth=0', 'concepts', ('ArrowRight', 'ArrowRight', 'Enter'), ('By what route', 'card spending', 'smaller routes', 'Structure beyond chance'),
        'ConceptFlow(ex)', ("v.width = 'attention'", '.mtl-segment[data-value=attention][aria-pressed=true]')),
    Row('task-compare', lambda: TaskCompare(people(), 'vote', 'travel mode'), lambda: [TaskCompare(with_overlap(edges()), 'vote', 'travel mode', concepts=['c02']), TaskCompare(people(), width='attention', sort='largest'), TaskCompare(stored(), 'vote', 'travel mode', concepts=['c05'])],
        lambda: TaskCompare(large()), lambda: [TaskCompare(t) for t in bad_trees()], odd_comparisons,
        '[role=rowheader] >> nth=0', 'concepts', ('ArrowDown', 'Enter'), ('What do vote and travel mode share', 'They share 32', 'Shared by both', 'Only in vote', 'not tested'),
        "TaskCompare(ex, 'vote', 'travel mode')", ("v.sort = 'name'", '.mtl-segment[data-value=name][aria-pressed=true]')),
    Row('attributions', lambda: Attributions(three(), rows=True), lambda: [*(Attributions(three(), show=s, rows=True) for s in SHOW[1:]), Attributions(trees.heads(), show='targets', samples=['1204']), Attributions(trees.leaves(), show='targets', top=10), Attributions(stored(), tasks=['doctor visits'], rows=True), Attributions(stored(), tasks=['travel mode'], show='targets')],
        lambda: Attributions(large(samples=40), players='variable'), bad_answers, odd_answers,
        '[role=gridcell][data-part=bar] >> nth=0', 'features', ('ArrowDown', 'Enter'), ('Why visits of 5.81', 'age raises it by 5.26', 'chronic diseases = ', '5.81 visits a year', 'n.e.', 'The ledger closes', 'row 1200'),
        "Attributions(ex, tasks=['doctor visits'])", ("v.show = 'rows'", '.mtl-segment[data-value=rows][aria-pressed=true]')),
    Row('training', lambda: TrainingMonitor(six()), lambda: [TrainingMonitor(six(), tasks=['vote', 'diabetes']), TrainingMonitor(many()), TrainingMonitor(history(n=3, blind=(0, 1, 2))), TrainingMonitor(six(status='running')), TrainingMonitor(with_ledger(six()), pairs='moved')],
        lambda: TrainingMonitor(many(200)), lambda: [TrainingMonitor(h) for h in bad_histories()], odd_histories,
        '[data-what=panel] >> nth=1', 'tasks', ('Enter',), ('Is it learning, and who hurts whom?', 'Five of six tasks', 'card spending', 'hatched: no evidence', '6 of 15 pairs'),
        'TrainingMonitor(h)', ("v.tasks = ['vote']", '.mtl-chip[data-id=vote]')),
    Row('what-if', lambda: WhatIf(one_case(), edits={'age': 60}, off=['c01']), lambda: [WhatIf(one_case()), WhatIf(one_case(), edits={'age': 120, 'income': None, 'town': None}, off=['c01', 'c03'])],
        lambda: WhatIf(cases.wide(60)), bad_cases, odd_cases,
        '[data-what=head] >> nth=1', 'targets', (), ('What if this value', 'Age ', 'What made the difference', 'this case', 'What the model would answer'),
        'WhatIf(cases.random_case(0, sample=5))', ("v.off = ['c01']", '[data-concept=c01][aria-checked=false]'), False, '[data-what=head][aria-pressed=true]')]
