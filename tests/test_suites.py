"The real tables mean what their names say; the planted ones hold what their labels say."
import subprocess, sys
import numpy as np, pandas as pd, pytest
from mtl_explain.data import Table, TaskSuite
from mtl_explain.suites import SHAPES, _scaled, people, planted


# --- people ---------------------------------------------------------------------------------------------------------------------------

@pytest.fixture(scope='module')
def suite(): return people()

def column(suite, task, name):
    s = suite[task].frame[name]
    return s.cat.codes if isinstance(s.dtype, pd.CategoricalDtype) else s.astype(float)

def test_people_are_six_tables_of_seven_targets(suite):
    assert {n: len(suite[n]) for n in suite} == {'vote': 944, 'marriage': 6366, 'doctor visits': 2000, 'card spending': 72, 'travel mode': 210, 'diabetes': 442}
    assert [(o.name, o.kind) for n in suite for o in suite[n].outcomes] == [
        ('vote for Dole', 'binary'), ('marriage rating', 'ordered'), ('had an affair', 'binary'), ('log doctor visits', 'number'),
        ('log card spending', 'number'), ('travel mode', 'nominal'), ('disease progression', 'number')]
    for n in suite:
        t = suite[n]
        assert np.isfinite(t.x).all() and np.isfinite(t.y).all() and not t.left_out and t.trained.all() and not any(o.rule for o in t.outcomes)
        assert not t.frame.isna().any(axis=None)

def test_every_input_of_people_has_a_concept(suite):
    v = suite.variables.query("role == 'input'")
    assert (v.concept != '').all() and v.concept.nunique() == 13
    assert (suite.variables.query("role == 'target'").concept == '').all()

def test_names_are_plain_words(suite):
    for text in {*suite.variables.feature, *suite.variables.level}: assert text == '' or text[0].isalnum() and '_' not in text

@pytest.mark.parametrize('task, input, target, sign', [
    ('vote', 'party', 'vote for Dole', 1), ('vote', 'own leaning', 'vote for Dole', 1), ('vote', 'Clinton seen as', 'vote for Dole', -1), ('vote', 'household income', 'vote for Dole', 1),
    ('marriage', 'religious', 'had an affair', -1), ('marriage', 'religious', 'marriage rating', 1), ('marriage', 'years married', 'had an affair', 1),
    ('doctor visits', 'own health', 'log doctor visits', -1), ('doctor visits', 'share paid by patient', 'log doctor visits', -1), ('doctor visits', 'chronic diseases', 'log doctor visits', 1),
    ('card spending', 'income', 'log card spending', 1), ('diabetes', 'body mass index', 'disease progression', 1), ('diabetes', 'HDL cholesterol', 'disease progression', -1)])
def test_columns_point_the_way_that_they_are_named(suite, task, input, target, sign):
    r = np.corrcoef(column(suite, task, input), column(suite, task, target))[0, 1]
    assert sign * r > .04, r

def test_levels_were_not_shifted(suite):
    from statsmodels.datasets import anes96, fair, modechoice, randhie
    raw, t = anes96.load_pandas().data, suite['vote'].frame
    assert pd.crosstab(raw.vote, t['vote for Dole']).to_numpy().tolist() == [[551, 0], [0, 393]] and t['education'].cat.categories[6] == 'doctorate'
    assert (t['household income'][raw.income == 20] == 55).all() and (t['own leaning'][raw.selfLR == 4] == 'moderate').all()
    raw, t = fair.load_pandas().data, suite['marriage'].frame
    assert (t['marriage rating'][raw.rate_marriage == 5] == 'very good').all() and (t['education'][raw.educ == 16] == 'college degree').all()
    assert ((raw.affairs > 0) == t['had an affair']).all() and (t["husband's occupation"][raw.occupation_husb == 1] == 'student').all()
    raw, t = modechoice.load_pandas().data, suite['travel mode'].frame
    assert t['travel mode'].value_counts().to_dict() == dict(train=63, car=59, air=58, bus=30)
    one = raw[(raw.individual == 7) & (raw['mode'] == 3)].iloc[0]
    assert (t.loc[7, 'bus cost'], t.loc[7, 'bus travel time'], t.loc[7, 'bus waiting'], t.loc[7, 'household income']) == (one.invc, one.invt, one.ttme, one.hinc)
    raw, t = randhie.load_pandas().data.loc[suite['doctor visits'].frame.index], suite['doctor visits'].frame
    assert set(t['share paid by patient']) == {0, 25, 50, 95, 100} and (t['own health'][raw.hlthp == 1] == 'poor').all() and (t['own health'][raw.hlthg == 1] == 'good').all()
    assert np.allclose(np.expm1(t['log doctor visits']), raw.mdvis)

