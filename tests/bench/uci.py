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
import torch
from mtl_explain.baselines import HardSharing
from mtl_explain.compare import Alone, Joint, compare, costs, stored
from mtl_explain.evidence import mean_difference
from mtl_explain.model import MTLModel
from mtl_explain.sharing import Attend, Own
from mtl_explain.uci import NOTES, uci121
from mtl_explain.verdicts import best_of, by_task, verdicts

HERE = Path(__file__).parent; KEPT, OUT = Path('build/uci'), HERE/'results'
CLASSICAL = ['linear', 'forest', 'boosting', 'svm']
SIZES = {'48': dict(dim=16, width=48, blocks=(2, 2, 1)), '96': dict(dim=32, width=96, blocks=(2, 2, 2)), '48 deep': dict(dim=16, width=48, blocks=(3, 3, 3)), '96 drop .4': dict(dim=32, width=96, blocks=(2, 2, 2), dropout=.4)}
CONCEPTS, SIZE, FIT = 32, '48', dict(steps=1000, rows=32, lr=5e-3, evaluate=50, weight_decay=0., keep='error')


class Ours(Joint):
    "Our model; what its attention came to is kept with the run, and the model beside it"
    def train(self, suite, seed, checkpoint=None, progress=False):
        model, facts = super().train(suite, seed, checkpoint, progress)
        if checkpoint: model.save(Path(checkpoint).with_suffix('.safetensors'))
        if not model.concepts: return model, facts
        with torch.no_grad(): a = model.sharing.attention()
        return model, facts | dict(alive=int((a.amax(0) >= 1e-3).sum()), support=float((a > 0).float().sum(1).mean()), largest=float(a.amax(1).mean()))


def networks(size=SIZE, fit=FIT):
    ours, width = lambda sharing: Ours(partial(MTLModel, sharing=sharing, **SIZES[size]), **fit), SIZES[size]['width']
    return dict(own=ours(Own()), softmax=ours(Attend(CONCEPTS, 'softmax')), sparsemax=ours(Attend(CONCEPTS, 'sparsemax')), entmax=ours(Attend(CONCEPTS)), hard=Joint(partial(HardSharing, width=2*width), **fit), single=Alone(partial(HardSharing, width=width), **fit | dict(patience=6)))


def search(data, only=None):
    "Own embeddings and 1.5-entmax, one seed, several settings; printed as they come"
    for size in only or SIZES:
        for name, changes in {'': {}, ' lr 2e-3': dict(lr=2e-3), ' decay .01': dict(weight_decay=.01)}.items():
            if name and size!=next(iter(SIZES)): continue
            ways = networks(size, FIT | changes)
            r = compare(data, {f'{k} {size}{name}': ways[k] for k in ('entmax', 'own')}, [0], folder=KEPT/'search', progress=False)
            print(r.groupby('model', sort=False).agg(valid=('valid', 'mean'), best_step=('best_step', 'first'), seconds=('seconds', 'first')).round(4).to_string(header=False), flush=True)


def run(data, models, seeds):
    ways = networks() | {k: k for k in CLASSICAL}
    for seed in seeds:
        for m in models: compare(data, {m: ways[m]}, [seed], folder=KEPT, progress=sys.stderr.isatty()); print(m, seed, flush=True)


def report():
    "Means, paired differences to the best classical model, costs; with and without the tasks that are faulty or too small"
    runs = stored(KEPT); small = runs.drop(columns=['each', 'settings', 'data'], errors='ignore')
    small[[c for c in ('model', 'seed', 'task', 'family', 'train_rows', 'test_rows', 'valid', 'value', 'log loss', 'best_step', 'best_seconds', 'seconds', 'parameters', 'alive', 'support', 'largest') if c in small]].round(4).to_csv(OUT/'uci.csv', index=False)
    found = dict(date=str(date.today()), command='python tests/bench/uci.py run DATA; … report', machine=f'{platform.machine()}, one thread a run, torch {torch.__version__}', settings=dict(concepts=CONCEPTS, size=SIZES[SIZE], fit=FIT))
    for name, part in {'all tasks': runs, 'without faulty and tiny tasks': runs[~runs.task.isin(NOTES)]}.items():
        wide = by_task(part); there = [m for m in CLASSICAL if m in wide]; best = best_of(part, there, 'valid') if there else None  # by validation rows
        found[name] = dict(tasks=len(wide), mean=wide.mean().round(4).to_dict(), best_classical=best, against_it={m: [round(float(v), 4) for v in mean_difference(wide[m] - wide[best])] for m in wide if best and m!=best}, pairs=verdicts(part, 'own').round(4).reset_index().astype(object).where(lambda d: d.notna(), None).to_dict('records') if 'own' in wide and len(wide.columns) > 1 else [])
        print(f'\n{name} ({len(wide)})'); print(wide.mean().sort_values(ascending=False).round(4).to_string())
    found['costs'] = costs(runs).round(2).reset_index().astype(object).where(lambda d: d.notna(), None).to_dict('records'); print('\n', costs(runs).round(1))
    (OUT/'uci.json').write_text(json.dumps(found, indent=1))


if __name__=='__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter); p.add_argument('what', choices=['search', 'run', 'report']); p.add_argument('data', nargs='?'); p.add_argument('--models', nargs='*'); p.add_argument('--seeds', nargs='*', type=int); p.add_argument('--sizes', nargs='*'); a = p.parse_args()
    torch.set_num_threads(1); warnings.simplefilter('ignore')
    if a.what!='report':
        data = uci121(a.data)
    if a.what=='search': search(data, a.sizes)
    if a.what=='run': run(data, a.models or [*networks(), *CLASSICAL], a.seeds if a.seeds is not None else range(3))
    if a.what=='report': report()
