"Attention: gradients by finite differences, the entmax package and dense formulas as oracles, and the edges of the domain."
import entmax, pytest, torch
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays, array_shapes
from mtl_explain.attention import ATTENTIONS, attention, entmax15, sparsemax, topk
from mtl_explain.model import MTLModel, load_model
from mtl_explain.sharing import Attend
from mtl_explain.suites import planted

def dense(k):
    "Top-k from its definition: exponentials of those scores that fewer than k others exceed, over their sum"
    def f(x, dim):
        x = x.movedim(dim, -1)
        kept = (x[..., None] < x[..., None, :]).sum(-1) < k
        e = torch.exp(x - x.amax(-1, keepdim=True))*kept
        return (e/e.sum(-1, keepdim=True)).movedim(-1, dim)
    return f

ORACLE = dict(softmax=torch.softmax, sparsemax=entmax.sparsemax, entmax15=entmax.entmax15, top2=dense(2), top4=dense(4))
SPARSE = [sparsemax, entmax15]

def scores(*shape, seed=0, scale=1.): return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)*scale

@pytest.mark.parametrize('name', ATTENTIONS)
@pytest.mark.parametrize('scale', [.01, 1., 30.])
@pytest.mark.parametrize('dim', [-1, 0, 1])
def test_equals_the_oracle(name, scale, dim):
    x = scores(7, 12, 5, scale=scale)
    assert torch.allclose(ATTENTIONS[name](x, dim), ORACLE[name](x, dim), atol=1e-9)

@pytest.mark.parametrize('name', ATTENTIONS)
def test_gradient_equals_the_oracle(name):
    x, g = scores(6, 9).requires_grad_(), scores(6, 9, seed=1)
    ours, theirs = (torch.autograd.grad(f(x, -1), x, g)[0] for f in (ATTENTIONS[name], ORACLE[name]))
    assert torch.allclose(ours, theirs, atol=1e-8)

@pytest.mark.parametrize('name', ATTENTIONS)
def test_first_and_second_derivatives(name):
    x = scores(4, 6, seed=3).requires_grad_()
    assert torch.autograd.gradcheck(ATTENTIONS[name], (x,))
    assert torch.autograd.gradgradcheck(ATTENTIONS[name], (x,))

@pytest.mark.parametrize('f', SPARSE)
def test_second_derivative_is_finite_at_the_edge_of_the_support(f):
    x = torch.tensor([[5., 0., -5.], [1., 1., 1.]], dtype=torch.float64, requires_grad=True)
    g, = torch.autograd.grad(f(x).square().sum(), x, create_graph=True)
    assert torch.isfinite(torch.autograd.grad(g.sum(), x)[0]).all()

@settings(max_examples=80, deadline=None)
@given(arrays('float32', array_shapes(min_dims=1, max_dims=3, max_side=9), elements=st.floats(-2.**99, 2.**99, width=32) | st.floats(-3, 3, width=32)))
def test_rows_are_distributions_in_the_order_of_the_scores(a):
    x = torch.from_numpy(a)
    for f in ATTENTIONS.values():
        p = f(x)
        assert (p >= 0).all() and torch.allclose(p.sum(-1), torch.ones(p.shape[:-1]), atol=1e-5)
        order = x.argsort(-1)
        assert (p.gather(-1, order).diff(dim=-1) >= -1e-6).all()

@pytest.mark.parametrize('name', ATTENTIONS)
def test_masks(name):
    f, inf = ATTENTIONS[name], float('inf')
    x = torch.tensor([[.3, -inf, .1], [-inf]*3, [-inf, 2., -inf]], requires_grad=True)
    p = f(x)
    assert torch.equal(p[1], torch.zeros(3)) and torch.equal(p[2], torch.tensor([0., 1., 0.])) and p[0, 1] == 0
    assert torch.allclose(p[0, [0, 2]], f(torch.tensor([.3, .1])))
    g, = torch.autograd.grad(p.square().sum(), x)
    assert torch.isfinite(g).all() and torch.equal(g[1], torch.zeros(3))

@pytest.mark.parametrize('f', ATTENTIONS.values())
def test_one_element_is_one(f): assert torch.equal(f(torch.tensor([[-7.], [1e30]])), torch.ones(2, 1))

@pytest.mark.parametrize('f', ATTENTIONS.values())
def test_nothing_to_attend_to_is_refused(f):
    with pytest.raises(ValueError, match='empty dimension'): f(torch.zeros(3, 0))

def test_sparse_in_float32_agrees_with_float64():
    x = scores(500, 64, scale=3.)
    for f in SPARSE: assert (f(x.float()).double() - f(x)).abs().max() < 2e-6

@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 99))
def test_top_k_keeps_k_and_is_a_softmax_of_them(k, n, seed):
    x = scores(5, n, seed=seed); p = topk(k)(x)
    assert ((p > 0).sum(-1)==min(k, n)).all() and torch.allclose(p, dense(k)(x, -1), atol=1e-12)
    if k >= n: assert torch.equal(p, ATTENTIONS['softmax'](x))

def test_top_k_keeps_ties_together_whatever_their_order():
    x = torch.tensor([2., 1., 1., 1., 0.], dtype=torch.float64)
    p = topk(2)(x)
    assert (p > 0).tolist()==[True]*4 + [False] and p[1]==p[2]==p[3]
    order = torch.tensor([3, 4, 1, 0, 2])
    assert torch.equal(topk(2)(x[order]), p[order])

def test_top_k_gives_no_gradient_to_what_is_not_kept():
    x = scores(6, 9).requires_grad_(); p = topk(3)(x)
    g, = torch.autograd.grad((p*scores(6, 9, seed=1)).sum(), x)
    assert torch.equal(g==0, p==0)

def test_top_one_would_learn_nothing():
    x = scores(6, 9).requires_grad_()
    assert not torch.autograd.grad((topk(1)(x)*scores(6, 9, seed=1)).sum(), x)[0].any() and 'top1' not in ATTENTIONS
    with pytest.raises(ValueError, match='at least one score'): topk(0)

def test_a_model_with_top_k_is_saved_and_loaded_by_its_name(tmp_path):
    suite = planted(seed=0, tables=2, rows=60); t = suite.tasks[0]; x = torch.tensor(suite[t].x)
    assert attention(topk(3)) is ATTENTIONS['top3']
    try:
        model = MTLModel(suite, Attend(6, 'top3')).eval()
        assert ((model.sharing.attention() > 0).sum(1)==3).all()
        back = load_model(model.save(tmp_path/'m.safetensors'))
        assert torch.equal(back.scores(t, x), model.scores(t, x))
    finally: ATTENTIONS.pop('top3')
    with pytest.raises(ValueError, match="'top3' is not one of 'softmax', 'sparsemax', 'entmax15', 'top2', 'top4'"): load_model(tmp_path/'m.safetensors')
