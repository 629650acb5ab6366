"Weights of tasks from losses and from the Gramian of their gradients: against TorchJD, against definitions written out in vectors, and what must hold for any gradients."
import itertools
import numpy as np, pytest, torch
from hypothesis import given, settings, strategies as st
from mtl_explain.balance import AlignedMTL, CAGrad, DynamicAverage, EqualWeights, FixedWeights, MGDA, PCGrad, RandomWeights, Uncertainty, UPGrad

def gradients(T, n, seed=0, rank=None):
    r = np.random.default_rng(seed); g = r.normal(size=(T, n))*r.uniform(.2, 3, (T, 1)); return g if rank is None else g[:, :rank] @ r.normal(size=(rank, n))
def ask(m, g, seed=0): return m(np.ones(len(g)), g @ g.T, np.random.default_rng(seed))


@pytest.mark.parametrize('T, n', [(2, 5), (3, 8), (6, 20), (12, 40)])
@pytest.mark.parametrize('seed', [0, 1, 2])
def test_as_torchjd(T, n, seed):
    from torchjd.aggregation import AlignedMTLWeighting, MGDAWeighting, PCGradWeighting, UPGradWeighting
    from torchjd.linalg import QuadprogProjector
    g = gradients(T, n, seed); G = torch.as_tensor(g @ g.T)
    near = lambda a, b, tol: np.testing.assert_allclose(a @ g, b.numpy() @ g, atol=tol*np.abs(b.numpy() @ g).max())
    near(ask(AlignedMTL(), g), AlignedMTLWeighting()(G), 1e-6)
    near(ask(UPGrad(), g), UPGradWeighting(projector=QuadprogProjector(reg_eps=1e-10))(G), 1e-5)
    ours, theirs = ask(MGDA(), g), MGDAWeighting(epsilon=1e-9, max_iters=20000)(G).numpy()
    assert np.linalg.norm(ours @ g) <= np.linalg.norm(theirs @ g)*(1 + 1e-9); near(ours, torch.as_tensor(theirs), 2e-2)
    torch.manual_seed(seed); theirs = PCGradWeighting()(G); torch.manual_seed(seed); orders = [torch.randperm(T).numpy() for _ in range(T)]
    near(sum(PCGrad().one(g @ g.T, i, o) for i, o in enumerate(orders)), theirs, 1e-6)


def test_pcgrad_in_vectors():
    g = gradients(4, 6, 3)
    for i, order in itertools.product(range(4), itertools.islice(itertools.permutations(range(4)), 0, 24, 5)):
        v = g[i].copy()
        for j in order:
            if j!=i and v @ g[j] < 0: v -= v @ g[j]/(g[j] @ g[j])*g[j]
        np.testing.assert_allclose(PCGrad().one(g @ g.T, i, np.array(order)) @ g, v, atol=1e-12)


def test_mgda_is_the_shortest_mean():
    for seed in range(5):
        g = gradients(3, 4, seed); a = np.linspace(0, 1, 201); grid = np.array([(x, y, 1-x-y) for x in a for y in a if x + y <= 1 + 1e-9])
        assert np.linalg.norm(ask(MGDA(), g) @ g) <= np.linalg.norm(grid @ g, axis=1).min() + 1e-9


@pytest.mark.parametrize('c', [.1, .5, .9])
def test_cagrad_gains_most_for_the_least(c):
    "Within the ball around the mean no other step does more for the task that gains least: random steps, and steps near the answer"
    for seed in range(4):
        g = gradients(4, 5, seed); g0 = g.mean(0); d = ask(CAGrad(c), g) @ g; rng = np.random.default_rng(seed)
        assert np.linalg.norm(d - g0) <= c*np.linalg.norm(g0)*(1 + 1e-5)
        other = rng.normal(size=(4000, 5))*.1 + (d - g0)*np.repeat([0, 1], 2000)[:, None]
        other = g0 + other*(c*np.linalg.norm(g0)/np.linalg.norm(other, axis=1, keepdims=True)).clip(max=1)
        assert (other @ g.T).min(1).max() <= (g @ d).min() + 1e-5*np.abs(g @ d).max()
    assert np.allclose(ask(CAGrad(0), g), 1/4)


surgery = (PCGrad, MGDA, CAGrad, AlignedMTL, UPGrad)

@given(st.integers(1, 8), st.integers(1, 12), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_nobody_is_hurt_where_that_is_promised(T, n, seed):
    g = gradients(T, n, seed); size = np.abs(g @ g.T).max()
    for m in (MGDA(), UPGrad()): assert (g @ (ask(m, g) @ g)).min() >= -2e-4*size, m
    for m in surgery: assert np.isfinite(ask(m(), g)).all()


@pytest.mark.parametrize('make', surgery)
def test_without_conflict_or_gradient(make):
    one = np.ones((3, 4)); assert np.allclose(ask(make(), one) @ one, one[0]*(1.5 if make is CAGrad else 1), atol=1e-4)  # alike: the mean; CAGrad goes as far as it may
    assert np.isfinite(w:=ask(make(), np.zeros((3, 4)))).all() and np.allclose(w.sum(), 1, atol=.5)
    if make in (PCGrad, UPGrad): g = np.diag([1., 2., 3.]); assert np.allclose(ask(make(), g), 1/3, atol=1e-6)


def test_weights_without_gradients():
    rng, l = np.random.default_rng(0), np.ones(4); assert np.allclose(EqualWeights()(l, None, rng), .25)
    f = FixedWeights(dict(a=1, b=3, c=0, d=0)); assert f.named(list('badc'))(l, None, rng).tolist()==[.75, .25, 0, 0]
    w = np.stack([RandomWeights()(l, None, rng) for _ in range(2000)]); assert np.allclose(w.sum(1), 1) and np.allclose(w.mean(0), .25, atol=.02) and w.std() > .1
    d = DynamicAverage(over=3)
    for k in range(6): w = d(np.array([1 - .1*k, 1.]), None, rng); assert k==5 or np.allclose(w, .5)
    now, before = np.mean([.7, .6, .5])/np.mean([1, .9, .8]), 1.; want = np.exp(np.array([now, before])/2); assert np.allclose(w, want/want.sum()) and w[1] > w[0]


def test_uncertainty_settles_at_one_over_the_loss():
    u, l = Uncertainty(.1), np.array([.25, 1., 2.])
    for _ in range(400): w = u(l, None, None)
    assert np.allclose(w, 1/l/3, rtol=1e-3); v = Uncertainty(.1); v.restore(u.state()); assert np.allclose(v(l, None, None), w, rtol=1e-3)


def test_what_is_refused():
    for make, words in [(lambda: FixedWeights(dict(a=-1)), "task 'a' is -1"), (lambda: FixedWeights(dict(a=0)), 'above 0'), (lambda: FixedWeights(dict(a=1)).named(['a', 'b']), "no weight for task 'b'"), (lambda: CAGrad(1), 'c=1')]:
        with pytest.raises(ValueError, match=words): make()
