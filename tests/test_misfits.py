"Models, suites and options that do not go together: each is refused in words, at once, and settings read the same in every session."
import functools, subprocess, sys, warnings
import numpy as np, pandas as pd, pytest
from mtl_explain.balance import DynamicAverage, FixedWeights
from mtl_explain.baselines import CrossStitch, Experts, HardSharing
from mtl_explain.case import case
from mtl_explain.compare import Joint, compare
from mtl_explain.counterfactual import counterfactual
from mtl_explain.data import Table, TaskSuite
from mtl_explain.explain import explain
from mtl_explain.interference import Conflicts, interference
from mtl_explain.losses import Huber, SquaredHinge
from mtl_explain.metrics import metrics, score
from mtl_explain.model import MTLModel, load_model
from mtl_explain.running import as_text
from mtl_explain.sharing import Attend
from mtl_explain.train import BySize, calibrate, fit
from mtl_explain.transfer import transfer
from mtl_explain.tune import fine_tune, refit
from mtl_explain.verdicts import best_of, by_rows, difference_chart, verdicts

rng = np.random.default_rng(0); N = 120
FRAME = pd.DataFrame(rng.normal(size=(N, 3)), columns=list('abc')).assign(kind=pd.Categorical(rng.choice(['low', 'mid', 'top'], N)))
OTHER = pd.DataFrame(rng.normal(size=(N, 2)), columns=list('de')).assign(y=rng.normal(size=N))
def made(frame=FRAME): return TaskSuite({'one': Table(frame, 'kind'), 'two': Table(OTHER, 'y')})
SUITE = made(); MODEL = MTLModel(SUITE, width=8)
q = dict(progress=False)

MISFITS = {'another order': (made(FRAME[['c', 'a', 'b', 'kind']]), "task 'one' has other input variables .*: they stand in another order"), 'a column less': (made(FRAME.drop(columns='b')), "task 'one' has other input variables .*: it lacks 'one · b'"),
    'classes turned': (made(FRAME.assign(kind=FRAME.kind.cat.reorder_categories(['top', 'mid', 'low']))), "task 'one' has other outcomes .*: it lacks 'kind: low, mid, top'; it has 'kind: top, mid, low'"), 'a task less': (TaskSuite({'two': Table(OTHER, 'y')}), "the model serves task 'one', which the suite does not have")}
CALLS = dict(score=score, fit=lambda m, s: fit(m, s, steps=1, **q), interference=interference, calibrate=calibrate, refit=lambda m, s: refit(m, s, steps=1, restarts=1, **q), fine_tune=lambda m, s: fine_tune(m, s, steps=1, **q), explain=lambda m, s: explain(m, s, **q), case=lambda m, s: case(m, s, 'one', 3))

@pytest.mark.parametrize('misfit', MISFITS)
@pytest.mark.parametrize('call', CALLS)
def test_a_suite_that_the_model_was_not_made_for(call, misfit):
    suite, words = MISFITS[misfit]
    if misfit=='a task less' and call=='score': assert set(score(MODEL, suite).task)=={'two'}; return  # some of its tasks may be judged
    with pytest.raises((ValueError, KeyError) if misfit=='a task less' and call in ('explain', 'case') else ValueError, match='one' if misfit=='a task less' else words): CALLS[call](MODEL, suite)

def test_a_suite_made_anew_fits(): assert len(score(MODEL, made()))==2 and fit(MTLModel(SUITE, width=8), made(), steps=1, **q).attrs['status']=='done'

