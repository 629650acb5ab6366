"""A hundred tasks of UCI-121: shared variable embeddings beside own ones, hard sharing, one model a task, and classical models.

    python tests/bench/uci.py search DATA      # settings of the network, by mean validation accuracy alone
    python tests/bench/uci.py run DATA         # all models with all their seeds, then what was tried to lift them; --models own softmax --seeds 0 1 for a part; broken off, the same command goes on
    python tests/bench/uci.py report           # what the runs come to: results/uci.csv (a row per model, seed and task) and results/uci.json

DATA is a folder of UCI-121 in either layout. Runs are kept in build/uci, a checkpoint at every evaluation.
"""
import argparse, json, platform, sys, time, warnings
from datetime import date
from functools import partial
from pathlib import Path
from types import SimpleNamespace
import pandas as pd, torch
from mtl_explain.baselines import HardSharing
from mtl_explain.compare import Alone, Joint, compare, costs, stored
from mtl_explain.evidence import mean_difference
from mtl_explain.model import MTLModel, load_model
from mtl_explain.schema import node
from mtl_explain.sharing import Attend, Own
from mtl_explain.tune import fine_tune
from mtl_explain.uci import NOTES, uci121
from mtl_explain.verdicts import best_of, by_task, differences, verdicts

HERE = Path(__file__).parent; KEPT, OUT = Path('build/uci'), HERE/'results'
HOW = 'averaged', 'fine-tuned', 'fine-tuned, averaged'
OURS, CLASSICAL = ['own', 'softmax', 'sparsemax', 'entmax'], ['linear', 'forest', 'boosting', 'svm']
BASE = dict(steps=4000, rows=32, lr=3e-3, tasks_per_step=8, warmup=.2, evaluate=250, keep='error')
SMALL, MIDDLE = dict(dim=16, width=48, blocks=(2, 2, 1)), dict(dim=32, width=64, blocks=(1, 3, 2))
TRIED = {  # what was tried with own embeddings and one seed: the network, and what differs from BASE
    '48': (SMALL, {}), '48, 25 tasks a step': (SMALL, dict(tasks_per_step=25, steps=1600, evaluate=100, lr=5e-3)), '48, dropout .4': (SMALL | dict(dropout=.4), {}), '96': (dict(dim=32, width=96, blocks=(2, 2, 2)), dict(steps=3000, evaluate=187)), '48, C 64': (SMALL | dict(dim=64), {}),
    '64, C 128': (MIDDLE | dict(dim=128), dict(steps=3000, evaluate=187, lr=2e-3)), '64, 16 rows': (MIDDLE, dict(steps=8000, rows=16, lr=2e-3, warmup=.05, evaluate=500)), '64, 16 rows, weight decay .1': (MIDDLE, dict(steps=8000, rows=16, lr=2e-3, warmup=.05, evaluate=500, weight_decay=.1)), '64, 16 rows, weight decay 1': (MIDDLE, dict(steps=8000, rows=16, lr=2e-3, warmup=.05, evaluate=500, weight_decay=1.)), '64, 16 rows, long, dropout .1': (MIDDLE | dict(dropout=.1), dict(steps=16_000, rows=16, warmup=.05, evaluate=1000))}
PLAN = dict(own=5, softmax=5, sparsemax=5, entmax=3, hard=3, single=3) | dict.fromkeys(CLASSICAL, 3) | {'entmax fine-tuned': 2, 'entmax averaged': 1, 'own averaged': 1, 'entmax fine-tuned, averaged': 1}  # how many seeds
CONCEPTS, NETWORK, FIT = 32, MIDDLE | dict(dropout=.1), BASE | dict(steps=12_000, rows=16, warmup=.05, evaluate=500)  # the best of them by validation, a quarter shorter
ALONE = dict(steps=1500, rows=32, lr=5e-3, evaluate=50, patience=10, keep='error')


