"Result trees made up for tests: every one passes `schema.check`. Their numbers are invented."
import numpy as np, xarray as xr

from mtl_explain.schema import check, new_tree, node

HOSTILE = ['</script><img src=x onerror="window.hacked=1">', '"quoted" & \'single\'', '😀 emoji 👩‍👩‍👧', 'שם עברי · نص عربي', 'two\nlines', 'a/b/c', '\u2028sep\u2029', '<!-- not a comment', '${x} `y` \\u003c', 'x' * 300]

PEOPLE = {  # task -> (targets as (outcome, level, kind), features)
    'vote': ([('votes Dole', '', 'binary')], ['age', 'income', 'education', 'own left–right', 'Dole’s left–right']),
    'marriage': ([('rating', '', 'ordered'), ('affairs', '', 'number')], ['age', 'years married', "husband's job", 'children', 'religious', 'education']),
    'doctor visits': ([('visits', '', 'number')], ['chronic diseases', 'self-rated health', 'coinsurance', 'max. expense', 'physical limit']),
    'card spending': ([('spending', '', 'number')], ['age', 'income', 'owns home']),
    'travel mode': ([('mode', m, 'nominal') for m in ('air', 'train', 'bus', 'car')], ['family income', 'party size', 'waiting time', 'time in vehicle', 'ticket cost']),
    'diabetes': ([('progression', '', 'number')], ['age', 'body mass', 'blood pressure', 'serum s5', 'serum s1'])}
_n = np.nan
SHARES = np.array([  # concept x task, % of the task's effect; minus = no evidence
    [14, 22, 17, 19, 9, 13], [17, 4, 12, 31, 21, 0], [0, 5, 24, 9, 0, 26], [11, 9, 3, -3, 6, 0], [0, 13, 5, 0, 15, 0], [0, 12, 0, 0, 11, 0],
    [0, 0, 14, 21, 13, 0], [39, -2, 0, 0, 0, 0], [0, 0, -2, 0, 0, 41], [-2, 21, 0, 0, 0, 0], [0, 0, 0, 0, 22, 0], [0]*6])
LABELS = ['age', 'income', 'health', 'education', 'household'] + ['']*7
SUGGESTED = ['years lived', 'money coming in', '', 'schooling', '', 'time at risk', 'prices paid', 'left–right', 'blood fats', 'faith', 'journey time', '']
SPECIFICITY = [(.08, .02), (.16, .05), (.27, .06), (.31, .05), (.46, .08), (.52, .11), (.57, .09), (.93, .02), (.96, .015), (.91, .03), (.97, .012), (_n, _n)]


def _text(*xs): return np.array(xs if xs else [], dtype=str)


def _attribution(task, players, targets, importance, se, direction, none, samples, explainers, seed, off='remove', background='100 training rows'):
    "The two nodes of one task: values whose root mean square is `importance` (player, target), and the importance itself"
    r, E, T = np.random.default_rng(seed), len(explainers), len(targets)
    a = r.normal(size=(E, samples, len(players), T)) * np.nan_to_num(importance)
    base = np.zeros((E, samples, T)); score = base + a.sum(2)
    ex = dict(explainer=_text(*explainers), method=('explainer', _text(*explainers)), background=('explainer', _text(*[background]*E)), unit=('explainer', _text(*['score']*E)),
              closes=('explainer', _text(*['by construction']*E)), budget=('explainer', np.full(E, 1024)), seed=('explainer', np.zeros(E, int)))
    tg = dict(target=np.array([f'{i}' for i in range(T)], dtype=str), outcome=('target', _text(*[o for o, _, _ in targets])), level=('target', _text(*[l for _, l, _ in targets])), kind=('target', _text(*[k for _, _, k in targets])))
    pl = dict(player=np.array(players, dtype=str))
    each, sc = ('explainer', 'sample', 'player', 'target'), ('explainer', 'sample', 'target')
    main = xr.Dataset(dict(attribution=(each, a), attribution_se=(each, np.zeros_like(a)), score=(sc, score), base=(sc, base), delta=(sc, np.zeros_like(base)),
        evaluations=(sc[:2], np.full((E, samples), 1024)), status=(sc[:2], np.full((E, samples), 'done'))),
        coords=dict(sample=np.array([f's{i}' for i in range(samples)]), **pl, **tg, **ex), attrs=dict(task=task, off=off))
    imp = ('explainer', 'player', 'target'); rep = lambda x: np.broadcast_to(x, (E, len(players), T)).copy()
    arrays = dict(importance=(imp, rep(importance)), importance_se=(imp, rep(se)), direction=(imp, rep(direction)))
    arrays['spread'] = (('explainer', 'target'), score.std(1) if samples else np.zeros((E, T)))
    if none is not None: arrays['none'] = (('explainer', 'target'), np.broadcast_to(none, (E, T)).copy())
    return main, xr.Dataset(arrays, coords=dict(explainer=_text(*explainers), **pl, target=tg['target']), attrs=dict(task=task))


