"Results larger than memory: written to a file and opened lazily, kept small on request, shared among workers; memory stays bounded."
import subprocess, sys
import numpy as np, pytest, torch, xarray as xr
from mtl_explain.any_model import Head, predictors
from mtl_explain.explain import explain
from mtl_explain.game import InputGame, Sampled
from mtl_explain.attribution import EXPLAINERS, explainer
from mtl_explain.play import block_rows, budget
from mtl_explain.running import as_bytes
from mtl_explain.schema import check, closing, load

@pytest.fixture(scope='module')
def data(): return np.random.default_rng(0).normal(size=(150, 12)).astype(np.float32)

W = np.random.default_rng(1).normal(size=(12, 6))
def scores(x):
    "Six classes of one outcome, and a number"
    return dict(kind=np.tanh(x @ W), size=x[:, 0]*x[:, 1])

HEADS = dict(kind=Head('kind', [f'k{i}' for i in range(6)], 'nominal'), size='size')
def same(a, b):
    "Whether two trees hold the same, the time of making aside"
    assert set(a.groups)==set(b.groups)
    for n in a.subtree:
        x, y = n.to_dataset(inherit=False).load(), b[n.path].to_dataset(inherit=False).load()
        if n.path=='/': x.attrs.pop('created'); y.attrs.pop('created')
        xr.testing.assert_identical(x, y)

def test_a_file_holds_what_memory_would(data, tmp_path):
    ask = dict(heads=HEADS, samples=60, evaluations=200, explainers=('shapley', 'lime'), background=Sampled(20), progress=False)
    with pytest.warns(UserWarning, match='local fit is poor'): whole = explain(scores, data, **ask)
    with pytest.warns(UserWarning, match='local fit is poor'): lazy = explain(scores, data, path=tmp_path/'big.nc', **ask)
    a = lazy['attribution/feature/kind'].attribution
    assert not a.variable._in_memory and not (tmp_path/'big.nc.part').exists()
    same(check(lazy), whole); same(load(tmp_path/'big.nc'), whole)

def test_too_large_a_result_is_refused_with_its_size_and_the_ways_out(data):
    with pytest.raises(MemoryError, match=r"about \d.* MB, more than memory=1 MB.*path='result.nc'.*targets='predicted' or top="): explain(scores, np.tile(data, (10, 1)), heads=HEADS, samples=1000, memory='1 MB', progress=False)
    with pytest.raises(ValueError, match='one sample of table .* needs about .* memory=20 kB'): explain(scores, data, heads=HEADS, samples=1, memory='20 kB', progress=False)
    with pytest.raises(ValueError, match='is no file name'): explain(scores, data, heads=HEADS, samples=1, path='', progress=False)
    for bad in ('much', '1 PB', 'GB'):
        with pytest.raises(ValueError, match='memory='): explain(scores, data, heads=HEADS, memory=bad, progress=False)
    assert as_bytes('1.5 GB')==1.5e9 and as_bytes(100)==100.

def test_only_the_predicted_class(data):
    ask = dict(heads=HEADS, samples=40, explainers='exact', background=Sampled(2), progress=False)
    ask['explainers'] = 'shapley'; ask['evaluations'] = 100
    all, one = explain(scores, data, **ask), explain(scores, data, targets='predicted', **ask)
    a, b = all['attribution/feature/kind'].dataset.isel(explainer=0), one['attribution/feature/kind'].dataset.isel(explainer=0)
    assert list(b.target.values)==['kind: predicted'] and closing(one).ok.all()
    pick = a.score.argmax('target')
    for name in ('attribution', 'attribution_se', 'score', 'base'): np.testing.assert_array_equal(a[name].isel(target=pick).values, b[name].isel(target=0).values)
    assert list(explain(scores, data, targets='size', **ask)['attribution/feature'].children)==['size']
    with pytest.raises(ValueError, match="'weight' is not a target"): explain(scores, data, targets=['weight'], **ask)

