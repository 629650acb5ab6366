"Interference: the test keeps its level where there is nothing, sees what is planted, says no more than it may, fills the group of the schema, and leaves training as it was."
import sys, warnings
import numpy as np, pandas as pd, pytest, torch, xarray as xr
from mtl_explain.baselines import HardSharing, SingleTask, SoftSharing
from mtl_explain.data import Table, TaskSuite
from mtl_explain.interference import Conflicts, _as_words, compared, interference, reliability, said
from mtl_explain.model import MTLModel
from mtl_explain.pairs import opposed
from mtl_explain.schema import example, load, save
from mtl_explain.train import fit
from mtl_explain.training import TrainingMonitor, evidence

pytestmark = pytest.mark.filterwarnings('ignore:attention is still uniform', 'ignore:.*concepts are dead')
module = sys.modules['mtl_explain.interference']  # the name in the package is the function
KW = dict(steps=12, evaluate=6, progress=False)

@pytest.fixture(scope='module')
def suite(): return opposed(seed=5, each=1, inputs=(2, 3))

@pytest.fixture(scope='module')
def watched(suite):
    model, watch = MTLModel(suite, seed=1), Conflicts(looks=4, draws=199); history = fit(model, suite, watch=watch, **KW)
    return model, history, watch.result()

def products(pulls): v = torch.as_tensor(pulls); M = v.flatten(0, 1) @ v.flatten(0, 1).T; T, H = v.shape[:2]; return M.view(T, H, T, H).transpose(1, 2).numpy()  # pulls (task, block, number)


def test_the_level_is_kept_where_there_is_nothing():
    "Blocks that point anywhere, in few and in many directions, with tasks of unlike noise: a pair is named in about 5 of 100 runs, however many pairs there are"
    rng, named = np.random.default_rng(0), 0
    for k in range(150): named += bool((compared(products(rng.normal(size=(6, 8, (2, 10)[k % 2]))*rng.uniform(.1, 5, (6, 1, 1))), 99, seed=k)['p_corrected'] < .05).any())
    assert 1 <= named <= 15

def test_what_is_there_is_named_with_its_sign():
    rng = np.random.default_rng(1); way = rng.normal(size=(2, 30)); pulls = rng.normal(size=(4, 8, 30))*.5 + np.stack([way[0], way[0], -way[0], way[1]])[:, None]
    out = compared(products(pulls), 499); c, p = out['conflict'], out['p_corrected']
    assert p[0, 1] < .05 and c[0, 1] > .8 and p[0, 2] < .05 and c[0, 2] < -.8 and np.isnan(np.diag(p)).all() and np.allclose(np.diag(c), 1) and reliability(products(pulls)) > .9
    outside = np.abs(c) > out['null_high']; off = ~np.eye(4, dtype=bool); assert (outside[off]==(p < .05)[off]).all() and np.allclose(out['null_low'][off], -out['null_high'][off])
    assert np.allclose(c, pulls.sum(1) @ pulls.sum(1).T/np.outer(*[np.linalg.norm(pulls.sum(1), axis=1)]*2))
    again = [compared(products(rng.normal(size=(4, 8, 30))*.5 + np.stack([way[0], way[0], -way[0], way[1]])[:, None]), 1)['conflict'][0, 3] for _ in range(60)]; assert .5 < np.std(again)/out['conflict_se'][0, 3] < 2


def test_a_watched_run_is_the_same_run(suite, watched):
    model, history, _ = watched; other = MTLModel(suite, seed=1); alone = fit(other, suite, **KW)
    assert alone.drop_attrs().identical(history[list(alone.data_vars)].drop_vars('task_2', errors='ignore').drop_attrs()) and all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters()))

def test_what_was_seen_has_labels_and_adds_up(suite, watched):
    _, history, found = watched; T = len(suite.tasks)
    assert all(history[k].equals(found[k]) for k in ('moved', 'rest', 'measured', 'delta', 'conflict_at', 'look_step'))  # all that the view of training shows
    assert np.array_equal(history.conflict, found.conflict, equal_nan=True) and history.attrs['verdict']==found.attrs['verdict'] and history.attrs['status']=='done'  # the history holds the matrix
    assert found.look_step.values.tolist()==[0, 1, 4, 11] and found.task.values.tolist()==suite.tasks and found.conflict_at.shape==(4, T, T) and (found.block_rows==16).all()
    assert np.allclose(found.moved.sum('task') + found.rest.sum('term') + found.delta, found.measured) and float(abs(found.delta).max()) < .05*float(abs(found.measured).max()) and float(found.match.max()) < 1e-3
    one = Conflicts(looks=1, draws=9); fit(MTLModel(suite, seed=1), suite, watch=one, **KW); one = one.result()
    assert one.look.size==1 and np.allclose(one.conflict, found.conflict_at[0]) and (np.diag(one.affinity) > 0).all()