def make(tasks, shares, labels=None, suggested=None, specificity=None, samples=30, explainers=('shapley',), families=None, evidence=dict(p=.004, p_signed=.013), matching=True,
         variables=True, concepts_explained=True, seed=0, top=None):
    """A tree from `tasks` (name -> (targets, features)) and `shares` (concept, task) in %, negative = no evidence.
    `top` maps (task, feature) to a concept position; without it features take the task's largest concepts in turn."""
    r, names, K, T = np.random.default_rng(seed), list(tasks), len(shares), len(tasks)
    shares = np.asarray(shares, float); width = max(2, len(str(K))); ids = [f'c{i+1:0{width}d}' for i in range(K)]
    labels, suggested, families = labels or ['']*K, suggested or ['']*K, families or names
    rows = []
    for t, (targets, features) in tasks.items():
        rows += [(t, f, '', 'input', 'number', i) for i, f in enumerate(features)] + [(t, o, l, 'target', k, -1) for o, l, k in targets]
    fam = dict(zip(names, families)); V = len(rows); var = np.array([f'v{i}' for i in range(V)])
    col = lambda i: ('variable', np.array([x[i] for x in rows], dtype=str))
    variables_ds = xr.Dataset(dict(task=col(0), family=('variable', np.array([fam[x[0]] for x in rows], dtype=str)), feature=col(1), level=col(2), role=col(3), kind=col(4), unit=('variable', np.full(V, '', dtype='<U1')),
        concept=('variable', np.full(V, '', dtype='<U1')), mean=('variable', np.zeros(V)), std=('variable', np.ones(V))), coords=dict(variable=var))
    groups = {'/variables': variables_ds, '/tasks': xr.Dataset(dict(rows=('task', np.full(T, 500)), family=('task', np.array(families, dtype=str))), coords=dict(task=np.array(names, dtype=str)))}
    weight = np.full((V, K), .2/max(K, 1))
    for i, (t, f, _, role, _, j) in enumerate(rows):
        order = np.argsort(-np.abs(shares[:, names.index(t)])) if K else []
        if K: weight[i, (top or {}).get((t, f), order[(j if j >= 0 else i) % max(1, min(K, int((shares[:, names.index(t)] != 0).sum())))])] += .8
    usage = np.array([[weight[[x[0]==t for x in rows]].mean(0)] for t in names]).reshape(T, K) if V < 400 else np.stack([weight[np.array([x[0] for x in rows])==t].mean(0) for t in names])
    evid, dead = (shares > 0).sum(1), ~(shares != 0).any(1)
    usage[:, dead] = 0
    sp = np.array(specificity if specificity is not None else np.c_[np.clip(1-np.log(np.maximum(evid, 1))/np.log(max(T, 2)), 0, 1), np.full(K, .04)], float).reshape(K, 2); sp[dead] = np.nan
    attrs = {k: v for k, v in dict(permutations=999, families=len(set(families)), null='task labels', degree='the tasks that together hold 90 % of it', off='remove', shaded='importance', **(evidence or {})).items() if v is not None}
    if K:
        groups['/attention'] = xr.Dataset(dict(weight=(('variable', 'concept'), weight), variable_embedding=(('variable', 'embedding'), r.normal(size=(V, 2))), concept_embedding=(('concept', 'embedding'), r.normal(size=(K, 2)))),
            coords=dict(variable=var, concept=np.array(ids), embedding=np.arange(2)))
        groups['/concepts'] = xr.Dataset(dict(label=('concept', np.array(labels, dtype=str)), suggested=('concept', np.array(suggested, dtype=str)), usage=(('task', 'concept'), usage), degree=('concept', evid.astype(int)),
            specificity=('concept', sp[:, 0]), specificity_se=('concept', sp[:, 1]), entropy=('concept', 1-sp[:, 0]), dead=('concept', dead)), coords=dict(task=np.array(names, dtype=str), concept=np.array(ids)), attrs=attrs)
        if matching:
            named = ['age', 'income', 'health']; p = r.uniform(.05, 1, (K, 3)); p[:min(3, K), :][np.arange(min(3, K)), np.arange(min(3, K))] = .006
            groups['/matching'] = xr.Dataset({a: (('concept', 'named'), x) for a, x in dict(effect=1-p, p=p/3, p_corrected=p).items()}, coords=dict(concept=np.array(ids), named=np.array(named)), attrs=dict(permutations=999, null='names shuffled between families of tables'))
    for j, (t, (targets, features)) in enumerate(tasks.items()):
        n, s = len(targets), shares[:, j]/100 if K else np.zeros(0)
        if K and concepts_explained:
            imp = np.abs(s)[:, None]*np.ones(n); se = np.where(s < 0, np.abs(s), np.maximum(np.abs(s)*.12, .004)*(s != 0))[:, None]*np.ones(n)
            none = np.full(n, max(0., 1-np.abs(s).sum()))
            groups[f'/attribution/concept/{node(t)}'], groups[f'/attribution/concept/{node(t)}/importance'] = _attribution(t, ids, targets, imp, se, np.full(imp.shape, np.nan), none, samples, explainers, seed+j, background='concept taken away')
        if variables:
            ids_t = [v for v, x in zip(var, rows) if x[0]==t and x[3]=='input']
            imp = r.uniform(.1, 1, (len(ids_t), n)); d = r.uniform(-1, 1, (len(ids_t), n))
            groups[f'/attribution/variable/{node(t)}'], groups[f'/attribution/variable/{node(t)}/importance'] = _attribution(t, ids_t, targets, imp, imp*.1, d, None, samples, explainers, seed+50+j)
    return check(new_tree(groups, model='made up', sharing='made up'))


