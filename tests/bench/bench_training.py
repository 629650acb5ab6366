"""A training step over 121 tasks shaped like UCI-121, against the loop over tasks: the same mathematics, gradients compared, arms in turns, median of five; the floor of its matrix products; its memory; what the gradients of each task cost beside it.

    python tests/bench/bench_training.py [FOLDER]     with a folder of UCI-121 also the time to one common level on 60 tasks against one task a step, and all of it is written to results/training.json
"""
import gc, json, math, platform, statistics, subprocess, sys, time, warnings
from datetime import date
from pathlib import Path
import numpy as np, pandas as pd, torch
from mtl_explain.data import Table, TaskSuite
from mtl_explain.losses import Rows
from mtl_explain.model import Batch, MTLModel
from mtl_explain.sharing import Attend
from mtl_explain.task_gradients import TaskGradients
from mtl_explain.train import _draw, fit

TASKS, VARIABLES, C, WIDTH, BLOCKS = 121, 3025, 128, 128, (3, 3, 3)
GATES = {32: dict(naive=3., once=1.5), 4: dict(naive=3.5, once=2.5)}  # rows a task -> how many times as fast at least; naive: γ and β for every cell, once: for every variable
NETWORKS, RATES, ONE = {'width 32, one block in each part': dict(width=32, blocks=(1, 1, 1)), 'the default, width 48, 2, 2 and 1 blocks': {}}, (5e-3, 1e-2, 2e-2), 'one task a step'  # of the race to a level
ARMS = {'all tasks in a step': dict(steps=300, evaluate=15, rows=16), 'thirty a step': dict(steps=300, evaluate=15, rows=16, tasks_per_step=30), 'eight a step': dict(steps=1200, evaluate=60, rows=16, tasks_per_step=8), ONE: dict(steps=5000, evaluate=250, rows=32, tasks_per_step=1)}
missed, told = [], dict(steps=[])


def uci_like(seed=0):
    "121 tables with about 3,025 inputs and two to six classes, of random numbers"
    rng = np.random.default_rng(seed); sizes = rng.lognormal(2.6, .9, TASKS); sizes = np.maximum(3, (sizes*VARIABLES/sizes.sum()).round()).astype(int); out = {}
    for t, n in enumerate(sizes):
        k = int(rng.choice([2, 2, 2, 3, 4, 6])); y = rng.integers(0, k, 120); y[:k] = range(k)
        f = pd.DataFrame(rng.normal(size=(120, n)).astype('float32')).add_prefix('x'); f['class'] = pd.Categorical.from_codes(y, [str(i) for i in range(k)]); out[f'task {t+1:03d}'] = Table(f, 'class', {'class': 'binary' if k==2 else 'nominal'})
    return TaskSuite(out)


def arms(model, rows):
    "Name -> function of the drawn rows that leaves the gradient of the mean loss in the model"
    whole, take = Batch(model, rows.tasks), lambda part, d: torch.cat([part[t][:, r] for t, r in d.items()])
    def loop(per_cell):
        def go(d):
            z = model.sharing(whole.inputs); z = (z if per_cell else model.encoder.film(z)).split([len(model.spec[t]['inputs']) for t in rows.tasks]); out, total = model.output.split([len(model.spec[t]['outputs']) for t in rows.tasks]), 0.
            for (t, r), f, o in zip(d.items(), z, out):
                b = rows.batch[t]; x = rows.x[t][:, r].T
                h = model.core(model.encoder(x[..., None], model.encoder.film(f.expand(len(r), -1, -1)) if per_cell else f).sum(-2))[:, None]
                s = model._read(h.expand(-1, len(o), -1), o.expand(len(r), -1, -1)) if per_cell else model._read(h, o)
                total = total + (rows.loss(b, s.T, rows.y[t][:, r])*rows.weight[b.outcomes]).sum()/len(d)
            total.backward()
        return go
    def ours(d): (rows.loss(whole, model(whole, take(rows.x, d)), take(rows.y, d))*rows.weight[whole.outcomes]).sum().div(len(d)).backward()
    return dict(naive=loop(True), once=loop(False), ours=ours)


def ready(suite):
    model = MTLModel(suite, Attend(128), dim=C, width=WIDTH, blocks=BLOCKS, dropout=0.)
    with torch.no_grad():
        for n, p in model.named_parameters():
            if n.endswith('gate'): p.fill_(.3)
    return model, Rows(model, suite)


