"Leaving a task out: the numbers are those of trainings done by hand, the estimate says that it is one, intervals come from seeds."
import numpy as np, pytest
from mtl_explain.losses import Rows
from mtl_explain.model import MTLModel
from mtl_explain.pairs import opposed
from mtl_explain.suites import planted
from mtl_explain.train import fit
from mtl_explain.transfer import _test_losses, transfer

pytestmark = pytest.mark.filterwarnings('ignore:attention is still uniform', 'ignore:.*concepts are dead')
KW = dict(steps=4, evaluate=2, rows=8, progress=False)

def test_it_is_training_without_the_task():
    suite = opposed(seed=3, each=1, inputs=(1, 2)); make = lambda s: MTLModel(suite, seed=s, width=12, dim=4); found, a, b = transfer(make, suite, seeds=(0, 4), **KW), *suite.tasks[1:3]
    def loss(tasks, seed=4): m = make(seed); fit(m, suite, tasks=tasks, seed=seed, **KW); return _test_losses(m, Rows(m, suite), suite)[suite.tasks.index(b)]
    assert np.isclose(found.each.sel(seed=4, task=a, task_2=b), loss([t for t in suite.tasks if t!=a]) - loss(None), atol=1e-7) and np.isnan(np.diag(found.effect)).all()
    each = found.each.sel(task=a, task_2=b).values; assert np.isclose(found.high.sel(task=a, task_2=b) - found.effect.sel(task=a, task_2=b), 12.706*each.std(ddof=1)/2**.5, rtol=1e-3) and found.attrs['kind'].startswith('truth')

def test_an_estimate_says_so_and_one_seed_has_no_interval():
    suite = opposed(seed=3, each=1, inputs=(1, 2)); found = transfer(lambda s: MTLModel(suite, seed=s, width=12, dim=4), suite, seeds=[0], warm=2, **KW)
    assert found.attrs['kind']=='estimate: 2 steps from the weights of the joint run' and np.isnan(found.low).all() and np.isfinite(found.effect.values[~np.eye(4, dtype=bool)]).all()

def test_bad_input_is_named():
    s = planted(tables=3, rows=60); make = lambda k: MTLModel(s, seed=k)
    for a, kw, words in ((MTLModel, {}, 'give a function of the seed'), (make, dict(seeds=[]), 'seeds is empty'), (make, dict(seeds=0), 'seeds is empty')):
        with pytest.raises((TypeError, ValueError), match=words): transfer(a, s, progress=False, **kw)
