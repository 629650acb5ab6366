"Metrics, classical references, and runs that are kept: against scikit-learn, by properties, interrupted, and with bad input."
import math, os, warnings

import numpy as np, pandas as pd, pytest
from sklearn import metrics as sk

from mtl_explain.baselines import HardSharing, SingleTask
from mtl_explain.classical import CLASSICAL, Classical, _margins
from mtl_explain.compare import Alone, Joint, best, compare, costs, fewer, reference, stored
from mtl_explain.data import Table, TaskSuite
from mtl_explain.metrics import METRICS, _redrawn, _value, metrics, score
from mtl_explain.model import MTLModel
from mtl_explain.train import calibrate, fit
from mtl_explain.losses import SquaredHinge
from mtl_explain.verdicts import differences
from cases import tables

NAMES = ['a/b: <b>", ~', '🏥 ' + 'long '*60]  # tasks, and models too


@pytest.fixture(scope='module')
def suite(): return tables(rows=90)

def answers(rng, n, classes):
    "Truth, and probabilities that know something of it, with ties"
    y = rng.integers(0, classes, n); p = rng.dirichlet(np.ones(classes), n); p[np.arange(n), y] += .4
    return y, np.round(p/p.sum(1, keepdims=True), 2).clip(.01)

def tiny(rows=60, seed=0, names=('one', 'two'), **kw):
    rng, out = np.random.default_rng(seed), {}
    for n in names:
        x = rng.normal(size=(rows, 3)); y = np.where(x[:, 0] + .5*rng.normal(size=rows) > 0, 'yes', 'no')
        out[n] = Table(pd.DataFrame(x, columns=list('abc')).assign(y=y), 'y', **kw)
    return TaskSuite(out, seed=seed)

class Fake:
    "Something to train that takes no time; `stop` raises at this call"
    def __init__(self, stop=None): self.calls, self.stop = 0, stop
    def units(self, suite): return [[t] for t in suite]
    def train(self, suite, seed, checkpoint=None, progress=False):
        self.calls += 1
        if self.calls==self.stop: raise KeyboardInterrupt
        return MTLModel(suite, width=8, seed=seed), dict(parameters=10, seconds=.5, best_step=seed, best_seconds=.25)
    def __repr__(self): return 'Fake()'


# metrics

@pytest.mark.parametrize('classes', [2, 4])
def test_metrics_are_those_of_scikit_learn(classes):
    rng = np.random.default_rng(classes); y, p = answers(rng, 150, classes); q = p/p.sum(1, keepdims=True)
    auc = sk.roc_auc_score(y, p[:, 1] - p[:, 0]) if classes==2 else np.mean([sk.roc_auc_score(y==c, p[:, c]) for c in range(classes)])
    want = dict(zip(METRICS, [sk.accuracy_score(y, p.argmax(1)), sk.f1_score(y, p.argmax(1), average='macro'), auc, None, sk.log_loss(y, q), None]))
    for m, v in want.items():
        if v is not None: assert _value(m, y, p)==pytest.approx(v, abs=1e-9), m
    conf, gap = p.max(1), 0
    for b in range(10):
        at = (conf >= b/10) & ((conf < (b+1)/10) | (b==9))
        if at.any(): gap += at.mean()*abs((p.argmax(1)==y)[at].mean() - conf[at].mean())
    assert _value('calibration error', y, p)==pytest.approx(gap, abs=1e-9)

@pytest.mark.parametrize('classes', [2, 5])
def test_a_draw_that_takes_each_row_once_is_the_value(classes):
    rng = np.random.default_rng(1); y, p = answers(rng, 80, classes)
    if classes==5: y[y==3] = 1  # a class that does not occur
    w = np.ones((1, 80)); twice = np.concatenate([np.arange(40)]*2)
    for m in METRICS[1:]:  # accuracy has its exact interval
        a, b = (y, p) if m!='R²' else (y*1.5, p[:, 0])
        assert _redrawn(m, a, b, w)[0]==pytest.approx(_value(m, a, b), abs=1e-9), m
        counts = np.zeros((1, 80)); counts[0, :40] = 2
        if m=='macro-F1' and len(np.unique(a[:40]))<len(np.unique(a)): continue
        assert _redrawn(m, a, b, counts)[0]==pytest.approx(_value(m, a[twice], b[twice]), abs=1e-9), m