def drawn(rows, n, step): return {t: _draw(rows.train[t], n, step, 0, i) for i, t in enumerate(rows.tasks)}


def floor(model, n):
    "Seconds that the encoder's matrix products alone take, forward and back, at this machine's speed for pieces of 4,000 cells"
    a, w = torch.randn(4000, WIDTH), torch.randn(WIDTH, WIDTH); times = []
    for _ in range(20): t = time.perf_counter(); a @ w; times.append(time.perf_counter() - t)
    cells = n*sum(len(s['inputs']) for s in model.spec.values())
    return 3*BLOCKS[0]*statistics.median(times)*cells/4000


def steps(suite):
    model, rows = ready(suite); ways, opt = arms(model, rows), torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0, fused=True)
    for n, gates in GATES.items():
        grads = {}
        for name, f in ways.items(): model.zero_grad(); f(drawn(rows, n, 0)); grads[name] = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        gap = max(float((g - grads['naive']).abs().max()/grads['naive'].abs().max()) for g in grads.values()); assert gap < 1e-5, gap
        seconds = {k: [] for k in ways}
        for k in range(5):
            for name, f in ways.items(): t = time.perf_counter(); opt.zero_grad(set_to_none=True); f(drawn(rows, n, k)); opt.step(); seconds[name].append(time.perf_counter() - t)
        s = {k: statistics.median(v) for k, v in seconds.items()}; least = floor(model, n)
        for k, g in gates.items():
            if s[k]/s['ours'] < g: missed.append(f'{n} rows a task, {k}: {s[k]/s["ours"]:.2f}')
        told['steps'].append(dict(rows=n, ms={k: 1e3*v for k, v in s.items()}, floor_ms=1e3*least, gradients_differ=gap, gates=gates))
        print(f'{n:2d} rows a task: naive loop {1e3*s["naive"]:.0f} ms, loop with γ and β once per variable {1e3*s["once"]:.0f}, ours {1e3*s["ours"]:.0f}: {s["naive"]/s["ours"]:.2f} and {s["once"]/s["ours"]:.2f} times as fast (gates {gates["naive"]:g}, {gates["once"]:g}); the floor of the encoder’s matrix products is {1e3*least:.0f} ms, {least/s["ours"]:.0%} of a step; gradients differ by {gap:.0e}', flush=True)


def gradients(suite):
    "One gradient per task of all that is shared, from one pass: its cost beside a step's"
    model, rows = ready(suite); plain, opt = arms(model, rows)['ours'], torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0, fused=True); whole = Batch(model, rows.tasks)
    def each(d, after=[None]):
        take = lambda part: torch.cat([part[t][:, r] for t, r in d.items()])
        def losses(call, tasks): return rows.loss(whole, call(whole, take(rows.x)), take(rows.y))*rows.weight[whole.outcomes]  # every task has one outcome
        after[0] = g = TaskGradients(model, after=after[0]); g.collect(losses); g.leave(torch.full((len(d),), 1/len(d)))  # as `fit` does it, in the memory of the step before
    for n, gate in {32: 1.25, 4: None}.items():
        d = drawn(rows, n, 0); model.zero_grad(); plain(d); want = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]); model.zero_grad(); each(d); got = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        gap = float((got - want).abs().max()/want.abs().max()); assert gap < 1e-5, gap
        seconds = {'a step': [], 'with gradients of each task': []}
        for k in range(5):
            for (name, spent), f in zip(seconds.items(), (plain, each)): t = time.perf_counter(); opt.zero_grad(set_to_none=True); f(drawn(rows, n, k)); opt.step(); spent.append(time.perf_counter() - t)
        a, b = map(statistics.median, seconds.values()); print(f'{n:2d} rows a task: a step {1e3*a:.0f} ms, with the gradient of each task {1e3*b:.0f}: {b/a:.2f} times as long' + (f' (gate {gate:g})' if gate else '') + f'; their mean differs from the plain gradient by {gap:.0e}', flush=True)
        told.setdefault('gradients of each task', []).append(dict(rows=n, ms=1e3*a, with_gradients_ms=1e3*b, gate=gate))
        if gate and b/a > gate: missed.append(f'gradients of each task: {b/a:.2f}')


