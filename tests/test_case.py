"A case: edits against the model itself, ties against each other table's own row, refusals by name, and a forward pass from nothing but `weights`."
import json, warnings

import numpy as np, pandas as pd, pytest, torch
from scipy.special import erf

from mtl_explain.baselines import HardSharing
from mtl_explain.case import case
from mtl_explain.data import Table, TaskSuite
from mtl_explain.model import MTLModel
from mtl_explain.predictor import ModelPredictor
from mtl_explain.sharing import Attend, Own


def tables(n=120, seed=0):
    "Two tables about different people, with gaps, levels, a rare level, and all kinds of targets"
    r = np.random.default_rng(seed)
    school = lambda names: pd.Categorical(r.choice(names, n), names, ordered=True)
    a = pd.DataFrame(dict(age=r.integers(20, 70, n), pay=np.where(r.random(n) < .2, np.nan, r.gamma(4, 9, n)), town=r.choice(['Bern', 'Basel', 'Chur'], n), school=school(['low', 'mid', 'high', 'top']), own=r.random(n) < .5))
    a['vote'] = np.where(a.age + r.normal(size=n)*9 > 45, 'left', 'right'); a['trip'] = r.choice(['bus', 'train', 'car'], n); a['mark'] = pd.Categorical(r.choice(['bad', 'fair', 'good'], n), ['bad', 'fair', 'good'], ordered=True)
    b = pd.DataFrame(dict(years=r.integers(30, 60, n).astype(float), school=school(['none', 'low', 'mid', 'high']), weight=r.normal(70, 9, n))); b['risk'] = b.years/10 + r.normal(size=n); b['vote'] = np.where(b.risk > 4.5, 'yes', 'no')
    return TaskSuite({'poll': Table(a, ['vote', 'trip', 'mark'], units={'age': 'years'}), 'clinic': Table(b, ['risk', 'vote'], units={'years': 'years', 'risk': 'points'})})


@pytest.fixture(scope='module')
def suite(): return tables()


def shaken(suite, sharing=None, **kw):
    "A model whose gates are open, so that every layer matters; nothing is trained"
    m = MTLModel(suite, Attend(5) if sharing is None else sharing, width=12, dim=6, **kw).eval(); g = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in m.parameters(): p.add_(.5*torch.randn(p.shape, generator=g))
    return m


@pytest.fixture(scope='module')
def model(suite): return shaken(suite)


TIES = {'age': {'clinic': 'years'}, 'school': {'clinic': 'school'}}


@pytest.fixture(scope='module')
def one(model, suite): return case(model, suite, 'poll', 7, ties=TIES)


def truth(model, suite, table, row, **edits):
    "The model's own answer to an edited row, asked through a data frame"
    t = suite[table]; p = ModelPredictor(model, t).in_units('own'); f = t.frame.loc[[row], t.features].copy()
    for c, v in edits.items(): f[c] = pd.Categorical([v], f[c].cat.categories, ordered=True) if isinstance(f[c].dtype, pd.CategoricalDtype) else [v]
    return p(p.new(f).x)[0]


def test_stored_answers_are_the_models(one, model, suite):
    there = one.tied['sample'][0]
    assert np.allclose(one.stored, np.concatenate([truth(model, suite, 'poll', 7), truth(model, suite, 'clinic', there)]), atol=1e-6)
    assert list(one.targets.target)==['poll → vote', 'trip: bus', 'trip: car', 'trip: train', 'mark', 'risk', 'clinic → vote'] and one.targets.unit[5]=='points' and one.targets.unit[0]=='probability'
    assert np.isclose(one.stored[1:4].sum(), 1) and 0<=one.stored[4]<=2 and list(one.range.index)==list(one.targets.target) and (one.range.low<=one.range.high).all()


