"Embeddings found anew, and copies for single tasks."
import numpy as np, pytest, torch
from mtl_explain.baselines import HardSharing
from mtl_explain.losses import LOSSES
from mtl_explain.model import MTLModel
from mtl_explain.sharing import Attend, Own
from mtl_explain.suites import planted
from mtl_explain.train import fit
from mtl_explain.tune import _losses_of, fine_tune, refit

pytestmark = pytest.mark.filterwarnings('ignore:attention is still uniform', 'ignore:.*concepts are dead')

@pytest.fixture(scope='module')
def suite(): return planted(seed=4, tables=4, rows=100, kinds=('number', 'binary', 'ordered'))

@pytest.mark.parametrize('make', [lambda s: MTLModel(s, Attend(6), width=16), lambda s: MTLModel(s, Own(), width=16), lambda s: HardSharing(s, width=16)])
def test_what_is_shared_and_the_other_tasks_stay_to_the_bit(suite, make):
    model = make(suite); fit(model, suite, steps=20, progress=False); a, b = suite.tasks[:2]; (model.output.data[model.outputs[b]] if isinstance(model, MTLModel) else model.heads[1].weight.data).mul_(-9); before = {k: v.clone() for k, v in model.state_dict().items()}; said = {t: model.predict(t, suite[t].x) for t in suite}
    found = refit(model, suite, [b], restarts=2, steps=80, evaluate=10, progress=False)
    assert found.loc[b, 'start'] >= 0 and np.isclose(_losses_of(model, suite, [b], LOSSES, 'loss')[b], found.after[b], atol=1e-6) and found.after[b] < found.before[b]
    for k, v in model.state_dict().items():
        if k.split('.')[0] in ('encoder', 'core', 'decoder', 'readout', 'trunk') or k=='sharing.shared': assert torch.equal(v, before[k]), k
    for t in suite:
        same = all(np.array_equal(p, q) for p, q in zip(model.predict(t, suite[t].x).values(), said[t].values())); assert same==(t!=b)

def test_a_task_keeps_what_it_has_where_nothing_is_better(suite):
    model = MTLModel(suite, width=16); fit(model, suite, steps=150, progress=False); before = {k: v.clone() for k, v in model.state_dict().items()}; good = _losses_of(model, suite, suite.tasks, LOSSES, 'loss').nsmallest(2).index
    found = refit(model, suite, list(good), restarts=1, steps=1, evaluate=1, progress=False); assert len(found)==2 and (found.start==-1).all() and (found.after==found.before).all()
    assert all(torch.equal(v.nan_to_num(), before[k].nan_to_num()) for k, v in model.state_dict().items())

def test_a_copy_serves_its_task_and_the_joint_model_the_others(suite):
    model = MTLModel(suite, width=16); fit(model, suite, steps=20, progress=False); a, b, *_ = suite.tasks; said = model.predict(b, suite[b].x)
    tuned = fine_tune(model, suite, [a], steps=60, lr=1e-2, evaluate=10, progress=False); assert list(tuned.own)==[a] and tuned.table.after[a] < tuned.table.before[a] and '1 of 4' in repr(tuned)
    assert tuned[b] is model and all(np.array_equal(p, q) for p, q in zip(tuned.predict(b, suite[b].x).values(), said.values()))
    (p,), (q,) = tuned.predict(a, suite[a].x).values(), model.predict(a, suite[a].x).values(); assert not np.array_equal(p, q)
    from mtl_explain.metrics import score
    assert set(score(tuned, suite, 'valid').task)==set(suite.tasks)

def test_what_decides_may_be_the_errors():
    s = planted(seed=2, tables=2, rows=150, kinds=('binary',)); model = MTLModel(s, width=16); fit(model, s, steps=5, progress=False); a, _ = s.tasks; tuned = fine_tune(model, s, [a], steps=60, lr=1e-2, evaluate=5, keep='error', progress=False)
    assert a in tuned.own and np.isclose(tuned.table.after[a], _losses_of(tuned[a], s, [a], LOSSES, 'error')[a], atol=1e-6) and np.isclose(tuned.table.before[a], _losses_of(model, s, [a], LOSSES, 'error')[a], atol=1e-6)
    found = refit(model, s, [a], restarts=2, steps=60, evaluate=5, keep='error', progress=False); assert np.isclose(found.after[a], _losses_of(model, s, [a], LOSSES, 'error')[a], atol=1e-6)

def test_what_was_tuned_is_explained_copy_by_copy(suite):
    from mtl_explain.explain import explain
    t = suite.tasks[0]; tuned = fine_tune(MTLModel(suite), suite, [t], steps=20, lr=5e-3, evaluate=10, progress=False)
    with pytest.raises(TypeError, match='explain one copy at a time, as in explain\\(tuned'): explain(tuned, suite, progress=False)
    if t in tuned.own: assert '/attribution' in str(explain(tuned[t], suite, samples=2, progress=False).groups)

def test_an_interrupt_goes_on_to_whoever_called(suite):
    from mtl_explain.new_task import add_task
    from mtl_explain.transfer import transfer
    def stop(history): raise KeyboardInterrupt
    model, options = MTLModel(suite), dict(steps=20, evaluate=5, progress=False, monitor=stop); new = suite.tables[suite.tasks[0]]
    for call in (lambda: fine_tune(model, suite, **options), lambda: add_task(model, suite, new, 'again', **options), lambda: transfer(lambda s: MTLModel(suite, seed=s), suite, seeds=1, **options)):
        with pytest.raises(KeyboardInterrupt): call()
