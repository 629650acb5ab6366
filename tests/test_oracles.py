"Attributions against what is written out here from the definitions, and against captum and shap where they are right."
from itertools import combinations
from math import factorial
import numpy as np, pandas as pd, pytest, shap, torch
from captum import attr as captum
from bench.models import data, lively, trunk
from mtl_explain.any_model import FunctionPredictor, ModulePredictor
from mtl_explain.attribution import EXPLAINERS, Estimate
from mtl_explain.data import Table, TaskSuite
from mtl_explain.explain import explain
from mtl_explain.game import ConceptGame, EdgeGame, Fixed, Groups, InputGame, Nearest, PerTask, Sampled, Typical
from mtl_explain.model import MTLModel
from mtl_explain.predictor import UNITS, ModelPredictor, TorchPredictor
from mtl_explain.sharing import Attend

pytestmark = pytest.mark.filterwarnings('ignore:attention is still uniform', 'ignore:.*concepts are dead', 'ignore:lime. the local fit', 'ignore:the budget ended before', 'ignore:Input Tensor .* required_grads', 'ignore:.*[Aa]ttention.*')

# ---- a small suite with every kind of target, and a model with large weights
@pytest.fixture(scope='module')
def suite():
    rng = np.random.default_rng(0); n = 120
    f = pd.DataFrame(dict(a=rng.normal(size=n), c=rng.choice(['p', 'q', 'r'], n), m=np.where(rng.random(n) < .2, np.nan, rng.normal(size=n)), b=rng.random(n) < .5))
    f['mode'], f['number'], f['yes'] = np.where(f.c=='p', 'x', np.where(f.a > 0, 'y', 'z')), 3 + 2*f.a + f.b*(f.c=='q'), f.a + rng.normal(size=n) > 0
    f['rank'] = pd.Categorical(np.digitize(f.a + rng.normal(size=n)/2, [-1, 0, 1]).astype(str), ['0', '1', '2', '3'], ordered=True)
    g = pd.DataFrame(dict(u=rng.normal(size=n), v=rng.normal(size=n))); g['out'] = g.u*g.v
    return TaskSuite(dict(mixed=Table(f, ['mode', 'number', 'yes', 'rank']), other=Table(g, 'out')))

@pytest.fixture(scope='module')
def model(suite): return lively(MTLModel(suite, Attend(3, 'softmax'), dim=6, width=10, seed=1), suite, 1)

def in_unit(model, task, units, scores):
    "Scores (row, score) of the model in other units, from the model's own words"
    if units=='score': return scores
    out = []
    for name, l in model.logits(task, scores).items():
        o = next(o for o in model.outcomes if (o['task'], o['name'])==(task, name)); p = torch.softmax(l, -1) if o['kind']!='number' else None
        out += [l*o['std'] + o['mean']] if p is None else list(p.T) if o['kind']=='nominal' else [p @ torch.arange(p.shape[-1], dtype=p.dtype)]
    return torch.stack(out, -1)

def answers(model, suite, task, units='score'):
    "(row, input) -> (row, target) in float64, by the model itself"
    if units=='sd':
        spread = answers(model, suite, task)(suite[task].x[suite[task].split=='train']).std(0)
        return lambda x, z=None: answers(model, suite, task)(x, z)/spread
    def f(x, z=None):
        m = model.double()
        try:
            with torch.no_grad(): return in_unit(m, task, units, m.decode(task, m.encode(task, torch.tensor(np.asarray(x, float)), z).sum(-2))).numpy()
        finally: model.float()
    return f

def embeddings(model, task, s, off):
    "Embeddings of a task's inputs under real switches (concept,) or (input, concept), in float64"
    m = model.double(); a, v = m.sharing.attention()[m.inputs[task]].detach(), m.sharing.values().detach(); model.float()
    s = torch.tensor(np.asarray(s, float)); bar = a.mean(0) if off=='average' else 0*a[0]
    return (s*a + (1 - s)*bar) @ v

