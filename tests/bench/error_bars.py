"""Do the error bars of attributions tell the truth? Repeated draws against exact answers; written to results/coverage.json.

    python tests/bench/error_bars.py [repeats]            # 200 repeats: some minutes on one core

Small models of 10 features and 4 targets, with strong interactions and nearly additive; 5 samples: 200 cells (sample, player, target).
Each repeat draws 100 background rows out of 4,000, and a seed. Two truths: given these rows (`se`), and over all 4,000 (`se` and `background_se` together).
With one background row there is only the first.
The truths are enumerated here, in plain numpy, without the library.
"""
import json, math, platform, sys, time, warnings
from datetime import date
from pathlib import Path
import numpy as np, pandas as pd, torch
from torch import nn
from mtl_explain.any_model import ModulePredictor
from mtl_explain.attribution import EXPLAINERS
from mtl_explain.game import InputGame
from mtl_explain.play import play

PLAYERS, TARGETS, HIDDEN, SAMPLES, POPULATION = 10, 4, 16, 5, 4000
MODELS = {'interacting': (.3, 1.5, 100), 'additive': (1., .5, 100), 'one row': (.3, 1.5, 1)}  # size of the linear part, and of what enters the tanh; background rows
BUDGETS = (100, 300, 1000)
ADAPTIVE = dict(shapley=(.1, .04), permutation=(.1, .04))  # error=, a share of the score's standard deviation
METHODS = ('shapley', 'permutation', 'expected gradients', 'lime', 'occlusion')
COMPLETE = ('integrated gradients',)  # meets all rows: no error given the rows but that of its nodes, so judged for rows drawn anew only
LEAST = dict(permutation=144, occlusion=160)  # evaluations without which a method says no


class Net(nn.Module):
    def __init__(self, linear, inner, seed):
        super().__init__(); rng = np.random.default_rng(seed); n = PLAYERS
        self.A, self.W = linear*rng.normal(size=(n, TARGETS))/n**.5, inner*rng.normal(size=(n, HIDDEN))*(2/n)**.5
        self.c, self.V = rng.normal(size=HIDDEN), 2*rng.normal(size=(HIDDEN, TARGETS))/HIDDEN**.5
        for k in 'AWcV': self.register_buffer(f'_{k}', torch.as_tensor(getattr(self, k)))
    def forward(self, x): return x @ self._A + torch.tanh(x @ self._W + self._c) @ self._V


def population(seed=0, rows=POPULATION):
    "Correlated columns; one is a switch, one is skewed"
    rng = np.random.default_rng(seed)
    x = .8*rng.normal(size=(rows, PLAYERS)) + .6*rng.normal(size=(rows, 1))
    x[:, 0] = rng.random(rows) < .3; x[:, 1] = np.exp(.7*x[:, 1]) - 1
    return x


# ---- truths, by enumeration
def coalitions(n=PLAYERS): return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(float)

