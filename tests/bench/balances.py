"""Ways to weigh tasks and to mend their gradients, each with the same processor time: test accuracy or R², paired differences to equal weights; results/balances.json.

    python tests/bench/balances.py FOLDER        # a folder of UCI-121; people() needs nothing. Broken off, the same command goes on
    python tests/bench/balances.py report

Every way is given as many steps as fit into the time that equal weights need for theirs, so the schedule of the learning rate ends where the time does. Runs are kept in build/balances.
"""
import argparse, json, platform, statistics, time, warnings
from datetime import date
from functools import partial
from pathlib import Path
import pandas as pd, torch
from mtl_explain.balance import CAGrad, DynamicAverage, EqualWeights, AlignedMTL, MGDA, PCGrad, RandomWeights, Uncertainty, UPGrad
from mtl_explain.compare import Joint, compare, costs, stored
from mtl_explain.evidence import mean_difference
from mtl_explain.model import MTLModel
from mtl_explain.train import fit
from mtl_explain.verdicts import by_task, verdicts

KEPT, OUT = Path('build/balances'), Path(__file__).with_name('results')/'balances.json'
WAYS = dict(equal=EqualWeights(), random=RandomWeights(), DWA=DynamicAverage(), uncertainty=Uncertainty(), PCGrad=PCGrad(), MGDA=MGDA(), CAGrad=CAGrad(), AlignedMTL=AlignedMTL(), UPGrad=UPGrad())
SUITES, SEEDS, EVALUATIONS = {'people': dict(steps=500, rows=32), 'uci': dict(steps=500, rows=32)}, range(3), 12


def suite_of(name, folder):
    "people(), or twenty tasks of UCI-121 with 200 to 1,500 rows and at most 40 inputs, whose like is not among the others"
    if name=='people': from mtl_explain.suites import people; return people()
    from mtl_explain.data import TaskSuite
    from mtl_explain.uci import NOTES, uci121
    whole = uci121(folder); family = pd.Series({t: whole[t].family for t in whole}); alone = family.map(family.value_counts())==1
    some = [t for t in whole if alone[t] and t not in NOTES and 200 <= len(whole[t]) <= 1500 and len(whole[t].inputs) <= 40][:20]
    return TaskSuite({t: whole.tables[t] for t in some}, whole.splits, whole.seed)


def costs_of(suite, options):
    "Processor seconds of a step of every way, in turns, median of five; measured once and kept"
    spent = {w: [] for w in WAYS}
    for _ in range(5):
        for w, b in WAYS.items():
            def timed(n, b=b): m, t = MTLModel(suite), time.process_time(); fit(m, suite, balance=b, evaluate=10_000, progress=False, **options | dict(steps=n)); return time.process_time() - t
            spent[w].append((timed(12) - timed(2))/10)
    return {w: statistics.median(v) for w, v in spent.items()}


def run(name, folder):
    here, suite, options = KEPT/name, suite_of(name, folder), SUITES[name]; here.mkdir(parents=True, exist_ok=True)
    if not (at:=KEPT/f'{name} costs.txt').exists(): at.write_text(json.dumps(costs_of(suite, options)))
    cost = json.loads(at.read_text()); print(name, {w: f'{1e3*c:.1f} ms' for w, c in cost.items()}, flush=True)
    for seed in SEEDS:
        for w, b in WAYS.items():
            steps = max(EVALUATIONS, round(options['steps']*cost['equal']/cost[w])); every = steps//EVALUATIONS
            r = compare(suite, {w: Joint(partial(MTLModel), balance=b, keep='error', evaluate=every, **options | dict(steps=steps))}, [seed], folder=here, progress=False)
            print(name, seed, w, steps, round(r.value.mean(), 4), f'{r.seconds.iloc[0]:.0f} s', flush=True)


def report():
    found = dict(date=str(date.today()), command='python tests/bench/balances.py FOLDER; … report', machine=f'{platform.machine()}, one thread a run, torch {torch.__version__}', seeds=list(SEEDS), suites={})
    for name in SUITES:
        runs, cost = stored(KEPT/name), json.loads((KEPT/f'{name} costs.txt').read_text()); wide = by_task(runs)
        table = pd.DataFrame(dict(mean=wide.mean(), worst=wide.min(), cost={w: c/cost['equal'] for w, c in cost.items()}, seconds=costs(runs).seconds, best_step=costs(runs).best_step)).loc[list(WAYS)]
        gap = {w: mean_difference(wide[w] - wide['equal']) for w in WAYS if w!='equal'}
        table[['difference', 'low', 'high']] = pd.DataFrame({w: [*map(float, g)] for w, g in gap.items()}, index=['difference', 'low', 'high']).T.reindex(table.index)
        print(f'\n{name}: {len(wide)} outcomes, {runs.seed.nunique()} seeds'); print(table.round(4).to_string())
        found['suites'][name] = dict(outcomes=len(wide), options=SUITES[name], ways=json.loads(table.round(5).to_json(orient='index')), pairs=json.loads(verdicts(runs, 'equal').round(5).to_json(orient='index')))
    OUT.write_text(json.dumps(found, indent=1) + '\n')


if __name__=='__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter); p.add_argument('what', help='folder of UCI-121, or report'); p.add_argument('--suites', nargs='*', default=list(SUITES)); a = p.parse_args()
    torch.set_num_threads(1); warnings.simplefilter('ignore')
    if a.what=='report': report()
    else:
        for name in a.suites: run(name, a.what)