def test_it_fills_its_group_and_the_view_draws_it(suite, watched, tmp_path):
    _, history, found = watched; tree = example(); tree['training'], tree['interference'] = history, found
    back = load(save(tree, tmp_path/'t.nc')); assert back['interference'].to_dataset().conflict.equals(found.conflict)
    view = TrainingMonitor(back); assert not view.trouble and view._info['nullWords']==found.attrs['null'] and view._info['tested']
    assert (evidence(found)[~np.eye(4, dtype=bool)]==(found.p_corrected.values < .05)[~np.eye(4, dtype=bool)]).all()


def test_too_few_rows_are_said(suite):
    rng = np.random.default_rng(0); tiny = Table(pd.DataFrame(rng.normal(size=(40, 2)), columns=['a', 'y']), 'y')
    few = TaskSuite({t: suite[t].table for t in suite.tasks[:2]} | dict(tiny=tiny)); found = interference(MTLModel(few), few, draws=19)
    assert found.conflict.sel(task='tiny').isnull().all() and int(found.block_rows.sel(task='tiny'))==0 and found.conflict.sel(task=suite.tasks[0], task_2=suite.tasks[1]).notnull() and '1 pair ' in found.verdict
    bare = TaskSuite(dict(a=tiny, b=Table(pd.DataFrame(rng.normal(size=(40, 2)), columns=['a', 'y']), 'y')))
    with pytest.raises(ValueError, match='fewer than two tasks have the 16 labelled validation rows'): interference(MTLModel(bare), bare)

@pytest.mark.parametrize('value', [np.nan, np.inf, 0.])
def test_a_pull_that_is_none_leaves_the_others_as_they_are(value):
    "A task without a pull, or with one that is no number, is left out of the draws and of the correction; nothing warns"
    rng = np.random.default_rng(2); way = rng.normal(size=30); pulls = rng.normal(size=(4, 8, 30))*.5 + np.stack([way, way, -way, 0*way])[:, None]
    alone, more = np.ascontiguousarray(products(pulls)), np.full((5, 5, 8, 8), value); keep = [0, 1, 3, 4]; more[np.ix_(keep, keep)] = alone
    with warnings.catch_warnings():
        warnings.simplefilter('error'); found, want = compared(more, 99), compared(alone, 99)
        assert reliability(more)==reliability(alone) and np.isnan(reliability(np.full((5, 5, 8, 8), value)))
        assert np.isnan(compared(np.full((5, 5, 8, 8), value), 9)['p_corrected']).all()
    for k, v in found.items(): assert np.array_equal(v[np.ix_(keep, keep)], want[k], equal_nan=True) and np.isnan(v[2]).all() and np.isnan(v[:, 2]).all(), k
    assert (want['p_corrected'] < .05).sum()==6
    apart = np.zeros((2, 2, 8, 8)); apart[[0, 1], [0, 1]] = np.eye(8)  # nothing in common: no pull of one on the other
    with warnings.catch_warnings(): warnings.simplefilter('error'); assert compared(apart, 9)['p_corrected'][0, 1]==1 and compared(apart, 9)['conflict'][0, 1]==0

def spoilt(value, part):
    "Four tasks, of which the second holds numbers that overflow"
    s = opposed(seed=5, each=1, inputs=(2, 3)); t = s[s.tasks[1]]; t.x = t.x.copy(); t.x[t.rows(part)[::3], 0] = value; return s, s.tasks[1]

def test_a_task_that_overflows_is_left_out_and_named():
    s, name = spoilt(3e38, 'valid'); whole = opposed(seed=5, each=1, inputs=(2, 3)); model = MTLModel(s, seed=1); others = [t for t in s.tasks if t!=name]
    with warnings.catch_warnings(): warnings.simplefilter('error', RuntimeWarning); found, well = interference(model, s, draws=199), interference(MTLModel(whole, seed=1), whole, draws=199)
    assert found.conflict.sel(task=name).isnull().all() and found.conflict.sel(task_2=name).isnull().all() and f'Left out: {name!r}' in found.verdict and '3 pairs' in found.verdict and 'Left out' not in well.verdict
    pick = dict(task=others, task_2=others); assert found.conflict.sel(pick).notnull().all() and np.allclose(found.conflict.sel(pick), well.conflict.sel(pick), atol=1e-6)
    t = whole[name]; t.y = t.y.copy(); t.y[t.rows('valid')] = t.y[t.rows('valid')][0]  # labels all alike: nothing that they ask for beyond any labels
    with warnings.catch_warnings(): warnings.simplefilter('error', RuntimeWarning); found = interference(MTLModel(whole, seed=1), whole, draws=199)
    assert f'Left out: {name!r}' in found.verdict and found.conflict.sel(pick).notnull().all()