# ---- values and definitions
def value_of(f, x, rows, owner, players):
    "Coalition -> score (target,), each input by itself: of the sample where its player is on, else of a background row; the mean over these"
    def value(on):
        mixed = np.array([[x[i] if owner[i] in on else b[i] for i in range(len(x))] for b in rows])
        return f(mixed).mean(0)
    return value

def tabled(value, n): return {S: value(S) for k in range(n+1) for S in map(frozenset, combinations(range(n), k))}

def shapley_by_definition(v, n):
    rest = lambda j: [S for S in v if j not in S]
    return np.array([sum(factorial(len(S))*factorial(n-len(S)-1)/factorial(n)*(v[S | {j}] - v[S]) for S in rest(j)) for j in range(n)])

def interactions_by_definition(v, n):
    phi, T = shapley_by_definition(v, n), len(v[frozenset()]); out = np.zeros((n, n, T))
    for i, j in combinations(range(n), 2):
        w = lambda S: factorial(len(S))*factorial(n-len(S)-2)/factorial(n-1)
        out[i, j] = out[j, i] = sum(w(S)*(v[S | {i, j}] - v[S | {i}] - v[S | {j}] + v[S]) for S in v if not S & {i, j})/2
    for i in range(n): out[i, i] = phi[i] - out[i].sum(0)
    return out

def lime_by_definition(v, n):
    S = list(v); on = np.array([[j in s for j in range(n)] for s in S], float); w = np.exp(-(n - on.sum(1))/(.75**2*n)); X = np.column_stack([np.ones(len(S)), on])
    return np.linalg.solve((X*w[:, None]).T @ X, (X*w[:, None]).T @ np.array([v[s] for s in S]))[1:]

def close(a, b, tolerance=3e-5):
    "The largest difference, as a share of the largest number"
    a, b = np.asarray(a, float), np.asarray(b, float); assert a.shape==b.shape
    assert np.abs(a - b).max() <= tolerance*np.abs(b).max(), f'off by {np.abs(a - b).max()/np.abs(b).max():.1e} of {np.abs(b).max():.3g}'

# ---- backgrounds, worked out here from the frame
def typical(suite, task='mixed'):
    t = suite[task]; x, out = t.x[t.split=='train'], np.zeros(len(t.inputs)); of = np.array([t.features[f] for f in t.feature_of])
    for f in t.features:
        at = np.flatnonzero(of==f); number = [i for i in at if t.kinds[i]=='number']; rest = [i for i in at if t.kinds[i]!='number']
        same = np.ones(len(x), bool)
        if rest:
            rows = [tuple(r) for r in x[:, rest]]; common = max(sorted(set(rows)), key=rows.count); out[rest] = common; same = np.array([r==common for r in rows])
        for i in number: out[i] = x[same, i].mean()
    return out[None]

def nearest(suite, x, k, task='mixed'):
    t = suite[task]; rows = t.x[t.split=='train'].astype(float); sd = rows.std(0); sd[sd==0] = 1
    return rows[np.argsort((((rows - x)/sd)**2).sum(1), kind='stable')[:k]]

ROW = dict(a=.5, c='q', m=np.nan, b=True)
BACKGROUNDS = {'sampled': (Sampled(10**6), lambda s, x: s['mixed'].x[s['mixed'].split=='train']), 'typical': (Typical(), lambda s, x: typical(s)), 'nearest': (Nearest(8), lambda s, x: nearest(s, x, 8)),
               'fixed': (Fixed(ROW), lambda s, x: s['mixed'].encode(pd.DataFrame([ROW]))), 'per task': (PerTask(dict(mixed=Nearest(5), other=Typical())), lambda s, x: nearest(s, x, 5))}
KINDS = {'feature': ('feature', lambda t: [t.features[f] for f in t.feature_of]), 'variable': ('variable', lambda t: list(t.inputs)),
         'pairs': (Groups('pairs', {'a and m': ['a', 'm'], 'c': 'c'}), lambda t: [{'a': 'a and m', 'm': 'a and m'}.get(t.features[f], t.features[f]) for f in t.feature_of])}