def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(2); y, p = answers(rng, 70, 3); at = rng.permutation(70)
    for m in METRICS:
        if m!='R²': assert _value(m, y, p)==pytest.approx(_value(m, y[at], p[at]), abs=1e-12)

def test_intervals_cover():
    "A perfect bookkeeper: labels are drawn from the stated probabilities, so the truth of each metric is known from very many rows"
    rng, hit = np.random.default_rng(3), {m: [] for m in ('log loss', 'AUC', 'macro-F1')}
    def draw(n): s = rng.normal(size=n); q = 1/(1+np.exp(-1.5*s)); return (rng.random(n) < q).astype(int), np.column_stack([1-q, q])
    truth = {m: _value(m, *many) for many in [draw(200_000)] for m in hit}
    for _ in range(100):
        y, p = draw(120); w = rng.multinomial(120, np.full(120, 1/120), 200).astype(float)
        for m in hit: low, high = np.quantile(_redrawn(m, y, p, w), [.025, .975]); hit[m].append(low <= truth[m] <= high)
    assert all(.87 <= np.mean(h) <= .99 for h in hit.values()), {m: np.mean(h) for m, h in hit.items()}

def test_every_outcome_has_every_metric_or_a_reason(suite):
    t = metrics(MTLModel(suite, width=8), suite, draws=50)
    assert len(t)==4*6 and (t.value.isna()==(t.reason!='')).all() and set(t.reason)=={'', 'for numbers', 'for classes'}
    ok = t[t.reason==''].set_index('metric')
    assert (ok.low <= ok.high).all() and ((ok.low <= ok.value + 1e-9) & (ok.value <= ok.high + 1e-9)).drop('calibration error').all()
    low, high = sk_exact(round(t.value[0]*t.test_rows[0]), t.test_rows[0]); assert (t.low[0], t.high[0])==pytest.approx((low, high))
    assert metrics(MTLModel(suite, width=8), suite, draws=0).low.isna().all()

def sk_exact(k, n):
    from scipy.stats import beta
    return (0. if k==0 else beta.ppf(.025, k, n-k+1)), (1. if k==n else beta.ppf(.975, k+1, n-k))

def test_margins_have_no_log_loss_until_calibrated():
    s = tiny(); model = MTLModel(s, width=8)
    with warnings.catch_warnings(): warnings.simplefilter('ignore'); fit(model, s, steps=5, progress=False, loss=dict(binary=SquaredHinge()))
    t = metrics(model, s, draws=20); bare = t.metric.isin(['log loss', 'calibration error'])
    assert t[bare].value.isna().all() and t[bare].reason.str.contains('calibrate').all() and t[t.metric.isin(['accuracy', 'AUC'])].value.notna().all()
    before = t.value[t.metric.isin(['accuracy', 'AUC', 'macro-F1'])].to_numpy(); calibrate(model, s); t = metrics(model, s, draws=20)
    assert t[bare].value.notna().all() and np.allclose(t.value[t.metric.isin(['accuracy', 'AUC', 'macro-F1'])], before)

def test_one_class_among_the_test_rows_is_told():
    frame = pd.DataFrame(dict(a=np.arange(40.), y=['no', 'yes']*20)); split = np.array(['train', 'train', 'valid', 'valid']*10, object); split[[0, 2]] = 'test'
    s = TaskSuite(dict(t=Table(frame, 'y', split=split))); t = metrics(MTLModel(s, width=8), s).set_index('metric')
    assert t.reason['AUC']=='one class only among the test rows' and math.isnan(t.value['AUC']) and t.value['accuracy'] >= 0


# classical references

@pytest.fixture
def quick(monkeypatch):
    "Fewer trees, iterations and settings"
    def less(make):
        def made(*a):
            m, paths = make(*a); name = type(m).__name__; small = dict(n_estimators=8) if 'Forest' in name else dict(max_iter=8) if 'Hist' in name else {}
            return m.set_params(**small), [[s | small for s in p[-1:]] for p in paths[-2:]]
        return made
    for k, make in list(CLASSICAL.items()): monkeypatch.setitem(CLASSICAL, k, less(make))

