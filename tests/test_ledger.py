"The ledger of a step: it adds up to the change that is measured, for any model, with masks, momentum, decay, penalty, a balance, and only some tasks."
import numpy as np, pytest, torch
from mtl_explain.balance import PCGrad, UPGrad
from mtl_explain.baselines import CrossStitch, Experts, HardSharing, SoftSharing
from mtl_explain.ledger import TERMS, before
from mtl_explain.losses import Rows
from mtl_explain.model import MTLModel
from mtl_explain.suites import planted
from types import SimpleNamespace
from mtl_explain.train import _draw, _seed, _step_losses

@pytest.fixture(scope='module')
def suite(): return planted(seed=3, tables=4, rows=80, kinds=('number', 'binary', 'ordered'))

def steps(model, suite, lr=1e-3, n=6, balance=None, tasks=None, clip=.3, decay=.5, moved=False):
    "Some steps as `fit` takes them; the ledger of the last one, and how far the parameters moved in it"
    data, opt, s = Rows(model, suite), torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=decay, fused=True), dict(rows=24, memory='1 GB', precision=None); model.train()
    for k in range(n):
        draw = {t: _draw(data.train[t], 24, k, 0, i) for i, t in enumerate(data.tasks) if k < n-1 or tasks is None or t in tasks}
        again = lambda: _seed(model.device, k + 5)  # noqa: B023
        again(); opt.zero_grad(set_to_none=True); _step_losses(data, SimpleNamespace(gradients=None, balance=balance), {}, draw, s, np.random.default_rng(k))
        if (more:=model.penalty()) is not None: more.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        kept = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
        after = before(data, opt, draw, [list(draw)], again, balance is None) if k==n-1 else None
        assert all(a is None and p.grad is None or torch.equal(a, p.grad) for a, p in zip(kept, model.parameters()))  # looking changes nothing
        opt.step()
    return after()

def closes(l, share=.05):
    assert l.match < 1e-3 and (np.abs(l.delta) <= share*np.abs(l.measured).max() + 2e-6).all()
    assert np.allclose(l.moved.sum(0) + l.rest.sum(0) + l.delta, l.measured)
    return l


@pytest.mark.parametrize('make', [MTLModel, HardSharing, Experts, SoftSharing])
def test_it_adds_up(suite, make):
    l = closes(steps(make(suite), suite)); momentum, decay, penalty, curvature = np.abs(l.rest).max(1)
    assert momentum > 0 and decay > 0 and (penalty > 0)==(make is SoftSharing) and curvature > 0 and (np.diag(l.moved) < 0).all() and l.loss.shape==(4,)
    off = l.moved[~np.eye(4, dtype=bool)]; assert (off==0).all() if make is SoftSharing else (off != 0).all()  # nothing shared, nobody moved

def test_it_adds_up_task_by_task_where_there_is_no_rule(suite): closes(steps(CrossStitch(suite, dropout=0.), suite))

@pytest.mark.parametrize('balance', [UPGrad(), PCGrad()], ids=repr)
def test_with_a_balance_the_weights_are_found(suite, balance): closes(steps(MTLModel(suite), suite, balance=balance))

def test_only_the_tasks_of_the_step_are_in_it(suite):
    l = closes(steps(MTLModel(suite), suite, tasks=suite.tasks[1:3])); assert l.tasks==suite.tasks[1:3] and l.moved.shape==(2, 2) and l.rest.shape==(len(TERMS), 2)

def test_what_is_open_is_of_third_order(suite):
    "A tenth of the step leaves a thousandth open; the curvature is found, not left over"
    big, small = (steps(MTLModel(suite, dropout=0.), suite, lr=lr, n=1, decay=0.) for lr in (1e-2, 1e-3))
    assert 30 < np.abs(big.rest[3]).sum()/np.abs(small.rest[3]).sum() < 300 and np.abs(small.delta).sum() < np.abs(big.delta).sum()/100

def test_another_optimiser_is_refused(suite):
    m = MTLModel(suite); data = Rows(m, suite); draw = {t: data.train[t][:8] for t in suite}
    with pytest.raises(TypeError, match='SGD is not known'): before(data, torch.optim.SGD(m.parameters(), .1), draw, None, lambda: None)
