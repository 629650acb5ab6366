"The static pictures: what they show is what the tree holds, names are only ever shown, and what has no ledger gets none."
import json, re, socket, xml.etree.ElementTree as ET
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np, pandas as pd, pytest, shap, vl_convert, xarray as xr
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from mtl_explain import charts
from mtl_explain.charts import bars, beeswarm, digits, ledger, mix, number, short, waterfall
from mtl_explain.heatmaps import heatmap, interactions, shares
from mtl_explain.interop import SINK, beside, frame, from_shap, importances
from mtl_explain.schema import example as read_example, tasks_of
import trees

example = lru_cache(read_example)  # nobody here changes it

STATIC = Path(charts.__file__).parent/'static'


def made(n=6, P=4, T=1, *, task='shop', names=None, targets=None, explainer='shapley', closes=None, se=.05, sinks=(), seed=0, **kw):
    "A tree of one task from random numbers that close; `sinks` are names of what no player holds"
    r = np.random.default_rng(seed); names = list(names or [f'x{i}' for i in range(P)]); P = len(names); targets = list(targets or [f't{i}' for i in range(T)]); T = len(targets)
    v, base = r.normal(size=(n, P + len(sinks), T)), r.normal(size=(n, T))
    e = shap.Explanation(v, base_values=base, data=np.c_[r.normal(size=(n, P)), np.full((n, len(sinks)), np.nan)], feature_names=names + [SINK+s for s in sinks], output_names=targets, error_std=np.full(v.shape, se))
    return from_shap(e, task=task, score=None if closes=='never' else base + v.sum(1), explainer=explainer, background='the background', **kw)


def values(chart):
    "The rows of data behind a picture"
    found = []
    def walk(o):
        if isinstance(o, dict):
            if isinstance(o.get('data'), dict) and 'values' in o['data']: found.append(pd.DataFrame(o['data']['values']))
            for x in o.values(): walk(x)
        elif isinstance(o, list):
            for x in o: walk(x)
    d = chart.to_dict(); walk(d)
    return found + [pd.DataFrame(v) for v in d.get('datasets', {}).values()]


def svg(chart): return vl_convert.vegalite_to_svg(chart.to_dict())
def texts(chart): return [t for t in ET.fromstring(svg(chart)).itertext() if t.strip()]
def titles(chart): t = chart.to_dict()['title']; return ' '.join(t['text'] if isinstance(t['text'], list) else [t['text']]), ' '.join(t['subtitle'])


def test_long_tables_hold_what_the_tree_holds():
    tree = example()
    for players in ('feature', 'variable', 'concept'):
        d, i = frame(tree, players), importances(tree, players)
        for task, n in tasks_of(tree, f'attribution/{players}').items():
            a = n.to_dataset()
            of = d[d.task==task]; assert len(of)==a.attribution.size
            for column, array in (('attribution', a.attribution), ('se', a.attribution_se)):
                back = of.set_index(['explainer', 'sample', 'target', 'player'])[column].to_xarray().reindex({c: a[c] for c in ('explainer', 'sample', 'target', 'player')}).transpose(*array.dims)
                np.testing.assert_array_equal(back.values, array.values)
            np.testing.assert_allclose(of.high - of.low, 2*1.959964*of.se, rtol=1e-9)
            b = n['importance'].importance; of = i[i.task==task].set_index(['explainer', 'player', 'target']).importance.to_xarray().reindex({c: b[c] for c in b.dims})
            np.testing.assert_array_equal(of.values, b.values)
        whole = i.groupby(['task', 'target']).share.sum()
        assert (whole < 1).all() if players=='concept' else np.allclose(whole, 1)  # what no concept holds is a share as well


