"Random small torch modules through every explainer: right by an oracle that is written out here, or an error that names what is wrong."
from itertools import permutations
import numpy as np, pytest, torch
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from torch import nn
from torch.nn import functional as F
from mtl_explain.any_model import predictors
from mtl_explain.attribution import EXPLAINERS
from mtl_explain.game import InputGame
from mtl_explain.play import block

SMOOTH = dict(gelu=F.gelu, tanh=torch.tanh, sigmoid=torch.sigmoid, softplus=F.softplus, silu=F.silu, sin=torch.sin, identity=lambda x: x)
KINKED = dict(relu=F.relu, abs=torch.abs, elu=F.elu, leaky=F.leaky_relu, hard=F.hardtanh)
class Block(nn.Module):
    "One layer of a random module, (row, width) -> (row, width)"
    def __init__(self, kind, act, width):
        super().__init__(); self.kind, self.act = kind, (SMOOTH | KINKED)[act]
        self.a, self.b, self.norm, self.batch = nn.Linear(width, width), nn.Linear(width, width), nn.LayerNorm(width), nn.BatchNorm1d(width)
    def forward(self, x):
        a, b, act = self.a(x), self.b(x), self.act
        return {'plain': lambda: act(a), 'residual': lambda: x + act(a), 'gate': lambda: a*torch.sigmoid(b), 'film': lambda: (1 + act(b))*a + b, 'product': lambda: a*b, 'norm': lambda: act(self.norm(a)), 'batch': lambda: act(self.batch(a)),
                'softmax': lambda: torch.softmax(b, -1)*a, 'ratio': lambda: a/(1 + b**2), 'max': lambda: torch.maximum(a, b), 'cat': lambda: torch.cat([act(a)[:, :1], b[:, 1:]], 1), 'where': lambda: torch.where(a > 0, act(a), b), 'sum': lambda: x.sum(1, keepdim=True) + a,
                'matmul': lambda: (x[:, None] @ self.a.weight.T)[:, 0], 'index': lambda: a.flip(1)[:, torch.arange(a.shape[1])], 'stack': lambda: torch.stack([act(a), b]).mean(0)}[self.kind]()
KINDS = 'plain residual gate film product norm batch softmax ratio max cat where sum matmul index stack'.split()

class Net(nn.Module):
    "A random module: some blocks, and heads as a tensor, a tuple or a dict; inputs that are not connected are cut off at the start"
    def __init__(self, seed, inputs, width, blocks, heads, form, cut):
        super().__init__(); g = torch.random.fork_rng(devices=[])
        with g:
            torch.manual_seed(seed)
            self.first, self.blocks = nn.Linear(inputs, width), nn.ModuleList(Block(k, a, width) for k, a in blocks)
            self.heads = nn.ModuleList(nn.Linear(width, k) for k in heads)
            for m in self.modules():
                if isinstance(m, nn.BatchNorm1d): m.running_mean.normal_(); m.running_var.uniform_(.5, 2)
        self.form = form
        with torch.no_grad(): self.first.weight[:, list(cut)] = 0
    def forward(self, x):
        h = self.first(x)
        for b in self.blocks: h = b(h)
        y = [head(h) for head in self.heads]
        return torch.cat(y, 1) if self.form=='tensor' else tuple(y) if self.form=='tuple' else {f'h{k}': v for k, v in enumerate(y)}

@st.composite
def nets(draw, acts=tuple(SMOOTH | KINKED)):
    n, blocks = draw(st.integers(1, 4)), draw(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(acts)), max_size=3))
    cut = draw(st.sets(st.integers(0, n-1), max_size=n-1))
    return Net(draw(st.integers(0, 999)), n, draw(st.integers(2, 4)), blocks, draw(st.lists(st.integers(1, 2), min_size=1, max_size=3)), draw(st.sampled_from(['tensor', 'tuple', 'dict'])), cut).double().eval(), n, cut

