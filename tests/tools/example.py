"""Make mtl_explain/data/people.nc.gz, the result that `example()` gives: a model of people(), explained. Run it after a change of the schema or of the defaults.

    python tests/tools/example.py
"""
import gzip
from pathlib import Path
from tempfile import TemporaryDirectory
import numpy as np, torch, xarray as xr
from mtl_explain.explain import explain
from mtl_explain.model import MTLModel
from mtl_explain.schema import save
from mtl_explain.suites import people
from mtl_explain.train import fit

OUT = Path(__file__).parents[2]/'mtl_explain'/'data'/'people.nc.gz'

def small(ds, samples=12):
    "The first samples of a data set, numbers in single precision"
    if 'sample' in ds.dims: ds = ds.isel(sample=slice(samples))
    for v in ds.variables.values():
        if v.dtype==np.float64: v.encoding = dict(dtype='float32') | (dict(zlib=True, complevel=9) if v.size > 2000 else {})
    return ds

def main():
    torch.set_num_threads(1)
    suite = people(); model = MTLModel(suite); fit(model, suite)
    tree = explain(model, suite)  # importances and levels come from all samples; a dozen are kept to look at
    for n in tree.subtree:
        if n.name=='importance': n.attrs['samples'] = n.parent.sizes['sample']  # of how many samples it is a summary
    edges = explain(model, suite, players='edge', samples=60)['attribution/edge']  # many players: fewer samples, and three to look at
    for n in edges.children.values(): n['importance'].attrs['samples'] = n.sizes['sample']
    kept = {n.path: small(n.to_dataset(inherit=False)) for n in tree.subtree} | {n.path: small(n.to_dataset(inherit=False), 3) for n in edges.subtree}
    kept = xr.DataTree.from_dict(kept)
    with TemporaryDirectory() as d: OUT.write_bytes(gzip.compress(save(kept, f'{d}/people.nc').read_bytes(), 9, mtime=0))
    print(OUT, f'{OUT.stat().st_size/1000:.0f} kB')

if __name__=='__main__': main()