def test_values_of_players_stand_beside_them():
    d = frame(example(), tasks='vote', samples=9).set_index('player')
    assert d.value['education']=='high school' and d.value['age']=='39' and abs(d.number['age'] - 39) < 1e-4
    assert set(frame(example(), 'concept', tasks='vote').value)=={''}
    v = frame(example(), 'variable', tasks='marriage', samples=36); on = v[v.player.str.startswith('marriage · occupation =')]
    word = frame(example(), tasks='marriage', samples=36).set_index('player').value['occupation'].iloc[0]
    assert set(zip(on.value, on.number))=={('yes', 1.), ('no', 0.)} and on.player[on.value=='yes'].str.endswith(word).all()


def test_selection_by_label_and_its_errors():
    tree = example()
    assert set(frame(tree, samples=9).task)=={t for t, n in tasks_of(tree, 'attribution/feature').items() if 9 in n.sample.values} != set(tasks_of(tree, 'attribution/feature'))
    with pytest.raises(ValueError, match=r"sample='nobody' is not there"): frame(tree, samples='nobody')
    with pytest.raises(ValueError, match=r"target='x'.*'vote for Dole'"): bars(tree, 'vote', targets='x')
    with pytest.raises(ValueError, match=r"task='no'.*'vote'"): bars(tree, 'no')
    with pytest.raises(ValueError, match=r"players='pair'.*'feature', 'variable', 'concept', 'edge'"): heatmap(tree, players='pair')
    with pytest.raises(ValueError, match="theme='blue'"): bars(tree, 'vote', theme='blue')
    with pytest.raises(ValueError, match='target is needed'): waterfall(tree, 'marriage', 36)
    with pytest.raises(ValueError, match='name it'): heatmap(tree, sample=9)
    with pytest.raises(TypeError): bars(tree, 'vote', colour='red')


@pytest.mark.parametrize('signed', [True, False])
def test_bars_show_the_tree(signed):
    tree = example(); sample = 36 if signed else None
    d = pd.concat(values(bars(tree, 'marriage', sample, top=3)))
    d = d[d.explainer.notna()].drop_duplicates(['target', 'row']) if 'explainer' in d else d
    a = tree['attribution/feature/marriage'].to_dataset(); i = tree['attribution/feature/marriage/importance'].to_dataset()
    m = a.attribution.sel(sample=36).isel(explainer=0) if signed else i.importance.isel(explainer=0)
    for t in a.target.values:
        of = d[d.target==t]; assert len(of)==4 and of.rest.sum()==1
        kept = of[~of.rest]
        np.testing.assert_allclose(kept.amount, m.sel(target=t, player=kept.player.tolist()), rtol=1e-6)
        np.testing.assert_allclose(of.amount.sum(), m.sel(target=t).sum(), rtol=1e-5)
        assert of.player[of.rest].item()=='4 others, summed' and of.lo[of.rest].isna().all()  # no interval where none is known


def test_no_evidence_is_told_in_more_than_a_colour():
    tree = made(n=8, P=6, se=.6)
    d = next(v for v in values(bars(tree, 'shop', 2)) if 'dash' in v); a = tree['attribution/feature/shop'].to_dataset().isel(sample=2, explainer=0, target=0)
    holds = np.abs(a.attribution.sel(player=d.player.tolist()).values) <= 1.959964*.6
    assert holds.any() and not holds.all()
    assert (d.dash==holds).all() and (d.told.str.endswith('n.e.')==holds).all() and ((d.fill=='transparent')==holds).all()
    assert all(t[0] in '+−' for t in d.told)


def test_where_no_error_is_known_no_interval_is_drawn():
    tree = made(se=np.nan); c = bars(tree, 'shop', 2)
    d = next(v for v in values(c) if 'dash' in v)
    assert d.lo.isna().all() and (d.dash==0).all() and 'No intervals: none' in titles(c)[1]