FUZZ = lambda n: settings(max_examples=n, deadline=None, database=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
ROWS = np.arange(3)
def game_of(net, n):
    x = np.random.default_rng(0).normal(size=(6, n)); p, = predictors(net, x)
    return InputGame(p, x[:3], x[-2:]), p
def run(game, name, evaluations=None):
    base, score = game.ends(ROWS)
    m = EXPLAINERS[name]; s = {} if evaluations is None else dict(evaluations=evaluations)
    return block(game, m, ROWS, base, score, np.maximum(np.ptp(np.concatenate([base, score]), axis=0), 1e-12), settings=s, seed=0)
def by_orders(p, x, b):
    "Shapley values from the definition (player, target), the mean over orders and background rows"
    n, orders = len(x), list(permutations(range(len(x)))); rows = []
    for d in b:
        for o in orders:
            z = d.copy(); rows.append(z.copy())
            for j in o: z[j] = x[j]; rows.append(z.copy())
    y = p(np.array(rows)).reshape(len(b), len(orders), n+1, -1); step, phi = np.diff(y, axis=2).mean(0), np.zeros((n, y.shape[-1]))
    for o, s in zip(orders, step): phi[list(o)] += s
    return phi/len(orders)

@FUZZ(260)
@given(nets())
def test_values(made):
    net, n, cut = made; game, p = game_of(net, n); size = np.abs(p(game.x)).max() + 1
    truth = np.stack([by_orders(p, x, game.background) for x in game.x], 1)
    base, score = game.ends(ROWS); near = lambda a, b, tol=1e-8: np.abs(a - b).max() <= tol*size
    full = {name: run(game, name)[0] for name in ('exact', 'shapley', 'interactions')}
    for name, e in full.items(): assert near(e.attribution, truth), name
    I = full['interactions'].interactions
    assert near(I.sum(1), truth) and near(I, I.swapaxes(0, 1))
    one = np.stack([np.mean([p(np.where(np.arange(n)==j, d, x)[None])[0] for d in game.background], 0) for j in range(n) for x in game.x]).reshape(n, 3, -1)
    assert near(run(game, 'occlusion')[0].attribution, score - one)
    e = run(game, 'permutation', 16*max(2*(n-1), 2))[0]
    assert near(e.attribution.sum(0), score - base) and (np.abs(e.attribution - truth) <= 8*np.hypot(e.se, 1e-8*size) + .02*size).all()
    l = run(game, 'lime', 200)[0]
    assert np.isfinite(l.attribution).all() and (l.fit <= 1 + 1e-9).all()
    for j in cut: assert all(near(e.attribution[j], 0) for e in full.values()) and (np.abs(l.attribution[j]) <= 8*l.se[j] + 1e-8*size).all()

@FUZZ(160)
@given(nets(acts=tuple(SMOOTH)))
def test_slopes(made):
    net, n, cut = made; game, p = game_of(net, n); size = np.abs(p(game.x)).max() + 1
    x = torch.tensor(game.x, requires_grad=True); y = p.forward(x); J = torch.stack([torch.autograd.grad(y[:, k].sum(), x, retain_graph=True)[0] for k in range(y.shape[1])]).numpy().transpose(2, 1, 0)  # (player, row, target)
    near = lambda a, b, tol=1e-8: np.abs(a - b).max() <= tol*(size + np.abs(b).max())
    assert near(run(game, 'saliency')[0].attribution, np.abs(J))
    assert near(run(game, 'gradient*input')[0].attribution, J*(game.x - game.background.mean(0)).T[..., None])
    base, score = game.ends(ROWS); span = np.maximum(np.ptp(np.concatenate([base, score]), axis=0), 1e-12)
    for name in ('integrated gradients', 'expected gradients'):
        e, status = run(game, name); gap = (np.abs(score - base - e.attribution.sum(0))/span).max()
        assert (gap <= 1e-3)==(status=='done') and (status=='done' or 'before it closed' in status), (name, gap, status)
        jump = any(b.kind=='where' for b in net.blocks)  # slopes know nothing of a jump: then it cannot close, and says so
        if name=='expected gradients' and not jump: assert (np.abs(score - base - e.attribution.sum(0)) <= 8*e.se.sum(0) + 1e-8*size).all()
        for j in cut: assert near(e.attribution[j], 0)

@FUZZ(120)
@given(nets())
def test_relevance_closes_or_says_why(made):
    net, n, cut = made; game, p = game_of(net, n); score = game.ends(ROWS)[1]; size = np.abs(score).max() + 1
    try: e, _ = run(game, 'relevance')
    except Exception as why:
        assert type(why).__name__ in ('RelevanceError', 'TypeError', 'ValueError') and len(str(why)) > 20, why
        return
    assert np.abs(score - e.base - e.attribution.sum(0) - sum(e.sinks.values())).max() <= 1e-8*size
    for j in cut: assert np.abs(e.attribution[j]).max() <= 1e-8*size

BAD = dict(detach=lambda x, l: l(x.detach()), no_grad=lambda x, l: _without(l, x), inplace=lambda x, l: l(x.clone()).add_(1), numpy=lambda x, l: l(torch.as_tensor(x.detach().numpy())), noise=lambda x, l: l(x) + torch.rand(len(x), 1),
           company=lambda x, l: l(x - x.mean(0)), nan=lambda x, l: l(x)/0*0, short=lambda x, l: l(x)[:-1], scalar=lambda x, l: l(x).sum(), dropout=lambda x, l: F.dropout(l(x), .5, True))
def _without(l, x):
    with torch.no_grad(): return l(x)
class Bad(nn.Module):
    def __init__(self, kind): super().__init__(); self.kind, self.l = kind, nn.Linear(3, 2).double()
    def forward(self, x): return BAD[self.kind](x, self.l)

@pytest.mark.parametrize('kind', BAD)
def test_what_cannot_be_right_is_refused(kind):
    torch.manual_seed(0)
    if kind in ('detach', 'no_grad', 'numpy', 'inplace'):  # a function all the same: its values can be explained, its inside cannot
        game, p = game_of(Bad(kind).eval(), 3)
        assert np.abs(run(game, 'shapley')[0].attribution.sum(0) - np.subtract(*game.ends(ROWS)[::-1])).max() < 1e-8
        with pytest.raises(Exception, match='detach|grad|numpy|in.place|add_') as e: run(game, 'relevance')
        assert type(e.value).__name__ in ('RelevanceError', 'TypeError', 'ValueError')
    else:
        with pytest.raises(ValueError, match='table .table.*(again|other rows|answers with|answers of shape)|answer each row'): game_of(Bad(kind).eval(), 3)
