"""What the runs of uci.py say about the four claims on shared variable embeddings: each holds, does not, or cannot be told; results/claims.json.

    python tests/bench/claims.py DATA       # after `python tests/bench/uci.py run DATA`

How it is judged was written down before the runs were looked at:
1  shared embeddings are no worse than own ones: the 95 % interval of the mean difference over tasks (seeds averaged first), softmax − own, lies above −1 point; if it lies below, the claim does not hold.
2  sparse attention is more accurate in clearly fewer steps: the interval of sparsemax − softmax lies above 0, and so does that of log(steps of softmax / steps of sparsemax) to a common validation error, the larger of the two arms' least; if either lies below 0, it does not hold. 1.5-entmax is shown beside it.
3  plain attention is the more interpretable one, sparse the more accurate: how well attention tells features of the same pre-defined concept from others, in different families of tables (AUC), is larger for softmax beyond the spread over seeds, and accuracy as in 2.
4  shared embeddings map to pre-defined concepts: in most seeds the AUC is beyond chance (p ≤ .05, names permuted within each table, pairs between families only), and at least one concept has a name of its own (p ≤ .05, corrected over all pairs).
Intervals over seeds are Student's, over tasks a bootstrap.
"""
import argparse, json, platform, warnings
from datetime import date
from pathlib import Path
import numpy as np, torch, xarray as xr
from scipy.stats import t as student
from mtl_explain.compare import stored
from mtl_explain.concepts import matching, structure
from mtl_explain.evidence import mean_difference
from mtl_explain.model import load_model
from mtl_explain.uci import uci121
from mtl_explain.verdicts import by_task

KEPT, OUT = Path('build/uci'), Path(__file__).with_name('results')/'claims.json'


def over_seeds(values):
    "Mean and its 95 % interval (Student)"
    v = np.array(values, float); half = student.ppf(.975, len(v)-1)*v.std(ddof=1)/len(v)**.5 if len(v) > 1 else np.inf
    return dict(mean=v.mean(), low=v.mean()-half, high=v.mean()+half)


def gap(runs, a, b): return dict(zip(('mean', 'low', 'high'), map(float, mean_difference((w:=by_task(runs))[a] - w[b]))))


def saved_steps(runs, a, b):
    "log(steps of b / steps of a) to a common validation error, seed by seed"
    curve = {(r.model, r.seed): np.array(json.loads(r.curve)) for r in runs.drop_duplicates(['model', 'seed']).itertuples() if r.model in (a, b)}; out = []
    for s in sorted({s for m, s in curve if m==a} & {s for m, s in curve if m==b}):
        level = max(curve[m, s][:, 1].min() for m in (a, b)); first = {m: curve[m, s][np.argmax(curve[m, s][:, 1] <= level), 0] for m in (a, b)}; out.append(float(np.log(first[b]/first[a])))
    return out


def meaning(model, suite):
    "Do features of one pre-defined concept have similar attention (or embeddings) in different families of tables?"
    v = suite.variables[suite.variables.role=='input']; rows = (model.sharing.attention() if model.concepts else model.sharing.weight()).detach().numpy(); v = v.assign(row=np.arange(len(v)))
    f = v[v.concept!=''].groupby(['task', 'feature'], sort=False).agg(family=('family', 'first'), concept=('concept', 'first'), rows=('row', list)).reset_index()
    out = structure(np.array([rows[r].mean(0) for r in f.rows]), f.concept, f.family, f.task, 999)
    if model.concepts:
        of, names = [[i for t in model.spec.values() for i in t['inputs']], [f'c{k+1:02d}' for k in range(rows.shape[1])]]
        m = matching(xr.DataTree.from_dict({'/variables': suite.variables.to_xarray(), '/attention': xr.Dataset(dict(weight=(('variable', 'concept'), rows)), coords=dict(variable=of, concept=names))}), 999)
        k, n = np.nonzero((m.p_corrected <= .05).values); out |= dict(named=[[names[i], str(m.named.values[j])] for i, j in zip(k, n)], largest=float(rows.max(1).mean()), support=float((rows > 0).sum(1).mean()))
    return {k: v if isinstance(v, list) else float(v) for k, v in out.items()}


def verdict(holds, fails): return 'holds' if holds else 'does not hold' if fails else 'cannot tell'


def main(folder):
    runs, suite = stored(KEPT), uci121(folder); of = {m: {int(p.name.split('~')[1]): meaning(load_model(p), suite) for p in sorted(KEPT.glob(f'{m}~*.safetensors'))} for m in ('own', 'softmax', 'sparsemax', 'entmax')}
    one, two, steps = gap(runs, 'softmax', 'own'), gap(runs, 'sparsemax', 'softmax'), over_seeds(saved_steps(runs, 'sparsemax', 'softmax'))
    both = sorted(of['softmax'].keys() & of['sparsemax'].keys()); clear = over_seeds([of['softmax'][s]['auc'] - of['sparsemax'][s]['auc'] for s in both])
    found = {m: [r['p'] <= .05 for r in of[m].values()] for m in ('softmax', 'sparsemax')}; named = {m: [len(r['named']) for r in of[m].values()] for m in found}; most = {m: np.mean(v) > .5 for m, v in found.items()}
    out = {'1': dict(verdict=verdict(one['low'] > -.01, one['high'] < -.01), softmax_minus_own=one),
           '2': dict(verdict=verdict(two['low'] > 0 and steps['low'] > 0, two['high'] < 0 or steps['high'] < 0), sparsemax_minus_softmax=two, log_steps_softmax_over_sparsemax=steps, beside={m: dict(accuracy=gap(runs, m, 'softmax'), log_steps=over_seeds(saved_steps(runs, m, 'softmax'))) for m in ('entmax', 'own') if of[m]}),
           '3': dict(verdict=verdict(clear['low'] > 0 and two['low'] > 0, clear['high'] < 0 or two['high'] < 0), auc_softmax_minus_sparsemax=clear, sparsemax_minus_softmax=two),
           '4': dict(verdict=verdict(all(most.values()) and all(np.median(v) >= 1 for v in named.values()), not any(most.values()) and not any(np.median(v) for v in named.values())), seeds_beyond_chance={m: f'{sum(v)} of {len(v)}' for m, v in found.items()}, concepts_with_a_name=named)}
    for k, v in out.items(): print(k, json.dumps(v, indent=1))
    OUT.write_text(json.dumps(dict(date=str(date.today()), command='python tests/bench/claims.py DATA', machine=platform.machine(), torch=torch.__version__, rule=__doc__.split('How it')[1], claims=out, meaning=of), indent=1) + '\n')


if __name__=='__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter); p.add_argument('folder'); torch.set_num_threads(1); warnings.simplefilter('ignore'); main(p.parse_args().folder)
