"Training: exact resume, interrupts, fairness, losses, missing labels, and what is refused."
import json, math, os, socket, subprocess, sys, warnings
from types import SimpleNamespace
import numpy as np, pandas as pd, pytest, torch, xarray as xr
from hypothesis import given, settings, strategies as st
from mtl_explain.balance import BALANCES, FixedWeights
from mtl_explain.baselines import HardSharing
from mtl_explain.data import Table, TaskSuite
from mtl_explain.model import Batch, MTLModel, load_model
from mtl_explain.sharing import Attend, Own
from mtl_explain.suites import planted
from mtl_explain.losses import CrossEntropy, Huber, LOSSES, Rows, SquaredError, SquaredHinge
from mtl_explain.train import BySize, InTurns, calibrate, fit

STEP = dict(rows=16, memory='1 GB', precision=None)
pytestmark = pytest.mark.filterwarnings('ignore:attention is still uniform', 'ignore:.*concepts are dead')

@pytest.fixture(scope='module')
def suite(): return planted(seed=3, tables=4, rows=120, kinds=('number', 'binary', 'ordered'))

def stop_at(loss, calls):
    "A loss of the same name that presses the stop button at its n-th call"
    class Stopping(type(loss)):
        left = calls
        def __call__(self, logits, y):
            Stopping.left -= 1
            if not Stopping.left: raise KeyboardInterrupt
            return super().__call__(logits, y)
    Stopping.__name__ = type(loss).__name__
    return Stopping()

@pytest.mark.parametrize('calls', [45, 60, 72])
@pytest.mark.parametrize('per_step', [None, 3])
def test_a_resumed_run_is_the_same_run(suite, tmp_path, calls, per_step):
    options = dict(steps=80, evaluate=20, tasks_per_step=per_step, progress=False, lr=1e-2)
    through, broken = MTLModel(suite), MTLModel(suite)
    whole = fit(through, suite, **options)
    first = fit(broken, suite, **options, loss=dict(number=stop_at(SquaredError(), calls)), checkpoint=tmp_path/'run')
    assert first.attrs['status']=='interrupted' and len(first.step) < len(whole.step)
    second = fit(broken, suite, **options, resume=tmp_path/'run')
    assert second.drop_attrs().identical(whole.drop_attrs()) and second.attrs['best_step']==whole.attrs['best_step']
    assert all(torch.equal(a, b) for a, b in zip(through.parameters(), broken.parameters()))

def test_a_run_with_other_settings_is_not_resumed(suite, tmp_path):
    model = MTLModel(suite)
    fit(model, suite, steps=20, evaluate=10, progress=False, checkpoint=tmp_path/'run')
    with pytest.raises(ValueError, match='lr=0.005, not 0.01'): fit(model, suite, steps=20, evaluate=10, lr=1e-2, progress=False, resume=tmp_path/'run')

def test_an_interrupt_keeps_the_best_weights(suite):
    model = MTLModel(suite)
    history = fit(model, suite, steps=200, evaluate=10, progress=False, loss=dict(number=stop_at(SquaredError(), 150)))
    assert history.attrs['status']=='interrupted' and not model.training
    from mtl_explain.train import _evaluate
    assert np.isclose(np.nanmean(_evaluate(Rows(model, suite, LOSSES))[0]), history.attrs['best'], atol=1e-6)

def test_same_seed_same_weights(suite):
    a, b, c = (MTLModel(suite, seed=s) for s in (0, 0, 1))
    for m, s in ((a, 0), (b, 0), (c, 1)):
        torch.manual_seed(np.random.default_rng().integers(99)); fit(m, suite, steps=20, seed=s, progress=False)
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters())) and not torch.equal(a.core.layers[0].weight, c.core.layers[0].weight)

def test_training_leaves_the_callers_random_state(suite):
    torch.manual_seed(5); want = torch.rand(3); torch.manual_seed(5)
    fit(MTLModel(suite), suite, steps=5, progress=False)
    assert torch.equal(torch.rand(3), want)

def test_patience_stops_early(suite):
    history = fit(MTLModel(suite), suite, steps=4000, evaluate=5, patience=3, lr=5e-2, progress=False)
    assert history.attrs['status']=='stopped early' and history.step.values[-1] < 4000