@pytest.mark.parametrize('edits', [{'age': 61}, {'pay': None}, {'pay': 12.5, 'town': 'Chur'}, {'own': True}, {'own': False, 'age': 33.}, {'town': 'Bern'}, {'age': 90}])
def test_an_edit_is_what_the_model_says_of_the_edited_row(one, model, suite, edits):
    there = {'years': edits['age']} if 'age' in edits and edits['age']!=one.features.value['age'] else {}
    want = np.concatenate([truth(model, suite, 'poll', 7, **edits), truth(model, suite, 'clinic', one.tied['sample'][0], **there)])
    assert np.allclose(one.ask(edits), want, atol=1e-6)
    assert np.allclose(one.ask(pd.DataFrame([edits])), want[None], atol=1e-6)


def test_an_edit_travels_only_where_it_is_tied(one, model, suite):
    clinic = (one.targets.table=='clinic').to_numpy()
    assert (one.ask({'pay': 3., 'town': 'Chur', 'own': True})[clinic]==one.stored[clinic]).all()
    moved = one.ask({'age': 64.})
    assert (moved[clinic]!=one.stored[clinic]).all()
    far = int((suite['clinic'].frame.years - one.features.value['age']).abs().argmax()); k = case(model, suite, 'poll', 7, ties=TIES, samples={'clinic': far})
    assert np.allclose(k.stored[clinic], truth(model, suite, 'clinic', far), atol=1e-6)
    for edits in ({'age': k.features.value['age']}, {'pay': 3.}): assert (k.ask(edits)[clinic]==k.stored[clinic]).all(), 'an edit to the stored value is none: the other person keeps the age of their own'


def test_a_level_that_is_not_there_stays_at_home_and_is_told(model, suite):
    top = next(i for i in range(120) if suite['poll'].frame.school[i]=='low'); k = case(model, suite, 'poll', top, ties=TIES)
    clinic = (k.targets.table=='clinic').to_numpy()
    assert (k.ask({'school': 'top'})[clinic]==k.stored[clinic]).all() and (k.ask({'school': 'high'})[clinic]!=k.stored[clinic]).any()
    assert any('top' in s and 'clinic' in s for s in k.outside({'school': 'top'})) and not k.outside({'school': 'high'})


def test_the_row_that_is_tied_is_the_nearest_or_the_one_named(model, suite):
    k = case(model, suite, 'poll', 7, ties={'age': {'clinic': 'years'}}); gap = (suite['clinic'].frame.years - k.features.value['age']).abs()
    assert gap[k.tied['sample'][0]]==gap.min() and k.tied.value[0]==suite['clinic'].frame.years[k.tied['sample'][0]] and (k.tied.low[0], k.tied.high[0])==tuple(suite['clinic'].frame.years[suite['clinic'].rows('train')].agg(['min', 'max']))
    assert case(model, suite, 'poll', 7, ties={'age': {'clinic': 'years'}}, samples={'clinic': 31}).tied['sample'][0]==31


def test_many_edits_are_many_single_ones(one):
    rows = pd.DataFrame(dict(age=[20, 35, 35, one.features.value['age']], town=['Bern', 'Chur', 'Chur', 'Basel'], pay=[None, 8., 8., 40.]))
    many = one.ask(rows, off=['c02'])
    assert many.shape==(4, 7) and np.allclose(many, [one.ask(dict(r), ['c02']) for _, r in rows.astype(object).where(rows.notna(), None).iterrows()], atol=1e-6) and len(one.ask(rows[:0]))==0


@pytest.mark.parametrize('how', ['remove', 'average'])
def test_a_concept_is_off_in_every_table(one, model, suite, how):
    want, s = [], torch.tensor([1., 0, 1, 0, 1])
    for table, row, edit in (('poll', 7, {'age': 50}), ('clinic', one.tied['sample'][0], {'years': 50.})):
        t = suite[table]; p = ModelPredictor(model, t); f = t.frame.loc[[row], t.features].assign(**edit)
        with torch.no_grad(): want.append(p.in_units('own').convert(model.scores(table, torch.as_tensor(t.encode(f)), s, how))[0].numpy())
    assert np.allclose(one.ask({'age': 50}, ['c02', 'c04'], how), np.concatenate(want), atol=1e-5) and not np.allclose(one.ask({'age': 50}, ['c02', 'c04'], how), one.ask({'age': 50}), atol=1e-3)