@pytest.mark.parametrize('kind', CLASSICAL)
def test_classical_models_answer_as_networks_do(suite, kind, quick):
    m = Classical(kind).fit(suite); t = score(m, suite)
    for n in suite:
        for o in suite[n].outcomes:
            p = m.predict(n, suite[n].x)[o.name]
            if o.levels: assert p.shape==(90, len(o.levels)) and np.allclose(p.sum(1), 1) and (p >= 0).all()
            else: assert abs(p.mean() - o.mean) < o.std
    spends = t[t.outcome=='spends']; assert spends.value.item() > .1 and list(t)==list(score(MTLModel(suite, width=8), suite))
    assert len(m.chosen())==4 and m.parameters() > 10
    again = Classical(kind).fit(suite, ['trips']).predict('trips', suite['trips'].x); assert all(np.array_equal(m.predict('trips', suite['trips'].x)[o], p) for o, p in again.items())

def test_test_rows_teach_and_choose_nothing(suite, quick):
    other = tables(rows=90); rng = np.random.default_rng(0)
    for n in other: at = other[n].rows('test'); other[n].x[at] = 9; other[n].y[at] = rng.permutation(other[n].y[at])
    for kind in ('linear', 'svm'):
        a, b = Classical(kind).fit(suite), Classical(kind).fit(other)
        assert all(np.array_equal(a.predict(n, suite[n].x)[o], p) for n in suite for o, p in b.predict(n, suite[n].x).items())

def test_large_tables_choose_on_validation_rows(monkeypatch):
    monkeypatch.setattr('mtl_explain.classical.FEW', 20); s = tiny(); m = Classical('linear').fit(s)
    assert set(m.chosen().by)=={'validation rows'} and set(Classical('linear').fit(tiny(rows=20)).chosen().by)=={'cross-validation'}
    monkeypatch.setattr('mtl_explain.classical.MOST', 15)
    assert set(Classical('svm').fit(s).chosen().rows)=={15} and set(Classical('linear').fit(s).chosen().rows)=={36}

def test_the_temperature_changes_no_choice(suite):
    m = Classical('svm').fit(suite, ['trips']); one, o = m.fitted_['trips', 'mode']; x = suite['trips'].x
    assert (m.predict('trips', x)['mode'].argmax(1)==one.model.classes_[_margins(one.model, x).argmax(1)]).all()
    assert (m.predict('trips', x)['mode'].argmax(1)==one.model.predict(x)).all()

def test_a_table_of_few_rows_and_a_rare_class(quick):
    frame = pd.DataFrame(dict(a=np.arange(16.), b=[0., 1]*8, y=['a']*7 + ['b']*6 + ['c', 'c', 'c'])); split = np.array((['train']*3 + ['valid', 'test', 'train'])*3, object)[:16]; split[13:] = ['train', 'valid', 'test']
    s = TaskSuite(dict(t=Table(frame, 'y', split=split)))
    for kind in CLASSICAL: assert np.allclose(Classical(kind).fit(s).predict('t', s['t'].x)['y'].sum(1), 1)

def test_classical_errors(suite):
    with pytest.raises(ValueError, match="kind='tree' is not one of 'linear'"): Classical('tree')
    with pytest.raises(ValueError, match="task 'trips' was not fitted"): Classical().fit(suite, ['people']).predict('trips', suite['trips'].x)
    with pytest.raises(ValueError, match="kind='tree'"): reference(suite, kind='tree')


# fewer rows