@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 99))
def test_turns_are_fair(n, per, seed):
    pieces = -(-n//per)
    seen = [InTurns()(dict.fromkeys(range(n), 9), per, s, seed) for s in range(3*pieces)]
    assert all(len(set(t))==len(t)<=per and t==sorted(t) for t in seen)
    assert (np.bincount(np.concatenate(seen), minlength=n)==3).all()

def test_guess_has_loss_one(suite):
    for losses in (LOSSES, LOSSES | dict(number=Huber(), binary=SquaredHinge(), ordered=SquaredHinge())):
        d = Rows(MTLModel(suite), suite, losses)
        assert np.isfinite(d.guess).all() and (d.guess > 0).all()

def test_hinge_guess_is_the_best_constant():
    y = torch.tensor([0., 0., 1., 2.]); loss = SquaredHinge(); g = loss.guess(y, 3)
    best = loss(g.expand(4, 3), y).mean()
    for k in range(3):
        for e in (-.05, .05): assert loss((g + e*torch.eye(3)[k]).expand(4, 3), y).mean() > best

def frame(rng, n=90): return pd.DataFrame(rng.normal(size=(n, 3)), columns=list('abc'))

def test_missing_labels_mask_the_loss_and_keep_the_row():
    rng = np.random.default_rng(0); f = frame(rng).assign(y=lambda d: d.a + d.c, z=lambda d: np.where(d.b > 0, 'yes', 'no'))
    f.loc[::2, 'y'] = np.nan; f.loc[::3, 'z'] = None
    s = TaskSuite({'t': Table(f, ['y', 'z'])})
    model = MTLModel(s)
    history = fit(model, s, steps=60, progress=False)
    assert np.isfinite(history.validation_loss).all() and len(model.predict('t', s['t'].x)['y'])==90

def test_label_noise_of_masked_rows_does_not_matter():
    s = planted(seed=0, tables=1, rows=60); t = s.tasks[0]; model = MTLModel(s); d = Rows(model, s, LOSSES)
    scores = torch.randn(1, 6, requires_grad=True); y = torch.tensor([[1., float('nan'), 2., float('nan'), 0., 1.]])
    d.loss(d.batch[t], scores, y).sum().backward()
    assert torch.isfinite(scores.grad).all() and (scores.grad[0, [1, 3]]==0).all() and (scores.grad[0, [0, 2]]!=0).all()

@pytest.mark.parametrize('sharing', [Own(), Attend(5, 'softmax'), Attend(5, 'sparsemax', logits='query', projections=True), Attend(4, restriction='orthogonal'), Attend(7, restriction='unit')])
def test_every_sharing_trains_saves_and_loads(suite, sharing, tmp_path):
    model = MTLModel(suite, sharing)
    before = {k: v.clone() for k, v in model.named_parameters()}
    fit(model, suite, steps=30, progress=False)
    assert all((v!=before[k]).any() for k, v in model.named_parameters() if not k.startswith(('readout.gate',)) and v.numel() and k!='gain')
    back = load_model(model.save(tmp_path/'m.safetensors'))
    assert repr(back)==repr(model)
    for t in suite: assert all(np.array_equal(a, b) for a, b in zip(back.predict(t, suite[t].x).values(), model.predict(t, suite[t].x).values()))

def test_calibration_is_kept_with_the_model(tmp_path):
    s = planted(seed=2, tables=2, rows=150, kinds=('binary',)); model = MTLModel(s)
    fit(model, s, steps=40, progress=False, loss=dict(binary=SquaredHinge()))
    with pytest.raises(ValueError, match='call calibrate'): model.predict(s.tasks[0], s[s.tasks[0]].x)
    kept = load_model(model.save(tmp_path/'m.safetensors'))
    with pytest.raises(ValueError, match='call calibrate'): kept.predict(s.tasks[0], s[s.tasks[0]].x)
    calibrate(model, s)
    back = load_model(model.save(tmp_path/'m.safetensors'))
    assert np.array_equal(back.predict(s.tasks[0], s[s.tasks[0]].x)['y'], model.predict(s.tasks[0], s[s.tasks[0]].x)['y'])

def test_calibration_lowers_the_validation_loss():
    s = planted(seed=2, tables=1, rows=200, kinds=('binary',)); model = MTLModel(s); t = s.tasks[0]
    fit(model, s, steps=100, progress=False)
    with torch.no_grad(): model.gain.mul_(6)  # over-confident
    r = s[t].rows('valid'); loss = lambda: CrossEntropy()(torch.tensor(np.log(model.predict(t, s[t].x[r])['y'].clip(1e-9))), torch.tensor(s[t].y[r, 0])).mean()
    before = loss(); T = calibrate(model, s)[t, 'y']
    assert T > 1.5 and loss() < before

def test_a_suite_without_the_task_is_refused(suite):
    with pytest.raises(ValueError, match="task 'table 01'"): fit(MTLModel(planted(seed=0, tables=1)), TaskSuite({'other': Table(frame(np.random.default_rng(0)).assign(y=1.*np.arange(90)), 'y')}), progress=False)

def test_divergence_says_what_to_do(suite):
    with pytest.raises(FloatingPointError, match='lower lr'): fit(MTLModel(suite), suite, steps=50, evaluate=10, lr=1e12, clip=0, progress=False)

def test_dead_concepts_are_warned_of(suite):
    model = MTLModel(suite, Attend(6, 'sparsemax'))
    with torch.no_grad(): model.sharing.raw[:, 0] = -5
    with pytest.warns(UserWarning, match='1 of 6 concepts are dead'): fit(model, suite, steps=5, progress=False)

def test_batches_and_single_tasks_agree(suite):
    model = MTLModel(suite).eval(); tasks = [suite.tasks[2], suite.tasks[0]]
    b = Batch(model, tasks)
    s = model(b, torch.cat([torch.tensor(suite[t].x[:7].T) for t in tasks]))
    want = torch.cat([model.scores(t, torch.tensor(suite[t].x[:7])).T for t in tasks])
    assert torch.allclose(s, want, atol=1e-6)


# ---- how much each task weighs

def _params(m): return torch.cat([p.detach().flatten() for p in m.parameters()])

def test_equal_weights_are_the_plain_mean(suite):
    from mtl_explain.balance import EqualWeights, FixedWeights
    kw = dict(steps=12, evaluate=6, progress=False); a, b, c = (MTLModel(suite, seed=1) for _ in range(3))
    fit(a, suite, **kw); fit(b, suite, balance=EqualWeights(), **kw); fit(c, suite, balance=FixedWeights({t: 1 if t==suite.tasks[0] else 0 for t in suite.tasks}), **kw)
    assert torch.allclose(_params(a), _params(b), atol=1e-5) and not torch.allclose(_params(a), _params(c), atol=1e-2)


def test_gradients_task_by_task_are_those_of_the_whole_step(suite):
    "Mixed with equal weights they are the plain gradient, on every parameter"
    from mtl_explain.balance import EqualWeights
    from mtl_explain.train import _draw, _step_losses
    class Mixed(EqualWeights): needs = 'gradients'
    model = MTLModel(suite, seed=2, dropout=0.); data = Rows(model, suite, LOSSES); draw = {t: _draw(data.train[t], 16, 0, 0, i) for i, t in enumerate(data.tasks)}; out = []
    for balance in (None, Mixed()):
        model.zero_grad(set_to_none=True); outcomes, losses = _step_losses(data, SimpleNamespace(gradients=None, balance=balance), {}, draw, STEP, np.random.default_rng(0)); order = outcomes.argsort()
        out.append((torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]), losses[order]))
    assert torch.allclose(out[0][0], out[1][0], atol=2e-6) and torch.allclose(out[0][1], out[1][1], atol=1e-5)


