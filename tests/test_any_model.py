"Any model behind one call: modules, functions, estimators; names, heads, units; what is refused, and in which words."
import numpy as np, pandas as pd, pytest, torch
from torch import nn
from mtl_explain.any_model import Form, Head, predictors
from mtl_explain.data import Table, TaskSuite
from mtl_explain.explain import explain
from mtl_explain.game import Fixed, Groups, Nearest, PerTask, Sampled, Typical
from mtl_explain.model import MTLModel
from mtl_explain.schema import check, closing
from mtl_explain.suites import planted

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3)).astype(np.float32)
ask = dict(samples=4, background=Sampled(5), progress=False)
class Net(nn.Module):
    "forward as it is given"
    def __init__(self, forward): super().__init__(); torch.manual_seed(0); self.l, self.e, self.f = nn.Linear(3, 2), nn.Embedding(10, 3), forward
    def forward(self, *args, **named): return self.f(self, *args, **named)
class ByName(Net):
    def forward(self, left, right): return self.f(self, left, right)

# ---- forms of input and output
@pytest.mark.parametrize('forward, data, heads, targets', [
    (lambda m, x: m.l(x), X, None, ['table 1', 'table 2']), (lambda m, x: m.l(x)[:, 0], X, None, ['table']), (lambda m, x: (m.l(x), x[:, :1]), X, None, ['output 1 1', 'output 1 2', 'output 2']),
    (lambda m, x: dict(a=m.l(x), b=x.sum(1)), X, None, ['a 1', 'a 2', 'b']), (lambda m, x: m.l(x), X, dict(a=0, b=[1]), ['a', 'b']), (lambda m, x: (m.l(x), x), X, dict(a=(0, 1), b=(1, slice(0, 2))), ['a', 'b 1', 'b 2']),
    (lambda m, x: dict(a=m.l(x)), X, dict(sum=lambda y: y['a'].sum(1)), ['sum']), (lambda m, x: m.l(x['p']) + x['q'], dict(p=X, q=X[:, 0:1]), None, ['table 1', 'table 2']), (lambda m, p, q: m.l(p)*q, (X, X[:, :1]), None, ['table 1', 'table 2']),
    (lambda m, x: m.l(x.mean(1)), rng.normal(size=(40, 4, 3)).astype(np.float32), None, ['table 1', 'table 2']), (lambda m, x: m.l(m.e(x).mean(1)), rng.integers(0, 10, (40, 5)), None, ['table 1', 'table 2'])])
def test_forms(forward, data, heads, targets):
    net = Net(forward).eval(); p, = predictors(net, data, heads)
    assert list(p.targets.target)==targets and p(p.cases.x).shape==(40, len(targets))
    t = explain(net, data, heads=heads, **ask); assert closing(check(t)).ok.all() and len(t['attribution/feature'].children)==p.targets.task.nunique()

def test_inputs_by_name_keep_their_shape_and_type():
    seen = {}
    def forward(m, left, right): seen.update(left=left, right=right); return m.l(left) + right[:, :1].float()
    p, = predictors(ByName(forward).eval(), dict(left=X, right=rng.integers(0, 9, (40, 2))))
    assert seen['left'].dtype==torch.float32 and seen['right'].dtype==torch.int64 and list(p.inputs.variable)==['left[0]', 'left[1]', 'left[2]', 'right[0]', 'right[1]']

def test_frames_give_the_names_and_text_is_refused_by_a_module():
    f = pd.DataFrame(X, columns=['a', 'b', 'c'])
    p, = predictors(Net(lambda m, x: m.l(x)).eval(), f); assert list(p.inputs.feature)==['a', 'b', 'c']
    with pytest.raises(TypeError, match="column 'c' holds text"): predictors(Net(lambda m, x: m.l(x)).eval(), f.assign(c='z'))

def test_columns_of_any_type_come_back_as_they_were():
    n = 30; f = pd.DataFrame(dict(i=np.arange(n), f=np.r_[np.nan, rng.normal(size=n-1)], b=rng.random(n) < .5, t=rng.choice(['x', 'y', "</script>"], n), c=pd.Categorical(rng.choice(['lo', 'hi'], n), ['lo', 'hi'], ordered=True), n=pd.array([None, *range(n-1)], 'Int64'), s=pd.array(rng.choice(['u', 'v'], n), 'string')))
    f.loc[3, 't'] = None
    form = Form(f); back = form.blocks[0].array(form.flat(f))
    pd.testing.assert_frame_equal(back.assign(t=back.t.where(back.t.notna(), None)), f, check_column_type=False)
    seen = []
    p, = predictors(lambda x: seen.append(x) or (x.t=='x')*1. + x.i, f)
    assert all(dict(s.dtypes)==dict(f.dtypes) for s in seen)

