"Wrong questions: each is refused at once, in words that name what is wrong; none goes through silently, none fails deep inside."
import sys
import numpy as np, pandas as pd, pytest, torch
from torch import nn
from mtl_explain.any_model import predictors
from mtl_explain.attribution import EXPLAINERS, explainer
from mtl_explain.data import Table, TaskSuite
from mtl_explain.explain import explain
from mtl_explain.game import Fixed, InputGame, Nearest, PerTask, Sampled
from mtl_explain.model import MTLModel
from mtl_explain.schema import check, closing

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
FRAME = pd.DataFrame(X, columns=list('abc'))
def two(x): return np.c_[x[:, 0]*x[:, 1], x[:, 2]]
def net():
    with torch.random.fork_rng(devices=[]): torch.manual_seed(0); return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).eval()
def ask(model=two, data=X, **how): return explain(model, data, **(dict(samples=4, background=Sampled(5), progress=False) | how))
def holed(x): return np.where((x[:, 0] > 0) & (x[:, 1] > 0), np.nan, x[:, 0])

ARGUMENTS = [
    (dict(samples=-1), ValueError, 'samples=-1'), (dict(samples=True), ValueError, 'samples=True'), (dict(samples=1.5), TypeError, 'samples must be.*not float'), (dict(samples=None), TypeError, 'samples must be.*not NoneType'), (dict(samples='all'), TypeError, 'samples must be.*not str'),
    (dict(samples={}), ValueError, "empty dict.*it has 'table'"), (dict(samples={'tab': X}), ValueError, "'tab' is not a table of the model; it has 'table'"), (dict(samples=X[0]), ValueError, r'rows of shape \(\), where \(3,\)'), (dict(samples=X[:, :2]), ValueError, r'rows of shape \(2,\), where \(3,\)'),
    (dict(evaluations=0), ValueError, 'evaluations=0'), (dict(evaluations=-5), ValueError, 'evaluations=-5'), (dict(evaluations=2.5), ValueError, 'evaluations=2.5'), (dict(evaluations='100'), ValueError, "evaluations='100'"),
    (dict(error=0), ValueError, 'error=0'), (dict(error=np.nan), ValueError, 'error=nan'), (dict(error='small'), ValueError, "error='small'"), (dict(memory='1 Gb'), ValueError, "memory='1 Gb'"), (dict(memory='...GB'), ValueError, 'memory='), (dict(memory=0), ValueError, 'memory=0'),
    (dict(memory=None), ValueError, 'memory=None'), (dict(memory=1e3), ValueError, 'one sample of table .table. needs about .* and memory=1 kB is allowed'), (dict(memory=100), MemoryError, "would take about 576 B, more than memory=100 B.*path='result.nc'"),
    (dict(path='/no/such/folder/x.nc'), ValueError, 'there is no such folder'), (dict(path='/'), ValueError, 'this is a folder'), (dict(path=''), ValueError, "path='' is no file name"), (dict(top=0), ValueError, 'top=0'), (dict(top='3'), ValueError, "top='3'"), (dict(top=1.5), ValueError, 'top=1.5'),
    (dict(targets=[]), ValueError, r'targets=\[\]'), (dict(targets='nope'), ValueError, "'nope' is not a target of table 'table'; it has 'table 1', 'table 2'"), (dict(targets=['table 1']*2), ValueError, 'none twice'), (dict(explainers=()), ValueError, 'explainers=.*name at least one'),
    (dict(explainers=None), ValueError, 'name at least one'), (dict(explainers='shap'), ValueError, "explainers: 'shap' is not one of 'exact', 'shapley'"), (dict(explainers=('exact', 'exact')), ValueError, 'names one twice'), (dict(players=3), TypeError, 'players: 3 is no kind'),
    (dict(players=lambda p: p), TypeError, 'is no kind of player'), (dict(players=['feature', 'feature']), ValueError, 'players: .* names one twice'), (dict(players='row'), ValueError, "players='row' is not one of"), (dict(seed=None), ValueError, 'seed=None'), (dict(seed=-1), ValueError, 'seed=-1'), (dict(seed=2**70), ValueError, 'seed='),
    (dict(off='zero'), ValueError, "off='zero'"), (dict(scheduler='dask'), TypeError, "scheduler='dask' is no dask client"), (dict(units='metres'), ValueError, "units='metres' is not one of"), (dict(background=X), TypeError, 'is no background'), (dict(heads=['a']), TypeError, 'heads must be a dict')]

@pytest.mark.parametrize('how, error, words', ARGUMENTS, ids=lambda v: ', '.join(f'{k}={str(w)[:20]!r}' for k, w in v.items()) if isinstance(v, dict) else '')
def test_arguments(how, error, words, monkeypatch):
    played = []; monkeypatch.setattr(sys.modules['mtl_explain.explain'], 'play', lambda *a, **k: played.append(a))
    if how.get('memory')!=1e3:  # what a block takes is known when it is played
        with pytest.raises(error, match=words): ask(**how)
        assert not played, 'refused too late'
    monkeypatch.undo()
    with pytest.raises(error, match=words): ask(**how)

