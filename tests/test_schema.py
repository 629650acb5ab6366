"The schema: what is checked, and that a result comes back from disk as it was."
import numpy as np, pandas as pd, pytest, xarray as xr
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from mtl_explain.schema import GROUPS, check, closing, has, load, new_tree, node, plain, save
import trees

text = st.text(st.characters(blacklist_categories=('Cs',), blacklist_characters='\0'), max_size=12) | st.sampled_from(trees.HOSTILE)
labels = lambda lo=0, hi=4: st.lists(text, min_size=lo, max_size=hi, unique=True)
number = st.floats(allow_nan=True, allow_infinity=True, width=64)

def array(draw, dims, sizes, kind):
    shape = tuple(sizes[d] for d in dims.split()); n = int(np.prod(shape))
    one = dict(s=text, i=st.integers(-2**40, 2**40), f=number, b=st.booleans())[kind]
    values = draw(st.lists(one, min_size=n, max_size=n)) if n <= 30 else [draw(one)]*n
    out = np.empty(n, object); out[:] = values
    return tuple(dims.split()), out.reshape(shape).astype(dict(s=object, i=np.int64, f=np.float64, b=bool)[kind])

def dataset(draw, pattern, known):
    "A group as its row of GROUPS says, optional arrays there or not"
    spec = {a.rstrip('*'): v for a, v in GROUPS[pattern].items() if not a.endswith('*') or draw(st.booleans())}
    dims = {d for v, _ in spec.values() for d in v.split()}
    coords = {d: known.setdefault(d, draw(labels(0, 3))) if d=='task' else draw(labels(0, 3)) for d in dims}
    sizes = {d: len(c) for d, c in coords.items()}
    data = {a: array(draw, d, sizes, k) for a, (d, k) in spec.items()}
    return xr.Dataset(data, coords={d: np.array(c, object) for d, c in coords.items()}, attrs={'task': draw(text)} if '<task>' in pattern else {})

@st.composite
def any_tree(draw):
    known, groups = {}, {}
    for pattern in GROUPS:
        if '<' not in pattern and (pattern in ('variables', 'tasks') or draw(st.booleans())): groups['/'+pattern] = dataset(draw, pattern, known)
    for t in draw(labels(0, 2)):
        if not t: continue
        if draw(st.booleans()): groups[f'/data/{node(t)}'] = dataset(draw, 'data/<task>', {}).assign_attrs(task=t)
        if draw(st.booleans()):
            d = dataset(draw, 'attribution/<players>/<task>', {}).assign_attrs(task=t)
            groups[f'/attribution/feature/{node(t)}'] = d
            sizes = {k: d.sizes[k] for k in ('explainer', 'player', 'target')}
            groups[f'/attribution/feature/{node(t)}/importance'] = xr.Dataset({a.rstrip('*'): array(draw, s, sizes, k) for a, (s, k) in GROUPS['attribution/<players>/<task>/importance'].items()}, coords={k: d[k].values for k in sizes})
    return new_tree(groups, seed=draw(st.integers(0, 2**31)), model=draw(text), sharing=draw(text))

@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(any_tree())
def test_a_saved_tree_comes_back_identical(tmp_path_factory, tree):
    path = tmp_path_factory.mktemp('t')/'tree.nc'
    back = load(save(tree, path))
    assert back.identical(tree)
    assert {n.path: dict(n.attrs) for n in back.subtree}=={n.path: dict(n.attrs) for n in tree.subtree}
    assert load(save(back, path)).identical(tree)  # and once more, over the same file

@pytest.mark.parametrize('make', [trees.people, trees.hostile, trees.no_concepts, trees.small])
def test_made_up_trees_survive(make, tmp_path):
    tree = make()
    assert load(save(tree, tmp_path/'t.nc')).identical(tree)

@given(text)
def test_node_names_are_safe(name):
    n = node(name)
    assert '/' not in n and '.' not in n and '\0' not in n

@given(st.lists(text, unique=True, max_size=6))
def test_node_names_differ(names): assert len({node(n) for n in names})==len(names)

@given(text)
def test_node_names_are_names_in_netcdf(name):
    n = node(name); assert n.isascii() and (n[0].isalnum() or n[0]=='_') and len(n) <= 200 and not n.endswith(' ')
    assert plain(n)==name or len(n) > 190

def broken(path, change):
    tree = trees.small(); tree[path] = change(tree[path].dataset); return tree

@pytest.mark.parametrize('path, change, want', [
    ('/concepts', lambda d: d.rename(concept='k'), r'/concepts/label has dims \(k\); expected \(concept\)'),
    ('/concepts', lambda d: d.drop_vars('degree'), r"/concepts has no array 'degree'"),
    ('/concepts', lambda d: d.assign(dead=d.degree), '/concepts/dead holds int64; expected booleans'),
    ('/attention', lambda d: d.drop_vars('concept'), "/attention has no coordinate for dim 'concept'"),
    ('/tasks', lambda d: d.assign_attrs(x=[1]), "attribute 'x' is list"),
    ('/variables', lambda d: d.assign(mean=d.task), '/variables/mean holds .*; expected numbers'),
    ('/attribution/feature/a', lambda d: d, "no array 'attribution'"),
])
def test_departures_are_named(path, change, want):
    tree = trees.small()
    tree[path] = xr.DataTree(change(tree[path].to_dataset() if has(tree, path) else xr.Dataset()))
    with pytest.raises(ValueError, match=want): check(tree)

def test_other_things_are_refused():
    with pytest.raises(ValueError, match='not Dataset'): check(xr.Dataset())
    with pytest.raises(ValueError, match='schema is None'): check(xr.DataTree())
    with pytest.raises(ValueError, match='/tasks is missing'): check(new_tree({'/variables': trees.small()['variables'].to_dataset()}))
    tree = trees.small(); tree.attrs['schema'] = 'mtl_explain/0'
    with pytest.raises(ValueError, match="'mtl_explain/0'; this version reads 'mtl_explain/1'"): check(tree)

def test_a_multiindex_is_refused():
    tree = trees.small(); i = pd.MultiIndex.from_tuples([('a', 1), ('a', 2)], names=['x', 'y'])
    d = tree['tasks'].to_dataset().isel(task=[0, 0]).drop_vars('task').assign_coords(xr.Coordinates.from_pandas_multiindex(i, 'task'))
    tree['tasks'] = xr.DataTree(d)
    with pytest.raises(ValueError, match='MultiIndex'): check(tree)

def test_closing_sees_an_attribution_and_a_sink_that_were_altered():
    tree = trees.small()
    assert closing(tree).ok.all()
    bad = tree.copy(deep=True); bad['attribution/concept/a'].attribution[0, 0, 0, 0] += 1e-3
    assert list(closing(bad).query('not ok').task)==['a']
    d = tree['attribution/concept/a'].to_dataset()
    zero = xr.DataArray(np.zeros((1, d.sizes['sample'], 2, d.sizes['target'])), dims=('explainer', 'sample', 'sink', 'target'), coords=dict(sink=['bias', 'constant']))
    tree['attribution/concept/a'] = xr.DataTree(d.assign(sink_score=zero), children=dict(tree['attribution/concept/a'].children))
    assert closing(check(tree)).ok.all()
    tree['attribution/concept/a'].sink_score[0, 1, 0, 0] += 1e-3
    assert len(closing(tree).query('not ok'))==1