CASES = [(k, b, 'score') for k in KINDS for b in BACKGROUNDS if (k, b)!=('variable', 'sampled')] + [('feature', 'nearest', u) for u in UNITS if u not in ('score', 'probability')] + [('pairs', 'typical', 'own')]

def rows_of(t, index): return np.flatnonzero(np.isin(np.asarray(t.index), index))

@pytest.mark.parametrize('kind, background, units', CASES)
def test_whole_runs_agree_with_enumeration(model, suite, kind, background, units):
    t, (players, of), (b, rows) = suite['mixed'], KINDS[kind], BACKGROUNDS[background]
    tree = explain(model, suite, explainers=('exact', 'interactions', 'occlusion'), players=players, background=b, units=units, samples=dict(mixed=t.frame.iloc[[3, 50]]), progress=False)
    d = tree[f'attribution/{getattr(players, "name", players)}/mixed'].dataset; pairs = tree[f'interaction/{getattr(players, "name", players)}/mixed'].interaction.values[0]
    owner, f = of(t), answers(model, suite, 'mixed', units); names = list(dict.fromkeys(owner)); n = len(names)
    assert list(d.player.values)==names and (d.unit==units).all()
    for i, r in enumerate((3, 50)):
        x = t.x[r]; assert np.array_equal(tree['data/mixed'].input[i], x.astype(float))
        v = tabled(value_of(f, x, rows(suite, x), [names.index(o) for o in owner], n), n); phi = shapley_by_definition(v, n); a = d.attribution[:, i].values
        scale = np.abs(phi).max()
        assert np.abs(a[0] - phi).max() < 1e-4*scale and np.abs(a[1] - phi).max() < 1e-4*scale
        assert np.abs(pairs[i] - interactions_by_definition(v, n)).max() < 1e-4*scale
        assert np.abs(a[2] - np.array([v[frozenset(range(n))] - v[frozenset(range(n)) - {j}] for j in range(n)])).max() < 1e-4*scale
        close(d.score[0, i], f(x[None])[0], 1e-5); close(d.base[0, i], v[frozenset()], 1e-5)

def test_probabilities_are_refused_for_numbers_and_right_for_classes(model, suite):
    with pytest.raises(ValueError, match="'number' is a number and has no one probability"): explain(model, suite, units='probability', progress=False)
    f = pd.DataFrame(dict(a=np.arange(60.) % 7, b=np.arange(60.) % 5)); f['kind'], f['yes'] = np.array(['x', 'y', 'z'])[(f.a + f.b).astype(int) % 3], f.a > 3
    s = TaskSuite(dict(t=Table(f, ['kind', 'yes']))); m = lively(MTLModel(s, Attend(3), dim=6, width=10), s); t = s['t']
    d = explain(m, s, units='probability', explainers='exact', players='feature', background=Fixed(dict(a=1., b=2.)), samples=dict(t=f.iloc[:3]), progress=False)['attribution/feature/t'].dataset
    p = m.predict('t', t.x[:3]); close(d.score[0].values, np.column_stack([p['kind'], p['yes'][:, 1]]), 1e-5)
    assert np.allclose(d.attribution[0].values[:, :, :3].sum(-1), 0, atol=1e-6)  # what one class gains, the others lose
    v = tabled(value_of(lambda x: np.column_stack([(q:=m.predict('t', x))['kind'], q['yes'][:, 1]]).astype(float), t.x[2], t.encode(pd.DataFrame(dict(a=[1.], b=[2.]))), range(2), 2), 2)
    close(d.attribution[0, 2].values, shapley_by_definition(v, 2), 1e-4)