def test_fewer_rows_are_a_nested_fair_sample():
    s = tiny(rows=400); a, b = fewer(s, 40), fewer(s, 100)
    for n in s:
        t, u, v = s[n], a[n], b[n]
        assert len(u.rows('train'))==40 and len(v.rows('train'))==100 and np.array_equal(u.rows('test'), t.rows('test')) and np.array_equal(u.y[u.rows('test')], t.y[t.rows('test')])
        assert set(u.rows('train')) < set(v.rows('train')) < set(t.rows('train')) and set(u.rows('valid')) < set(t.rows('valid'))
        assert abs(u.y[u.rows('train')].mean() - t.y[t.rows('train')].mean()) < .05 and len(u.rows('valid'))==math.ceil(len(t.rows('valid'))*40/len(t.rows('train')))
        assert np.allclose(u.x[u.rows('train')].mean(0), 0, atol=1e-5)  # scaled anew
    assert np.array_equal(fewer(s, 40)['one'].split, a['one'].split) and not np.array_equal(fewer(s, 40, seed=1)['one'].split, a['one'].split)
    assert np.array_equal(fewer(s, 10_000)['one'].split, s['one'].split) and s['one'].split.tolist().count('unused')==0

def test_fewer_rows_keep_every_class_and_tear_no_group(suite):
    few = fewer(suite, 2)
    for n in few: assert all(len(np.unique(few[n].y[few[n].rows('train'), k]))==len(o.levels) for k, o in enumerate(few[n].outcomes) if o.levels)
    frame = pd.DataFrame(dict(a=np.random.default_rng(0).normal(size=120), who=np.repeat(np.arange(30), 4), y=['no', 'yes']*60)); s = TaskSuite(dict(t=Table(frame, 'y', groups='who'))); u = fewer(s, 30)['t']
    kept = pd.Series(u.split).groupby(frame.who).nunique(); assert (kept==1).all() and 30 <= len(u.rows('train')) <= 34
    with pytest.raises(ValueError, match='rows=0 must be'): fewer(s, 0)


# runs

def test_a_run_for_each_model_seed_and_task_and_costs():
    s = tiny(); short = dict(steps=2, evaluate=1)
    runs = compare(s, dict(net=Joint(MTLModel, notes=lambda m, h: dict(alive=m.concepts - int(h.dead_concepts[-1])), **short), alone=Alone(SingleTask, **short), line='linear'), seeds=2, progress=False)
    assert len(runs)==3*2*2 and runs.groupby('model').unit.unique().map(list).to_dict()==dict(net=['2 tasks'], alone=['one', 'two'], line=['one', 'two'])
    assert runs.groupby('model').alive.first().fillna(-1).to_dict()==dict(net=12, alone=-1, line=-1)
    c = costs(runs); n = sum(p.numel() for p in MTLModel(s).parameters())
    assert c.parameters['net']==n and c.parameters['alone']==sum(sum(p.numel() for p in SingleTask(tiny(names=[t])).parameters()) for t in s) and (c.seconds > 0).all() and c.best_step['net'] in (1, 1.5, 2)
    assert all(len(e)==r for e, r in zip(runs['each'], runs.test_rows)) and np.allclose([e.mean() for e in runs['each']], runs.value)
    line = runs[(runs.model=='line') & (runs.seed==0)].set_index('task').value; assert np.allclose(line, reference(s).set_index('task').value[line.index])
    part = metrics(Classical('linear').fit(s), s, 'valid', draws=0).query("metric=='accuracy'").set_index('task').value
    assert np.allclose(runs[(runs.model=='line') & (runs.seed==0)].set_index('task').valid, part[line.index])

def test_interrupted_and_continued_it_is_the_same(tmp_path):
    s, whole = tiny(), compare(tiny(), dict(f=Fake(), g=Fake()), seeds=2, progress=False)
    with pytest.warns(UserWarning, match='interrupted; 4 of 8 runs are done; the same call goes on'): part = compare(s, dict(f=Fake(stop=3), g=Fake()), seeds=2, folder=tmp_path, progress=False)
    assert len(part)==4 and len(stored(tmp_path))==4
    f, g = Fake(), Fake(); rest = compare(s, dict(f=f, g=g), seeds=2, folder=tmp_path, progress=False)
    assert (f.calls, g.calls)==(2, 2)
    pd.testing.assert_frame_equal(rest.drop(columns=['predict_ms', 'each', 'draws']), whole.drop(columns=['predict_ms', 'each', 'draws']))
    assert all(np.array_equal(a, b) for a, b in zip(rest['each'], whole['each'])) and len(stored(tmp_path))==8
    with pytest.warns(UserWarning, match='interrupted; 0 of 2'): assert not len(compare(s, dict(f=Fake(stop=1)), seeds=1, progress=False))