_TOP = {('vote', 'age'): 0, ('vote', 'income'): 1, ('vote', 'education'): 3, ('vote', 'own left–right'): 7, ('vote', 'Dole’s left–right'): 7,
        ('marriage', 'age'): 0, ('marriage', 'years married'): 5, ('marriage', "husband's job"): 1, ('marriage', 'children'): 4, ('marriage', 'religious'): 9, ('marriage', 'education'): 3,
        ('doctor visits', 'chronic diseases'): 2, ('doctor visits', 'self-rated health'): 2, ('doctor visits', 'coinsurance'): 6, ('doctor visits', 'max. expense'): 1, ('doctor visits', 'physical limit'): 0,
        ('card spending', 'age'): 0, ('card spending', 'income'): 1, ('card spending', 'owns home'): 6, ('travel mode', 'family income'): 1, ('travel mode', 'party size'): 4, ('travel mode', 'waiting time'): 5,
        ('travel mode', 'time in vehicle'): 10, ('travel mode', 'ticket cost'): 1, ('diabetes', 'age'): 0, ('diabetes', 'body mass'): 2, ('diabetes', 'blood pressure'): 2, ('diabetes', 'serum s5'): 8, ('diabetes', 'serum s1'): 8}


def people(**kw):
    "Six tasks, twelve concepts"
    return make(PEOPLE, SHARES, **{**dict(labels=LABELS, suggested=SUGGESTED, specificity=SPECIFICITY, top=_TOP), **kw})


def unnamed(**kw): return people(**{**dict(labels=None, suggested=None, evidence=dict(p=.41, p_signed=.6)), **kw})