@pytest.mark.parametrize('off', ['remove', 'average'])
@pytest.mark.parametrize('kind, task', [('concept', 'mixed'), ('edge', 'other')])
@pytest.mark.parametrize('units', ['score', 'own', 'sd'])
def test_switches_of_concepts_and_edges_agree_with_enumeration(model, suite, kind, task, units, off):
    t, f = suite[task], answers(model, suite, task, units); shape = (len(t.inputs), 3) if kind=='edge' else (3,); n = int(np.prod(shape))
    tree = explain(model, suite, explainers=('exact', 'interactions', 'lime', 'occlusion'), players=kind, units=units, off=off, evaluations=6000, samples={task: t.frame.iloc[[5]]}, progress=False)
    d = tree[f'attribution/{kind}/{task}'].dataset; x = t.x[5:6]
    def value(S):
        s = np.zeros(n); s[list(S)] = 1
        return f(x, embeddings(model, task, s.reshape(shape), off))[0]
    v = tabled(value, n); phi = shapley_by_definition(v, n); a, se = d.attribution[:, 0].values, d.attribution_se[:, 0].values
    if kind=='edge': assert list(d.player.values)==[f'{i} → c{k+1:02d}' for i in t.inputs for k in range(3)] and list(d.variable.values)==[i for i in t.inputs for _ in range(3)]
    close(a[0], phi, 1e-4); close(a[1], phi, 1e-4); close(tree[f'interaction/{kind}/{task}'].interaction.values[0, 0], interactions_by_definition(v, n), 1e-4)
    close(a[3], [v[frozenset(range(n))] - v[frozenset(range(n)) - {j}] for j in range(n)], 1e-4)
    assert (np.abs(a[2] - lime_by_definition(v, n)) < 5*se[2] + 1e-4*np.abs(phi).max()).all()
    close(d.base[0, 0], v[frozenset()], 1e-5)

# ---- sampled estimates go where they should, in a hundred evaluations and in many
GAMES = {'feature': lambda m, s: InputGame(p:=ModelPredictor(m, s['mixed']), s['mixed'].x[:4], Sampled(20).draw(p, np.random.default_rng(0))[0]),
         'variable': lambda m, s: InputGame(p:=ModelPredictor(m, s['mixed']), s['mixed'].x[:4], Sampled(20).draw(p, np.random.default_rng(0))[0], 'variable'),
         'nearest': lambda m, s: InputGame(p:=ModelPredictor(m, s['mixed']), s['mixed'].x[:4], Nearest(9).draw(p, None, s['mixed'].x[:4])[0], 'variable'),
         'fixed': lambda m, s: InputGame(p:=ModelPredictor(m, s['mixed']), s['mixed'].x[:4], Fixed(ROW).draw(p)[0], 'variable'),
         'concept': lambda m, s: ConceptGame(ModelPredictor(m, s['mixed']), s['mixed'].x[:4]), 'edge': lambda m, s: EdgeGame(ModelPredictor(m, s['other']), s['other'].x[:4], 'average')}

@pytest.mark.parametrize('name', ['shapley', 'permutation'])
@pytest.mark.parametrize('kind', GAMES)
def test_sampling_comes_to_exact_values(model, suite, kind, name, monkeypatch):
    exact = next(EXPLAINERS['exact'](GAMES[kind](model, suite), np.arange(4), None)).attribution
    monkeypatch.setattr('mtl_explain.attribution.LARGEST', 0)  # so that few players are sampled too
    g = GAMES[kind](model, suite); run = [Estimate(*e) for e in EXPLAINERS[name](g, np.arange(4), np.random.default_rng(1), 6000)]
    assert (run[-1].se > 0).any()==(name=='permutation' or g.draws > 1)  # one row and few players: each coalition was asked
    assert np.abs(run[-1].attribution - exact).mean() < .1*np.abs(exact).mean()
    assert (np.abs(run[-1].attribution - exact) <= 5*run[-1].se + 1e-5*np.abs(exact).max()).all()
    for e in run: close(e.attribution.sum(0), exact.sum(0), 1e-5)

# ---- captum and shap, on a network with a shared trunk and several heads
@pytest.fixture(scope='module', params=['relu', 'gelu'])
def net(request): return trunk(request.param, inputs=6, width=16, heads=3, hidden=4).double()