def test_surgery_sees_only_what_tasks_share(suite):
    "The Gramian is that of the parameters that two tasks move; what one task moves alone goes as in the plain mean"
    from mtl_explain.balance import EqualWeights
    from mtl_explain.train import _draw, _step_losses
    class Seen(EqualWeights):
        needs = 'gradients'
        def __call__(self, losses, gramian, rng): self.G = gramian; return np.zeros(len(losses))
    model = MTLModel(suite, seed=2, dropout=0.); data = Rows(model, suite, LOSSES); draw = {t: _draw(data.train[t], 16, 0, 0, i) for i, t in enumerate(data.tasks)}
    seen = Seen(); _step_losses(data, SimpleNamespace(gradients=None, balance=seen), {}, draw, STEP, np.random.default_rng(0)); left = torch.cat([torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in model.parameters()]); J = []
    for t, r in draw.items():
        model.zero_grad(set_to_none=True); _step_losses(data, SimpleNamespace(gradients=None, balance=None), {}, {t: r}, STEP, None); J.append(torch.cat([torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in model.parameters()]))
    J = torch.stack(J); both = (J!=0).sum(0) > 1; assert 0 < both.float().mean() < 1 and np.allclose(seen.G, (J[:, both] @ J[:, both].T).numpy(), rtol=1e-4, atol=1e-9)
    assert (left[both]==0).all() and torch.allclose(left[~both], J.mean(0)[~both], atol=1e-7)


