"""A hundred tasks of UCI-121: shared variable embeddings beside own ones, hard sharing, one model a task, and classical models.

    python tests/bench/uci.py search DATA      # settings of the network, by mean validation accuracy alone
    python tests/bench/uci.py run DATA         # all models, all seeds; --models own softmax --seeds 0 1 for a part; broken off, the same command goes on
    python tests/bench/uci.py report           # what the runs come to: results/uci.csv (a row per model, seed and task) and results/uci.json

DATA is a folder of UCI-121 in either layout. Runs are kept in build/uci, a checkpoint at every evaluation.
"""
import argparse, json, platform, sys, warnings
from datetime import date
from functools import partial
from pathlib import Path
import numpy as np, pandas as pd, torch

HERE = Path(__file__).parent; KEPT, OUT = Path('build/uci'), HERE/'results'
CLASSICAL = ['linear', 'forest', 'boosting', 'svm']
SIZES = {'48': dict(dim=16, width=48, blocks=(2, 2, 1)), '96': dict(dim=32, width=96, blocks=(2, 2, 2)), '48 deep': dict(dim=16, width=48, blocks=(3, 3, 3)), '96 drop .4': dict(dim=32, width=96, blocks=(2, 2, 2), dropout=.4)}
CONCEPTS, SIZE, FIT = 32, '48', dict(steps=1000, rows=32, lr=5e-3, evaluate=50, weight_decay=0.)


def networks(size=SIZE, fit=FIT):
    from mtl_explain.baselines import HardSharing
    from mtl_explain.compare import Alone, Joint
    from mtl_explain.model import MTLModel
    from mtl_explain.sharing import Attend, Own
    ours, wide = lambda sharing: Joint(partial(MTLModel, sharing=sharing, **SIZES[size]), **fit), SIZES[size]['width']
    return dict(own=ours(Own()), softmax=ours(Attend(CONCEPTS, 'softmax')), sparsemax=ours(Attend(CONCEPTS, 'sparsemax')), entmax=ours(Attend(CONCEPTS)), hard=Joint(partial(HardSharing, width=2*wide), **fit), single=Alone(partial(HardSharing, width=wide), **fit | dict(patience=6)))


def search(data, only=None):
    "Own embeddings and 1.5-entmax, one seed, several settings; printed as they come"
    from mtl_explain.compare import compare
    for size in only or SIZES:
        for name, changes in {'': {}, ' lr 2e-3': dict(lr=2e-3), ' decay .01': dict(weight_decay=.01)}.items():
            if name and size!=next(iter(SIZES)): continue
            ways = networks(size, FIT | changes)
            r = compare(data, {f'{k} {size}{name}': ways[k] for k in ('entmax', 'own')}, [0], folder=KEPT/'search', progress=False)
            print(r.groupby('model', sort=False).agg(valid=('valid', 'mean'), best_step=('best_step', 'first'), seconds=('seconds', 'first')).round(4).to_string(header=False), flush=True)


def run(data, models, seeds):
    from mtl_explain.compare import compare
    ways = networks() | {k: k for k in CLASSICAL}
    for seed in seeds:
        for m in models: compare(data, {m: ways[m]}, [seed], folder=KEPT, progress=sys.stderr.isatty()); print(m, seed, flush=True)


if __name__=='__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter); p.add_argument('what', choices=['search', 'run', 'report']); p.add_argument('data', nargs='?'); p.add_argument('--models', nargs='*'); p.add_argument('--seeds', nargs='*', type=int); p.add_argument('--sizes', nargs='*'); a = p.parse_args()
    torch.set_num_threads(1); warnings.simplefilter('ignore')
    if a.what!='report':
        from mtl_explain.uci import uci121
        data = uci121(a.data)
    if a.what=='search': search(data, a.sizes)
    if a.what=='run': run(data, a.models or [*networks(), *CLASSICAL], a.seeds if a.seeds is not None else range(3))