def test_what_is_known_of_features(one, suite):
    f, t = one.features, suite['poll']; train = t.frame.iloc[t.rows('train')]
    assert dict(f.kind)==dict(age='whole', pay='number', town='choice', school='choice', own='choice') and f.unit['age']=='years' and f.missing['pay'] and not f.missing['age'] and f.ordered['school'] and not f.ordered['town']
    assert f.low['pay']==train.pay.min() and f.high['age']==train.age.max() and np.isclose(f['std']['pay'], train.pay.std(ddof=0)) and one.levels['own']==['no', 'yes']
    for n, (edges, counts) in one.histogram.items(): assert counts.sum()==train[n].notna().sum() and len(edges)==len(counts) + (n not in one.levels)
    assert set(one.quantiles['age'])<=set(train.age) and one.quantiles['pay'][0]==train.pay.min() and f.value['town']==t.frame.town[7]


def test_what_lies_outside_is_said(one):
    assert one.outside({'age': 40, 'pay': None, 'town': 'Chur'})==[]
    said = one.outside({'age': 81.5, 'pay': 1e4})
    assert len(said)==5 and all(w in ' '.join(said) for w in ("'age'", 'years', "'years' in 'clinic'", 'whole numbers', "'pay'", '10,000'))


def test_attributions_add_up_and_are_shapleys(one):
    edits, off = {'age': 62, 'town': 'Chur', 'pay': 3.}, ['c01', 'c03']
    a = one.attributions(edits, off); parts = a.pivot(index='feature', columns='target', values='change')[list(one.targets.target)]
    assert np.allclose(parts.sum(), one.ask(edits, off) - one.stored, atol=1e-6) and (a.se==0).all() and list(dict.fromkeys(a.feature))==['age', 'pay', 'town', 'c01', 'c03']
    assert np.allclose(parts.loc[['pay', 'town'], ['risk', 'clinic → vote']], 0) and a.before[a.feature=='town'].iloc[0]==one.features.value['town'] and a.after[a.feature=='c03'].iloc[0]=='off'
    two = one.attributions({'age': 62}, ['c01']).pivot(index='feature', columns='target', values='change')[list(one.targets.target)]
    y = dict(none=one.stored, a=one.ask({'age': 62}), c=one.ask({}, ['c01']), ac=one.ask({'age': 62}, ['c01']))
    assert np.allclose(two.loc['age'], (y['a'] - y['none'] + y['ac'] - y['c'])/2, atol=1e-6)
    assert one.attributions({}).empty and one.attributions({'age': one.features.value['age']}).empty


def test_more_edits_than_coalitions_are_sampled_and_say_so():
    r = np.random.default_rng(0); x = pd.DataFrame(r.normal(size=(40, 14)), columns=[f'v{i}' for i in range(14)])
    k = case(lambda d: np.tanh(d.to_numpy() @ np.arange(14)/9) + d.v0*d.v1, x, 'table', 3); edits = dict.fromkeys(x.columns, 1.)
    a = k.attributions(edits, evaluations=800)
    assert np.isclose(a.change.sum(), k.ask(edits)[0] - k.stored[0]) and (a.se>0).any() and len(a)==14


