"""Every long run of this folder, broken off in the middle and taken up again: is the state the same to the last bit? results/resume.json.

    python tests/bench/resume.py FOLDER        # a folder of UCI-121; about ten minutes

Each run has the settings it has elsewhere. One copy goes through to its second evaluation; another is interrupted after its first, in the midst of the steps that follow, and resumed in a new model. Weights, best weights, moments of the optimiser, history, and what a balance or a watch remembers are compared.
"""
import argparse, json, platform, tempfile, warnings
from datetime import date
from pathlib import Path
import torch
from safetensors import safe_open
from torch.optim.optimizer import register_optimizer_step_post_hook
import balances, interference, new_task, spaces, uci
from mtl_explain.interference import Conflicts
from mtl_explain.model import MTLModel
from mtl_explain.pairs import opposed
from mtl_explain.spaces import hyperspheres, transposed_gp
from mtl_explain.train import fit
from mtl_explain.uci import uci121

OUT = Path(__file__).with_name('results')/'resume.json'


def state(path):
    "Everything in a checkpoint but the seconds"
    with safe_open(path, 'pt') as f: meta, tensors = json.loads(f.metadata()['run']), {k: f.get_tensor(k) for k in f.keys()}
    return tensors, {k: v for k, v in meta.items() if k!='seconds'}


def cut(make, suite, at, evaluations, **options):
    "Go on to the given evaluation, and break off"
    def stop(h):
        if h.attrs['status']=='running' and len(h.step)==evaluations: raise KeyboardInterrupt
    fit(make(), suite, checkpoint=at, resume=at if at.exists() else None, monitor=stop, progress=False, **options)


def between(make, suite, at, evaluate, **options):
    "Break off in the midst of the steps that follow the first evaluation, as a user does"
    taken = 0
    def step(*_):
        nonlocal taken; taken += 1
        if taken > 1.5*evaluate: raise KeyboardInterrupt
    hook = register_optimizer_step_post_hook(step)
    try: fit(make(), suite, checkpoint=at, progress=False, evaluate=evaluate, **options)
    finally: hook.remove()


def same(make, suite, watch=None, **options):
    "Names of what differs; none is as it should be"
    seen = (lambda: dict(watch=watch())) if watch else dict
    with tempfile.TemporaryDirectory() as d:
        through, broken = Path(d)/'through', Path(d)/'broken'
        cut(make, suite, through, 2, **options, **seen()); between(make, suite, broken, **options, **seen()); begun = len(state(broken)[1]['log']); cut(make, suite, broken, 2, **options, **seen())
        (a, m), (b, n) = state(through), state(broken)
        assert begun==1 and len(m['log'])==2, 'it was not broken off where it should be'
    return [k for k in a.keys() | b.keys() if k not in a or k not in b or a[k].numpy().tobytes()!=b[k].numpy().tobytes()] + [k for k in m if json.dumps(m[k])!=json.dumps(n[k])]


def runs(folder):
    "Name -> differences"
    whole = uci121(folder)
    for name, way in uci.networks().items():
        part = whole if name!='single' else new_task.without(whole, whole.tasks[1:])
        yield f'uci {name}', same(lambda: way.make(part, seed=0), part, **{k: v for k, v in way.options.items() if k!='patience'})
    for name, make, s in (('spheres', hyperspheres, spaces.SPHERES), ('gp', transposed_gp, spaces.GP)): suite = make(0); yield name, same(lambda: spaces.model_of(suite, 0, s['model']), suite, **s['fit'])
    people = balances.suite_of('people', folder)
    for name, b in balances.WAYS.items(): yield f'balances {name}', same(lambda: MTLModel(people), people, balance=b, keep='error', evaluate=40, **balances.SUITES['people'])
    pairs = opposed(11, 'easy', each=3); yield 'interference', same(lambda: MTLModel(pairs), pairs, watch=lambda: Conflicts(looks=interference.LOOKS), steps=interference.STEPS, evaluate=10)
    rest = new_task.without(whole, new_task.held_back(whole, 10)); yield 'new task', same(lambda: MTLModel(rest), rest, steps=1500, evaluate=20)


if __name__=='__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter); p.add_argument('folder'); a = p.parse_args()
    torch.set_num_threads(1); warnings.simplefilter('ignore'); found = {}
    for name, differs in runs(a.folder): found[name] = differs; print(name, 'the same to the last bit' if not differs else f'DIFFERS: {differs[:5]}', flush=True)
    OUT.write_text(json.dumps(dict(date=str(date.today()), command='python tests/bench/resume.py FOLDER', machine=f'{platform.machine()}, one thread, torch {torch.__version__}', differs=found), indent=1) + '\n')
    if any(found.values()): raise SystemExit('not the same')