@pytest.mark.parametrize('name', ['UPGrad', 'DynamicAverage', 'Uncertainty', 'RandomWeights'])
def test_a_resumed_run_with_a_balance_is_the_same_run(suite, tmp_path, name):
    import mtl_explain.balance as balance
    make = lambda: balance.DynamicAverage(over=3) if name=='DynamicAverage' else getattr(balance, name)(); kw = dict(steps=16, evaluate=4, progress=False)
    whole, part = MTLModel(suite), MTLModel(suite); given = make(); h = fit(whole, suite, balance=given, **kw); assert given.state()==make().state()  # the caller's object is not used up
    first = fit(part, suite, balance=make(), checkpoint=tmp_path/'run', loss=dict(number=stop_at(SquaredError(), 18)), **kw); assert first.attrs['status']=='interrupted'
    second = fit(part, suite, balance=make(), resume=tmp_path/'run', **kw); assert second.drop_attrs().identical(h.drop_attrs()) and torch.equal(_params(whole), _params(part))


def test_a_balance_that_cannot_work_is_refused(suite):
    from mtl_explain.balance import DynamicAverage, FixedWeights, UPGrad
    m = MTLModel(suite)
    with pytest.raises(TypeError, match=r'UPGrad\(\)'): fit(m, suite, balance=UPGrad, progress=False)
    with pytest.raises(ValueError, match='leave tasks_per_step out'): fit(m, suite, balance=DynamicAverage(), tasks_per_step=1, progress=False)
    with pytest.raises(ValueError, match='no weight for task'): fit(m, suite, balance=FixedWeights({'x': 1}), progress=False)


def test_a_number_is_its_score(suite):
    "Whatever was learnt beside it: what is predicted is what is explained, on its scale"
    m = MTLModel(suite); torch.nn.init.normal_(m.threshold); torch.nn.init.uniform_(m.gain, .5, 2)
    for n, o in enumerate(m.outcomes):
        if o['kind']!='number': continue
        t = suite[o['task']]; s = m.scores(o['task'], torch.as_tensor(t.x)).detach().numpy()[:, o['first'] - min(p['first'] for p in m.outcomes if p['task']==o['task'])]
        np.testing.assert_allclose(m.predict(o['task'], t.x)[o['name']], s*o['std'] + o['mean'], rtol=1e-4, atol=1e-5)


# ---- a task that breaks, a disk that is full, other suites, groups, processes

def test_a_task_without_a_number_is_set_aside_and_the_rest_goes_on(suite, tmp_path):
    broken, name = planted(seed=3, tables=4, rows=120, kinds=('number', 'binary', 'ordered')), suite.tasks[1]
    broken[name].x = broken[name].x.copy(); broken[name].x[broken[name].rows('train'), 0] = 3e38
    for at in (None, 2):
        model = MTLModel(broken)
        with pytest.warns(UserWarning, match=f"task {name!r} was set aside at step [0-9]"): history = fit(model, broken, steps=40, evaluate=10, progress=False, tasks_per_step=at, checkpoint=tmp_path/f'run{at}')
        assert list(json.loads(history.attrs['set_aside']))==[name] and history.attrs['status']=='done' and all(p.isfinite().all() for p in model.parameters())
        last = history.validation_loss.isel(step=-1).to_series(); assert np.isnan(last[name]) and last.drop(name).notna().all()
        again = fit(MTLModel(broken), broken, steps=40, evaluate=10, progress=False, tasks_per_step=at, resume=tmp_path/f'run{at}'); assert again.attrs['set_aside']==history.attrs['set_aside']