REFUSED = [(lambda m, s: case(m, s, 'pol', 7), "'pol'"), (lambda m, s: case(m, s, 'poll', 'x'), "'x'"), (lambda m, s: case(m, s, 'poll', 7, ties={'agee': {'clinic': 'years'}}), "'agee'"),
           (lambda m, s: case(m, s, 'poll', 7, ties={'age': {'clinc': 'years'}}), "'clinc'"), (lambda m, s: case(m, s, 'poll', 7, ties={'age': {'clinic': 'yeers'}}), "'yeers'"), (lambda m, s: case(m, s, 'poll', 7, ties={'age': {'poll': 'pay'}}), 'itself'),
           (lambda m, s: case(m, s, 'poll', 7, ties={'age': {'clinic': 'school'}}), 'cannot travel'), (lambda m, s: case(m, s, 'poll', 7, ties={'town': {'clinic': 'school'}}), 'no level in common'), (lambda m, s: case(m, s, 'poll', 7, ties={'age': 'clinic'}), "'age'"),
           (lambda m, s: case(m, s, 'poll', 7, ties={'age': {'clinic': 'years'}, 'pay': {'clinic': 'years'}}), 'tied twice'), (lambda m, s: case(m, s, 'poll', 7, samples={'clinic': 1}), "'clinic'"), (lambda m, s: case(m, s, 'poll', 7, immutable=('agee',)), "'agee'"),
           (lambda m, s: case(m, s, 'poll', 7, ties=TIES, samples={'clinic': 999}), '999')]


@pytest.mark.parametrize('make, named', REFUSED)
def test_what_makes_no_case_is_refused_by_name(model, suite, make, named):
    with pytest.raises((ValueError, TypeError), match=named): make(model, suite)


@pytest.mark.parametrize('edits, off, named', [({'agee': 3}, (), "'agee'"), ({'town': 'Genf'}, (), "'Genf'.*'Basel'"), ({'age': '41'}, (), "'age'.*'41'"), ({'age': True}, (), "'age'"), ({'age': np.inf}, (), 'finite'), ({'age': None}, (), "'age' cannot be missing"), ({'town': float('nan')}, (), "'town'"),
                                              ({'age': [1, 2]}, (), "'age'"), ({}, ['c09'], "'c09'"), ([('age', 3)], (), 'list'), ({'own': 'maybe'}, (), "'maybe'"), ({'town': ['Bern']}, (), "'town'"), ({'pay': 1e12}, (), "'pay'")])
def test_edits_are_refused_by_name(one, edits, off, named):
    with pytest.raises((ValueError, TypeError), match=named): one.ask(edits, off)
    if isinstance(edits, dict) and edits:
        with pytest.raises((ValueError, TypeError), match=named): one.ask(pd.DataFrame({k: [v] for k, v in edits.items()}))


def test_immutable_features_stay(model, suite):
    k = case(model, suite, 'poll', 7, immutable=['age'])
    with pytest.raises(ValueError, match="'age' is immutable"): k.ask({'age': 3.})
    assert (k.ask({'age': k.features.value['age']})==k.stored).all() and list(k.features.index[k.features.immutable])==['age']


def test_a_case_of_a_model_that_was_trained_on_is_stale(suite):
    m = shaken(suite); k = case(m, suite, 'poll', 7); k.ask({'age': 30.})
    with torch.no_grad(): next(m.parameters()).mul_(1.1)
    with pytest.raises(ValueError, match='make the case anew'): k.ask({'age': 31.})


def test_units_that_differ_are_said(model):
    s = tables(); s.tables['clinic'].units['weight'] = 'kg'; s = TaskSuite(s.tables)
    with pytest.warns(UserWarning, match="'years'.*'kg'"): case(model, s, 'poll', 7, ties={'age': {'clinic': 'weight'}})


# ---- models that are not ours