@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 4), st.integers(1, 7), st.integers(1, 3), st.lists(st.sampled_from(['bias', 'identity', 'constant']), unique=True), st.integers(0, 99), st.integers(1, 4))
def test_a_ledger_adds_up_to_the_score(n, P, T, sinks, seed, top):
    tree = made(n, P, T, sinks=sinks, seed=seed); a = tree['attribution/feature/shop'].to_dataset()
    for s in a.sample.values.tolist():
        for t in a.target.values.tolist():
            d = ledger(tree, 'shop', s, t, top=top)
            score = a.score.sel(sample=s, target=t).item(); inner = d[~d.part.isin(['base', 'score'])]
            assert abs(d.amount[0] + inner.amount.sum() - score) < 1e-9 and d.amount.iloc[-1]==score
            assert np.allclose(inner.start.to_numpy()[1:], inner.end.to_numpy()[:-1]) and abs(d.start.iloc[1] - d.amount.iloc[0]) < 1e-9 and abs(inner.end.iloc[-1] - score) < 1e-9
            assert (d.part=='sink').sum()==len(sinks) and (d.part=='player').sum()==(P if P <= top+1 else top) and d.row.is_unique
            drawn = next(v for v in values(waterfall(tree, 'shop', s, t, top=top)) if 'open' in v)
            np.testing.assert_allclose((drawn.close - drawn.open).sum() + d.amount[0], score, atol=1e-9)


def test_no_ledger_for_what_never_closes_nor_for_what_was_changed():
    both = beside(made(), made(explainer='occlusion', closes='never'), task='shop')
    assert ledger(both, 'shop', 1).closes[0]=='by construction'
    with pytest.raises(ValueError, match="'occlusion' never closes.*those of 'shapley' do"): waterfall(both, 'shop', 1, explainer='occlusion')
    with pytest.raises(ValueError, match=r"never closes.*explain\(explainers=\('shapley',\)"): waterfall(made(closes='never'), 'shop', 1)
    for array in ('attribution', 'base', 'sink_score', 'score'):
        tree = made(sinks=['bias']); d = tree['attribution/feature/shop'].to_dataset(inherit=False).copy(deep=True); d[array].values[(0, 1) + (0,)*(d[array].ndim-2)] += .01
        tree['attribution/feature/shop'] = xr.DataTree(d, children={'importance': tree['attribution/feature/shop/importance']})
        assert ledger(tree, 'shop', 0) is not None
        with pytest.raises(ValueError, match='has been changed'): waterfall(tree, 'shop', 1)


def test_a_ledger_says_when_more_is_left_than_promised():
    for error, kept in ((1e-9, True), (.5, False)):
        tree = made(); n = tree['attribution/feature/shop']; d = n.to_dataset(inherit=False).copy(deep=True); d.attribution.values[0, 1, 0, 0] += error; d.delta.values[0, 1, 0] -= error
        tree['attribution/feature/shop'] = xr.DataTree(d, children={'importance': n['importance']})
        assert ledger(tree, 'shop', 1).kept.all()==kept and any('more than “by construction” promises' in t for t in texts(waterfall(tree, 'shop', 1)))!=kept


def test_interrupted_samples_are_an_error_not_a_picture():
    tree = made(); d = tree['attribution/feature/shop'].to_dataset(inherit=False).copy(deep=True); d.attribution.values[:, 3] = np.nan
    tree['attribution/feature/shop'] = xr.DataTree(d, children={'importance': tree['attribution/feature/shop/importance']})
    for draw in (bars, waterfall, lambda *a: heatmap(*a)):
        with pytest.raises(ValueError, match=r"task 'shop', sample 3.*status"): draw(tree, 'shop', 3)
    c = beeswarm(tree, 'shop'); assert '5 of 6 samples' in titles(c)[1] and values(c)[0]['sample'].nunique()==5