x = SUITE['one'].x
REFUSED = {
    'fit, turned round': (lambda: fit(SUITE, MODEL), TypeError, 'not TaskSuite, and the second its TaskSuite'), 'score, turned round': (lambda: score(SUITE, MODEL), TypeError, 'not TaskSuite and MTLModel'), 'calibrate, turned round': (lambda: calibrate(SUITE, MODEL), TypeError, 'not TaskSuite and MTLModel'),
    'fine_tune, turned round': (lambda: fine_tune(SUITE, MODEL), TypeError, 'fine_tune: a model and then a TaskSuite'), 'compare, turned round': (lambda: compare([MTLModel], SUITE), TypeError, 'a TaskSuite comes first'), 'tables, no suite': (lambda: MTLModel({'one': Table(FRAME, 'kind')}), TypeError, 'give TaskSuite'), 'a class': (lambda: MTLModel(SUITE, Attend), TypeError, 'give an object, such as Attend'),
    'no case': (lambda: counterfactual(MODEL, 'kind'), TypeError, r'what case\(model, suite, task, row\) returns'), 'predict, task': (lambda: MODEL.predict('on', x), ValueError, "'on'; it serves 'one', 'two'"), 'predict, frame': (lambda: MODEL.predict('one', FRAME), TypeError, r"suite\['one'\].encode"), 'predict, shape': (lambda: MODEL.predict('one', SUITE['two'].x), ValueError, r'has 3 input variables.*\(120, 2\)'),
    'predict, nan': (lambda: MODEL.predict('one', np.where(x==x[4, 1], np.nan, x)), ValueError, "row 4: 'one · b' is nan"), 'refit, keep': (lambda: refit(MODEL, SUITE, keep='accuracy'), ValueError, "keep='accuracy'"), 'fine_tune, text': (lambda: fine_tune(MODEL, SUITE, 'two'), TypeError, r"\['two'\]"), 'refit, none': (lambda: refit(MODEL, SUITE, 0), ValueError, 'tasks=0'), 'refit, less': (lambda: refit(MODEL, SUITE, -1), ValueError, 'tasks=-1'),
    'refit, restarts': (lambda: refit(MODEL, SUITE, restarts=0), ValueError, 'restarts=0'), 'refit, stitched': (lambda: refit(CrossStitch(SUITE, width=8), SUITE, **q), ValueError, 'CrossStitch has no part'), 'compare, rows': (lambda: compare(SUITE, ['linear'], 1, rows=32), ValueError, 'rows=32'), 'Joint, progress': (lambda: Joint(MTLModel, progress=False), TypeError, 'progress is set by compare'), 'Joint, model': (lambda: Joint(MODEL), TypeError, 'must be a class or function'),
    'sampler, stranger': (lambda: fit(MODEL, SUITE, tasks_per_step=1, sampler=lambda *a: ['foo'], **q), ValueError, r"gave \['foo'\] for step 0"), 'sampler, nothing': (lambda: fit(MODEL, SUITE, tasks_per_step=1, sampler=lambda *a: [], **q), ValueError, r'gave \[\]'), 'temperature': (lambda: DynamicAverage(temperature=0), ValueError, 'temperature=0'), 'over': (lambda: DynamicAverage(over=0), ValueError, 'over=0'), 'power': (lambda: BySize(-1), ValueError, 'power=-1'), 'weights': (lambda: FixedWeights([1, 2]), TypeError, 'a dict from task'),
    **{f'Conflicts, {k}': (lambda k=k, v=v: Conflicts(**{k: v}), ValueError, f'{k}={v}') for k, v in dict(looks=2.5, blocks=3, rows=1, shuffles=0, draws=0, seed=-1, early=2).items()}, 'a column itself': (lambda: Table(FRAME, FRAME.kind), TypeError, "the name of a column of the frame: 'kind'"), 'seed': (lambda: TaskSuite({'one': Table(FRAME, 'kind')}, seed=None), ValueError, 'seed=None'), 'clip': (lambda: Table(FRAME, 'kind', clip='5'), ValueError, "clip='5'"),
    'transfer, model': (lambda: transfer(MODEL, SUITE), TypeError, 'make is a model'), 'transfer, seeds': (lambda: transfer(lambda s: MODEL, SUITE, seeds=2.), ValueError, 'seeds=2.0'), 'transfer, fewer': (lambda: transfer(lambda s: MTLModel(MISFITS['a task less'][0]), SUITE, seeds=1, **q), ValueError, 'serves 1'), 'a folder': (lambda: fit(MODEL, SUITE, checkpoint='.'), ValueError, 'is a folder'), 'two blocks': (lambda: MTLModel(SUITE, blocks=(2, 2)), ValueError, 'of encoder, core and decoder'), 'one number of blocks': (lambda: MTLModel(SUITE, blocks=2), ValueError, 'blocks=2'), 'noise': (lambda: MTLModel(SUITE, noise=-1), ValueError, 'noise=-1'), 'no width': (lambda: HardSharing(SUITE, width=0), ValueError, 'width=0'), 'no experts': (lambda: Experts(SUITE, experts=0), ValueError, 'experts=0')}

@pytest.mark.parametrize('what', REFUSED)
def test_refused_in_words(what):
    call, error, words = REFUSED[what]
    with pytest.raises(error, match=words): call()

def test_what_fine_tune_returned_is_no_model():
    tuned = fine_tune(MODEL, SUITE, steps=1, **q)
    with pytest.raises(TypeError, match='take .model'): fit(tuned, SUITE)

def test_a_watch_begins_anew_with_every_run():
    watch, run = Conflicts(looks=2, blocks=4, rows=4, draws=9), lambda seed, w: fit(MTLModel(SUITE, width=8, seed=seed), SUITE, steps=4, watch=w, **q)
    first, again, fresh = run(0, watch), run(1, watch), run(1, Conflicts(looks=2, blocks=4, rows=4, draws=9))
    assert not np.allclose(first.conflict, again.conflict, equal_nan=True) and np.array_equal(again.conflict, fresh.conflict, equal_nan=True) and again.look_step.equals(fresh.look_step)
    r = compare(SUITE, {'a': Joint(functools.partial(MTLModel, width=8), steps=4, watch=watch, notes=lambda m, h: dict(pull=np.float32(h.conflict[0, 1])))}, 2, **q); assert r.groupby('seed').pull.first().nunique()==2

