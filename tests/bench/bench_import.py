"How long `import mtl_explain` takes in a fresh process, beside `import pandas` in the same run; and that it loads no torch."
import subprocess, sys
from statistics import median

RUNS = 9


def once(module):
    "Seconds of one import, and whether torch came with it"
    code = f'import time, sys; t = time.perf_counter(); import {module}; print(time.perf_counter()-t, "torch" in sys.modules)'
    seconds, torch = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), torch=='True'


def bench():
    runs = {m: [] for m in ('mtl_explain', 'mtl_explain.cli', 'mtl_explain.schema', 'pandas', 'xarray', 'torch')}
    for _ in range(RUNS):
        for m, seen in runs.items(): seen.append(once(m))  # in turns, so that all meet the same machine
    took = {m: median(s for s, _ in seen) for m, seen in runs.items()}
    for m, s in took.items(): print(f'import {m:20s} {s*1e3:8.1f} ms   {s/took["pandas"]:6.3f} × pandas   torch {"loaded" if runs[m][0][1] else "not loaded"}')
    assert not runs['mtl_explain'][0][1], 'import mtl_explain loads torch'
    assert took['mtl_explain']<.5, 'import mtl_explain takes more than half a second'
    print(f'ratio import_mtl_explain_to_pandas {took["mtl_explain"]/took["pandas"]:.4f}')


if __name__=='__main__': bench()