@pytest.fixture
def broken(): s = planted(seed=3, tables=4, rows=120, kinds=('number', 'binary', 'ordered')); name = s.tasks[1]; s[name].x = s[name].x.copy(); s[name].x[s[name].rows('train'), 0] = 3e38; return s, name

@pytest.mark.parametrize('kind', [k.__name__ for k in BALANCES])
def test_every_balance_goes_on_without_a_task_that_breaks(broken, kind):
    suite, name = broken; make = next(k for k in BALANCES if k.__name__==kind); balance = make({t: n + 1 for n, t in enumerate(suite)}) if kind=='FixedWeights' else make(over=5) if kind=='DynamicAverage' else make()
    for memory in ('1 GB', max(MTLModel(suite).step_bytes(t, 32) for t in suite)):
        m = MTLModel(suite)
        with warnings.catch_warnings(record=True) as said: warnings.simplefilter('always'); h = fit(m, suite, steps=20, evaluate=10, progress=False, balance=balance, memory=memory)
        assert list(json.loads(h.attrs['set_aside']))==[name] and h.attrs['status']=='done' and all(p.isfinite().all() for p in m.parameters()) and not [w for w in said if w.category is RuntimeWarning]

def test_one_task_a_step_sets_aside_and_too_many_are_named(broken):
    suite, name = broken
    with pytest.warns(UserWarning, match=f'task {name!r} was set aside'): h = fit(MTLModel(suite), suite, steps=20, evaluate=10, progress=False, tasks_per_step=1)
    assert list(json.loads(h.attrs['set_aside']))==[name]
    for t in suite.tasks[2:]: suite[t].x = suite[t].x.copy(); suite[t].x[:, 0] = 3e38
    for at in (None, 1):
        with pytest.raises(FloatingPointError, match=r"of [34] of 4 tasks is no number by step \d \('table 0\d', 'table 0\d', 'table 0\d'"): fit(MTLModel(suite), suite, steps=20, evaluate=10, progress=False, tasks_per_step=at)

def test_fixed_weights_hold_whichever_tasks_are_in_a_step(suite):
    only = FixedWeights({t: float(t==suite.tasks[0]) for t in suite}); m = MTLModel(suite); before = m.output.detach().clone()
    fit(m, suite, steps=8, evaluate=8, progress=False, balance=only, tasks_per_step=1)
    moved = (m.output!=before).any(1); assert moved[m.outputs[suite.tasks[0]]].all() and not moved[m.outputs[suite.tasks[1]]].any()
    with pytest.raises(ValueError, match='weigh nothing'): fit(m, suite, tasks=suite.tasks[1:], balance=only, progress=False)

def test_a_full_disk_leaves_the_former_checkpoint(suite, tmp_path):
    import resource, signal
    options, path = dict(steps=30, evaluate=10, progress=False), tmp_path/'run'
    fit(MTLModel(suite), suite, **options, loss=dict(number=stop_at(SquaredError(), 25)), checkpoint=path); before = path.read_bytes()
    old, _ = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before)//2, old[1]))  # no file may grow beyond half of what is needed
        with pytest.warns(UserWarning, match='could not be written at step .*the one written before is still there'): history = fit(MTLModel(suite), suite, **options, checkpoint=path)
    finally: resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert history.attrs['status']=='done' and path.read_bytes()==before and not list(tmp_path.glob('*.part'))
    assert fit(MTLModel(suite), suite, **options, resume=path).step.values[-1]==30