def test_kept_runs_know_what_they_were_made_with(tmp_path):
    def way(width=8, notes=lambda m, h: dict(n=np.float32(1)), draws=9, **options): return {'a': Joint(lambda s, seed: HardSharing(s, width=width, blocks=1, seed=seed), steps=2, watch=Conflicts(looks=1, blocks=4, rows=4, draws=draws), notes=notes, **options)}
    for _ in range(2): r = compare(SUITE, way(loss=dict(nominal=SquaredHinge())), 2, folder=tmp_path, **q); assert r.n.eq(1).all()
    for other in (way(16, loss=dict(nominal=SquaredHinge())), way(), way(loss=dict(nominal=SquaredHinge()), notes=None), way(loss=dict(nominal=SquaredHinge()), draws=99)):
        with pytest.raises(ValueError, match='is a run with settings'): compare(SUITE, other, 2, folder=tmp_path, **q)

class Mine:
    def __init__(self, last=False): self.last = last
    def __call__(self, sizes, per_step, step, seed): return list(sizes)[-per_step:] if self.last else list(sizes)[:per_step]

def test_resumed_with_the_same_settings_only(tmp_path):
    def stop(h):
        if h.attrs['status']=='running': raise KeyboardInterrupt
    def go(resume=None, delta=1., last=False, **more): return fit(MTLModel(SUITE, width=8), SUITE, steps=8, evaluate=4, tasks_per_step=1, sampler=Mine(last), loss=dict(number=Huber(delta)), resume=resume, **q, **more).attrs['status']
    at = tmp_path/'run'; assert go(checkpoint=at, monitor=stop)=='interrupted' and go(at)=='done'
    for other in (dict(delta=9.), dict(last=True)):
        with pytest.raises(ValueError, match='was trained with'): go(at, **other)

def test_text_of_settings_is_the_same_in_every_session():
    code = 'from functools import partial\nfrom mtl_explain.running import as_text\nclass Own:\n    def __init__(self): self.a = lambda x: x*2\ndef f(x, y=3): return [v for v in x if v > y]\nprint(as_text(f), as_text(partial(f, y=Own())), as_text({"k": [Own(), f]}))'
    a, b = (subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout for _ in range(2)); assert a==b and ' at 0x' not in a and 'Own(a=' in a
    def of(k): return lambda x: x + k
    def by(k):
        def f(x, *, y=k): return y
        return f
    assert as_text(by(1))==as_text(by(1))!=as_text(by(2))
    assert as_text(of(1))==as_text(of(1))!=as_text(of(2)) and as_text(.5)=='0.5' and as_text(Attend(3))==repr(Attend(3))

def test_one_task_gives_no_interval():
    r = compare(TaskSuite({'two': Table(OTHER, 'y')}), ['linear', 'svm'], 2, **q); v = verdicts(r, 'linear').iloc[0]
    assert np.isfinite(v.difference) and np.isnan([v.low, v.high]).all() and by_rows(r, 'svm', 'linear').low.isna().all()
    assert 'One task' in str(difference_chart(r, 'svm', 'linear').to_dict()['title'])
    with pytest.raises(ValueError, match='models is empty'): best_of(r, [])

def test_rows_that_taught_a_model_do_not_judge_it(tmp_path):
    model = MTLModel(SUITE, width=8); fit(model, SUITE, steps=2, **q); model.save(tmp_path/'m'); later, fold = load_model(tmp_path/'m'), SUITE.with_fold(1)
    known = len(set(fold['two'].rows('test')) & set(SUITE['two'].rows('train'))); assert known
    for m in (model, later):
        with warnings.catch_warnings(): warnings.simplefilter('error'); score(m, SUITE); score(m, SUITE, 'valid'); score(m, fold, 'train'); metrics(m, SUITE, draws=0)  # these are as they should be
        for call in (score, metrics):
            with pytest.warns(UserWarning, match=f"{known} of the {len(fold['two'].rows('test'))} test rows of task 'two' taught this model"): call(m, fold)
    assert np.array_equal(np.flatnonzero(later.taught('one', N)), SUITE['one'].rows('train')) and not later.taught('one', N + 1).any() and 'taught' not in MTLModel(SUITE).spec['one']
    fit(model, fold, steps=1, tasks=['two'], **q); assert set(np.flatnonzero(model.taught('two', N)))==set(SUITE['two'].rows('train')) | set(fold['two'].rows('train')) and later.taught('two', N).sum() < model.taught('two', N).sum()  # what it has learnt stays learnt
