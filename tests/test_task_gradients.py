"Per-task gradients from one pass: equal to the loop over tasks for every way of sharing, with the masks of the step, and honest where there is no rule."
import numpy as np, pytest, torch
from mtl_explain.baselines import CrossStitch, Experts, HardSharing, SingleTask, SoftSharing
from mtl_explain.model import Batch, MTLModel
from mtl_explain.sharing import Attend, Own
from mtl_explain.suites import planted
from mtl_explain.task_gradients import TaskGradients

SHARINGS = [Own(), Attend(7), Attend(5, 'softmax'), Attend(5, 'sparsemax', logits='query', projections=True), Attend(4, restriction='orthogonal', logits='query'), Attend(7, restriction='unit', projections=True)]

@pytest.fixture(scope='module')
def suite(): return planted(seed=3, tables=5, rows=60, kinds=('number', 'binary', 'nominal'))

def moved(model):
    "Away from the start, where gates are shut and half of the gradients are 0"
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters(): p.add_(.3*torch.randn(p.shape, generator=draw))
    return model

def losses_of(model, suite, rows=11):
    def losses(call, tasks):
        b = Batch(model, tasks); scores = call(b, torch.cat([torch.as_tensor(suite[t].x[:rows].T) for t in tasks]))
        l = model.class_logits(b.outcomes, scores, b.position).masked_fill(model._absent[b.outcomes][:, None], 0)  # (outcome, row, class)
        return (l - 1).square().mean((1, 2))
    return losses

def by_loop(model, losses, tasks):
    "Parameter -> (task, …), one pass per task"
    out, names = [], dict(model.named_parameters())
    for t in tasks:
        g = torch.autograd.grad(losses(model, [t]).sum(), list(names.values()), allow_unused=True)
        out.append([torch.zeros_like(p) if d is None else d for p, d in zip(names.values(), g)])
    return {n: torch.stack(g) for n, g in zip(names, zip(*out))}

def agrees(model, suite, tasks=None, groups=None):
    losses, tasks = losses_of(model, suite), tasks or suite.tasks
    want, got = by_loop(model, losses, tasks), TaskGradients(model, tasks)
    model.zero_grad(set_to_none=True); each = got.collect(losses, groups)
    assert torch.allclose(each, torch.cat([losses(model, [t]) for t in tasks]), rtol=1e-5) and got.way=='one pass'
    size = torch.cat([w.flatten(1) for w in want.values()], 1).norm(dim=1)  # (task,)
    for n, w in want.items():
        if n in got.where: assert ((got.named(n) - w).flatten(1).norm(dim=1) <= 1e-5*size).all(), n
        else: own = model.get_parameter(n).grad; assert (w.flatten(1) != 0).any(1).sum()==0 if own is None else torch.allclose(own, w.sum(0), rtol=1e-4, atol=1e-6*float(size.max())), n
    S = torch.cat([want[n].flatten(1) for n in got.where], 1) if got.where else torch.zeros(len(tasks), 0)
    assert torch.allclose(got.gramian(), S @ S.T, rtol=1e-4, atol=1e-6*float(size.max())**2)
    return got


@pytest.mark.parametrize('sharing', SHARINGS, ids=repr)
def test_one_pass_is_the_loop_for_every_sharing(suite, sharing):
    got = agrees(moved(MTLModel(suite, sharing, dropout=0.)), suite)
    assert {'encoder.film.weight', 'encoder.gate', 'encoder.first.bias', 'core.layers.0.weight', 'decoder.gate', 'readout.film.weight'} <= set(got.where) and ('sharing.shared' in got.where)==isinstance(sharing, Attend)
    assert not {'output', 'gain', 'threshold', 'sharing.raw', 'sharing.embedding'} & set(got.where)

@pytest.mark.parametrize('act', ['relu', 'tanh'])
def test_with_and_without_the_short_way_of_the_encoder(suite, act):
    model = moved(MTLModel(suite, activation=act, dropout=0., blocks=(1, 1, 1))); short = agrees(model, suite).shared; model.encoder.lean = False
    assert torch.allclose(agrees(model, suite).shared, short, atol=1e-5*float(short.norm()))

@pytest.mark.parametrize('make', [HardSharing, Experts, SingleTask, SoftSharing])
def test_one_pass_is_the_loop_for_baselines(suite, make):
    got = agrees(moved(make(suite, dropout=0.)), suite); assert (got.shared.shape[1] > 0)==(make in (HardSharing, Experts))

def test_some_tasks_in_any_order_and_in_groups(suite):
    a, b, c, *rest = suite.tasks; model = moved(MTLModel(suite, dropout=0.)); agrees(model, suite, [c, a]); agrees(model, suite, groups=[[b, a], [c, *rest]])


@pytest.mark.parametrize('frozen', ['encoder', 'core', 'sharing.shared', 'encoder.layers.0.weight', 'sharing', 'decoder'])
def test_what_is_frozen_stays_out(suite, frozen):
    model = moved(MTLModel(suite, Attend(5, 'softmax', logits='query', projections=True), dropout=0.)); losses = losses_of(model, suite); want = by_loop(model, losses, suite.tasks); kept = {n for n, _ in model.named_parameters() if not n.startswith(frozen)}
    for n, p in model.named_parameters(): p.requires_grad_(n in kept)
    g = TaskGradients(model); g.collect(losses); size = max(w.norm() for w in want.values())
    assert set(g.where) <= kept and len(g.where) > 3 and all((g.named(n) - want[n]).norm() < 1e-5*size for n in g.where) and not any(p.grad is not None for n, p in model.named_parameters() if n not in kept)


