"One more task for a trained model: what is old stays to the bit, what is new is learnt, and the answer is honest."
import math, warnings
import numpy as np, pandas as pd, pytest, torch
from mtl_explain.baselines import CrossStitch, Experts, HardSharing, SingleTask
from mtl_explain.data import Table, TaskSuite
from mtl_explain.model import MTLModel, load_model
from mtl_explain.new_task import FEWEST, _attended, _better, _interval, _row_losses, _words, add_task
from mtl_explain.sharing import Attend, Own
from mtl_explain.suites import planted
from mtl_explain.losses import LOSSES, SquaredHinge
from mtl_explain.train import calibrate, fit
from cases import shaken, tables

quick = dict(steps=4, restarts=1, progress=False, rows=8, evaluate=2)
suite = tables()

def exam(rows=150, seed=5):
    r = np.random.default_rng(seed); f = pd.DataFrame(dict(hours=r.normal(size=rows), age=r.integers(18, 60, rows), town=r.choice(['a', 'b', None], rows), who=[f'p{i // 3}' for i in range(rows)]))
    return f.assign(grade=pd.Categorical(r.choice([*'abcdefg'], rows), [*'abcdefg'], ordered=True), points=f.hours*2 + r.normal(size=rows), passed=pd.Series(r.random(rows) < .5, dtype=object).mask(r.random(rows) < .3), field=r.choice(['x', 'y', 'z'], rows))

def new_table(**kw): return Table(exam(), ['grade', 'points', 'passed', 'field'], groups='who', **kw)

def answers(model, suite, tasks): return {(t, o): p for t in tasks for o, p in model.predict(t, suite[t].x).items()}

def models():
    yield from (shaken(suite, sharing=s, dim=8, width=12) for s in (Attend(5), Attend(4, logits='query', projections=True, restriction='orthogonal'), Own(.5)))
    for m in (HardSharing(suite, width=12), Experts(suite, width=12, experts=2)): yield m.eval()


@pytest.mark.parametrize('model', list(models()), ids=lambda m: repr(getattr(m, 'sharing', type(m).__name__)))
def test_the_old_stays_to_the_bit(model):
    state, before = {k: v.clone() for k, v in model.state_dict().items()}, answers(model, suite, suite.tasks)
    new = add_task(model, suite, new_table(), 'exam', compare=False, weight_decay=.1, **quick)
    assert all(torch.equal(v.nan_to_num(), state[k].nan_to_num()) for k, v in model.state_dict().items()) and list(new.model.spec)==new.suite.tasks==[*suite.tasks, 'exam'] and not new.model.training
    after = answers(new.model, new.suite, suite.tasks); assert all(np.array_equal(before[k], after[k]) for k in before)
    assert {k: v.shape[-1:] for k, v in answers(new.model, new.suite, ['exam']).items()}=={('exam', 'grade'): (7,), ('exam', 'points'): (150,), ('exam', 'passed'): (2,), ('exam', 'field'): (3,)}
    grown = new.model.state_dict(); assert new.model.threshold.shape[1]==7 and all(torch.equal(grown[k][tuple(map(slice, v.shape))], v) for k, v in state.items() if k in grown and k!='temperature')
    assert all(p.requires_grad for p in new.model.parameters()) and new.alone is None and new.better=='' and list(new.comparison.index)==['shared − guess']


def test_only_what_is_new_has_learnt():
    new = [add_task(shaken(suite, sharing=Attend(5), dim=8, width=12), suite, new_table(), 'exam', compare=False, **quick | dict(steps=s)).model for s in (2, 6)]
    rows = new[0].inputs['exam']; a, b = (m.state_dict() for m in new); moved = {k for k in a if not torch.equal(a[k].nan_to_num(), b[k].nan_to_num())}
    assert moved=={'sharing.raw', 'output', 'gain', 'threshold'} and not torch.equal(a['sharing.raw'][rows], b['sharing.raw'][rows]) and torch.equal(a['sharing.raw'][:rows.start], b['sharing.raw'][:rows.start])

def test_from_a_saved_model(tmp_path):
    model = shaken(suite, sharing=Attend(5), dim=8, width=12); a = add_task(model, suite, new_table(), 'exam', **quick)
    b = add_task(load_model(model.save(tmp_path/'m.safetensors')), suite, new_table(), 'exam', **quick)
    assert a.verdict==b.verdict and a.history.drop_attrs().identical(b.history.drop_attrs()) and all(torch.equal(x, y) for x, y in zip(a.model.parameters(), b.model.parameters()))
    back = load_model(a.model.save(tmp_path/'n.safetensors')); x = answers(a.model, a.suite, a.suite.tasks); assert all(np.array_equal(v, x[k]) for k, v in answers(back, a.suite, a.suite.tasks).items())
    again = add_task(a.model, a.suite, new_table(), 'exam 2', compare=False, **quick); assert list(again.model.spec)[-2:]==['exam', 'exam 2']

