"Baselines: the same contract as the model, what is shared and what is not, training, and what is saved."
import numpy as np, pandas as pd, pytest, torch
from torch import nn
from mtl_explain.baselines import Baseline, CrossStitch, Experts, HardSharing, MultiHead, SingleTask, SoftSharing, reach
from mtl_explain.compare import score
from mtl_explain.data import Table, TaskSuite
from mtl_explain.model import MODELS, Batch, Core, MTLModel, TaskModel, load_model
from mtl_explain.suites import planted
from mtl_explain.losses import SquaredHinge
from mtl_explain.train import calibrate, fit

ALL = [HardSharing, SoftSharing, CrossStitch, Experts, SingleTask]
pytestmark = pytest.mark.filterwarnings('ignore:attention is still uniform', 'ignore:.*concepts are dead')

@pytest.fixture(scope='module')
def suite():
    "Unlike tables: one with two outcomes of three nominal classes and a number, and three planted ones"
    rng = np.random.default_rng(0); n = 120
    f = pd.DataFrame(dict(a=rng.normal(size=n), c=rng.choice(['p', 'q', 'r'], n), b=rng.random(n) < .5))
    f['mode'] = np.where(f.c=='p', 'x', np.where(f.a > 0, 'y', 'z')); f['number'] = f.a + f.b*(f.c=='q')
    return TaskSuite({'a.b / "c" 🦊': Table(f, ['mode', 'number'])} | planted(seed=3, tables=3, rows=120, kinds=('number', 'binary', 'ordered')).tables)

def opened(model, by=.5):
    "The same model with the gates of its residual layers open, as training would do"
    with torch.no_grad():
        for m in model.modules():
            if isinstance(m, Core): m.gate.fill_(by)
    return model.eval()

def rows(suite, t, n=7): return torch.tensor(suite[t].x[:n])

@pytest.mark.parametrize('way', ALL)
def test_it_answers_as_a_model_of_the_suite_does(suite, way):
    ours, theirs = MTLModel(suite), way(suite, width=16)
    assert isinstance(theirs, TaskModel) and theirs.spec==ours.spec and theirs.outcomes==ours.outcomes and theirs.concepts==0 and theirs.config['width']==16
    assert not hasattr(theirs, 'encode')
    for t in suite:
        s = theirs.scores(t, rows(suite, t))
        assert s.shape==(7, len(suite[t].outputs)) and {k: v.shape for k, v in theirs.logits(t, s).items()}=={k: v.shape for k, v in ours.logits(t, s).items()}
        p, q = theirs.predict(t, suite[t].x), ours.predict(t, suite[t].x)
        assert {k: v.shape for k, v in p.items()}=={k: v.shape for k, v in q.items()} and all(np.isfinite(v).all() for v in p.values())
    assert 'tasks' in repr(theirs) and repr(theirs).startswith(f'{way.__name__}: 4 tasks')

@pytest.mark.parametrize('way', ALL)
def test_batches_and_single_tasks_agree(suite, way):
    model = opened(way(suite)); tasks = [suite.tasks[2], suite.tasks[0], suite.tasks[3]]
    s = model(Batch(model, tasks), torch.cat([rows(suite, t).T for t in tasks]))
    assert torch.allclose(s, torch.cat([model.scores(t, rows(suite, t)).T for t in tasks]), atol=1e-6)

@pytest.mark.parametrize('way', ALL)
def test_scores_take_any_leading_dimensions(suite, way):
    model = opened(way(suite)); t = suite.tasks[0]; x = rows(suite, t, 6); s = model.scores(t, x)
    for cut in (lambda a: a[0], lambda a: a[:0], lambda a: a.unflatten(0, (2, 3))): assert torch.allclose(model.scores(t, cut(x)), cut(s), atol=1e-6) and model.scores(t, cut(x)).shape==cut(s).shape

@pytest.mark.parametrize('way', ALL)
def test_a_row_does_not_see_the_others(suite, way):
    model = opened(way(suite)); t = suite.tasks[1]; x = rows(suite, t)
    assert torch.allclose(model.scores(t, x[3:4]), model.scores(t, x)[3:4], atol=1e-6)

