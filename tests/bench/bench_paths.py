"""The cached set-encoder path against plain forwards, and training in flat batches against a loop over tasks: the same work in the same run."""
import statistics, time, warnings
import numpy as np, torch
from mtl_explain.game import InputGame, Sampled
from mtl_explain.model import MTLModel
from mtl_explain.predictor import ModelPredictor
from mtl_explain.suites import people, planted
from mtl_explain.losses import LOSSES, Rows
from mtl_explain.train import _draw, fit

def interleaved(fs, repeat=5):
    "Median seconds of each function, called in turns"
    seconds = [[] for _ in fs]
    for _ in range(repeat):
        for f, s in zip(fs, seconds): t = time.perf_counter(); f(); s.append(time.perf_counter()-t)
    return [statistics.median(s) for s in seconds]

def values(suite, task):
    model = MTLModel(suite); t = suite[task]; p = ModelPredictor(model, t); rng = np.random.default_rng(0)
    background, x = Sampled(100).draw(p, rng)[0], t.x[:50]
    fast, plain = (InputGame(p, x, background, fast=f) for f in (True, False))
    on = rng.random((256, len(fast.players))) < .5; draw = np.arange(256) % fast.draws
    gap = np.abs(fast.value(on, np.arange(50), draw) - plain.value(on, np.arange(50), draw)).max()
    def cached(): fast._parts.clear(); fast.value(on, np.arange(50), draw)  # encoding included
    a, b = interleaved([cached, lambda: plain.value(on, np.arange(50), draw)])
    print(f'{task} ({len(t.inputs)} inputs): cached {256*50/a:,.0f} values/s, plain {256*50/b:,.0f} values/s: {b/a:.1f} times as fast, largest difference {gap:.0e}')

def loop_over_tasks(model, suite, steps, rows, seed=0):
    "The same loss and optimiser, one task after another: the plain way"
    data = Rows(model, suite, LOSSES); opt = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0, fused=True); model.train()
    for step in range(steps):
        total = 0
        for i, t in enumerate(data.tasks):
            r = _draw(data.train[t], rows, step, seed, i); b = data.batch[t]
            total = total + (data.loss(b, model.scores(t, data.x[t][:, r].T).T, data.y[t][:, r])*data.weight[b.outcomes]).sum()/len(data.tasks)
        opt.zero_grad(set_to_none=True); total.backward(); torch.nn.utils.clip_grad_norm_(model.parameters(), 1.); opt.step()

def training(name, suite, steps=40, rows=32):
    flat = lambda: fit(MTLModel(suite), suite, steps=steps, rows=rows, evaluate=10**6, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore'); a, b = interleaved([flat, lambda: loop_over_tasks(MTLModel(suite), suite, steps, rows)], 3)
    n = steps*rows*len(suite)
    print(f'{name} ({len(suite)} tasks): fit {n/a:,.0f} rows/s, loop over tasks {n/b:,.0f} rows/s: {b/a:.1f} times as fast')

if __name__=='__main__':
    torch.set_num_threads(1)
    suite = people()
    for t in suite: values(suite, t)
    training('people', suite); training('planted', planted(tables=10)); training('planted', planted(tables=40, rows=100))