X = data(40, 6).astype(float); ROWS, HERE = X[:5], X[30:34]
def together(net, columns=None): return lambda x: torch.cat(list(net(x).values()), 1) if columns is None else torch.cat(list(net(x).values()), 1)[:, columns]
def tensor(a): return torch.tensor(a)
def mine(net, name, evaluations=None, rows=ROWS, kind='feature', here=HERE):
    g = InputGame(ModulePredictor(net, X), here, rows, kind); s = {} if evaluations is None else dict(evaluations=evaluations)
    return [Estimate(*e) for e in EXPLAINERS[name](g, np.arange(len(here)), np.random.default_rng(0), **s)]

def theirs(explainer, net, rows=ROWS, here=HERE, **settings):
    "captum, one head and one background row at a time: mean (player, sample, head)"
    out = np.array([[explainer(together(net)).attribute(tensor(here), target=h, **(dict(baselines=tensor(b[None])) if rows is not None else {}), **settings).detach().numpy() for h in range(3)] for b in (ROWS[:1] if rows is None else rows)])
    return out.mean(0).transpose(2, 1, 0)

def test_captum_integrated_gradients_with_the_same_nodes(net):
    for e, nodes in zip(mine(net, 'integrated gradients'), (4, 8, 16)): close(e.attribution, theirs(captum.IntegratedGradients, net, n_steps=nodes, method='gausslegendre'), 1e-7)

def test_captum_gradient_shap_loosely(net):
    torch.manual_seed(0); want = mine(net, 'integrated gradients', 5*2000)[-1].attribution
    got = np.stack([captum.GradientShap(together(net)).attribute(tensor(HERE), baselines=tensor(ROWS), target=h, n_samples=2000, stdevs=0.).detach().numpy() for h in range(3)]).transpose(2, 1, 0)
    e = mine(net, 'expected gradients', 4000)[-1]
    close(got, want, .1); close(e.attribution, want, .03); assert (np.abs(e.attribution - want) < 5*e.se + 1e-3*np.abs(want).max()).all()

def test_captum_occlusion_and_ablation(net):
    a = mine(net, 'occlusion')[-1].attribution
    close(a, theirs(captum.FeatureAblation, net), 1e-6); close(a, theirs(captum.Occlusion, net, sliding_window_shapes=(1,)), 1e-6)  # captum's masks are float32

def test_captum_shapley_values_by_all_orders():
    few, here, rows = trunk(inputs=4, width=16, heads=3, hidden=4).double(), X[30:33, :4], X[:2, :4]
    g = lambda kind='feature': next(EXPLAINERS['exact'](InputGame(ModulePredictor(few, X[:, :4]), here, rows, kind), np.arange(3), None)).attribution
    theirs = lambda **s: np.mean([[captum.ShapleyValues(together(few)).attribute(tensor(here), target=h, baselines=tensor(b[None]), **s).numpy() for h in range(3)] for b in rows], 0).transpose(2, 1, 0)
    with torch.no_grad(): close(g(), theirs(), 1e-5)
    with torch.no_grad(): close(g(Groups('some', {'first': ['x[0]', 'x[3]'], 'second': ['x[1]']}))[[0, 1, 2, 0]], theirs(feature_mask=torch.tensor([[0, 1, 2, 0]])), 1e-5)

def test_captum_slopes(net):
    close(mine(net, 'saliency')[-1].attribution, theirs(captum.Saliency, net, rows=None), 1e-9)
    close(mine(net, 'gradient*input', rows=np.zeros((1, 6)))[-1].attribution, theirs(captum.InputXGradient, net, rows=None), 1e-9)
    here = [captum.InputXGradient(together(net)).attribute(tensor(HERE), target=h).detach().numpy()/HERE*(HERE - ROWS.mean(0)) for h in range(3)]
    close(mine(net, 'gradient*input')[-1].attribution, np.stack(here).transpose(2, 1, 0), 1e-9)