def test_swarm_shows_every_sample_and_packs_points():
    tree = made(n=60, P=3); d = values(beeswarm(tree, 'shop', sample=7))[0]; a = tree['attribution/feature/shop'].attribution
    assert len(d)==180
    for p, of in d.groupby('player'): np.testing.assert_array_equal(of.set_index('sample').amount.sort_index(), a.sel(player=p).values[0, :, 0])
    assert d.offset.abs().max() <= 1 and d.offset.nunique() > 3
    for _, of in d.groupby('player'):  # the higher the value, the farther from the paper
        L = of.sort_values('number').fill.map(lambda c: int(c[1:3], 16)); assert L.is_monotonic_decreasing and L.iloc[0] > L.iloc[-1] + 100


def test_heat_map_is_blank_where_a_task_has_no_such_feature():
    tree = example(); d = next(v for v in values(heatmap(tree, top=50)) if 'words' in v); share, sure = shares(tree)
    own = {(f, t) for t, n in tasks_of(tree, 'attribution/feature').items() for f in n.player.values.tolist()}
    assert set(zip(d.name, d.of))==own and len(own) < share.size
    np.testing.assert_allclose(share.sum(), 1)
    for r in d.itertuples():
        v = share[r.of][r.name]
        assert r.open==(not sure[r.of][r.name]) and (r.told==('' if r.open or v==0 else '<1' if v < .005 else f'{100*v:.0f}'))


def test_heat_map_sums_rows_averages_columns_and_says_so():
    tree = made(P=9, T=7); c = heatmap(tree, 'shop', columns=['t1', 't5'], top=4); d = next(v for v in values(c) if 'words' in v); share, _ = shares(tree, 'shop')
    assert set(d.of)=={'t1', 't5', '5 others, mean'} and '5 others, summed' in set(d.name)
    assert 'Shown: 4 of 9 features, 2 of 7 targets; other rows are added up, other columns averaged.' in titles(c)[1]
    shown = {(r.name, r.of): r.words for r in d.itertuples()}; kept = [n for n in dict.fromkeys(d.name) if n in share.index]
    assert shown['5 others, summed', 't1']==f'{100*share.t1.drop(kept).sum():.0f} %'
    assert shown[kept[0], '5 others, mean']==f'{100*share.loc[kept[0]].drop(["t1", "t5"]).mean():.0f} %'
    signed = next(v for v in values(heatmap(tree, 'shop', 2, top=20)) if 'words' in v); a = tree['attribution/feature/shop'].attribution.sel(sample=2)[0]
    plain = lambda s: float(s.replace('−', '-').split(' ')[0])
    assert all(abs(plain(r.words) - a.sel(player=r.name, target=r.of).item()) <= .051 for r in signed.itertuples()) and len(signed)==63


def test_what_no_concept_holds_is_a_row():
    tree = example(); share, _ = shares(tree, players='concept')
    assert share.index.hasnans and np.allclose(share.sum(), 1)
    d = next(v for v in values(heatmap(tree, players='concept')) if 'words' in v); assert set(d.of[d.name=='no concept'])==set(share.columns)


def test_interactions_show_the_matrix():
    r = np.random.default_rng(0); m = r.normal(size=(1, 2, 4, 4, 1)); m = m + m.transpose(0, 1, 3, 2, 4)
    tree = made(); tree['interaction/feature/shop'] = xr.DataTree(xr.Dataset(dict(interaction=(('explainer', 'sample', 'player', 'player_2', 'target'), m)), coords=dict(explainer=['e'], sample=[0, 1], player=list('abcd'), player_2=list('abcd'), target=['y']), attrs=dict(task='shop')))
    d = next(v for v in values(interactions(tree, 'shop', 1)) if 'words' in v); n = dict(zip('abcd', range(4)))
    assert len(d)==16 and all(abs(float(r.words.replace('−', '-')) - m[0, 1, n[r.name], n[r.of], 0]) < .051 for r in d.itertuples())
    assert 'root mean square over 2 samples' in titles(interactions(tree, 'shop'))[1]
    with pytest.raises(ValueError, match='/interaction/feature has no task'): interactions(example(), 'vote')