@pytest.mark.parametrize('other, says', [(dict(tables=3), "task 'table 04' is missing now"), (dict(tables=5), "task 'table 05' was not there"), (dict(tables=4, rows=100), 'training rows and has')])
def test_a_checkpoint_of_another_suite_is_refused(suite, tmp_path, other, says):
    fit(MTLModel(suite), suite, steps=10, evaluate=5, progress=False, checkpoint=tmp_path/'run')
    s = planted(**dict(seed=3, rows=120, kinds=('number', 'binary', 'ordered')) | other)
    with pytest.raises(ValueError, match=f'another suite: .*{says}'): fit(MTLModel(s), s, steps=10, evaluate=5, progress=False, resume=tmp_path/'run')

def test_what_else_differs_from_the_run_that_was_begun_is_refused(suite, tmp_path):
    options = dict(steps=10, evaluate=5, progress=False); fit(MTLModel(suite), suite, **options, checkpoint=tmp_path/'run'); go = lambda m, s: fit(m, s, **options, resume=tmp_path/'run')
    again = lambda **kw: planted(**dict(seed=3, tables=4, rows=120, kinds=('number', 'binary', 'ordered')) | kw); make = lambda s, **kw: go(MTLModel(s, **kw), s)
    turned = TaskSuite(dict(reversed(suite.tables.items())), suite.splits, suite.seed); drawn = TaskSuite(suite.tables, suite.splits, seed=5); other = again(); name = other.tasks[2]; other[name].x = other[name].x*2
    for s, words in ((turned, "another suite: its tasks come in another order: 'table 04' stands where 'table 01' was"), (drawn, "another suite: task 'table 01' has other training or validation rows"), (other, f'task {name!r} has other training or validation rows, or other values in them')):
        with pytest.raises(ValueError, match=words): make(s)
    for kw, words in ((dict(width=24), 'another model: width was .* and is 24'), (dict(sharing=Own()), "another model: sharing kind was 'Attend' and is 'Own'"), (dict(noise=.1), 'noise was .* and is 0.1')):
        with pytest.raises(ValueError, match=words): make(suite, **kw)
    with pytest.raises(ValueError, match="another model: model was 'MTLModel' and is 'HardSharing'"): go(HardSharing(suite), suite)
    assert make(again()).attrs['status']=='done'  # the same, made anew

@pytest.mark.parametrize('kw, words', [(dict(steps=0), 'steps=0; a whole number from 1'), (dict(rows=0), 'rows=0'), (dict(evaluate=0), 'evaluate=0'), (dict(tasks_per_step=0), 'tasks_per_step=0'), (dict(tasks_per_step=1.5), 'tasks_per_step=1.5'), (dict(patience=0), 'patience=0'), (dict(threads=0), 'threads=0'), (dict(seed=-1), 'seed=-1'), (dict(steps=True), 'steps=True'),
    (dict(lr='a'), "lr='a'; a number above 0"), (dict(lr=0.), 'lr=0.0'), (dict(lr=math.nan), 'lr=nan'), (dict(clip=-1), 'clip=-1; a number from 0'), (dict(warmup=2), 'warmup=2; a number from 0 to 1'), (dict(weight_decay=-.1), 'weight_decay=-0.1'),
    (dict(loss={'foo': SquaredError()}), "loss has 'foo', which is no kind of outcome; there are 'number'"), (dict(loss={'number': 'mse'}), "loss for 'number' is 'mse'; give an object, such as SquaredError"), (dict(loss={'number': SquaredError}), 'give an object'),
    (dict(tasks='table 01'), r"give a list of names: \['table 01'\]"), (dict(sampler=BySize, tasks_per_step=2), r'such as BySize\(\)'), (dict(watch='x'), r'such as Conflicts\(\)'), (dict(monitor=3), r'such as TrainingMonitor\(\)'), (dict(checkpoint='no folder here/run'), 'there is no folder .*no folder here')])
def test_what_no_run_could_follow_is_refused_before_it_begins(suite, kw, words):
    with pytest.raises((ValueError, TypeError), match=words): fit(MTLModel(suite), suite, progress=False, **kw)