def test_shap_exact_and_kernel_with_all_coalitions(net):
    f = lambda x: together(net)(torch.tensor(x)).detach().numpy(); want = mine(net, 'exact')[-1].attribution.transpose(1, 0, 2)
    close(want, shap.explainers.ExactExplainer(f, shap.maskers.Independent(ROWS))(HERE).values, 1e-6)  # shap's numba compiles once, half a minute
    close(want, shap.KernelExplainer(f, ROWS).shap_values(HERE, nsamples=10**5, silent=True, l1_reg=False), 1e-4)

def test_shap_permutation_and_sampling(net):
    f = lambda x: together(net)(torch.tensor(x)).detach().numpy(); want = mine(net, 'exact')[-1].attribution.transpose(1, 0, 2)
    close(want, shap.explainers.PermutationExplainer(f, shap.maskers.Independent(ROWS), seed=0)(HERE, max_evals=2000, silent=True).values, .05)
    np.random.seed(0); got = shap.SamplingExplainer(f, ROWS).shap_values(HERE, nsamples=20000, silent=True)
    close(want, got, .05)
    e = mine(net, 'shapley', 300)[-1]; close(e.attribution.transpose(1, 0, 2), want, .1)

def test_no_worse_than_shap_at_equal_evaluations():
    "Ten inputs, 200 evaluations, one background row: mean error as a share of the mean size"
    net = trunk(inputs=10, width=32, heads=5, hidden=8).double(); x, rows = data(30, 10, 1).astype(float)[:12], data(30, 10, 1).astype(float)[20:21]
    f, g = lambda a: together(net)(torch.tensor(a)).detach().numpy(), InputGame(ModulePredictor(net, x), x, rows)
    want = next(EXPLAINERS['exact'](g, np.arange(12), None)).attribution; size = np.abs(want).mean()
    runs = [list(EXPLAINERS['shapley'](g, np.arange(12), np.random.default_rng(s), 200))[-1].attribution for s in range(5)]
    mine = np.mean([np.abs(r - want).mean() for r in runs])/size
    np.random.seed(0); theirs = np.abs(shap.KernelExplainer(f, rows).shap_values(x, nsamples=200, silent=True, l1_reg=False).transpose(1, 0, 2) - want).mean()/size
    assert mine < .055 and mine < theirs, (mine, theirs)

def test_columns_of_rows_pay():
    "Ten inputs and fifty background rows: the same regression without their columns is a half further off"
    net = trunk(inputs=10, width=32, heads=5, hidden=8).double(); x = data(90, 10, 1).astype(float); g = InputGame(ModulePredictor(net, x), x[:8], x[40:])
    want = next(EXPLAINERS['exact'](g, np.arange(8), None)).attribution
    error = lambda g: np.mean([np.abs(list(EXPLAINERS['shapley'](g, np.arange(8), np.random.default_rng(s), 400))[-1].attribution - want).mean() for s in range(4)])/np.abs(want).mean()
    plain = InputGame(g.predictor, g.x, np.broadcast_to(g.background, (8, 50, 10)))  # the same rows, but as each sample's own
    assert error(g) < .75*error(plain)

# ---- slopes of games against finite differences of what is written out here
def differences(f, at, h=1e-4):
    return np.stack([(f(at + h*d) - f(at - h*d))/(2*h) for d in np.eye(len(at))], -1)  # (…, player)

AT = np.linspace(.15, .95, 12)
@pytest.mark.parametrize('units', ['score', 'own', 'sd'])
@pytest.mark.parametrize('kind', ['feature', 'variable', 'own rows'])
def test_slopes_of_inputs_are_the_differences(model, suite, kind, units):
    t = suite['mixed']; p = ModelPredictor(model, t).in_units(units); x, f = t.x[:3], answers(model, suite, 'mixed', units)
    b = Nearest(4).draw(p, None, x)[0] if kind=='own rows' else t.x[60:64]; g = InputGame(p, x, b, 'feature' if kind=='feature' else 'variable')
    at = np.stack([AT[:len(g.players)], AT[:len(g.players)][::-1]])
    got = g.gradient(at, np.array([0, 2]), np.array([3, 1]))
    for k, d in enumerate((3, 1)):
        for i, r in enumerate((0, 2)):
            back = b[r, d] if kind=='own rows' else b[d]
            close(got[k, i], differences(lambda s: f((back + s[g.player_of]*(x[r].astype(float) - back))[None])[0], at[k]), 3e-4)