def test_every_picture_names_question_explainer_background_and_samples():
    tree = example()
    for c, words in [(bars(tree, 'vote'), ('vote for Dole', '200 samples')), (bars(tree, 'vote', 9), ('sample 9',)), (beeswarm(tree, 'vote'), ('12 of 12 samples',)), (waterfall(tree, 'vote', 9), ('vote for Dole', 'sample 9')), (heatmap(tree), ('tasks',)), (heatmap(tree, 'vote', 9), ('sample 9',))]:
        q, notes = titles(c); assert '?' in q and 'shapley' in notes and '100 training rows' in notes and 'Shown:' in notes
        assert all(w in f'{q} {notes}' for w in words), (q, notes)


def test_units_are_those_of_the_target():
    tree = made(unit='own'); d = tree['data/shop'].to_dataset(inherit=False); tree['data/shop'] = xr.DataTree(d.assign_coords(unit=('target', ['euros a year'])))
    assert set(frame(tree).unit)=={'euros a year'} and 'euros a year' in texts(waterfall(tree, 'shop', 1)) and 'euros a year' in titles(waterfall(tree, 'shop', 1))[0]
    assert set(frame(made(unit='sd')).unit)=={'standard deviations of the score'}


H = trees.HOSTILE + ['a.b[0]', 'datum', "x'];alert(1);//", '\x00\x07 control', '%s {0}', '__proto__', 'constructor']

def all_hostile():
    one = lambda e, **kw: made(len(H), names=H, targets=H, task=H[0], explainer=e, samples=H, **kw)
    return beside(one(H[0]), one(H[1], seed=1), task=H[0])


def pictures(tree, theme):
    t = dict(theme=theme); few = dict(targets=H[:3], top=40)
    yield bars(tree, H[0], H[0], **few, **t); yield bars(tree, H[0], **few, **t); yield beeswarm(tree, H[0], H[1], **few, **t)
    yield waterfall(tree, H[0], H[2], H[3], explainer=H[1], top=40, **t); yield heatmap(tree, H[0], columns=40, top=40, **t); yield heatmap(tree, H[0], H[4], columns=40, top=40, explainers=H[:2], **t)


def expressions(o, inside=False):
    "Every text that Vega would evaluate"
    if isinstance(o, dict):
        for k, v in o.items(): yield from expressions(v, k in ('signal', 'expr', 'test', 'update', 'init', 'calculate', 'filter', 'labelExpr'))
    elif isinstance(o, list):
        for x in o: yield from expressions(x, inside)
    elif inside and isinstance(o, str): yield o


@pytest.mark.parametrize('theme', ['light', 'dark'])
def test_hostile_names_are_text(theme):
    tree = all_hostile()
    for c in islice(pictures(tree, theme), None if theme=='light' else 1):
        spec = c.to_dict(); vega = vl_convert.vegalite_to_vega(spec); code = ' '.join(expressions(vega)) + ' '.join(expressions(spec))
        assert code and not [h for h in H if h not in ('datum',) and len(h) > 3 and (h in code or json.dumps(h)[1:-1] in code)], 'a name stands in an expression'
        fields = set(re.findall(r'"field": "([^"]*)"', json.dumps(spec))); assert fields and all(re.fullmatch('[a-z0-9_]+', f) for f in fields)
        root = ET.fromstring(svg(c)); kinds = {e.tag.split('}')[1] for e in root.iter()}
        assert kinds <= {'svg', 'g', 'rect', 'path', 'text', 'line', 'tspan', 'defs', 'clipPath', 'title', 'desc'}, kinds  # no script, img, foreignObject
        shown = [t for t in root.itertext() if t.strip()]
        assert sum(any(short(h, 20)[:8] in t for t in shown) for h in H) >= len(H) - 1, 'names are missing from the picture'
        assert {len(c) for c in shown} and all('\x00' not in t for t in shown)