def test_all_may_be_tuned():
    model = shaken(suite, sharing=Attend(5), dim=8, width=12); new = add_task(model, suite, new_table(), 'exam', tune='all', compare=False, **quick)
    assert not torch.equal(new.model.core.layers[0].weight, model.core.layers[0].weight) and list(new.history.task.values)==[*suite.tasks, 'exam']

def test_margins_stay_margins():
    small = planted(seed=2, tables=2, rows=60, kinds=('binary',)); model = MTLModel(small, width=8); hinge = dict(binary=SquaredHinge())
    with warnings.catch_warnings(): warnings.simplefilter('ignore'); fit(model, small, steps=4, progress=False, loss=hinge)
    new = add_task(model, small, planted(seed=3, tables=1, rows=60, kinds=('binary',)).tables['table 01'], 'exam', compare=False, **quick)
    assert new.model.config['margins']
    with pytest.raises(ValueError, match='call calibrate'): new.model.predict('exam', new.suite['exam'].x)
    calibrate(new.model, new.suite); assert np.allclose(new.model.predict('exam', new.suite['exam'].x)['y'].sum(1), 1)


def test_row_losses_add_up_to_what_fit_says():
    table = Table(exam().assign(late=np.arange(150) % 2==0), ['points', {'two': ['passed', 'late']}, 'grade'])
    new = add_task(shaken(suite, sharing=Own(.5), dim=8, width=12), suite, table, 'exam', **quick | dict(evaluate=1))
    rows = _row_losses(new.model, new.suite['exam'], LOSSES); h = new.history
    assert np.allclose(rows[0].mean(), h.attrs['best'], rtol=1e-5) and np.allclose(rows[1].mean(), 1) and np.allclose(h.attrs['best'], h.validation_loss.min(), rtol=1e-6)
    p = new.comparison.loc['shared − alone']; assert np.isclose(new.comparison.loc['shared − guess', 'first'], rows[0].mean()) and np.isclose(p.difference, p['first'] - p.second) and p.low < p.difference < p.high and p.rows==len(np.unique(new.suite['exam'].rows('valid')))

def test_labels_of_a_group_count_as_one_target():
    f = exam().assign(late=np.arange(150) % 2==0); s = TaskSuite({'e': Table(f, ['points', {'two': ['passed', 'late']}])}); m = shaken(s, sharing=Own(.5), dim=8, width=12)
    parts = [_row_losses(m, TaskSuite({'e': Table(f, ['points', {'two': ['passed', 'late']}])}).with_fold(0)['e'], LOSSES)[0].mean()]
    each = {}
    for o in s['e'].outcomes:
        t = s['e']; k = t.outcomes.index(o); r = t.rows('valid'); r = r[np.isfinite(t.y[r, k])]; seen = t.y[t.rows('train'), k]; seen = torch.as_tensor(seen[np.isfinite(seen)])
        with torch.no_grad(): l = m.logits('e', m.scores('e', torch.as_tensor(t.x[r])))[o.name]
        y, loss = torch.as_tensor(t.y[r, k]), LOSSES[o.kind]; g = loss.guess(seen, len(o.levels)); each[o.name] = float(loss(l, y).mean()/loss(g.expand(len(y), *g.shape), y).mean())
    assert np.allclose(parts[0], each['points']/2 + (each['passed'] + each['late'])/4, rtol=1e-5)

def test_the_interval_is_that_of_a_paired_t_test():
    from scipy.stats import ttest_1samp
    d = np.random.default_rng(0).normal(.2, 1, 60); found = _interval(d, None); truth = ttest_1samp(d, 0).confidence_interval()
    assert np.allclose(found, (d.mean(), truth.low, truth.high, 60))
    g = np.repeat(np.arange(30), 2); grouped = _interval(d, g); truth = ttest_1samp(d.reshape(30, 2).mean(1), 0).confidence_interval(); assert np.allclose(grouped, (d.mean(), truth.low, truth.high, 30))
    assert _interval(d[:FEWEST-1], None)[1:3]==(-math.inf, math.inf) and _interval(d, np.arange(60) % 5)[3]==5