@pytest.mark.parametrize('off', ['remove', 'average'])
@pytest.mark.parametrize('units', ['score', 'own', 'sd'])
@pytest.mark.parametrize('kind', ['concept', 'edge'])
def test_slopes_of_switches_are_the_differences(model, suite, kind, units, off):
    t = suite['mixed']; f = answers(model, suite, 'mixed', units); g = (ConceptGame if kind=='concept' else EdgeGame)(ModelPredictor(model, t).in_units(units), t.x[:3], off)
    at = np.linspace(.1, .9, len(g.players))[None]; got = g.gradient(at, np.array([1]))[0, 0]
    shape = (len(t.inputs), 3) if kind=='edge' else (3,); assert len(g.players)==np.prod(shape)
    close(got, differences(lambda s: f(t.x[1:2], embeddings(model, 'mixed', s.reshape(shape), off))[0], at[0]), 3e-4)

@pytest.mark.parametrize('units', ['score', 'own', 'sd'])
def test_halves_of_a_jacobian_are_the_whole(model, suite, units):
    for task in suite:
        p = ModelPredictor(model, suite[task]).in_units(units); x = p.tensor(suite[task].x[:9])
        close(p.jacobian(x), TorchPredictor.jacobian(p, x), 1e-5)
        c = np.random.default_rng(0).normal(size=(9, len(p.targets))).astype(np.float32)
        close(p.gradient(x, c), np.einsum('tri,rt->ri', p.jacobian(x), c), 1e-5)

def test_halves_of_a_jacobian_of_a_trunk(net):
    p = ModulePredictor(net, X); x = p.tensor(HERE)
    want = torch.autograd.functional.jacobian(lambda a: together(net)(a).sum(0), x)  # (target, row, input)
    close(p.jacobian(x), want, 1e-9)
    for units in ('sd', 'own'): close(p.in_units(units).jacobian(x), want/(torch.tensor(together(net)(tensor(X)).detach().numpy().std(0))[:, None, None] if units=='sd' else 1), 1e-9)

def test_saliency_of_a_feature_is_the_length_of_its_slope(model, suite):
    t, f = suite['mixed'], answers(model, suite, 'mixed'); g = InputGame(ModelPredictor(model, t), t.x[:2], t.x[9:11])
    slope = differences(lambda x: f(x[None])[0], t.x[1].astype(float)); want = np.stack([np.sqrt((slope[:, g.player_of==j]**2).sum(1)) for j in range(len(g.players))])
    close(next(EXPLAINERS['saliency'](g, np.arange(2), None)).attribution[:, 1], want, 3e-4)

def test_lime_is_its_weighted_fit(model, suite):
    t, f = suite['mixed'], answers(model, suite, 'mixed'); rows = t.x[20:26]; g = InputGame(ModelPredictor(model, t), t.x[:2], rows)
    want = np.stack([lime_by_definition(tabled(value_of(f, x, rows, g.player_of, 4), 4), 4) for x in t.x[:2]], 1)
    e = next(EXPLAINERS['lime'](g, np.arange(2), np.random.default_rng(0), 8000)); assert (np.abs(e.attribution - want) < 5*e.se).all() and e.se.max() < .05*np.abs(want).max()
    flat = InputGame(FunctionPredictor(lambda x: x @ np.array([1., -2, 3]), np.eye(3)), np.ones((1, 3)), np.zeros((1, 3)))
    e = next(EXPLAINERS['lime'](flat, [0], np.random.default_rng(0), 100)); close(e.attribution[:, 0, 0], [1, -2, 3], 1e-6); assert e.fit.item() > 1 - 1e-9