@pytest.mark.parametrize('way', ALL)
def test_the_gradient_reaches_everything(suite, way):
    model = opened(way(suite))
    b = Batch(model, suite.tasks); s = model(b, torch.cat([rows(suite, t, 20).T for t in suite]))
    logits = model.class_logits(b.outcomes, s, b.position)
    logits[logits.isfinite()].square().sum().backward()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()]==[]

@pytest.mark.parametrize('way', ALL)
def test_a_tasks_encoder_and_head_touch_no_other_task(suite, way):
    model = opened(way(suite)); tasks = suite.tasks
    before = {t: model.scores(t, rows(suite, t)) for t in tasks}
    with torch.no_grad():
        for part in (model.encoders[1], model.heads[1]):
            for p in part.parameters(): p.add_(1.)
    same = [torch.equal(model.scores(t, rows(suite, t)), before[t]) for t in tasks]
    assert same==[True, False, True, True]

def changed(model, suite, part):
    "Which tasks' scores change when a part's parameters do"
    with torch.no_grad():
        before = [model.scores(t, rows(suite, t)) for t in suite]
        for p in part.parameters(): p.add_(torch.randn(p.shape, generator=torch.Generator().manual_seed(0)))
        after = [model.scores(t, rows(suite, t)) for t in suite]
    return [not torch.allclose(a, b, atol=1e-5) for a, b in zip(before, after)]

@pytest.mark.parametrize('way, part, who', [(HardSharing, lambda m: m.trunk, [1, 1, 1, 1]), (SingleTask, lambda m: m.trunks[2], [0, 0, 1, 0]), (SoftSharing, lambda m: m.trunks[0], [1, 0, 0, 0]),
    (CrossStitch, lambda m: m.layers[0][2], [1, 1, 1, 1]), (Experts, lambda m: m.experts[1], [1, 1, 1, 1]), (Experts, lambda m: m.gates[3], [0, 0, 0, 1])])
def test_who_is_reached_by_the_middle(suite, way, part, who):
    model = opened(way(suite))
    assert changed(model, suite, part(model))==[bool(w) for w in who]

def test_cross_stitch_without_mixing_is_no_sharing(suite):
    model = opened(CrossStitch(suite, others=0.)); t, other = suite.tasks[1], model.number[suite.tasks[2]]
    before = model.scores(t, rows(suite, t))
    with torch.no_grad():
        for layer in model.layers:
            for p in layer[other].parameters(): p.add_(1.)
    assert torch.equal(model.scores(t, rows(suite, t)), before)

def test_cross_stitch_by_hand(suite):
    model = opened(CrossStitch(suite, blocks=2, others=.3)).double(); t = suite.tasks[2]; n = model.number[t]; x = rows(suite, t).double()
    with torch.no_grad(): model.mixture += .1*torch.randn(model.mixture.shape, generator=torch.Generator().manual_seed(0))
    h = [model.encoders[n](x)]*4
    for k in range(2):
        a = [model.layers[k][u](h[u]) for u in range(4)]
        h = [sum(model.mixture[k, u, v]*a[v] for v in range(4)) for u in range(4)]
    assert torch.allclose(model.scores(t, x), model.heads[n](h[n]), atol=1e-12)

def test_mixtures_start_as_shares_of_one(suite):
    m = CrossStitch(suite, others=.3).mixture
    assert torch.allclose(m.sum(-1), torch.ones(3, 4)) and torch.allclose(torch.diagonal(m, dim1=1, dim2=2), torch.tensor(.7)) and torch.allclose(m[0, 0, 1:], torch.tensor(.1))

def test_experts_by_hand(suite):
    model = opened(Experts(suite, experts=3)).double(); t = suite.tasks[1]; n = model.number[t]; x = rows(suite, t).double()
    h = model.encoders[n](x); g = torch.softmax(model.gates[n](h), -1)
    assert torch.allclose(model.scores(t, x), model.heads[n](sum(g[:, k:k+1]*model.experts[k](h) for k in range(3))), atol=1e-12)