def test_rows_with_the_same_short_name_stay_apart():
    names = ['a very long name of a column that ends alike '+x+' and goes on for as long again' for x in 'pqr'] + ['two\nlines', 'two lines', '1 others, summed', '']
    d = next(v for v in values(bars(made(names=names), 'shop', top=20)) if 'dash' in v)  # no values beside the names
    assert d.row.nunique()==7 and set(d.row) >= {'two lines', 'two lines (2)'} and len(values(waterfall(made(names=names), 'shop', 2, top=20))[0])==10
    assert d.row.str.len().max() <= 38


def test_hundreds_of_targets_and_players_stay_small():
    tree = made(n=20, P=120, T=300)
    for c, n in [(bars(tree, 'shop', 3), 6*11), (bars(tree, 'shop'), 6*11), (beeswarm(tree, 'shop'), 6*11*20), (heatmap(tree, 'shop'), 13*17), (waterfall(tree, 'shop', 3, 't7'), 14)]:
        assert len(pd.concat([v for v in values(c) if 'says' in v]).drop_duplicates('says'))<=n and re.search(r'(6|16|1) of 300 targets', titles(c)[1])
        assert len(json.dumps(c.to_dict())) < 1_000_000
    assert '110 others, summed' in texts(bars(tree, 'shop', 3)) and {'108 others, summed', '284 others, mean'} <= set(texts(heatmap(tree, 'shop')))


@pytest.mark.parametrize('suffix', ['svg', 'png', 'html'])
def test_pictures_are_saved_without_a_network(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(socket.socket, 'connect', lambda *a: pytest.fail('the network was asked'))
    kw = dict(inline=True) if suffix=='html' else {}
    bars(example(), 'vote', 9).save(tmp_path/f'x.{suffix}', **kw); b = (tmp_path/f'x.{suffix}').read_bytes()
    assert b.startswith(dict(svg=b'<svg', png=b'\x89PNG', html=b'<!DOCTYPE')[suffix]) and len(b) > 5000


def test_colours_are_those_of_the_views():
    text = (STATIC/'_colour.js').read_text(encoding='utf-8')
    for theme, block in zip(('light', 'dark'), re.findall(r"\{(paper:.*?)\}", text, re.S)):
        js = {k.strip("'").replace('-', '_'): v for k, v in re.findall(r"('?[\w-]+'?):'(#\w{6})'", block)}
        assert charts.TOKENS[theme]=={k: js[k] for k in charts.TOKENS[theme]}
    k, d = charts.TOKENS['light'], charts.TOKENS['dark']
    assert mix(k['shared'], k['mid'], .5**1.7)=='#407371' and charts._tint(k['shared'], .37, k)=='#a1c0c5' and charts._tint(d['private'], .79, d)=='#bf8136'
    assert charts._ink_on('#ffffff')=='#000000' and charts._ink_on('#006b78')=='#ffffff'


@pytest.mark.parametrize('x, d, plus, text', [(1.306, 2, True, '+1.31'), (-.286, 2, True, '−0.29'), (20190, 0, False, '20,190'), (-.0004, 2, True, '0.00'), (0, 1, True, '0.0'), (np.nan, 2, False, '–'), (3e-9, 11, True, '+3.0e-09')])
def test_numbers_in_print(x, d, plus, text): assert number(x, d, plus)==text

def test_decimals_follow_the_largest():
    assert [digits([m, m/100]) for m in (1.31, .56, 56., 1234., 0., 1e-5)]==[2, 3, 1, 0, 0, 7] and digits([])==0 and digits([np.nan, np.inf, 2.])==2

def test_short_names_keep_both_ends_and_whole_letters():
    assert short('household income per head', 16)=='household…r head' and short('abc')=='abc' and short('')=='(no name)'
    assert short('👩‍👩‍👧'*9, 5)=='👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧…👩‍👩‍👧'