def test_masks_are_those_of_the_step(suite):
    "With dropout, from the same seed, the gradients add up to the plain one"
    model = moved(MTLModel(suite, dropout=.4, noise=.1)).train(); losses = losses_of(model, suite); seed = lambda: torch.manual_seed(5)
    seed(); losses(model, suite.tasks).mean().backward(); want = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    model.zero_grad(set_to_none=True); g = TaskGradients(model); seed(); g.collect(losses); g.leave(np.full(5, .2)); got = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    assert torch.allclose(got, want, rtol=1e-4, atol=1e-6*float(want.abs().max())); seed(); assert not torch.allclose(losses(model, suite.tasks), losses(model, suite.tasks))


def test_weights_move_only_what_is_shared(suite):
    model = moved(MTLModel(suite, dropout=0.)); losses = losses_of(model, suite); want = by_loop(model, losses, suite.tasks)
    model.zero_grad(set_to_none=True); g = TaskGradients(model); g.collect(losses); w = torch.tensor([0., 1., 2., 0., .5]); g.leave(w)
    for n, p in model.named_parameters():
        if p.grad is not None: assert torch.allclose(p.grad, torch.tensordot(w if n in g.where else torch.full((5,), .2), want[n], 1), rtol=1e-3, atol=1e-5*float(want[n].abs().max() + 1e-3)), n


def test_without_a_rule_it_goes_task_by_task_and_says_so(suite):
    model = moved(CrossStitch(suite, dropout=0.)); losses = losses_of(model, suite); g = TaskGradients(model); want = by_loop(model, losses, suite.tasks)
    assert g.way=='task by task: there is no rule for a CrossStitch' and g.way in repr(g)
    with pytest.raises(NotImplementedError, match='CrossStitch'): g(None, None)
    g.collect(losses); S = torch.cat([want[n].flatten(1) for n in g.where], 1)
    assert torch.allclose(g.shared, S, rtol=1e-4, atol=1e-6); both = (S != 0).sum(0) > 1; assert 0 < both.float().mean() < 1 and torch.allclose(g.gramian(), S[:, both] @ S[:, both].T, rtol=1e-4)
    g.leave(torch.zeros(5)); left = torch.cat([p.grad.flatten() for p in model.parameters()]); assert (left[both]==0).all() and torch.allclose(left[~both], S.mean(0)[~both], atol=1e-6)

def test_a_layer_or_a_sharing_of_ones_own_is_named(suite):
    class Mine(Attend): pass
    class Other(MTLModel): pass
    model = MTLModel(suite); model.core.norm = torch.nn.LayerNorm(48); assert 'there is no rule for core.norm.weight' in TaskGradients(model).way
    assert 'a Other' in TaskGradients(Other(suite)).way and 'Mine' in TaskGradients(MTLModel(suite, Mine(3))).way

def test_a_part_that_is_not_called_is_an_error(suite):
    model = MTLModel(suite); model.core.more = torch.nn.Linear(3, 3)
    with pytest.raises(RuntimeError, match=r'core\.more\.'): TaskGradients(model).collect(losses_of(model, suite))

def test_the_model_is_left_as_it_was(suite):
    model = MTLModel(suite); before = {n: set(vars(m)) for n, m in model.named_modules()}; TaskGradients(model).collect(losses_of(model, suite))
    assert before=={n: set(vars(m)) for n, m in model.named_modules()}
    g = TaskGradients(model)
    with pytest.raises((RuntimeError, IndexError)): g(Batch(model, suite.tasks), torch.zeros(2, 3))
    assert before=={n: set(vars(m)) for n, m in model.named_modules()} and all(isinstance(p, torch.nn.Parameter) for p in model.parameters())


def test_memory_of_the_step_before(suite):
    model = moved(MTLModel(suite, dropout=0.)); losses = losses_of(model, suite); first = TaskGradients(model); first.collect(losses); was, at = first.shared.clone(), first.shared.data_ptr(); assert was.abs().sum() > 0
    again = TaskGradients(model, after=first); assert again.shared.data_ptr()==at and not again.shared.any(); again.collect(losses); assert torch.equal(again.shared, was)
    fewer = TaskGradients(model, suite.tasks[:2], after=again); assert fewer.shared.data_ptr()==at and len(fewer.shared)==2; fewer.collect(losses); torch.testing.assert_close(fewer.shared, was[:2])
    more = TaskGradients(model, after=fewer); assert more.shared.data_ptr()==at; more.collect(losses); assert torch.equal(more.shared, was)
    other = TaskGradients(MTLModel(suite, width=32), after=more); assert other.shared.data_ptr()!=at and other.shared.shape[1] < was.shape[1]

def test_pieces_that_end_inside_a_task(suite, monkeypatch):
    monkeypatch.setattr('mtl_explain.film.PIECE', 11*48*2)  # two variables a piece
    agrees(moved(MTLModel(suite, dropout=0.)), suite)