def test_a_network_goes_on_in_the_midst_of_its_steps(tmp_path, monkeypatch):
    s, way = tiny(), Joint(HardSharing, steps=12, evaluate=4)
    whole, real, left = compare(s, dict(net=way), seeds=1, progress=False), HardSharing.penalty, [7]
    def stopping(self):
        left[0] -= 1
        if not left[0]: raise KeyboardInterrupt
        return real(self)
    monkeypatch.setattr(HardSharing, 'penalty', stopping)
    with pytest.warns(UserWarning, match='0 of 1 runs'): compare(s, dict(net=way), seeds=1, folder=tmp_path, progress=False)
    assert [p.suffix for p in tmp_path.iterdir()]==['.part'] and left[0]==0
    rest = compare(s, dict(net=way), seeds=1, folder=tmp_path, progress=False)
    assert left[0]==-8 and [p.suffix for p in tmp_path.iterdir()]==['.json']  # steps 5 to 12 only
    same = ['value', 'valid', 'log loss', 'best_step', 'AUC']; assert rest[same].equals(whole[same])

def test_other_settings_or_data_are_not_mixed_in(tmp_path):
    compare(tiny(), dict(a=Joint(MTLModel, steps=1)), seeds=1, folder=tmp_path, progress=False)
    with pytest.raises(ValueError, match='settings=.*steps=1.*now it is .*steps=2.*another folder'): compare(tiny(), dict(a=Joint(MTLModel, steps=2)), seeds=1, folder=tmp_path, progress=False)
    with pytest.raises(ValueError, match='a run with data='): compare(tiny(seed=1), dict(a=Joint(MTLModel, steps=1)), seeds=1, folder=tmp_path, progress=False)
    next(tmp_path.glob('*.json')).write_text('{"about": ')
    with pytest.raises(ValueError, match='is damaged.*delete it'): compare(tiny(), dict(a=Joint(MTLModel, steps=1)), seeds=1, folder=tmp_path, progress=False)
    with pytest.raises(ValueError, match='no run in'): stored(tmp_path/'nowhere')

def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    compare(tiny(), dict(f=Fake()), seeds=1, folder=tmp_path, progress=False); real = os.replace
    def full(*a): raise OSError(28, 'No space left on device')
    monkeypatch.setattr(os, 'replace', full)
    with pytest.warns(UserWarning, match='could not be written .*No space left.*nowhere else'): all_ = compare(tiny(), dict(f=Fake()), seeds=2, folder=tmp_path, progress=False)
    assert len(all_)==4  # what was trained is not lost
    monkeypatch.setattr(os, 'replace', real)
    assert len(stored(tmp_path))==2 and {p.suffix for p in tmp_path.iterdir()}=={'.json'}

def test_draws_of_the_test_rows_are_the_same_for_every_model(tmp_path):
    s = tables(); runs = compare(s, dict(a='linear', b='linear', c='forest'), seeds=2, folder=tmp_path, progress=False); back = stored(tmp_path)
    for m in ('AUC', 'log loss', 'macro-F1', 'calibration error'):
        has = runs[m].notna(); assert has.any() and all((m in d)==h for d, h in zip(runs.draws, has)) and all(np.isfinite(d[m]).mean() > .5 and abs(np.nanmean(d[m]) - v) < 4*np.nanstd(d[m]) + 1e-6 for d, v in zip(runs.draws[has], runs[m][has]))
        assert differences(runs, 'a', 'b', m).verdict.eq('no evidence').all()  # the same answers
        d, again = differences(runs, 'c', 'b', m), differences(back, 'c', 'b', m); assert (d.high > d.low).all() and d.verdict.isin(['better', 'worse', 'no evidence']).all() and np.allclose(d.low, again.low)
    assert not any('accuracy' in d or 'R²' in d for d in runs.draws)