def test_other_models():
    r = np.random.default_rng(0); n = 60
    x = pd.DataFrame(dict(age=r.integers(18, 80, n), city=r.choice(['Bern', 'Basel'], n), size=pd.Categorical(r.choice(['s', 'm', 'l'], n), ['s', 'm', 'l'], ordered=True), seen=pd.to_datetime('2024-01-01') + pd.to_timedelta(r.integers(0, 300, n), 'D'), home=r.random(n) < .5, gap=np.where(r.random(n) < .2, np.nan, 1.5)))
    f = lambda d: dict(a=d.age.to_numpy()*2. + (d.city=='Bern')*100 + (d['size']=='l')*7 + d.home*3 + d.gap.fillna(50), b=np.column_stack([(d.seen - pd.Timestamp('2024-01-01')).dt.days, d.age]))
    k = case(f, x, 'a', 5); v = k.features.value
    assert dict(k.features.kind)==dict(age='whole', city='choice', size='choice', seen='date', home='choice', gap='number') and k.levels['size']==['s', 'm', 'l'] and k.features.ordered['size'] and k.concepts==[] and k.weights() is None and v['seen']==x.seen[5]
    assert k.ask({'age': 50})[0] - k.stored[0]==2*(50 - v['age']) and k.ask({'gap': None})[0] - k.ask({'gap': 1.5})[0]==48.5 and k.ask({'city': 'Bern'})[0] - k.ask({'city': 'Basel'})[0]==100
    assert k.ask({'seen': '2024-03-01'})[1]==60 and k.ask({'seen': pd.Timestamp('2025-01-01')})[1]==366 and '2025-01-01' in k.outside({'seen': '2025-01-01'})[0] and k.ask({'home': 'yes'})[0] - k.ask({'home': False})[0]==3 and k.ask({'size': 'l'})[0] - k.ask({'size': 's'})[0]==7
    with pytest.raises(ValueError, match="'seen'.*no date"): k.ask({'seen': 'soon'})
    assert k.histogram['seen'][0][0]==x.seen.min() and k.features.low['seen']==x.seen.min()
    tokens = r.integers(3, 9, (30, 2)); q = case(lambda t: t.sum(1), tokens, 'table', 4)
    assert q.levels['x[0]']==[str(v) for v in sorted(set(tokens[:, 0]))] and q.ask({'x[0]': 8})[0]==8 + tokens[4, 1]
    w = case(HardSharing(s:=tables(), width=8), s, 'poll', 7, ties=TIES)
    assert w.concepts==[] and w.weights() is None and len(w.stored)==7


def test_hostile_names_and_values_are_data():
    names = ['<script>alert(1)</script>', 'שלום', '👩‍👩‍👧', 'x'*300, 'a/b "q" \\']; r = np.random.default_rng(0)
    x = pd.DataFrame(r.normal(size=(40, 4)), columns=names[:4]).assign(**{names[4]: r.choice(['</script>', 'missing', '', 'nan'], 40)})
    k = case(lambda d: d[names[0]].to_numpy() + (d[names[4]]=='</script>'), x, 'table', 0)
    assert list(k.features.index)==names and k.ask({names[4]: '</script>'})[0] - k.ask({names[4]: 'missing'})[0]==1 and set(k.levels[names[4]])=={'</script>', 'missing', '(empty)', 'nan'} and names[3] in k.outside({names[3]: 99.})[0]


# ---- the forward pass from nothing but weights

ACT = dict(gelu=lambda v: v*(1 + erf(v/2**.5))/2, relu=lambda v: np.maximum(v, 0), tanh=np.tanh, silu=lambda v: v/(1 + np.exp(-v)))