def test_the_tables_do_not_depend_on_the_seed(suite):
    other = people(seed=3)
    assert all(other[n].frame.equals(suite[n].frame) for n in suite) and (other['vote'].split != suite['vote'].split).any()
    assert (people(fold=2)['vote'].split == suite.with_fold(2)['vote'].split).all()

def test_importing_the_suites_is_light():
    code = 'import sys, mtl_explain.suites; print([m for m in ("torch", "sklearn", "statsmodels", "scipy", "altair") if m in sys.modules])'
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout.strip() == '[]'


# --- planted --------------------------------------------------------------------------------------------------------------------------

def response(suite, task):
    "What the labels say that the target is made of."
    t = suite[task]
    x, concept, out = t.frame, suite.variables.concept[t.inputs], 0
    for column, label in zip(t.features, concept):
        name = label.removesuffix(', flipped')
        if name in SHAPES: out = out + _scaled(SHAPES[name])(x[column].to_numpy()) * (-1 if name != label else 1)
    return np.corrcoef(out, t.y[:, 0])[0, 1]**2

def test_planted_labels_are_the_truth():
    s = planted(seed=4)
    assert len(s) == 10 and all(5 <= len(s[n].inputs) <= 8 and len(s[n]) == 300 for n in s)
    assert min(response(s, n) for n in s) > .85 and min(response(planted(seed=4, noise=0), n) for n in s) > .999
    inputs = s.variables.query("role == 'input'")
    assert inputs.groupby('concept').task.nunique().min() >= 5 and set(inputs.concept) == set(SHAPES)

def test_planted_is_seeded():
    a, b, c = (planted(seed=s, tables=2) for s in (5, 5, 6))
    assert all(a[n].frame.equals(b[n].frame) for n in a) and not a['table 01'].frame.equals(c['table 01'].frame)
    more = planted(seed=5, tables=4)
    assert more['table 02'].frame.equals(a['table 02'].frame)

def test_controls_keep_all_but_the_claim():
    s, shuffled, private = (planted(seed=7, control=c) for c in (None, 'shuffled', 'private'))
    for n in s:
        assert list(s.variables.concept) == list(shuffled.variables.concept) == list(private.variables.concept)
        assert s[n].frame.drop(columns='y').equals(shuffled[n].frame.drop(columns='y')) and sorted(s[n].frame.y) == sorted(shuffled[n].frame.y)
        assert s[n].frame.drop(columns='y').equals(private[n].frame.drop(columns='y')) and response(shuffled, n) < .05
    assert np.mean([response(private, n) for n in s]) < .2

def test_knobs():
    s = planted(seed=8, kinds=('number', 'binary', 'ordered'), copies=4, silent=2)
    assert [s[n].outcomes[0].kind for n in s] == ['number', 'binary', 'ordered'] * 3 + ['number', 'number', 'binary', 'ordered', 'number']
    assert s['table 03'].outcomes[0].levels == ('low', 'middle', 'high') and len(s) == 14
    assert s['table 02 again'].family == 'table 02' and not s['table 02 again'].frame.equals(s['table 02'].frame)
    assert response(s, 'table 10') < .1 < .3 < response(s, 'table 02 again')
    flipped = planted(seed=8, flips=.5)
    share = flipped.variables.query("role == 'input'").concept.str.endswith(', flipped').mean()
    assert .3 < share < .7 and min(response(flipped, n) for n in flipped) > .85
    private = planted(seed=8, private=.5).variables.query("role == 'input' and concept.str.startswith('private')")
    assert private.concept.is_unique and .3 < len(private) / 70 < .7
    few = planted(seed=8, functions=3, inputs=(2, 3), tables=3, rows=60)
    assert set(few.variables.concept) <= {'', 'line', 'valley', 'step'} and all(2 <= len(few[n].inputs) <= 3 for n in few)
    nominal = planted(seed=8, kinds=('nominal',), tables=1)
    assert nominal['table 01'].outcomes[0].kind == 'nominal' and len(nominal['table 01'].outputs) == 3