def test_estimators_one_several_and_pipelines():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LinearRegression, LogisticRegression
    f = pd.DataFrame(X, columns=list('abc')); y = (X[:, 0] > 0)*1; k = np.digitize(X[:, 1], [-.5, .5])
    one = LogisticRegression().fit(f, k); p, = predictors(one, f); assert list(p.targets.target)==['table: 0', 'table: 1', 'table: 2'] and np.allclose(p(p.cases.x), one.predict_proba(f))
    two = LogisticRegression().fit(f, y); p, = predictors(two, f); assert np.allclose(p(p.cases.x)[:, 0], two.predict_proba(f)[:, 1]) and p.targets.kind[0]=='binary'
    many = LinearRegression().fit(f, X[:, :2]); p, = predictors(many, f); assert p(p.cases.x).shape==(40, 2)
    multi = RandomForestClassifier(5, random_state=0).fit(f, np.c_[y, k]); p, = predictors(multi, f); assert list(p.targets.task.unique())==['table 1', 'table 2'] and p(p.cases.x).shape==(40, 4)
    t = explain(dict(yes=two, kind=one, size=many), f, units='score', **ask); assert set(t['attribution/feature'].children)=={'yes', 'kind', 'size'} and closing(t).ok.all()
    t = explain(dict(yes=two, kind=one), f, units='probability', **ask); assert t['attribution/feature/yes'].unit.item()=='probability'
    t = explain(dict(u=two, v=many), dict(u=f, v=f.rename(columns=str.upper)[['A', 'B', 'C']].set_axis(list('abc'), axis=1)), **ask); assert set(t['data'].children)=={'u', 'v'}

def test_tasks_that_share_a_table_are_asked_together():
    calls = []
    def f(x): calls.append(len(x)); return dict(a=x[:, 0], b=x.sum(1))
    explain(f, X, **ask); together, calls[:] = sum(calls), []
    explain(lambda x: f(x)['a'], X, **ask); assert together <= 1.1*sum(calls)

def test_new_rows_need_no_truth_and_are_read_as_training_rows():
    f = pd.DataFrame(dict(a=rng.normal(size=80), c=rng.choice(['p', 'q', 'r'], 80), y=rng.normal(size=80))); s = TaskSuite({'t': Table(f, 'y'), 'u': Table(f.rename(columns=dict(y='z')), 'z')}); m = MTLModel(s)
    new = pd.DataFrame(dict(a=[0., 1.], c=['q', 'never seen']), index=['first', 'second'])
    t = explain(m, s, samples={'t': new}, progress=False)
    d = t['data/t'].dataset; assert list(t['data'].children)==['t'] and list(d.sample.values)==['first', 'second'] and d.truth.isnull().all() and d.input_value.values.tolist()==[['0', 'q'], ['1', 'unknown']] and (d.part=='new').all()
    with pytest.raises(ValueError, match="'v' is not a table"): explain(m, s, samples={'v': new}, progress=False)
    with pytest.raises(ValueError, match="column 'a' is missing in row 1"): explain(m, s, samples={'t': new.assign(a=[0., np.nan])}, progress=False)
    with pytest.raises(ValueError, match="'c'.*not among the columns"): explain(m, s, samples={'t': new[['a']]}, progress=False)
    with pytest.raises(TypeError, match='must be a data frame'): explain(m, s, samples={'t': new.to_numpy()}, progress=False)
    with pytest.raises(TypeError, match='samples must be'): explain(m, s, samples='all', progress=False)

def test_units():
    net = Net(lambda m, x: dict(price=m.l(x)[:, 0], kind=torch.stack([x[:, 0], x[:, 1], x[:, 2]], 1), yes=x[:, 0])).eval()
    heads = dict(price=Head('price', unit='€', mean=100, std=20), kind=Head('kind', list('abc'), 'nominal'), yes=Head('yes', kind='binary'))
    p, = predictors(net, X, heads); raw, own = p(p.cases.x), p.in_units('own')(p.cases.x)
    assert np.allclose(own[:, 0], raw[:, 0]*20 + 100, rtol=1e-5) and np.allclose(own[:, 1:4], np.exp(raw[:, 1:4])/np.exp(raw[:, 1:4]).sum(1, keepdims=True), atol=1e-6) and np.allclose(own[:, 4], 1/(1 + np.exp(-raw[:, 4])), atol=1e-6)
    assert np.allclose(p.in_units('sd')(p.cases.x).std(0), 1, atol=1e-4)
    with pytest.raises(ValueError, match="'price' is a number and has no one probability"): p.in_units('probability')
    with pytest.raises(ValueError, match="units='euro'"): explain(net, X, heads=heads, units='euro', **ask)
    x = p.tensor(X[:5]); J, o = p.in_units('own').jacobian(x), p.in_units('own')
    for j in range(3):
        h = torch.zeros(3); h[j] = 1e-2; assert torch.allclose((o.forward(x + h) - o.forward(x - h)).T/2e-2, J[:, :, j], atol=2e-2*J.abs().max().item())