def film_stack(a, name, x, film, width, act, plain=False):
    film = list(np.split(film, film.shape[-1]//width, -1)); step = lambda y: (lambda scale, shift: scale*y + shift)(film.pop(0), film.pop(0))
    if f'{name}.first.weight' in a: x = (lambda v: v if plain else act(v))(step(x @ a[f'{name}.first.weight'].T + a[f'{name}.first.bias']))
    for i, g in enumerate(a[f'{name}.gate']): x = x + g*act(step(x @ a[f'{name}.layers.{i}.weight'].T + a[f'{name}.layers.{i}.bias']))
    return x


def forward(w, codes, off=(), how='remove'):
    "Answers from a header and arrays alone; codes: a list per table"
    h = json.loads(json.dumps(w['header'], allow_nan=False)); a = {k: v.astype(float) for k, v in w['arrays'].items()}; act, out = ACT[h['activation']], []
    for k, t in enumerate(h['tables']):
        c = np.array([np.nan if v is None else v for v in codes[k]], float)
        x = np.array([i['scale']*(float(np.isnan(v)) if i['kind']=='missing' else float(v==i['level']) if i['kind']=='nominal' else 0. if np.isnan(v) else (v - i['mean'])/i['std']) for i in t['inputs'] for v in [c[i['feature']]]])
        if f'{k}/attention' in a:
            att = a[f'{k}/attention']; s = np.array([n not in off for n in h['concepts']], float); bar = 0 if how=='remove' else att.mean(0)
            z = (s*att + (1 - s)*bar) @ a['values']
        else: z = a[f'{k}/embedding']
        film = lambda n, z: z @ a[f'{n}.film.weight'].T + a[f'{n}.film.bias']
        total = film_stack(a, 'encoder', x[:, None], film('encoder', z), a['encoder.first.weight'].shape[0], act).sum(0)
        for i, g in enumerate(a['core.gate']): total = total + g*act(total @ a[f'core.layers.{i}.weight'].T + a[f'core.layers.{i}.bias'])
        o = a[f'{k}/output']; y = film_stack(a, 'decoder', np.tile(total, (len(o), 1)), film('decoder', o), len(total), act); score = film_stack(a, 'readout', y, film('readout', o), 1, act, plain=True)[:, 0]
        for q in t['outcomes']:
            s, score = score[:q['scores']], score[q['scores']:]
            if q['kind']=='number': out.append(s[0]*q['std'] + q['mean']); continue
            l = q['sharpness']*(np.array(q['slope'])*s + np.array(q['threshold'])); p = np.exp(l - l.max()); p /= p.sum()
            out += list(p) if q['kind']=='nominal' else [p @ np.arange(len(p))]
    return np.array(out)


@pytest.mark.parametrize('sharing', [Attend(5), Attend(4, attention='softmax', projections=True, logits='query'), Attend(3, attention='sparsemax', restriction='unit'), Own()], ids=['entmax', 'query', 'sparsemax', 'own'])
@pytest.mark.parametrize('activation', ['gelu', 'tanh', 'relu', 'silu'])
def test_weights_are_all_that_a_forward_pass_needs(suite, sharing, activation):
    k = case(shaken(suite, sharing, activation=activation), suite, 'poll', 7, ties=TIES); w = k.weights(); codes = [t['stored'] for t in w['header']['tables']]
    assert all(v.dtype==np.float32 for v in w['arrays'].values()) and [t['task'] for t in w['header']['tables']]==['poll', 'clinic']
    size = np.ptp(k.range.to_numpy(), axis=1)
    assert (np.abs(forward(w, codes) - k.stored)<=1e-5*np.maximum(size, 1)).all()
    place = [f['name'] for f in w['header']['tables'][0]['features']].index
    codes[0][place('pay')], codes[0][place('town')], codes[0][place('age')], codes[1][0] = None, 2., 58., 58.
    assert w['header']['tables'][1]['links'][0]==[place('age'), 0, None]
    for off, how in [((), 'remove')] + [((k.concepts[1],), h) for h in ('remove', 'average') if k.concepts]:
        assert (np.abs(forward(w, codes, off, how) - k.ask({'pay': None, 'town': 'Chur', 'age': 58.}, off, how))<=1e-5*np.maximum(size, 1)).all()


def test_weights_carry_no_other_row(one):
    w = one.weights(); numbers = json.dumps(w['header'])
    assert len(w['header']['tables'])==2 and not any(v.shape and v.shape[0]==120 for v in w['arrays'].values()) and len(numbers)<20_000
    assert [t['sample'] for t in w['header']['tables']]==[7, one.tied['sample'][0]]


def test_a_case_is_quick(one):
    import time
    with warnings.catch_warnings():
        warnings.simplefilter('error'); took = []
        for i in range(20): t = time.perf_counter(); one.ask({'age': 20 + i/7}); took.append(time.perf_counter() - t)
    assert min(took)<.05