def test_what_looks_odd_and_is_right():
    assert closing(check(ask(samples=0))).ok.all() and closing(check(ask(samples=X[:0]))).ok.all()
    t = ask(data=X[:1]); assert closing(check(t)).ok.all() and (np.abs(t['attribution/feature/table'].attribution) < 1e-12).all()  # the only row is its own background
    t = ask(lambda x: np.c_[x[:, 0], 0*x[:, 0]], explainers=('shapley', 'exact', 'permutation', 'lime', 'occlusion')); assert closing(t).ok.all() and (t['attribution/feature/table'].attribution.sel(target='table 2')==0).all()
    assert set(ask(lambda d: {'a/b': d['x/y'], '': d['x/y'], '</script>': d['']}, FRAME.set_axis(['x/y', '', 'z'], axis=1))['attribution/feature'].children)=={'a%2Fb', '_', '_%3C%2Fscript%3E'}
    assert ask(memory='1.5GB', seed=np.int64(3), evaluations=np.int32(64), explainers=['shapley']).attrs['seed']==3
    for kind in (bool, np.float16, np.int64, object): assert closing(ask(lambda x: (x[:, 0] > 0).astype(kind))).ok.all()
    assert closing(ask(lambda x: [float(v) for v in x[:, 0]])).ok.all()
    twice = FRAME.iloc[:3].set_axis(['u', 'u', 'v']); assert list(ask(lambda d: d.a, FRAME, samples=twice)['data/table'].sample.values)==[0, 1, 2]

LEAST = {'shapley': 4*14, 'permutation': 8*2*13, 'lime': 2*14 + 10, 'occlusion': 16*14, 'integrated gradients': 4*20, 'expected gradients': 32}  # for 14 features and 20 background rows
@pytest.mark.parametrize('name', LEAST)
@pytest.mark.filterwarnings('ignore:the budget ended before')
def test_budgets_too_small(name):
    wide, m = np.random.default_rng(0).normal(size=(30, 14)).astype(np.float32), nn.Linear(14, 1).eval(); least = LEAST[name]
    for few in (1, least - 1):
        with pytest.raises(ValueError, match=f'{name}: {few} evaluations are too few') as e: ask(m, wide, explainers=name, evaluations=few, background=Sampled(20))
    if name!='permutation': assert str(least) in str(e.value)
    d = ask(m, wide, explainers=name, evaluations=least, background=Sampled(20))['attribution/feature/table']; assert np.isfinite(d.attribution).all() and (d.evaluations==least).all()

@pytest.mark.parametrize('name', ['exact', 'shapley', 'permutation', 'lime', 'occlusion', 'interactions'])
def test_models_that_do_not_answer_some_mixture(name):
    there = X[(X[:, 0] < 0) | (X[:, 1] < 0)]
    with pytest.raises(ArithmeticError, match=f"{name}: an attribution of table 'table' is nan.*some mixture"): ask(holed, there, explainers=name, background=Sampled(20))

def test_slopes_that_are_not_finite():
    class Root(nn.Module):
        def forward(self, x): return x.abs().sqrt()
    with pytest.raises(ArithmeticError, match="saliency: an attribution of table 'table' is"): ask(Root().eval(), explainers='saliency', samples=np.zeros((1, 3), np.float32))

def test_rows_that_cannot_be_explained():
    hole = np.array([[0, np.nan, 0]], np.float32)
    with pytest.raises(ValueError, match=r"table 'table', input 'x\[1\]': row 0 holds nan"): ask(net(), samples=hole)
    with pytest.raises(ValueError, match='row 0 holds inf'): ask(net(), samples=np.where(np.isnan(hole), np.inf, hole))
    with pytest.raises(ValueError, match="table 'table', sample '0': the model answers with nan"): ask(lambda x: x.sum(1), samples=hole)
    with pytest.raises(ValueError, match="table 'table', sample 'v': the model answers with nan"): ask(lambda d: d.a, FRAME, samples=FRAME.iloc[:2].assign(a=[1., np.nan]).set_axis(['u', 'v']))
    with pytest.raises(ValueError, match="background of sample '0': the model answers with nan"): ask(lambda x: x[:, 0]*x[:, 1], samples=X[:1], background=Fixed(hole))
    s = TaskSuite({'t': Table(FRAME.assign(y=FRAME.a + FRAME.b), 'y')}); m = MTLModel(s)
    with pytest.raises(ValueError, match="task 't', column 'b' is missing in row 1"): explain(m, s, samples={'t': FRAME.iloc[:2].assign(b=[0., np.nan])}, progress=False)
    with pytest.raises(ValueError, match="column 'b'"): explain(m, s, samples={'t': FRAME.iloc[:2].assign(b=['x', 'y'])}, progress=False)