# ---- what is refused
@pytest.mark.parametrize('call, error, words', [
    (lambda: predictors(3, X), TypeError, 'int cannot be explained'), (lambda: predictors(lambda x: x.sum(), X), ValueError, 'answer each row by itself'), (lambda: predictors(lambda x: x[:, 0], X[:0]), ValueError, 'holds no rows'),
    (lambda: predictors(Net(lambda m, x: m.l(x)).eval(), np.where(np.arange(3)==1, np.nan, X)), ValueError, r"input 'x\[1\]': row 0 holds nan"), (lambda: predictors(Net(lambda m, x: m.l(x)).eval().to('meta'), X), ValueError, 'meta device'),
    (lambda: predictors(Net(lambda m, x: m.l(x) + torch.rand(len(x), 1)).eval(), X), ValueError, 'asked again'), (lambda: predictors(Net(lambda m, x: m.l(x - x.mean(0))).eval(), X), ValueError, 'depends on the other rows'),
    (lambda: predictors(Net(lambda m, x: m.l(x)).eval(), X, dict(a='b')), ValueError, "task 'a' cannot read 'b'"), (lambda: predictors(Net(lambda m, x: (m.l(x),)).eval(), X, dict(a=3)), ValueError, "task 'a' reads 3, but the model returns a tuple with places 0"),
    (lambda: predictors(Net(lambda m, x: m.l(x)).eval(), X, dict(a=Head(None, ['one']))), ValueError, '2 targets, but 1 names'), (lambda: Head(kind='ordinal'), ValueError, "kind='ordinal'"), (lambda: predictors(lambda x: x[:, 0], np.array([['a']])), TypeError, 'cannot be read'),
    (lambda: predictors(Net(lambda m, x: m.l(x['p'])).eval(), dict(p=X, q=X[:5])), ValueError, 'different numbers of rows'), (lambda: explain(lambda x: x[:, 0], X, explainers='saliency', **ask), TypeError, "needs slopes.*these work: 'exact', 'shapley'"),
    (lambda: explain(Net(lambda m, x: m.l(m.e(x).mean(1))).eval(), rng.integers(0, 10, (40, 5)), explainers='integrated gradients', **ask), TypeError, 'needs slopes'), (lambda: explain(lambda x: x[:, 0], X, players='concept', **ask), ValueError, "no players 'concept'"),
    (lambda: explain(lambda x: x[:, 0], X, players='columns', **ask), ValueError, "players='columns' is not one of"), (lambda: explain(lambda x: x[:, 0], X, explainers='shapley@mean', **ask), ValueError, "background 'mean'"),
    (lambda: explain(lambda x: x[:, 0], X, explainers=('lime', 'lime'), **ask), ValueError, 'names one twice'), (lambda: explain(lambda x: x[:, 0], X, samples=3, background=7, progress=False), TypeError, 'is no background'), (lambda: Sampled(0), ValueError, 'at least one'), (lambda: Nearest(0), ValueError, 'at least one'),
    (lambda: explain(lambda x: x[:, 0], X, samples=3, background=PerTask({'other': Typical()}), progress=False), ValueError, "no background for 'table'"), (lambda: explain(lambda x: x[:, 0], X, samples=3, background=Fixed(X[:2]), progress=False), ValueError, 'one row is needed'),
    (lambda: explain(lambda x: x[:, 0], X, players=Groups('g', {'u': ['x[0]', 'y']}), **ask), ValueError, "names 'y', which is no feature"), (lambda: Groups('g', {'u': ['a'], 'v': ['a']}), ValueError, "in 'u' and in 'v'"), (lambda: Groups('concept', {}), ValueError, 'has a meaning already'), (lambda: Groups('a/b', {}), ValueError, 'begins with a letter'), (lambda: Groups('<b>', {}), ValueError, 'begins with a letter'), (lambda: Groups('a ', {}), ValueError, 'does not end in a space'),
    (lambda: explain(MTLModel(planted(tables=2)), X), TypeError, 'explained on its TaskSuite'), (lambda: explain(lambda x: x, planted(tables=2)), TypeError, 'takes rows, not a TaskSuite')])
def test_refused_in_words(call, error, words):
    with pytest.raises(error, match=words): call()

@pytest.mark.parametrize('name, least', [('shapley', 4), ('permutation', 4), ('lime', 4), ('integrated gradients', 4), ('expected gradients', 4)])
def test_too_small_a_budget_says_how_many_are_needed(name, least):
    wide = np.random.default_rng(0).normal(size=(30, 14)).astype(np.float32); net = nn.Linear(14, 1).eval()
    with pytest.raises(ValueError, match=f'{name}: {least} evaluations are too few'): explain(net, wide, explainers=name, evaluations=least, **ask)

def test_a_model_in_training_mode_is_told_of_and_put_into_evaluation_mode():
    net = nn.Sequential(nn.Linear(3, 4), nn.Dropout(.5), nn.Linear(4, 1))
    with pytest.warns(UserWarning, match='was in training mode'): p, = predictors(net, X)
    assert not net.training and np.array_equal(p(X), p(X))
