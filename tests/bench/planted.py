"""Are planted concepts recovered? Five fresh seeds, numeric and mixed targets, two controls each; written to results/planted.json.

    python tests/bench/planted.py            # about ten minutes on one core
"""
import json, platform, warnings
from datetime import date
from pathlib import Path
import pandas as pd, torch
from mtl_explain.concepts import recovery
from mtl_explain.model import MTLModel
from mtl_explain.suites import planted
from mtl_explain.train import fit

SEEDS, STEPS = range(1, 6), 1000
MIXED = ('number', 'binary', 'ordered')

def run(seed, kinds, control):
    suite = planted(seed=seed, kinds=kinds, control=control)
    model = MTLModel(suite, seed=seed)
    history = fit(model, suite, steps=STEPS, seed=seed, progress=False)
    v = suite.variables[suite.variables.role=='input']
    rows, kind = model.sharing.attention().detach().numpy(), v.task.map({t: suite[t].outcomes[0].kind for t in suite})
    out = recovery(rows, v.concept, v.family)
    if len(kinds) > 1:  # pairs of one numeric and one class table only
        side = (kind!='number').to_numpy()
        out['auc_across'] = recovery(rows, v.concept, side)['auc']
    return dict(kinds='+'.join(kinds), control=control or '', seed=seed, validation=history.attrs['best'], seconds=history.attrs['seconds'], **out)

def main():
    torch.set_num_threads(1); warnings.simplefilter('ignore'); rows = []
    for kinds in (('number',), MIXED):
        for control in (None, 'shuffled', 'private'):
            for seed in SEEDS:
                rows.append(run(seed, kinds, control)); print(rows[-1], flush=True)
    t = pd.DataFrame(rows)
    told = dict(command='python tests/bench/planted.py', date=str(date.today()), machine=f'{platform.machine()}, one thread', torch=torch.__version__, steps=STEPS, seeds=list(SEEDS))
    Path(__file__).with_name('results').joinpath('planted.json').write_text(json.dumps(dict(about=told, runs=t.round(4).to_dict('records')), indent=1) + '\n')
    print(t.groupby(['kinds', 'control'], sort=False)[[c for c in ('auc', 'auc_across', 'match', 'ari', 'validation', 'seconds') if c in t]].agg(['mean', 'min']).round(3).to_string())

if __name__=='__main__': main()