def test_a_gate_switches_its_inputs():
    s = planted(seed=9, gating=1., noise=0, tables=1)
    f = s['table 01'].frame
    assert list(s.variables.query("role == 'input'").concept)[-1] == 'gate' and f.columns[-2] == 'gate'
    assert f.y[f.gate <= 0].abs().max() < 1e-12 and f.y[f.gate > 0].std() > .5

def test_responses_are_scaled():
    x = np.random.default_rng(0).normal(size=100_000)
    for f in SHAPES.values():
        assert abs(_scaled(f)(x).mean()) < .02 and abs(_scaled(f)(x).std() - 1) < .02

@pytest.mark.parametrize('kw, word', [(dict(tables=0), 'tables'), (dict(inputs=(3, 2)), 'inputs'), (dict(functions=7), 'functions'), (dict(flips=2), 'flips'),
                                     (dict(private=-.1), 'private'), (dict(gating=np.nan), 'gating'), (dict(control='both'), 'control'), (dict(kinds=('count',)), 'kinds'), (dict(kinds='number'), 'kinds'), (dict(kinds=()), 'kinds')])
def test_bad_knobs(kw, word):
    with pytest.raises(ValueError, match=word): planted(**kw)


# ---- spaces

@pytest.mark.parametrize('seed', [0, 1])
def test_hyperspheres_lie_where_they_should(seed):
    from mtl_explain.spaces import hyperspheres
    s = hyperspheres(seed, features=(1, 3), classes=(2, 5)); assert s.tasks==['1 features, 2 spheres', '1 features, 5 spheres', '3 features, 2 spheres', '3 features, 5 spheres']
    for t in s._tasks.values():
        x, y = t.frame[t.features].to_numpy(), t.frame.sphere.astype(int); assert np.allclose(np.linalg.norm(x - t.table.places, axis=1), y)
        assert np.allclose(t.x, x, atol=1e-5) and pd.crosstab(t.split, y).loc[['train', 'valid', 'test']].to_numpy().tolist()==[[5]*y.max(), [5]*y.max(), [100]*y.max()]
    again = hyperspheres(seed, features=(1, 3), classes=(2, 5)); assert all((again[n].x==s[n].x).all() for n in s)


def test_transposed_gp_has_the_covariance_of_its_kernel():
    from mtl_explain.spaces import kernel, transposed_gp
    t = transposed_gp(0, inputs=(3,), targets=(2,), rows=(10, 10, 20000))['3 inputs, 2 targets']; y = t.frame.to_numpy()
    assert np.allclose(np.cov(y.T), kernel(t.table.places, t.table.places), atol=.04) and (t.split=='train').sum()==10 and t.outcomes[0].std==1 and t.outcomes[0].mean==0
    assert np.allclose(t.x, y[:, :3], atol=1e-5) and np.allclose(t.y, y[:, 3:], atol=1e-5)


def test_a_given_split_clip_and_scale_are_kept():
    f = pd.DataFrame(dict(a=np.r_[np.zeros(50), np.ones(49), 1e3], y=np.arange(100.)), index=range(100)); given = np.array(['']*60 + ['test']*40, object)
    t = TaskSuite({'t': Table(f, 'y', split=given, clip=2)})['t']; assert (t.split[60:]=='test').all() and not (t.split[:60]=='test').any() and (t.split=='valid').sum()==15 and np.abs(t.x).max() <= 2
    for wrong, words in [(['train']*99, 'one word for each'), (['train']*99 + ['exam'], "holds 'exam'")]:
        with pytest.raises(ValueError, match=words): TaskSuite({'t': Table(f, 'y', split=wrong)})
    with pytest.raises(ValueError, match='clip=-1'): Table(f, 'y', clip=-1)
    with pytest.raises(ValueError, match='tears the group of row'): TaskSuite({'t': Table(f.assign(who=np.arange(100)//2), 'y', groups='who', split=['test' if k==61 else '' for k in range(100)])})