def hostile(**kw):
    "Names that try to be something else than text: tasks, features, concepts, explainer"
    tasks = {h: ([(h, '', 'binary')], [h+'1', h+'2']) for h in HOSTILE}
    K = len(HOSTILE); r = np.random.default_rng(0); s = np.where(r.random((K, K)) < .5, r.integers(3, 15, (K, K)), 0)
    return make(tasks, s, labels=HOSTILE[:K//2]+['']*(K-K//2), suggested=['']*(K//2)+HOSTILE[K//2:], explainers=(HOSTILE[0],), samples=5, **kw)


def no_concepts(): return make(PEOPLE, np.zeros((0, 6)))


def large(tasks=121, variables=3000, concepts=128, samples=2, seed=0):
    "The size of a large suite: mostly small effects, a few shared concepts"
    r = np.random.default_rng(seed); per = variables//tasks
    ts = {f'table {i+1:03d}': ([('outcome', '', 'binary')], [f'column {j+1}' for j in range(per-1)]) for i in range(tasks)}
    rate = np.r_[r.uniform(.2, .45, concepts//6), r.uniform(.02, .08, concepts//2), np.full(concepts, .009)][:concepts]
    hit = r.random((concepts, tasks)) < rate[:, None]; hit[-9:] = False
    s = hit*r.uniform(2, 12, hit.shape)*np.where(r.random(hit.shape) < .1, -1, 1); s *= 90/np.maximum(np.abs(s).sum(0), 90)
    families = [f'family {min(i//7, 3)}' if i < 27 else f'table {i+1:03d}' for i in range(tasks)]
    return make(ts, s, samples=samples, families=families, evidence=dict(p=.41, p_signed=.52), seed=seed)


def small(**kw): return make({'a': ([('y', '', 'number')], ['x1', 'x2']), 'b': ([('z', '', 'binary')], ['u', 'v'])}, [[40, 30], [20, 0], [0, 35]], samples=8, **kw)


# ---- single answers: explainers, sinks, ledgers that close or do not

SPEND = ['age', 'income', 'chronic diseases', 'self-rated health', 'coinsurance', 'max. expense', 'job']
WAYS = {'shapley': 'by construction', 'expected gradients': 'in the limit', 'relevance': 'by construction', 'lime': 'never', 'occlusion': 'never'}


def answers(tasks=None, features=SPEND, samples=30, explainers=('shapley',), sinks=None, players='feature', shared=True, data=True, again=False, fit=False, unit='score', importance=True, missing=(), seed=0, scale=2.5):
    """Attributions of single rows. `tasks` maps a name to its targets (outcome, level, kind); `sinks` maps an explainer to the sinks that it fills.
    `shared`: all tasks read the same rows; `missing`: samples that were not reached; `scale`: standard deviation of number targets, whose mean is 3."""
    tasks = tasks or {'doctor visits': [('visits', '', 'number')]}
    r, P, S, E, groups = np.random.default_rng(seed), len(features), samples, len(explainers), {}
    value = lambda: np.array([[('clerk', 'farmer', 'none')[r.integers(3)] if f=='job' else f'{r.normal(40, 12):.1f}' for f in features] for _ in range(S)], dtype='<U400').reshape(S, P)
    text, rows = value(), []
    for i, (task, targets) in enumerate(tasks.items()):
        if not shared: text = value()
        T, real = len(targets), r.normal(size=(S, P, len(targets)))*np.geomspace(1, .05, max(P, 1))[None, :P, None]
        x = np.where(np.char.isalpha(text) if S and P else np.zeros(text.shape, bool), 0, 1)*r.normal(size=text.shape); se = np.abs(r.normal(size=real.shape))*.05
        if S and P: real += .5*x[:, :, None]
        each = [real*(1 if e==0 else r.normal(1, .15, real.shape)) if n != 'lime' else real*.8 + r.normal(size=real.shape)*.2 for e, n in enumerate(explainers)]
        a, base = np.stack(each) if E else np.zeros((0, *real.shape)), np.full((E, S, T), .2)
        used = sorted({s for e in explainers for s in (sinks or {}).get(e, ())}); sink = np.full((E, S, len(used), T), np.nan)
        for e, n in enumerate(explainers):
            for s in (sinks or {}).get(n, ()): sink[e, :, used.index(s)] = r.normal(.3, .1, (S, T))
            if n=='relevance': base[e] = 0
        score = (base + a.sum(2) + np.nan_to_num(sink).sum(2)); score[:] = score[:1]; gap = score - base - a.sum(2) - np.nan_to_num(sink).sum(2)
        if P and E: a[:, :, 0] += np.where([WAYS.get(n, 'never') != 'never' for n in explainers], 1., 0.)[:, None, None]*gap; gap = np.where(np.array([WAYS.get(n, 'never')=='never' for n in explainers], bool)[:, None, None], np.nan, np.full((E, S, T), 1e-7))
        ses = np.stack([se if n not in ('relevance',) else 0*se for n in explainers]) if E else np.zeros_like(a)
        status = np.full((E, S), 'done', dtype='<U60')
        for s in missing: a[:, s], ses[:, s], gap[:, s], status[:, s] = np.nan, np.nan, np.nan, 'interrupted'
        each, sc, ex = ('explainer', 'sample', 'player', 'target'), ('explainer', 'sample', 'target'), lambda v: ('explainer', _text(*v))
        coords = dict(explainer=_text(*explainers), method=ex(explainers), background=ex(['none' if n=='relevance' else '100 training rows' for n in explainers]), unit=ex([unit]*E), closes=ex([WAYS.get(n, 'never') for n in explainers]), budget=('explainer', np.full(E, 1024)), seed=('explainer', np.zeros(E, int)),
            sample=np.array([f'{1200+4*s}' for s in range(S)], dtype=str), player=np.array(features, dtype=str), target=np.array([f'{o}: {l}' if l else o for o, l, _ in targets], dtype=str),
            **{n: ('target', _text(*[t[k] for t in targets])) for k, n in enumerate(('outcome', 'level', 'kind'))})
        arrays = dict(attribution=(each, a), attribution_se=(each, ses), score=(sc, score), base=(sc, base), delta=(sc, gap), evaluations=(sc[:2], np.full((E, S), 1024)), status=(sc[:2], status))
        if used: arrays['sink_score'] = (('explainer', 'sample', 'sink', 'target'), sink); coords['sink'] = _text(*used)
        if again: arrays['background_se'] = (each, ses*1.5)
        if fit: arrays['fit'] = (sc, np.broadcast_to(np.array([.83 if n=='lime' else np.nan for n in explainers])[:, None, None], (E, S, T)).copy())
        path = f'/attribution/{node(players)}/{node(task)}'; groups[path] = xr.Dataset(arrays, coords=coords, attrs=dict(task=task))
        if importance and S:
            size = np.sqrt(np.nansum(a**2, 1)/max(S - len(missing), 1)); d = np.where(np.abs(d0:=r.uniform(-1, 1, size.shape)) < .2, 0, d0)
            groups[f'{path}/importance'] = xr.Dataset(dict(importance=(each[:1]+each[2:], size), importance_se=(each[:1]+each[2:], size*.15), direction=(each[:1]+each[2:], d), spread=(('explainer', 'target'), score.std(1)+1e-9)),
                coords={k: coords[k] for k in ('explainer', 'player', 'target')}, attrs=dict(task=task, samples=S))
        rows += [(task, f, '', 'input', 'nominal' if f=='job' else 'number', 'years' if f=='age' else '', 0., 1.) for f in features] + [(task, o, l, 'target', k, 'visits a year' if k=='number' else '', 3. if k=='number' else 0., scale if k=='number' else 1.) for o, l, k in targets]
        if data:
            groups[f'/data/{node(task)}'] = xr.Dataset(dict(input=(('sample', 'variable'), x), input_value=(('sample', 'feature'), text), prediction=(sc[1:], score[0] if E else np.zeros((S, T))), truth=(sc[1:], np.round(np.abs(score[0])) if E else np.zeros((S, T)))),
                coords=dict(sample=coords['sample'], variable=np.array([f'{task} · {f}' for f in features], dtype=str), feature=coords['player'], target=coords['target'], **{k: coords[k] for k in ('outcome', 'level', 'kind')}, unit=('target', _text(*['' for _ in targets]))), attrs=dict(task=task))
    col = lambda i: ('variable', np.array([x[i] for x in rows], dtype=str)); num = lambda i: ('variable', np.array([x[i] for x in rows], float))
    ids = np.array([f'{x[0]} · {x[1]}' if x[3]=='input' else f'{x[0]} → {x[1]} {x[2]}' for x in rows], dtype=str)
    groups['/variables'] = xr.Dataset(dict(task=col(0), family=col(0), feature=col(1), level=col(2), role=col(3), kind=col(4), unit=col(5), concept=('variable', np.full(len(rows), '', dtype='<U1')), mean=num(6), std=num(7)), coords=dict(variable=ids))
    groups['/tasks'] = xr.Dataset(dict(rows=('task', np.full(len(tasks), 500)), family=('task', _text(*tasks))), coords=dict(task=_text(*tasks)))
    return check(new_tree(groups, model='made up', sharing='made up'))


def three(**kw): return answers(explainers=('shapley', 'expected gradients', 'lime', 'relevance'), sinks=dict(relevance=('bias', 'identity')), again=True, fit=True, **kw)
def leaves(classes=100, features=64, samples=6, **kw): return answers({'leaf': [('species', f'Acer {i:03d} {"capillipes" if i % 3 else "mono"}', 'nominal') for i in range(classes)]}, [f'margin_{i:02d}' for i in range(features)], samples, **kw)
def heads(**kw): return answers({'visits': [('visits', '', 'number')], 'ill': [('ill', '', 'binary')], 'care': [('care', 'home', 'nominal'), ('care', 'clinic', 'nominal')]}, **kw)