def values(net, x, rows, chunk=50):
    "Mean score of every coalition (coalition, sample, target) over background rows"
    on, out = coalitions(x.shape[1]), []
    for a in x:
        total = on @ (a[:, None]*net.A)*len(rows) + (1-on) @ (rows.sum(0)[:, None]*net.A)
        inside = on @ (a[:, None]*net.W) + net.c
        for b in np.array_split(rows, -(-len(rows)//chunk)):
            z = inside[:, None] + ((1-on) @ (b[:, :, None]*net.W)).transpose(1, 0, 2)
            total += np.tanh(z, out=z).sum(1) @ net.V
        out.append(total/len(rows))
    return np.stack(out, 1)

def shapley(v):
    "(coalition, …) -> (player, …), from the definition"
    n = int(math.log2(len(v))); on = coalitions(n).astype(bool); size = on.sum(1); out = []
    for j in range(n):
        without = np.flatnonzero(~on[:, j]); s = size[without]
        w = np.array([math.factorial(k)*math.factorial(n-k-1)/math.factorial(n) for k in range(n)])[s]
        out.append(np.tensordot(w, v[without + 2**j] - v[without], 1))
    return np.stack(out)

def lime(v):
    "The weighted fit on all coalitions"
    on = coalitions(int(math.log2(len(v)))); n = on.shape[1]; w = np.exp(-(1-on).sum(1)/(.75**2*n))
    X = np.column_stack([np.ones(len(on)), on])
    return np.linalg.solve((X*w[:, None]).T @ X, (X*w[:, None]).T @ v.reshape(len(v), -1))[1:].reshape(n, *v.shape[1:])

def occlusion(v): n = int(math.log2(len(v))); return np.stack([v[-1] - v[2**n - 1 - 2**j] for j in range(n)])

def slopes(net, x, rows, nodes=24):
    "Gradients integrated from every row to every sample, and averaged"
    at, weight = np.polynomial.legendre.leggauss(nodes); out = []
    for a in x:
        step, total = a - rows, 0
        for t, w in zip((at + 1)/2, weight/2):
            h = 1 - np.tanh((rows + t*step) @ net.W + net.c)**2  # (row, hidden)
            total = total + w*(net.A + np.einsum('ih,rh,ht->rit', net.W, h, net.V))
        out.append((step[:, :, None]*total).mean(0))
    return np.stack(out, 1)

def truths(net, x, rows):
    v = values(net, x, rows); s = shapley(v)
    g = slopes(net, x, rows)
    return {'shapley': s, 'permutation': s, 'lime': lime(v), 'occlusion': occlusion(v), 'expected gradients': g, 'integrated gradients': g}


# ---- repeats
def estimate(game, name, seed, evaluations, error=None):
    "What the library says: attribution, se, background_se (player, sample, target), evaluations"
    got = []
    play(game, EXPLAINERS[name], lambda rows, e, status: got.append(e), settings=dict(evaluations=evaluations), error=error, seed=[*seed, 7])
    return got[0]

def all_arms(): return [(m, b, None) for m in METHODS for b in BUDGETS if b >= LEAST.get(m, 0)] + [(m, 2**14, e) for m, es in ADAPTIVE.items() for e in es] + [(m, 2**12, None) for m in COMPLETE]

def once(net, x, people, draws, seed, arms):
    "One repeat: for every arm, error and error bar of both truths"
    rng = np.random.default_rng([seed, 1]); rows = people[rng.integers(len(people), size=draws)]
    predictor, here, out = ModulePredictor(net, rows), truths(net, x, rows), {}
    for m, b, e in arms:
        g = InputGame(predictor, x, rows); est = estimate(g, m, seed, b, e)
        more = np.zeros_like(est.se) if est.background_se is None else np.nan_to_num(est.background_se)
        out[m, b, e] = est.attribution, here[m], est.se, np.sqrt(est.se**2 + more**2), est.evaluations
    return out

def judged(runs, everywhere, draws):
    "Coverage of each arm, pooled and in its worst cells"
    for arm in runs[0]:
        phi, here, se, both, n = (np.stack([r[arm][k] for r in runs]) for k in range(5))
        for truth, want, bar in (('given the rows', here, se), ('rows anew', everywhere[arm[0]][None], both)):
            if arm[0] in COMPLETE and truth!='rows anew' or draws==1 and (truth=='rows anew' or arm[0]=='occlusion'): continue
            inside = np.abs(phi - want) <= 1.96*bar + 1e-6*np.abs(want).mean()  # what is exact but for rounding is inside
            cell = inside.mean(0).ravel()
            yield dict(explainer=arm[0], evaluations='adaptive' if arm[2] else arm[1], error=arm[2] or '', truth=truth, pooled=inside.mean(), low_cells=np.quantile(cell, .05), cells=cell.size,
                       error_share=np.abs(phi - want).mean()/np.abs(want).mean(), bar_share=bar.mean()/np.abs(want).mean(), spent=n.mean())

def run(repeats=200, models=MODELS, seed=0, arms=None):
    people, rows, arms = population(seed), [], arms or all_arms()
    for name, (*size, draws) in models.items():
        net, x = Net(*size, seed=[seed, 2]).eval(), population([seed, 3], SAMPLES)
        everywhere, t = truths(net, x, people), time.time()
        runs = [once(net, x, people, draws, seed=[seed, 4, r], arms=arms) for r in range(repeats)]
        rows += [dict(model=name, **j) for j in judged(runs, everywhere, draws)]
        print(name, f'{time.time() - t:.0f} s', flush=True)
    return pd.DataFrame(rows)

def main():
    torch.set_num_threads(1); warnings.simplefilter('ignore')
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 200; start = time.time()
    t = run(repeats)
    told = dict(command='python tests/bench/error_bars.py', date=str(date.today()), machine=f'{platform.machine()}, one thread', torch=torch.__version__, numpy=np.__version__, repeats=repeats, seed=0,
                seconds=round(time.time() - start), nominal=.95, population=POPULATION, samples=SAMPLES, players=PLAYERS, targets=TARGETS)
    if repeats >= 200: Path(__file__).with_name('results').joinpath('coverage.json').write_text(json.dumps(dict(about=told, runs=t.round(4).to_dict('records')), indent=1) + '\n')
    with pd.option_context('display.width', 200, 'display.max_rows', 200): print(t.round(3).to_string())

if __name__=='__main__': main()