def test_one_expert_is_hard_sharing(suite):
    a, b = opened(Experts(suite, experts=1)), opened(HardSharing(suite))
    b.encoders.load_state_dict(a.encoders.state_dict()); b.heads.load_state_dict(a.heads.state_dict()); b.trunk.load_state_dict(a.experts[0].state_dict())
    for t in suite: assert torch.allclose(a.scores(t, rows(suite, t)), b.scores(t, rows(suite, t)), atol=1e-6)

def test_soft_sharing_draws_its_trunks_together(suite):
    def spread(strength):
        m = SoftSharing(suite, strength=strength, dropout=0.)
        fit(m, suite, steps=60, progress=False)
        return float(m.penalty().detach())/strength
    loose, tight = spread(1e-6), spread(1.)
    assert 0 <= tight < loose/10 and loose > 0

def test_the_penalty_is_the_mean_squared_distance(suite):
    m = SoftSharing(suite, strength=.5, width=3, blocks=1)
    assert float(m.penalty().detach())==0
    with torch.no_grad():
        for p in m.trunks.parameters(): p.copy_(torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel())) + torch.randn(p.shape))
    flat = torch.stack([nn.utils.parameters_to_vector(t.parameters()) for t in m.trunks])
    assert torch.allclose(m.penalty(), .5*(flat - flat.mean(0)).square().sum()/4) and HardSharing(suite).penalty() is None

@pytest.mark.parametrize('way', ALL)
def test_fit_lowers_the_loss_and_the_scores_are_judged(suite, way):
    model = way(suite); h = fit(model, suite, steps=120, progress=False)
    train = h.train_loss.mean('task').values
    assert train[-1] < .6*train[0] and h.attrs['best'] < .95 and not model.training
    assert np.isnan(h.attention_entropy).all() and (h.dead_concepts==0).all()
    table = score(model, suite)
    assert len(table)==5 and table.skill.mean() > .1
    assert set(calibrate(model, suite))=={(o['task'], o['name']) for o in model.outcomes if o['kind']!='number'}

@pytest.mark.parametrize('way', ALL)
def test_saved_and_loaded_it_is_the_same(suite, way, tmp_path):
    model = way(suite, width=16, seed=5); fit(model, suite, steps=20, progress=False, loss=dict(binary=SquaredHinge()))
    back = load_model(model.save(tmp_path/'m.safetensors'))
    assert type(back) is way and repr(back)==repr(model) and back.config==model.config and not back.training
    for t in suite: assert torch.equal(back.scores(t, rows(suite, t)), model.scores(t, rows(suite, t)))
    with pytest.raises(ValueError, match='call calibrate'): back.predict(suite.tasks[2], suite[suite.tasks[2]].x)

@pytest.mark.parametrize('way', ALL)
def test_a_resumed_run_is_the_same_run(suite, way, tmp_path):
    options = dict(steps=30, evaluate=10, progress=False)
    a, b = way(suite, width=8), way(suite, width=8)
    fit(a, suite, **options, checkpoint=tmp_path/'a')
    real, left = b.penalty, [15]
    def stopping():
        left[0] -= 1
        if not left[0]: raise KeyboardInterrupt
        return real()
    b.penalty = stopping
    assert fit(b, suite, **options, checkpoint=tmp_path/'b').attrs['status']=='interrupted'
    del b.penalty
    fit(b, suite, **options, resume=tmp_path/'b')
    assert all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values()) if x.isfinite().all())

@pytest.mark.parametrize('way', ALL)
def test_same_seed_same_model(suite, way):
    torch.manual_seed(1); a = way(suite, seed=3); state = torch.random.get_rng_state(); b = way(suite, seed=3); c = way(suite, seed=4)
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters())) and not torch.equal(a.encoders[0].layer.weight, c.encoders[0].layer.weight)

@pytest.mark.parametrize('way', ALL)
def test_one_task_is_served_too(way):
    suite = planted(seed=0, tables=1, rows=60); model = opened(way(suite)); t = suite.tasks[0]
    assert torch.isfinite(model.scores(t, rows(suite, t))).all() and reach(model)['several tasks']==reach(model)['all tasks']==0