def test_a_file_that_is_no_checkpoint_is_refused(suite, tmp_path, monkeypatch):
    import mtl_explain.train as room
    path, go = tmp_path/'run', lambda: fit(MTLModel(suite), suite, steps=10, evaluate=5, progress=False, resume=tmp_path/'run')
    MTLModel(suite).save(path)
    with pytest.raises(ValueError, match='run is no checkpoint of fit; a saved model is read with load_model'): go()
    fit(MTLModel(suite), suite, steps=10, evaluate=5, progress=False, checkpoint=path); path.write_bytes((whole:=path.read_bytes())[:len(whole)//2])
    with pytest.raises(ValueError, match='run cannot be read .*: it was cut short'): go()
    with pytest.raises(ValueError, match='run cannot be read'): load_model(path)
    path.write_bytes(whole); monkeypatch.setattr(room, 'CHECKPOINT', room.CHECKPOINT + 1)
    with pytest.raises(ValueError, match=f'of form {room.CHECKPOINT-1}, and this version of mtl_explain reads form {room.CHECKPOINT}'): go()

@pytest.mark.parametrize('balance', [None, 'Uncertainty'])
def test_groups_that_fit_the_memory_give_the_same_step(suite, balance):
    import mtl_explain.balance as room
    make = lambda: balance and getattr(room, balance)(); out = []
    for memory in ('1 GB', max(MTLModel(suite).step_bytes(t, 32) for t in suite)):
        m = MTLModel(suite, dropout=0., seed=1); h = fit(m, suite, steps=12, evaluate=4, lr=1e-3, progress=False, balance=make(), memory=memory); out.append((_params(m), h))
    assert torch.allclose(out[0][0], out[1][0], atol=2e-5) and np.allclose(out[0][1].train_loss, out[1][1].train_loss, atol=1e-4)
    with pytest.raises(MemoryError, match=r"a step on 32 rows of task 'table 0.' takes about .* kB, more than memory='10 B': take fewer rows"): fit(MTLModel(suite), suite, memory=10, progress=False)
    with pytest.raises(ValueError, match="memory='lots'"): fit(MTLModel(suite), suite, memory='lots', progress=False)

def test_only_the_tasks_that_are_named(suite):
    m, (a, b, *_) = MTLModel(suite, dropout=0.), suite.tasks; before = {k: v.clone() for k, v in m.state_dict().items()}
    for n, p in m.named_parameters(): p.requires_grad_(n in ('sharing.raw', 'output'))
    h = fit(m, suite, steps=20, evaluate=10, tasks=[a], progress=False); assert list(h.task.values)==[a]
    moved = {k for k, v in m.state_dict().items() if not torch.equal(v.nan_to_num(), before[k].nan_to_num())}; assert moved=={'sharing.raw', 'output'}
    assert torch.equal(m.sharing.raw[m.inputs[b]], before['sharing.raw'][m.inputs[b]]) and not torch.equal(m.sharing.raw[m.inputs[a]], before['sharing.raw'][m.inputs[a]])
    with pytest.raises(ValueError, match="does not serve task 'nobody'"): fit(m, suite, tasks=['nobody'], progress=False)
    for p in m.parameters(): p.requires_grad_(False)
    with pytest.raises(ValueError, match='requires_grad is off everywhere'): fit(m, suite, progress=False)

def test_what_would_have_no_effect_is_refused(suite):
    from mtl_explain.balance import UPGrad
    with pytest.raises(ValueError, match='say how many it may take with tasks_per_step='): fit(MTLModel(suite), suite, sampler=BySize(), progress=False)
    with pytest.raises(ValueError, match='mixes gradients in full precision'): fit(MTLModel(suite), suite, balance=UPGrad(), precision='bfloat16', progress=False)

def test_larger_tasks_come_more_often():
    sizes = dict(small=10, middle=100, large=1000); seen = pd.Series([t for s in range(600) for t in BySize(.5)(sizes, 1, s, 0)]).value_counts(normalize=True)
    want = pd.Series(sizes)**.5; assert np.allclose(seen[list(sizes)], want/want.sum(), atol=.05)
    assert set(BySize(0)(sizes, 2, 0, 0)) < set(sizes) and repr(BySize())=='BySize(0.5)'

def test_half_precision_trains(suite):
    h = fit(MTLModel(suite), suite, steps=60, progress=False, precision='bfloat16'); full = fit(MTLModel(suite), suite, steps=60, progress=False)
    assert h.attrs['best']!=full.attrs['best'] and abs(h.attrs['best'] - full.attrs['best']) < .1
    with pytest.raises(ValueError, match="precision='int8'"): fit(MTLModel(suite), suite, precision='int8', progress=False)

TOGETHER = """
import sys, torch, warnings; warnings.simplefilter('ignore'); torch.set_num_threads(1)
from mtl_explain.baselines import SoftSharing
from mtl_explain.model import MTLModel
from mtl_explain.suites import planted
from mtl_explain.train import fit
if sys.argv[1]=='two': torch.distributed.init_process_group('gloo')
suite = planted(seed=3, tables=5, rows=120, kinds=('number', 'binary', 'ordered')); model = MTLModel(suite, dropout=0.)
history = fit(model, suite, steps=12, evaluate=4, tasks_per_step=3, progress=False, checkpoint=sys.argv[2] + '.run')
soft = SoftSharing(suite, strength=1., width=8, blocks=1, dropout=0.); fit(soft, suite, steps=6, evaluate=3, clip=0, progress=False)
if sys.argv[1]=='one' or not torch.distributed.get_rank(): model.save(sys.argv[2]); soft.save(sys.argv[2] + '.soft'); history.to_netcdf(sys.argv[2] + '.nc')
if sys.argv[1]=='two': torch.distributed.destroy_process_group()
"""

def test_two_processes_give_the_result_of_one(tmp_path):
    (tmp_path/'t.py').write_text(TOGETHER); env = os.environ | dict(OMP_NUM_THREADS='1')
    for how, run in (('one', []), ('two', ['-m', 'torch.distributed.run', '--nproc-per-node=2', '--master-addr=127.0.0.1', f'--master-port={_port()}'])):
        subprocess.run([sys.executable, *run, str(tmp_path/'t.py'), how, str(tmp_path/how)], check=True, env=env, timeout=240, capture_output=True)
    for end in ('', '.soft'): a, b = (load_model(tmp_path/f'{how}{end}') for how in ('one', 'two')); assert torch.allclose(_params(a), _params(b), atol=1e-5), end
    with xr.open_dataset(tmp_path/'one.nc') as one, xr.open_dataset(tmp_path/'two.nc') as two: assert np.allclose(one.train_loss, two.train_loss, atol=1e-4) and np.allclose(one.validation_loss, two.validation_loss, atol=1e-4)

def _port():
    with socket.socket() as s: s.bind(('127.0.0.1', 0)); return s.getsockname()[1]

def test_the_weights_that_are_kept_may_have_the_fewest_errors():
    s = planted(seed=2, tables=3, rows=150, kinds=('binary', 'number')); found = {}
    for keep in ('loss', 'error'):
        h = fit(MTLModel(s), s, steps=60, evaluate=5, lr=2e-2, keep=keep, progress=False); v = h['validation_' + keep].mean('task')
        assert h.attrs['keep']==keep and np.isclose(h.attrs['best'], v.min(), atol=1e-6) and h.attrs["best_step"]==int(v.step[int(v.values.argmin())]); found[keep] = h
    number = [t for t in s if s[t].outcomes[0].kind=='number']; assert number and np.allclose(found['loss'].validation_error.sel(task=number), found['loss'].validation_loss.sel(task=number))
    binary = [t for t in s if t not in number][0]; m = MTLModel(s); h = fit(m, s, steps=10, evaluate=10, keep='error', progress=False); t = s[binary]; r = t.rows('valid'); off = (m.predict(binary, t.x[r])['y'].argmax(1)!=t.y[r, 0]).mean(); guess = (t.y[r, 0]!=np.bincount(t.y[t.rows('train'), 0].astype(int)).argmax()).mean()
    assert np.isclose(float(h.validation_error.sel(task=binary)[-1]), off/guess, atol=1e-5)
    with pytest.raises(ValueError, match="keep='accuracy'"): fit(MTLModel(s), s, keep='accuracy', progress=False)