def test_a_task_that_was_set_aside_has_no_value(tmp_path):
    s = tiny(); first, second = s.tasks[:2]
    class Aside(Fake):
        def train(self, suite, seed, checkpoint=None, progress=False): model, facts = super().train(suite, seed, checkpoint, progress); return model, facts | dict(set_aside=[t for t in suite if t==first])
    with pytest.warns(UserWarning, match=f'f, seed 0: task {first!r} was set aside'): runs = compare(s, dict(f=Aside(), g=Fake()), seeds=1, folder=tmp_path, progress=False)
    of = runs.set_index(['model', 'task']); assert np.isnan(of.value['f', first]) and np.isnan(of.valid['f', first]) and of.value.drop(('f', first)).notna().all() and stored(tmp_path).value.isna().sum()==1
    with pytest.warns(UserWarning, match='1 of 2 tasks are left out'): assert list(differences(runs, 'f', 'g').task)==[second]

def test_a_real_run_says_what_it_set_aside():
    s = tables(); t = s.tasks[0]; s[t].x = s[t].x.copy(); s[t].x[:, 0] = 3e38
    with pytest.warns(UserWarning, match=f'task {t!r} was set aside'): runs = compare(s, dict(one=Joint(MTLModel, steps=4, evaluate=2)), seeds=1, progress=False)
    assert runs[runs.task==t].value.isna().all() and runs[runs.task!=t].value.notna().all()

def test_names_are_data(tmp_path):
    s = tiny(names=NAMES); runs = compare(s, {n: Fake() for n in NAMES}, seeds=[3], rows=[20, None], folder=tmp_path, progress=False); back = stored(tmp_path)
    assert len(back)==len(runs)==8 and set(back.model)==set(back.task)==set(NAMES) and set(back.cap)=={0, 20} and set(back.seed)=={3}

def test_rows_make_learning_curves():
    runs = compare(tiny(rows=200), ['linear'], seeds=1, rows=[None, 20, 60], progress=False)
    assert runs.groupby('cap', sort=False).train_rows.max().to_dict()=={20: 20, 60: 60, 0: 120} and runs.test_rows.nunique()==1

@pytest.mark.parametrize('models, seeds, rows, error, said', [
    (['linear', 'linear'], 1, None, ValueError, "two models are called 'linear'"), ([], 1, None, ValueError, 'models is empty'), (['tree'], 1, None, ValueError, "kind='tree'"),
    ([3], 1, None, ValueError, 'has no name of its own'), ({'a': 3}, 1, None, TypeError, '3 is nothing to train'), ([lambda s: s, lambda s: s], 1, None, ValueError, "two models are called '<lambda>'"),
    (['linear'], 0, None, ValueError, 'seeds=0'), (['linear'], [1, 1], None, ValueError, 'different whole numbers'), (['linear'], True, None, ValueError, 'seeds=True'), (['linear'], 1, [0], ValueError, r'rows=\[0\]')])
def test_bad_input_is_named(models, seeds, rows, error, said):
    with pytest.raises(error, match=said): compare(tiny(), models, seeds, rows=rows, progress=False)

def test_a_network_is_made_by_something_that_can_be_called():
    with pytest.raises(TypeError, match="Joint: make='MTLModel' must be a class"): Joint('MTLModel')
    assert repr(Alone(SingleTask, steps=3))=='Alone(SingleTask, steps=3)' and repr(Joint(lambda s, seed: 0))==repr(Joint(lambda s, seed: 0))

def test_the_step_of_the_best_loss():
    import xarray as xr
    h = xr.Dataset(dict(validation_loss=(('step', 'task'), np.array([[.9, .9], [.5, .5], [.4, .6], [.48, .5], [.7, .7]]))), coords=dict(step=[10, 20, 30, 40, 50], task=['a', 'b']), attrs=dict(seconds=5.))
    assert best(h)==dict(best_step=40, best_seconds=4.) and best(h, within=.05)==dict(best_step=20, best_seconds=2.)
    by_error = h.assign(validation_error=h.validation_loss[::-1].assign_coords(step=h.step)).assign_attrs(keep='error'); assert best(by_error)['best_step']!=40
