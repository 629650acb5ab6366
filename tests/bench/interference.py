"""Are planted conflicts found, and is nothing found where there is nothing? Tables that help, harm, or have nothing to do with each other, and random labels; results/interference.json.

    python tests/bench/interference.py       # about ten minutes on one core; a run that was stopped goes on where it was
"""
import argparse, json, platform, time, warnings
from datetime import date
from pathlib import Path
import numpy as np, torch
from sklearn.metrics import roc_auc_score
from mtl_explain.interference import Conflicts
from mtl_explain.model import MTLModel
from mtl_explain.pairs import SETTINGS, opposed
from mtl_explain.train import fit

SEEDS, STEPS, LOOKS, RANDOM = range(11, 15), 100, 8, 40
FILE = Path(__file__).with_name('results')/'interference.json'

def run(setting, seed, control, each):
    "One training run that is watched: what was said of every pair, and what is true"
    suite, watch, start = opposed(seed, setting, control=control, each=each), Conflicts(looks=LOOKS), time.process_time()
    history = fit(MTLModel(suite, seed=seed), suite, watch=watch, steps=STEPS, evaluate=STEPS, seed=seed, progress=False)
    found, pairs = watch.result(), suite.relation
    of = lambda name: [round(float(found[name].sel(task=a, task_2=b)), 4) for a, b in zip(pairs.task, pairs.task_2)]
    return dict(setting=setting, seed=seed, control=control or '', conflict=of('conflict'), p=of('p_corrected'), relation=pairs.relation.tolist(), reliability=round(found.attrs['reliability'], 3), open=float(abs(found.delta/found.measured).median()),
        validation=round(history.attrs['best'], 3), seconds=round(time.process_time() - start, 1))

def summary(runs):
    "Areas under the curve by setting, pairs of all seeds together; how often something was said of random labels"
    out = {}
    for setting in SETTINGS:
        some = [r for r in runs if r['setting']==setting and not r['control']]; c, p, k = (np.concatenate([r[n] for r in some]) for n in ('conflict', 'p', 'relation'))
        out[setting] = dict(harmful=round(roc_auc_score(k=='harmful', -c), 3), helpful=round(roc_auc_score(k=='helpful', c), 3), pairs={w: int((k==w).sum()) for w in ('harmful', 'helpful', 'unrelated')},
            said={w: round(float((p[k==w] < .05).mean()), 3) for w in ('harmful', 'helpful', 'unrelated')}, wrong_sign=round(float(((p < .05) & np.where(k=='harmful', c > 0, (k=='helpful') & (c < 0))).mean()), 3), reliability=round(float(np.mean([r['reliability'] for r in some])), 2))
    random = [r for r in runs if r['control']]
    return out | dict(random=dict(runs=len(random), no_evidence=sum(min(r['p']) >= .05 for r in random)))

def main():
    parser = argparse.ArgumentParser(description=__doc__); parser.add_argument('--file', type=Path, default=FILE); parser.add_argument('--anew', action='store_true', help='forget what was run before'); args = parser.parse_args()
    torch.set_num_threads(1); warnings.simplefilter('ignore'); runs = [] if args.anew or not args.file.exists() else json.loads(args.file.read_text())['runs']
    todo = [(setting, seed, None, 3) for setting in SETTINGS for seed in SEEDS] + [('easy', seed, 'shuffled', 2) for seed in range(101, 101 + RANDOM)]
    told = dict(command='python tests/bench/interference.py', date=str(date.today()), machine=f'{platform.machine()}, one thread', torch=torch.__version__, steps=STEPS, looks=LOOKS, seeds=list(SEEDS), random_seeds=[101, 100 + RANDOM])
    for one in todo:
        if not any((r['setting'], r['seed'], r['control'])==(one[0], one[1], one[2] or '') for r in runs):
            runs.append(run(*one)); print({k: v for k, v in runs[-1].items() if k not in ('conflict', 'p', 'relation')}, flush=True)
            args.file.write_text(json.dumps(dict(about=told, summary=summary(runs) if len(runs) > len(SETTINGS)*len(SEEDS) else {}, runs=runs), indent=None) + '\n')
    print(json.dumps(summary(runs), indent=1))

if __name__=='__main__': main()