def test_reach_counts_what_is_shared(suite):
    n = lambda part: sum(p.numel() for p in part.parameters())
    ends = lambda m: n(m.encoders) + n(m.heads)
    hard, single, expert = opened(HardSharing(suite)), opened(SingleTask(suite)), opened(Experts(suite))
    assert reach(hard)['all tasks']==n(hard.trunk) and reach(expert)['all tasks']==n(expert.experts)
    assert reach(single)['all tasks']==0 and reach(single)['one task'] >= ends(single) + n(single.trunks)
    for m in (hard, single, expert): assert sum(reach(m).values())==sum(p.numel() for p in m.parameters())

def test_reach_leaves_the_model_as_it_was(suite):
    m = HardSharing(suite).train(); reach(m)
    assert m.training and all(p.grad is None for p in m.parameters())

def test_a_model_of_an_unknown_kind_is_refused(suite, tmp_path, monkeypatch):
    path = HardSharing(suite).save(tmp_path/'m.safetensors')
    monkeypatch.delitem(MODELS, 'HardSharing')
    with pytest.raises(ValueError, match='holds a HardSharing, and no model of that name is known here: import'): load_model(path)

@pytest.mark.parametrize('way', ALL)
def test_an_unknown_activation_is_refused(suite, way):
    with pytest.raises(ValueError, match=f"{way.__name__}: activation='step' is not one of 'gelu'"): way(suite, activation='step')

def test_a_baseline_of_ones_own(suite, tmp_path):
    "The two methods that a subclass adds are enough to be trained, saved and loaded"
    from mtl_explain.model import served
    @served
    class Straight(Baseline):
        def __init__(self, suite, width=8, activation='tanh', seed=0): super().__init__(suite, dict(width=width, activation=activation, seed=seed))
        def _middle(self, width, act): pass
        def middle(self, h, tasks): return h
    try:
        m = Straight(suite); fit(m, suite, steps=10, progress=False); back = load_model(m.save(tmp_path/'m.safetensors'))
        assert all(torch.equal(m.scores(t, rows(suite, t)), back.scores(t, rows(suite, t))) for t in suite)
    finally: MODELS.pop('Straight')

@pytest.mark.parametrize('way', ALL)
def test_every_operation_has_a_gradient_of_the_inputs(suite, way):
    "No in-place write, no detour through numpy: the input gradient is the finite difference"
    m = opened(way(suite)).double(); t = suite.tasks[0]; x = rows(suite, t, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda v: m.scores(t, v), (x,))

def test_several_heads_on_one_table():
    calls, trunk = [], nn.Sequential(nn.Linear(5, 8), nn.Tanh())
    trunk.register_forward_hook(lambda *_: calls.append(1))
    heads = {'items': nn.Linear(8, 1), 'a.b': nn.Linear(8, 3), '': nn.Sequential(nn.Linear(8, 4), nn.GELU(), nn.Linear(4, 2))}
    m = MultiHead(trunk, heads); x = torch.randn(6, 5); out = m(x)
    assert len(calls)==1 and list(out)==list(heads) and {k: v.shape[1] for k, v in out.items()}=={'items': 1, 'a.b': 3, '': 2}
    assert all(torch.equal(out[k], heads[k](m.trunk(x))) and m.heads[k] is heads[k] for k in heads)
    sum(v.sum() for v in out.values()).backward()
    assert all(p.grad is not None for p in m.parameters()) and sum(p.numel() for p in m.parameters())==sum(p.numel() for part in (trunk, *heads.values()) for p in part.parameters())

def test_no_heads_are_refused():
    with pytest.raises(ValueError, match='at least one task'): MultiHead(nn.Linear(2, 2), {})

def test_towers_that_see_every_row_are_counted():
    s = planted(tables=4, rows=60); t = s.tasks[0]
    assert CrossStitch(s).step_bytes(t, 32)==4*HardSharing(s).step_bytes(t, 32)