def test_the_interval_keeps_its_level():
    r = np.random.default_rng(1); hit = [lo <= 0 <= hi for _, lo, hi, _ in (_interval(r.standard_t(4, 40), None) for _ in range(1000))]
    assert .93 <= np.mean(hit) <= .98

@pytest.mark.parametrize('low, high, rows, better, words', [(-.3, -.1, 50, 'shared', 'helps'), (.1, .3, 50, 'alone', 'training alone is better'), (-.1, .3, 50, 'cannot tell', '50 validation rows cannot tell'), (-math.inf, math.inf, 7, 'cannot tell', '7 validation rows cannot tell')])
def test_answers(low, high, rows, better, words):
    p = pd.DataFrame(dict(first=.5, second=[.6, 1.], difference=-.1, low=[low, -.5], high=[high, -.1], rows=rows), index=['shared − alone', 'shared − guess'])
    said = _words('x', p, None); assert _better(p)==better and words in said and 'no evidence' not in said and ('interval' in said)==(rows >= FEWEST)
    p.loc['shared − guess', 'high'] = .1; assert ('no evidence' in _words('x', p, None))==(rows >= FEWEST)

def test_what_is_used():
    model = shaken(suite, sharing=Attend(5), dim=8, width=12); new = add_task(model, suite, new_table(), 'exam', compare=False, **quick)
    assert list(new.uses.index)==new.suite['exam'].inputs and np.allclose(new.uses.sum(axis=1), 1, atol=1e-5) and new.concepts.usage.is_monotonic_decreasing
    assert sorted('; '.join(new.concepts.new_variables[new.concepts.new_variables!='']).split('; '))==sorted(new.uses.index) and np.allclose(new.concepts.usage, new.uses.mean()[new.concepts.index])
    a = pd.DataFrame(model.sharing.attention().detach().numpy(), [v for t in model.spec.values() for v in t['inputs']]); top = new.concepts.index[0]
    assert new.concepts.known_from[top].split('; ')[0]==a[int(top[1:])-1].idxmax()
    own = add_task(shaken(suite, sharing=Own(.5), dim=8, width=12), suite, new_table(), 'exam', compare=False, **quick)
    assert set(own.uses.nearest) <= {v for t in suite for v in suite[t].inputs} and own.uses.cosine.between(-1.001, 1.001).all() and own.concepts.empty
    assert add_task(HardSharing(suite, width=8), suite, new_table(), 'exam', compare=False, **quick).uses.empty


def test_attention_in_words():
    u = pd.DataFrame(dict(c01=[.9, .8, .1], c02=[.1, .2, .9])); assert _attended(u, u.T)==' Of its 3 variables 2 attend most to c01, 1 attends most to c02.'
    assert 'still uniform' in _attended(u*0 + .5, u.T) and _attended(u[[]], u[[]].T)==''


def fewer(): return TaskSuite({'people': suite.tables['people']})
def other(): return TaskSuite(suite.tables | {'trips': Table(suite.tables['trips'].frame.drop(columns='wait'), ['mode', 'rating'])})

@pytest.mark.parametrize('change, error, words', [
    (dict(name='people'), ValueError, "the model has a task 'people' already"), (dict(model=lambda: SingleTask(suite, width=8)), ValueError, 'SingleTask has no part that belongs to one task alone'), (dict(model=lambda: CrossStitch(suite, width=8)), ValueError, 'CrossStitch has no part'),
    (dict(model=lambda: torch.nn.Linear(2, 2)), TypeError, 'must be one of MTLModel.*not Linear'), (dict(suite=fewer), ValueError, "serves task 'trips', which the suite does not have"), (dict(suite=other), ValueError, "task 'trips' has other"),
    (dict(tune='some'), ValueError, "tune must be 'new' or 'all'"), (dict(table=exam), TypeError, 'expected a Table, not DataFrame'), (dict(table=lambda: Table(exam(), 'gone')), ValueError, "table 'exam', column 'gone'"), (dict(name=''), ValueError, 'the name is empty'), (dict(restarts=0), ValueError, 'restarts=0; at least one start')])
def test_bad_input_is_named(change, error, words):
    c = dict(model=lambda: MTLModel(suite, width=8), suite=lambda: suite, table=new_table, name='exam', tune='new') | change
    with pytest.raises(error, match=words): add_task(c['model'](), c['suite'](), c['table'](), c['name'], tune=c['tune'], **quick | {k: c[k] for k in quick if k in c})
