"""Explainers against their peers and against the floor: the same work in the same run, arms in turns, median of 5.

500 samples, fixed models (models.py): a trunk 30-128-128 with 20 heads of 32, and shared variable embeddings with 20 targets; one background row.
Floor = evaluations × the least time that a row takes over batches 128 … 8192. The lime package is timed on 10 samples: its time is linear in them."""
import sys, warnings
import numpy as np, torch
from models import data, sve, trunk
from bench_paths import interleaved
sys.path.pop(0)  # this folder: a file here must not stand in for a package of the same name
from mtl_explain.any_model import predictors
from mtl_explain.attribution import EXPLAINERS, _along, exact
from mtl_explain.game import InputGame
from mtl_explain.play import play
from mtl_explain.predictor import ModelPredictor

SAMPLES, EVALUATIONS, NODES = 500, 300, 50

class Tensor(torch.nn.Module):
    "The same heads, but as one tensor: nothing tells a trunk from its heads"
    def __init__(self, model): super().__init__(); self.model = model
    def forward(self, x): return torch.cat(list(self.model(x).values()), 1)

def floor(ask, x):
    "The least seconds a row takes"
    import time
    def once(n):
        b = x[np.arange(n) % len(x)]; t = time.perf_counter(); ask(b); return (time.perf_counter() - t)/n
    sizes = [128*2**k for k in range(7)]
    for n in sizes: once(n)
    return min(np.median([once(n) for _ in range(7)]) for n in sizes)

def run(game, name, **settings):
    "Attributions (sample, player, target), in blocks as `explain` does it"
    out = np.empty((len(game.x), len(game.players), len(game.targets)))
    def put(rows, e, status): out[rows] = e.attribution.transpose(1, 0, 2)
    play(game, EXPLAINERS[name], put, settings=settings)
    return out

def kernel(ask, x, background, n):
    import shap
    return np.stack(shap.KernelExplainer(ask, background).shap_values(x, nsamples=n, l1_reg=False, silent=True)).reshape(len(x), x.shape[1], -1)

def shapley():
    m = trunk('relu'); x = data(SAMPLES + 100); p, = predictors(m, x); ask = lambda v: p(np.asarray(v, np.float32))
    game = InputGame(p, x[:SAMPLES], x[-1:])
    with torch.no_grad(): least = floor(lambda b: torch.cat(list(m(b).values()), 1), torch.as_tensor(x))*SAMPLES*EVALUATIONS
    ours, peer = interleaved([lambda: run(game, 'shapley', evaluations=EVALUATIONS), lambda: kernel(ask, x[:SAMPLES], x[-1:], EVALUATIONS)])
    print(f'shapley, trunk: {ours:.2f} s; shap KernelExplainer {peer:.2f} s: {peer/ours:.1f} times as fast (gate 10); {ours/least:.2f} × the floor of {least:.2f} s (gate 1.5, aim 1.2)')
    s, suite = sve(); p = ModelPredictor(s, suite['table']); x = suite['table'].x
    def cached(): return run(InputGame(p, x[:SAMPLES], x[-1:]), 'shapley', evaluations=EVALUATIONS)
    plain = lambda b: s.scores('table', b)
    with torch.no_grad(): least = floor(plain, torch.as_tensor(x))*SAMPLES*EVALUATIONS
    ours, = interleaved([cached])
    print(f'shapley, set encoder: {ours:.2f} s, {ours/least:.2f} × the floor of plain forwards of {least:.2f} s (gate 0.6, aim 0.5)')

def accuracy():
    m = trunk('relu', inputs=10); x = data(140, inputs=10); p, = predictors(m, x); ask = lambda v: p(np.asarray(v, np.float32))
    game = InputGame(p, x[:40], x[-1:]); truth = next(exact(game, np.arange(40), None)).attribution.transpose(1, 0, 2)
    for n in (100, 200, 500):
        ours, peer = (np.abs(a - truth).mean()/np.abs(truth).mean() for a in (np.mean([np.abs(run(game, 'shapley', evaluations=n) - truth) for _ in range(1)], 0) + truth, kernel(ask, x[:40], x[-1:], n)))
        print(f'10 players, {n} evaluations: mean error / mean |φ| {ours:.3f}, shap KernelExplainer {peer:.3f}')

def lime():
    from lime.lime_tabular import LimeTabularExplainer
    m = trunk('relu'); x = data(SAMPLES + 100); p, = predictors(m, x); few = 10
    game = InputGame(p, x[:SAMPLES], x[-100:])
    ask = lambda v: torch.softmax(torch.as_tensor(p(np.asarray(v, np.float32))), 1).numpy()
    package = LimeTabularExplainer(x[-100:], mode='classification', random_state=0)
    peers = lambda: [package.explain_instance(r, ask, labels=range(20), num_features=30, num_samples=EVALUATIONS) for r in x[:few]]
    ours, peer = interleaved([lambda: run(game, 'lime', evaluations=EVALUATIONS), peers])
    print(f'lime: {ours:.2f} s; the lime package {peer*SAMPLES/few:.0f} s: {peer*SAMPLES/few/ours:.0f} times as fast (gate 50)')

def integrated():
    from captum.attr import IntegratedGradients
    x = data(SAMPLES + 100); X, b = torch.as_tensor(x[:SAMPLES]), torch.as_tensor(x[-1:])
    node, weight = np.polynomial.legendre.leggauss(NODES)
    for name, m, gate in [('shared trunk', trunk('gelu'), '5, aim 8'), ('generic module', Tensor(trunk('gelu')).eval(), '2.5')]:
        p, = predictors(m, x); game = InputGame(p, x[:SAMPLES], x[-1:])
        def ours(): return np.concatenate([_along(game, r, (node + 1)/2, np.zeros(NODES, int), weight/2)[0] for r in np.array_split(np.arange(SAMPLES), 20)], 1)
        whole = IntegratedGradients(Tensor(m).eval() if name=='shared trunk' else m)
        def peers(): return np.stack([whole.attribute(X, b, target=t, n_steps=NODES, method='gausslegendre', internal_batch_size=1000).detach().numpy().T for t in range(20)], 2)
        gap = np.abs(ours() - peers()).max()/np.abs(peers()).max()
        a, c = interleaved([ours, peers], 3 if len(sys.argv) > 1 else 5)
        print(f'integrated gradients, {name}: {a:.2f} s; captum {c:.2f} s: {c/a:.1f} times as fast (gate {gate}); largest difference {gap:.0e} of the largest attribution')

if __name__=='__main__':
    torch.set_num_threads(1); warnings.simplefilter('ignore')
    for f in (shapley, accuracy, integrated, lime): f()