class Kept(Joint):
    "A network that is kept beside its run, with its validation error over the steps and what its attention came to"
    def train(self, suite, seed, checkpoint=None, progress=False):
        model, facts = super().train(suite, seed, checkpoint, progress)
        if checkpoint: model.save(Path(checkpoint).with_suffix('.safetensors'))
        return model, facts


def told(model, history):
    "Numbers that are kept of a run: when which validation error was reached, concepts alive, support of attention"
    curve = dict(curve=json.dumps([[int(s), round(float(e), 5)] for s, e in zip(history.step.values, history.validation_error.mean('task').values)]))
    if not getattr(model, 'concepts', 0): return curve
    with torch.no_grad(): a = model.sharing.attention()
    return curve | dict(alive=int((a.amax(0) >= 1e-3).sum()), support=float((a > 0).float().sum(1).mean()), largest=float(a.amax(1).mean()))


def kept(name): return sorted(KEPT.glob(f'{name}~*.safetensors'))


def tuned(name, seed, suite):
    "A copy of a kept network for every task, trained on that task alone for as many steps as it has training rows (200 to 1,500), or the network itself where validation says so; kept beside the runs"
    at = KEPT/f'{name} fine-tuned {seed}'; at.mkdir(exist_ok=True); file = lambda t: at/f'{node(t)}.safetensors'
    for t in suite:
        if file(t).exists(): continue
        one = fine_tune(load_model(KEPT/f'{name}~{seed}~0~{len(suite.tasks)} tasks.safetensors'), suite, [t], steps=min(1500, max(200, len(suite[t].rows('train')))), rows=64, lr=5e-3, keep='error', evaluate=100, seed=seed, progress=False)[t]
        one.save(part:=file(t).with_suffix('.part')); part.replace(file(t))
    return SimpleNamespace(predict=lambda t, x: load_model(file(t)).predict(t, x))


class Tried:
    "What may lift a model whose runs are done: the mean answer of all its seeds, a copy fine-tuned for each task, or both"
    def __init__(self, name, how): self.name, self.how = name, how
    def __repr__(self): return f'Tried({self.name!r}, {self.how!r}, {len(kept(self.name))} seeds)'
    def seeds(self, suite):
        "The first three, of those that are fine-tuned if that is asked"
        there = [int(p.name.split('~')[1]) for p in kept(self.name)]
        return [s for s in there if 'fine-tuned' not in self.how or len([*(KEPT/f'{self.name} fine-tuned {s}').glob('*.safetensors')])==len(suite.tasks)][:3]
    def units(self, suite): return [suite.tasks]
    def train(self, suite, seed, checkpoint=None, progress=False):
        start, seeds = time.perf_counter(), self.seeds(suite) if 'averaged' in self.how else [seed]
        models = [tuned(self.name, s, suite) if 'fine-tuned' in self.how else load_model(next(KEPT.glob(f'{self.name}~{s}~*.safetensors'))) for s in seeds]
        made = SimpleNamespace(predict=lambda t, x: {o: sum(m.predict(t, x)[o] for m in models)/len(models) for o in models[0].predict(t, x[:1])})
        return made, dict(parameters=0, seconds=time.perf_counter() - start, best_step=0, best_seconds=float('nan'))


def networks():
    ours, width = lambda sharing: Kept(partial(MTLModel, sharing=sharing, **NETWORK), notes=told, **FIT), NETWORK['width']
    return dict(own=ours(Own()), softmax=ours(Attend(CONCEPTS, 'softmax')), sparsemax=ours(Attend(CONCEPTS, 'sparsemax')), entmax=ours(Attend(CONCEPTS)), hard=Kept(partial(HardSharing, width=2*width), notes=told, **FIT), single=Alone(partial(HardSharing, width=width), **ALONE))