def test_backgrounds():
    p, = predictors(two, X)
    with pytest.raises(ValueError, match='the background has no rows'): InputGame(p, X[:2], X[:0])
    p.cases.part[:] = 'test'
    for b in (Sampled(3), Nearest(3)):
        with pytest.raises(ValueError, match="table 'table' has no training rows to make a background from"): b.draw(p, np.random.default_rng(0), X[:1])
    for made, words in [(lambda: Sampled(0), r'Sampled\(0\)'), (lambda: Sampled('x'), "Sampled\\('x'\\)"), (lambda: Nearest(2.5), r'Nearest\(2.5\)'), (lambda: Sampled(True), 'whole number')]:
        with pytest.raises(ValueError, match=words): made()
    with pytest.raises(TypeError, match="PerTask: 3, for 'table', is no background"): PerTask(dict(table=3))
    with pytest.raises(ValueError, match="column 'b' is missing"): ask(lambda d: d.a, FRAME, background=Fixed(dict(a=1., c=2.)))
    with pytest.raises(ValueError, match='one row is needed, 2'): ask(background=Fixed(X[:2]))

@pytest.mark.parametrize('data, words', [(FRAME.set_axis(['a', 'a', 'b'], axis=1), "column 'a' is there more than once"), (np.zeros((5, 0)), 'holds no input'), (X[:0], 'holds no rows'), ((), 'holds no input')])
def test_data(data, words):
    with pytest.raises(ValueError, match=words): ask(lambda x: np.zeros(len(x)), data)

@pytest.mark.parametrize('answer, words', [(lambda x: None, 'answers with nothing'), (lambda x: ['a']*len(x), 'answers with'), (lambda x: x[:, 0] + 1j, 'answers with complex'), (lambda x: x[0, 0], 'each row by itself'), (lambda x: x[:-1], 'answers of shape'), (lambda x: x*np.inf, 'answers with'),
                                           (lambda x: x + np.random.default_rng().random(), 'asked again'), (lambda x: x - x.mean(0), 'depends on the other rows')])
def test_answers(answer, words):
    with pytest.raises(ValueError, match=words), np.errstate(all='ignore'): ask(answer)

def test_an_error_of_the_model_is_the_models():
    with pytest.raises(ZeroDivisionError): ask(lambda x: 1/0)

def test_modules_that_are_not_ready():
    noisy = nn.Sequential(nn.Linear(3, 8), nn.Dropout(.5), nn.Linear(8, 1))
    with pytest.warns(UserWarning, match='was in training mode'): t = ask(noisy.train())
    assert not noisy.training and closing(t).ok.all()
    with pytest.raises(ValueError, match='meta device'): ask(net().to('meta'))
    for kind in (torch.bfloat16, torch.float16):
        with pytest.raises(TypeError, match=f'computes in {kind}.*float'): ask(net().to(kind))
    s = TaskSuite({'t': Table(FRAME.assign(y=FRAME.a*FRAME.b), 'y')}); m = MTLModel(s).train()
    assert closing(explain(m, s, players='feature', samples=3, progress=False)).ok.all() and not m.training
    with pytest.raises(ValueError, match='meta device'): explain(MTLModel(s).to('meta'), s, progress=False)

def own(name, **how):
    def deco(f): explainer(name, **how)(f); return f
    return deco
@pytest.fixture
def registered():
    before = dict(EXPLAINERS); yield; EXPLAINERS.clear(); EXPLAINERS.update(before)

def test_methods_of_ones_own(registered):
    zero = lambda game, rows: np.zeros((3, len(rows), 2))
    @own('plain')
    def plain(game, rows, rng): yield zero(game, rows), zero(game, rows), 1
    t = ask(explainers='plain', evaluations=10); assert t['attribution/feature/table'].budget==0 and t['attribution/feature/table'].delta.isnull().all()  # it takes no budget, so it gets none
    @own('small')
    def small(game, rows, rng): yield zero(game, rows)[1:], zero(game, rows)[1:], 1
    with pytest.raises(ValueError, match=r"small: attribution of table 'table' has shape \(2, 4, 2\).*\(3, 4, 2\) is needed"): ask(explainers='small')
    @own('silent')
    def silent(game, rows, rng): yield from ()
    @own('wrong')
    def wrong(game, rows, rng): return 3
    for name in ('silent', 'wrong'):
        with pytest.raises(ValueError, match=f'{name}: it yielded no estimate'): ask(explainers=name)
    for how, words in [(dict(closes='maybe'), 'closes='), (dict(needs='magic'), 'needs=')]:
        with pytest.raises(ValueError, match=words): explainer('x', **how)
    for name in ('', 'a@b', 3):
        with pytest.raises(ValueError, match='a name is text'): explainer(name)
    assert not {'', 'a@b', 3, 'x'} & set(EXPLAINERS)

def test_who_can_be_asked_what():
    with pytest.raises(TypeError, match="'saliency' needs slopes, which FunctionPredictor.*these work: 'exact', 'shapley', 'permutation', 'interactions', 'lime', 'occlusion'"): ask(explainers='saliency')
    whole = nn.Sequential(nn.Embedding(9, 2), nn.Flatten(), nn.Linear(6, 1)).eval(); ids = np.random.default_rng(0).integers(0, 9, (20, 3))
    with pytest.raises(TypeError, match="'integrated gradients' needs slopes.*these work: 'exact'"): ask(whole, ids, explainers='integrated gradients')
    assert closing(ask(whole, ids, explainers='shapley')).ok.all()
