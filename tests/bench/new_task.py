"""Ten tasks of UCI-121 are held back, and each is added to a model of the others: test accuracy and seconds, against training with all tasks and alone.

    python tests/bench/new_task.py FOLDER      # a folder of UCI-121; broken off, the same command goes on

Network and training are those of uci.py. Held back are tasks with at least 200 rows that have no near-duplicate among the others (a family of their own), drawn once by seed. Written to results/new_task.json.
"""
import argparse, json, platform, sys, tempfile, time, warnings
from datetime import date
from pathlib import Path
import numpy as np, pandas as pd, torch
from mtl_explain.data import TaskSuite
from mtl_explain.model import MTLModel, load_model
from mtl_explain.new_task import add_task
from mtl_explain.sharing import Attend
from mtl_explain.train import fit
from mtl_explain.uci import NOTES, uci121
from uci import CONCEPTS, FIT, NETWORK

OUT = Path(__file__).with_name('results')/'new_task.json'

def held_back(suite, n):
    "Tasks that are not small, and whose like is not among the others"
    family = pd.Series({t: suite[t].family for t in suite}); alone = family.map(family.value_counts())==1
    return sorted(np.random.default_rng(0).choice([t for t in suite if alone[t] and len(suite[t])>=200], n, replace=False).tolist())

def accuracy(model, suite, task):
    t = suite[task]; r = t.rows('test'); return float((model.predict(task, t.x[r])[t.outcomes[0].name].argmax(1)==t.y[r, 0]).mean())

def without(suite, tasks): return TaskSuite({t: suite.tables[t] for t in suite if t not in tasks}, suite.splits, suite.seed)

def trained(suite, seed, steps, at):
    "A model and the seconds of its training; what was begun is taken up again"
    if at.with_suffix('.done').exists(): return load_model(at.with_suffix('.done')), json.loads(at.with_suffix('.json').read_text())
    model = MTLModel(suite, Attend(CONCEPTS), seed=seed, **NETWORK); h = fit(model, suite, **FIT | dict(steps=steps), seed=seed, progress=sys.stderr.isatty(), checkpoint=at, resume=at if at.exists() else None)
    if h.attrs['status']=='interrupted': raise KeyboardInterrupt
    model.save(at.with_suffix('.part')); at.with_suffix('.json').write_text(json.dumps(h.attrs['seconds'])); at.with_suffix('.part').replace(at.with_suffix('.done'))
    return model, h.attrs['seconds']

def told(rows, o):
    "What the rows come to: means over tasks, and paired differences with a bootstrap over tasks (seeds averaged first)"
    f = pd.DataFrame(rows).groupby('task')[['added', 'alone', 'all', 'majority', 'seconds', 'seconds_alone']].mean(); draw = np.random.default_rng(0).integers(0, len(f), (10_000, len(f)))
    gap = lambda a, b: dict(mean=float((d:=(f[a]-f[b]).to_numpy()).mean()), **dict(zip(('low', 'high'), map(float, np.quantile(d[draw].mean(1), [.025, .975])))))
    return dict(mean=f.mean().to_dict(), added_minus_alone=gap('added', 'alone'), added_minus_all=gap('added', 'all'), said=pd.Series([r['better'] for r in rows]).value_counts().to_dict(), tasks=len(f))

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0]); p.add_argument('folder'); p.add_argument('--seeds', type=int, default=1); p.add_argument('--steps', type=int, default=FIT['steps']); p.add_argument('--held', type=int, default=10); p.add_argument('--tasks', type=int); p.add_argument('--out', type=Path, default=OUT)
    o = p.parse_args(); torch.set_num_threads(1); warnings.simplefilter('ignore'); settings = dict(steps=o.steps, held=o.held, tasks=o.tasks); begun = time.time()
    runs = Path(tempfile.gettempdir())/f'mtl_explain new_task {o.steps} {o.held} {o.tasks}'; runs.mkdir(exist_ok=True)
    data = json.loads(o.out.read_text()) if o.out.exists() else {}; rows = data.get('rows', []) if data.get('about', {}).get('settings')==settings else []
    suite = uci121(o.folder); suite = without(suite, NOTES)  # what its description calls faulty or too small
    if o.tasks: suite = without(suite, suite.tasks[o.tasks:])
    held = held_back(suite, o.held); rest = without(suite, held)
    for seed in range(o.seeds):
        if {(r['seed'], r['task']) for r in rows} >= {(seed, t) for t in held}: continue
        base, t_base = trained(rest, seed, o.steps, runs/f'rest {seed}'); every, t_every = trained(suite, seed, o.steps, runs/f'all {seed}')
        for t in held:
            if any((r['seed'], r['task'])==(seed, t) for r in rows): continue
            new = add_task(base, rest, suite.tables[t], t, seed=seed, progress=False); y = suite[t].y[suite[t].rows('test'), 0]
            assert (new.suite[t].split==suite[t].split).all()  # the same rows judge in all arms
            rows.append(dict(seed=seed, task=t, rows=len(suite[t]), classes=len(suite[t].outcomes[0].levels), added=accuracy(new.model, new.suite, t), alone=accuracy(new.alone, new.suite, t), all=accuracy(every, suite, t), majority=float(pd.Series(y).value_counts(normalize=True).iloc[0]),
                             better=new.better, validation={k.replace('−', 'minus'): [float(v['first']), float(v.second)] for k, v in new.comparison.iterrows()}, seconds=new.seconds['shared'], seconds_alone=new.seconds['alone']))
            about = dict(command='python tests/bench/new_task.py FOLDER', date=str(date.today()), machine=f'{platform.machine()}, one thread, shared with other work', torch=torch.__version__, settings=settings, seeds=sorted({r['seed'] for r in rows}), tasks=len(suite), seconds_rest=t_base, seconds_all=t_every)
            o.out.write_text(json.dumps(dict(about=about, told=told(rows, o), rows=rows), indent=1) + '\n'); print({k: v for k, v in rows[-1].items() if k!='validation'}, flush=True)
    print(json.dumps(json.loads(o.out.read_text())['told'], indent=1), f'{time.time()-begun:.0f} s')

if __name__=='__main__': main()