def memory():
    "Peak memory of one step in a process of its own, beside what suite and model take (Linux)"
    def status(what): return next(int(l.split()[1])/1e6 for l in Path('/proc/self/status').read_text().splitlines() if l.startswith(what))
    suite = uci_like(); model, rows = ready(suite); ours = arms(model, rows)['ours']; gc.collect()
    before = status('VmRSS'); Path('/proc/self/clear_refs').write_text('5')  # the high-water mark begins anew
    for _ in range(2): model.zero_grad(set_to_none=True); ours(drawn(rows, 32, 0))
    print(status('VmHWM') - before)


def race(suite, network):
    "Each arm with each learning rate: (seconds of training steps, mean validation accuracy)"
    from mtl_explain import train
    from mtl_explain.metrics import score
    curves, spent, step = {}, [0.], train._train_step
    def timed(*a): t = time.perf_counter(); out = step(*a); spent[0] += time.perf_counter() - t; return out  # steps only: how often an arm is looked at costs it nothing
    train._train_step = timed
    for name, kw in ARMS.items():
        for lr in RATES:
            model, seen = MTLModel(suite, **network), []; spent[0] = 0.
            def look(h, model=model, seen=seen):
                if h.attrs['status']=='running': model.eval(); seen.append((spent[0], score(model, suite, 'valid').value.mean())); model.train()
            with warnings.catch_warnings(): warnings.simplefilter('ignore'); fit(model, suite, progress=False, monitor=look, lr=lr, **kw)
            curves[name, lr] = np.array(seen)
    train._train_step = step
    return curves, float(score(model, suite, 'valid').guess.mean())


def write():
    told.update(missed=missed, date=str(date.today()), command='python tests/bench/bench_training.py FOLDER', machine=f'{platform.machine()}, one thread, torch {torch.__version__}')
    Path(__file__).with_name('results').joinpath('training.json').write_text(json.dumps(told, indent=1) + '\n')


def to_a_level(folder, n=60):
    "Seconds of training to one common level: the majority's accuracy and 90 % of the way from there to the best arm. All arms have the same network, and each the learning rate of three that brings it there first; the gate is for the network that validates better"
    from mtl_explain.uci import uci121
    whole = uci121(folder); small = sorted(whole, key=lambda t: len(whole[t]))[5:5+n]; suite = TaskSuite({t: whole.tables[t] for t in small}, whole.splits, whole.seed); out = []
    for words, network in NETWORKS.items():
        curves, guess = race(suite, network); best = max(c[:, 1].max() for c in curves.values()); level = guess + .9*(best - guess)
        first = {a: min((next((s for s, v in curves[a, lr] if v >= level), math.inf), lr) for lr in RATES) for a in ARMS}; ran = max(curves[ONE, lr][-1, 0] for lr in RATES)
        times = min(first[ONE][0], ran)/min(first[a][0] for a in ARMS if a!=ONE); said = 'at least ' if first[ONE][0]==math.inf else ''
        print(f'{n} tasks of UCI-121, {words}: to a mean validation accuracy of {level:.3f} (majority {guess:.3f}) ' + ', '.join(f'{a} {s:.1f} s (lr {lr:g})' if s < math.inf else f'{a} not within {curves[a, lr][-1, 0]:.0f} s' for a, (s, lr) in first.items()) + f'; one a step takes {said}{times:.1f} times as long as the fastest', flush=True)
        out.append(dict(network=words, settings=network, tasks=n, rates=RATES, level=float(level), majority=guess, times=float(times), reached=bool(first[ONE][0] < math.inf), arms={a: dict(settings=ARMS[a], seconds=float(s) if s < math.inf else None, lr=lr if s < math.inf else None, ran=float(curves[a, lr][-1, 0]), best=max(float(curves[a, r][:, 1].max()) for r in RATES)) for a, (s, lr) in first.items()}))
        told['to a level'] = out; write()
    judged = max(out, key=lambda o: max(a['best'] for a in o['arms'].values())); judged['gate'] = 4
    if judged['times'] < 4: missed.append(f'time to a common level: {judged["times"]:.1f}')


if __name__=='__main__':
    torch.set_num_threads(1)
    if sys.argv[1:]==['memory']: memory(); sys.exit()
    steps(uci_like()); gradients(uci_like())
    used = float(subprocess.run([sys.executable, __file__, 'memory'], check=True, capture_output=True, text=True).stdout)
    print(f'a step at 32 rows a task takes {used:.2f} GB beside data and model (gate .6)')
    if used > .6: missed.append('memory')
    told['memory_gb'] = used
    if len(sys.argv) > 1: write(); to_a_level(sys.argv[1]); write()
    if missed: sys.exit('missed: ' + '; '.join(missed))
    print('all gates met')