def test_a_slope_that_is_no_number_in_one_part_leaves_its_task_out(suite, monkeypatch):
    folded = module._folded
    def broken(g, name): v = folded(g, name).clone(); v[2] = np.inf if name.startswith('encoder') else v[2]; return v
    monkeypatch.setattr(module, '_folded', broken); found = interference(MTLModel(suite, seed=1), suite, draws=99); name = suite.tasks[2]
    assert f'Left out: {name!r}' in found.verdict and '3 pairs' in found.verdict and found.conflict_at.sel(task=name).isnull().all() and found.p_corrected.sel(task=suite.tasks[0], task_2=suite.tasks[3]) < .05

def test_a_task_that_fit_set_aside_is_not_looked_at():
    s, name = spoilt(3e38, 'train'); watch = Conflicts(looks=3, draws=99)
    with pytest.warns(UserWarning, match='set aside at step 0'): history = fit(MTLModel(s, seed=1), s, watch=watch, **KW)
    found = watch.result(); others = [t for t in s.tasks if t!=name]
    assert found.conflict_at.sel(task=name).isnull().all() and found.conflict_at.sel(task=others, task_2=others).notnull().all() and f'Left out: {name!r}' in history.attrs['verdict']

@pytest.mark.parametrize('kind', [SingleTask, SoftSharing])
def test_a_model_that_shares_nothing_is_refused(suite, kind):
    with pytest.raises(ValueError, match=f'Conflicts: a {kind.__name__} shares no parameters'): interference(kind(suite), suite)

def test_words(watched):
    _, _, found = watched; some = lambda c, p: said(xr.Dataset(dict(conflict=(('task', 'task_2'), np.full((3, 3), c)), p_corrected=(('task', 'task_2'), np.full((3, 3), p))), coords=dict(task=list('abc'), task_2=list('abc'))))
    assert some(.5, .9)=='No evidence that any of 3 pairs of tasks pulls together or apart.' and '0 pull apart and 3 together' in some(.5, .01) and '3 pull apart' in some(-.5, .01) and 'could be tested' in some(.5, np.nan) and found.attrs['verdict']
    assert _as_words(-1.4857)==' Reliability of the matrix: none.' and _as_words(.412)==' Reliability of the matrix: .41.' and _as_words(1.)==' Reliability of the matrix: 1.00.' and _as_words(np.nan)=='' and 'Reliability of the matrix: ' in found.attrs['verdict']

def test_a_resumed_run_has_seen_the_same(suite, watched, tmp_path):
    model, history, found = watched; half, rest = (Conflicts(looks=4, draws=199) for _ in range(2))
    def stop(h):
        if h.attrs['status']=='running' and len(h.step)==1: raise KeyboardInterrupt
    fit(MTLModel(suite, seed=1), suite, watch=half, checkpoint=tmp_path/'run', monitor=stop, **KW); other = MTLModel(suite, seed=1); again = fit(other, suite, watch=rest, resume=tmp_path/'run', **KW)
    assert 0 < len(half.at) < len(rest.at)==4 and len(rest.ledgers)==4 and all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters()))
    assert rest.result().identical(found) and again.conflict.identical(history.conflict)
    with pytest.raises(ValueError, match='watched with looks=4, not 5'): fit(MTLModel(suite, seed=1), suite, watch=Conflicts(looks=5, draws=199), resume=tmp_path/'run', **KW)

def test_a_baseline_can_be_watched(suite):
    fit(HardSharing(suite), suite, watch=(w:=Conflicts(looks=2, draws=19)), **KW); assert np.isfinite(w.result().conflict).all()

def test_what_is_refused(suite):
    with pytest.raises(ValueError, match='looks=0'): Conflicts(looks=0)
    with pytest.raises(ValueError, match='blocks=3'): Conflicts(blocks=3)
    with pytest.raises(ValueError, match='nothing was seen yet'): Conflicts().result()
    with pytest.raises(ValueError, match="setting='simple'"): opposed(setting='simple')
    with pytest.raises(ValueError, match="not 'private'"): opposed(control='private')