def test_the_largest_players_and_one_for_the_rest(data):
    ask = dict(heads=HEADS, samples=40, evaluations=2000, targets='size', progress=False)
    all, few = explain(scores, data, **ask)['attribution/feature/size'].dataset, explain(scores, data, top=2, **ask)
    f = few['attribution/feature/size'].dataset
    assert f.player.values[-1]=='10 others' and closing(few).ok.all()
    kept = list(f.player.values[:-1]); rest = [p for p in all.player.values if p not in kept]
    np.testing.assert_allclose(f.attribution.sel(player=kept), all.attribution.sel(player=kept)); np.testing.assert_allclose(f.attribution.isel(player=-1), all.attribution.sel(player=rest).sum('player'))
    assert set(kept)=={'x[0]', 'x[1]'}
    with pytest.raises(ValueError, match='top=0'): explain(scores, data, top=0, **ask)

def test_an_interrupt_leaves_a_file_that_can_be_read(data, tmp_path):
    calls = []
    @explainer('halts', closes='by construction')
    def halts(game, rows, rng, evaluations=100):
        calls.append(1)
        if len(calls) > 1: raise KeyboardInterrupt
        yield from EXPLAINERS['shapley'](game, rows, rng, evaluations)
    try:
        with pytest.warns(UserWarning, match='interrupted'): t = explain(scores, data, heads=HEADS, samples=60, explainers='halts', path=tmp_path/'half.nc', progress=False)
    finally: del EXPLAINERS['halts']
    d = t['attribution/feature/size'].dataset
    assert {'done', 'interrupted'}==set(d.status.values.ravel()) and np.isfinite(d.attribution.values[d.status.values=='done']).all() and np.isnan(d.attribution.values[d.status.values=='interrupted']).all()

def test_blocks_shrink_with_memory(data):
    p, = predictors(scores, data, HEADS); g = InputGame(p, data[:50], data[-20:]); m = EXPLAINERS['shapley']; s = budget(g, m, None)
    sizes = [block_rows(g, m, s, b) for b in (1e9, 4e6, 1e6)]
    assert sizes[0]==25 and sizes==sorted(sizes, reverse=True) and sizes[-1] < 25

MEMORY = """
import resource, sys, numpy as np
from mtl_explain.explain import explain
from mtl_explain.game import Sampled
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss*(1 if sys.platform=='darwin' else 1024)
W = np.random.default_rng(0).normal(size=(120, 60)).astype(np.float32); x = np.random.default_rng(1).normal(size=(500, 120)).astype(np.float32)
ask = lambda n, path: explain(lambda v: np.tanh(v @ W/10), x, samples=n, evaluations=600, background=Sampled(30), path=path, memory='100 MB', progress=False)
ask(2, sys.argv[1]); before = peak(); ask(400, sys.argv[1]); print(peak() - before)
"""
def test_peak_memory_stays_within_what_is_allowed(tmp_path):
    out = subprocess.run([sys.executable, '-c', MEMORY, str(tmp_path/'m.nc')], capture_output=True, text=True, timeout=500)
    assert out.returncode==0, out.stderr[-2000:]
    size = (tmp_path/'m.nc').stat().st_size
    assert size > 60e6 and int(out.stdout.split()[-1]) < 100e6, (size, out.stdout)

def test_two_workers_give_the_identical_tree(data):
    from dask.distributed import Client
    net = torch.nn.Sequential(torch.nn.Linear(12, 16), torch.nn.GELU(), torch.nn.Linear(16, 3)).eval()
    ask = dict(samples=60, evaluations=100, explainers=('shapley', 'expected gradients'), background=Sampled(10), progress=False)
    with pytest.warns(UserWarning, match='before these ledgers closed'): here = explain(net, data, **ask)
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        with pytest.warns(UserWarning, match='before these ledgers closed'): there = explain(net, data, scheduler=client, **ask)
    same(here, there)