def search(data):
    "Settings of the network, printed as they come and written to results/uci_search.csv"
    found = []
    for name, (size, changes) in TRIED.items():
        r = compare(data, {name: Joint(partial(MTLModel, sharing=Own(), **size), **BASE | changes)}, [0], folder=KEPT/'search', progress=False)
        found.append(r.groupby('model', sort=False).agg(valid=('valid', 'mean'), best_step=('best_step', 'first'), seconds=('seconds', 'first')).round(4)); print(found[-1].to_string(header=False), flush=True)
        pd.concat(found).to_csv(OUT/'uci_search.csv')


def run(data, models, seeds):
    ways = networks() | {k: k for k in CLASSICAL} | {f'{k} {how}': Tried(k, how) for k in OURS for how in HOW}
    for seed in seeds:
        for m in models: compare(data, {m: ways[m]}, [seed], folder=KEPT, progress=sys.stderr.isatty()); print(m, seed, flush=True)


def report():
    "Means, paired differences to the best classical model, costs; with and without the tasks that are faulty or too small"
    runs = stored(KEPT); runs = runs[runs.groupby(['model', 'seed']).task.transform('nunique')==runs.task.nunique()]  # whole runs only
    small = runs.drop(columns=['each', 'settings', 'data'], errors='ignore')
    small[[c for c in ('model', 'seed', 'cap', 'task', 'outcome', 'metric', 'family', 'train_rows', 'test_rows', 'valid', 'value', 'log loss', 'macro-F1', 'AUC', 'calibration error', 'best_step', 'best_seconds', 'seconds', 'parameters', 'alive', 'support', 'largest') if c in small]].round(4).to_csv(OUT/'uci.csv', index=False)
    found = dict(date=str(date.today()), command='python tests/bench/uci.py run DATA; … report', machine=f'{platform.machine()}, one thread a run, torch {torch.__version__}', settings=dict(concepts=CONCEPTS, network=NETWORK, fit=FIT, alone=ALONE))
    for name, part in {'all tasks': runs, 'without faulty and tiny tasks': runs[~runs.task.isin(NOTES)]}.items():
        wide = by_task(part); ours = [m for m in wide if m.split(' ')[0] in OURS]; there = [m for m in CLASSICAL if m in wide]; best = best_of(part, there, 'valid') if there else None  # by validation rows
        found[name] = dict(tasks=len(wide), mean=wide.mean().round(4).to_dict(), best_classical=best, against_it={m: [round(float(v), 4) for v in mean_difference(wide[m] - wide[best])] for m in wide if best and m!=best}, pairs=verdicts(part, 'own').round(4).reset_index().astype(object).where(lambda d: d.notna(), None).to_dict('records') if 'own' in wide and len(wide.columns) > 1 else [])
        mine = found[name]['best_of_ours'] = best_of(part, ours, 'valid') if ours else None  # by validation rows, too
        if mine and best: found[name]['by_task'] = differences(part, mine, best)[['task', 'difference', 'low', 'high', 'verdict', 'train_rows']].round(4).to_dict('records'); print(f'\n{name}: {mine} − {best}', found[name]['against_it'][mine])
        print(f'\n{name} ({len(wide)})'); print(wide.mean().sort_values(ascending=False).round(4).to_string())
    found['costs'] = costs(runs).round(2).reset_index().astype(object).where(lambda d: d.notna(), None).to_dict('records'); print('\n', costs(runs).round(1))
    (OUT/'uci.json').write_text(json.dumps(found, indent=1))


if __name__=='__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter); p.add_argument('what', choices=['search', 'run', 'report']); p.add_argument('data', nargs='?'); p.add_argument('--models', nargs='*'); p.add_argument('--seeds', nargs='*', type=int); a = p.parse_args()
    torch.set_num_threads(1); warnings.simplefilter('ignore')
    if a.what!='report':
        data = uci121(a.data)
    if a.what=='search': search(data)
    if a.what=='run':
        for m in a.models or PLAN: run(data, [m], a.seeds if a.seeds is not None else range(PLAN.get(m, 3)))
    if a.what=='report': report()
