"What is concluded from runs: oracles, properties, coverage, and bad input."
import json

import numpy as np, pandas as pd, pytest

from mtl_explain.evidence import delta_m, holm, mean_difference, signed_rank, wilcoxon_p
from mtl_explain.verdicts import best_of, by_rows, by_task, curve, curve_chart, difference_chart, differences, groups, pairs, posterior_chart, rank_chart, ranks, verdicts

HOSTILE = ['</script><b>', '"x\n\t', '', '🏥'*40, 'a', 'A']


def gains(seed, n, mean, sd): return np.round(np.random.default_rng(seed).normal(mean, sd, n), 4)

def made(models, tasks=30, seeds=3, rows=100, seed=0, noise=0.):
    "Runs of models with known shares of right answers: name -> gain, a number or one a task; `noise`: of a seed"
    rng, out = np.random.default_rng(seed), []
    for t in range(tasks):
        level = rng.uniform(.55, .8)
        for m, g in models.items():
            for s in range(seeds):
                each = (rng.random(rows) < level + np.broadcast_to(g, tasks)[t] + noise*rng.normal()).astype(np.float32)
                out.append(dict(model=m, seed=s, task=f't{t}', family=f'f{t//3}', outcome='y', train_rows=20 + 10*t, test_rows=rows, value=float(each.mean(dtype=float)), each=each, cap=0))
    return pd.DataFrame(out)


# against other software: baycomp 1.0.3 with 200,000 draws, scikit-posthocs 0.17.1 with zero_method='zsplit', p_adjust='holm'

@pytest.mark.parametrize('args, rope, want', [
    ((1, 8, .01, .02), .01, (.0003, .2165, .7833)), ((2, 40, .008, .03), .01, (.0172, .1257, .8571)), ((3, 60, .001, .012), .01, (0, 1, 0)), ((4, 25, -.02, .03), .01, (.9963, .0025, .0012)),
    ((1, 8, .01, .02), 0, (.005, 0, .995)), ((2, 40, .008, .03), 0, (.03, 0, .97)), ((3, 60, .001, .012), 0, (.2607, 0, .7393))])
def test_signed_rank_is_baycomps(args, rope, want):
    got = signed_rank(gains(*args), rope, draws=50_000)
    assert [got['worse'], got['equal'], got['better']]==pytest.approx(want, abs=.01)

def test_wilcoxon_holm_is_that_of_scikit_posthocs():
    wide = np.column_stack([gains(5, 20, 0, .02), gains(6, 20, .015, .02), gains(7, 20, .03, .03), gains(8, 20, .016, .02)])
    runs = pd.DataFrame([dict(model=m, seed=0, task=f't{i}', value=v) for i, r in enumerate(wide) for m, v in zip('abcd', r)])
    assert pairs(runs).p_holm.tolist()==pytest.approx([.0051040649, .0859375, .01162529, .69153786, .69153786, .69153786], rel=1e-6)


# properties

def test_identical_models_do_not_differ():
    runs = made(dict(a=0)); runs = pd.concat([runs, runs.assign(model='b')], ignore_index=True)
    v = verdicts(runs, 'a').loc['b']; d = differences(runs, 'b', 'a')
    assert v.difference==v.low==v.high==v.delta_m==v.worst==0 and v.p==v.p_holm==v.p_equal==1 and v.share_better==v.share_worse==0 and v['rank']==1.5
    assert (d.verdict=='no evidence').all() and groups(runs)==[['a', 'b']] and signed_rank(np.zeros(9), 0)==dict(better=.5, equal=0, worse=.5)

def test_a_planted_difference_is_found():
    runs = made(dict(base=0, up=.06, down=-.06), rows=400); v = verdicts(runs, 'base')
    assert v.low['up'] > .03 and v.high['down'] < -.03 and (v.p_holm < 1e-3).all() and v.p_better['up'] > .99 < v.p_worse['down'] and v.difference['up']==pytest.approx(.06, abs=.02)
    assert v.share_better['up'] > .2 > v.share_worse['up'] and list(ranks(runs).index)==['up', 'base', 'down'] and groups(runs)==[] and best_of(runs, ['down', 'base'])=='base'

def test_an_equal_model_is_shown_to_be_equal_where_there_are_many_tasks():
    v = verdicts(made(dict(a=0, b=0), tasks=100, rows=1000, seed=4), 'a').loc['b']
    assert v.p_equal > .95 and v.p > .05 and v.low < 0 < v.high

def test_the_order_of_rows_does_not_matter():
    runs = made(dict(a=0, b=.03, c=-.02)); mixed = runs.sample(frac=1, random_state=1)
    one, two = verdicts(runs, 'a'), verdicts(mixed, 'a').loc[['b', 'c']]
    exact = ['mean', 'difference', 'delta_m', 'delta_m_median', 'worst', 'worst_task', 'share_better', 'share_worse', 'p', 'p_holm', 'rank']
    pd.testing.assert_frame_equal(one[exact], two[exact]); assert np.allclose(one[['low', 'high']], two[['low', 'high']], atol=.004)
    p, q = (differences(r, 'b', 'a').set_index('task').sort_index() for r in (runs, mixed)); assert np.allclose(p[['difference', 'low', 'high']], q[['difference', 'low', 'high']]) and p.verdict.equals(q.verdict)

def test_more_seeds_are_not_more_tasks():
    runs = made(dict(a=0, b=.02), tasks=8); copies = pd.concat([runs.assign(seed=runs.seed + 10*k) for k in range(4)])
    a, b = (verdicts(r, 'a').loc['b'] for r in (runs, copies))
    assert a.p==b.p and a.low==pytest.approx(b.low) and a.p_better==pytest.approx(b.p_better, abs=.02) and b.seeds==12

def test_copies_of_a_task_are_one_family():
    g = gains(9, 12, .01, .02); often, family = np.repeat(g, 5), np.repeat(np.arange(12), 5)
    assert wilcoxon_p(often, family)==wilcoxon_p(g) > wilcoxon_p(often) and signed_rank(often, families=family)==signed_rank(g)
    width = lambda m: m[2]-m[1]
    assert mean_difference(often, family)==pytest.approx(mean_difference(g)) and width(mean_difference(often)) < .6*width(mean_difference(g))
    runs = made(dict(a=0, b=.02)); runs = pd.concat([runs, *(runs.assign(task=runs.task + f' copy {k}') for k in range(4))]).assign(family=lambda d: d.task.str.split().str[0])
    assert np.allclose(*(v[['low', 'high', 'p', 'p_better']].loc['b'].astype(float) for v in (verdicts(runs, 'a', families=True), verdicts(runs[~runs.task.str.contains('copy')], 'a'))))

def test_where_less_is_better_the_sign_turns():
    runs = made(dict(a=0, b=.05)).rename(columns=dict(value='accuracy')).assign(**{'log loss': lambda d: 1 - d.accuracy}).drop(columns='each')
    a, b = (verdicts(runs, 'a', m).loc['b'] for m in ('accuracy', 'log loss'))
    assert a.difference==pytest.approx(b.difference) and a.p==b.p and a['rank']==b['rank'] and best_of(runs, ['a', 'b'], 'log loss')=='b' and b.delta_m > 0

def test_outcomes_of_a_table_count_as_one_task():
    runs = made(dict(a=0, b=.05)); two = pd.concat([runs, runs.assign(outcome='z', value=lambda d: d.value.where(d.model=='a', d.value - .2))])
    assert np.allclose(by_task(two).b, by_task(runs).b - .1) and len(differences(two, 'b', 'a'))==30 and verdicts(two, 'a').tasks.item()==30

def test_intervals_of_a_mean_cover():
    rng = np.random.default_rng(0); hit = [low <= .3 <= high for g in rng.gamma(1, .3, (300, 40)) for _, low, high in [mean_difference(g, draws=500)]]
    assert .88 <= np.mean(hit) <= .98

@pytest.mark.parametrize('seeds, noise', [(1, 0), (3, 0), (3, .05)])
def test_without_a_difference_few_tasks_are_beyond_noise(seeds, noise):
    d = differences(made(dict(a=0, b=0), tasks=300, seeds=seeds, rows=60, noise=noise, seed=2), 'b', 'a')
    assert .002 <= (d.verdict!='no evidence').mean() <= .08

def test_noise_of_seeds_counts():
    one, two = (differences(made(dict(a=0, b=0), tasks=50, rows=400, noise=n), 'b', 'a') for n in (0, .1))
    assert (two.high - two.low).median() > 2*(one.high - one.low).median()

def test_on_three_rows_nothing_is_sure():
    runs = pd.DataFrame([dict(model=m, seed=0, task='t', value=v, each=np.full(3, v)) for m, v in dict(a=0., b=1.).items()])
    assert differences(runs, 'b', 'a').verdict.item()=='no evidence'
    many = runs.assign(each=[np.full(30, v) for v in runs.value]); assert differences(many, 'b', 'a').verdict.item()=='better'

def test_without_rows_the_noise_is_that_of_seeds_or_unknown():
    runs = made(dict(a=0, b=.3)).drop(columns='each')
    assert (d:=differences(runs, 'b', 'a')).verdict.eq('unknown').all() and (d.high > d.low).all() and d.low.gt(0).mean() > .7  # three seeds of one set of test rows are no evidence on other rows
    d = differences(runs[runs.seed==0], 'b', 'a'); assert d.low.isna().all() and (d.verdict=='unknown').all() and verdicts(runs[runs.seed==0], 'a').share_better.item()==0

def test_delta_m_and_its_median():
    assert delta_m([.6, .9, .3], [.5, .9, .1])==pytest.approx((220/3, 20, 0)) and delta_m([.4, .2], [.5, .2], lower=True)==pytest.approx((10, 10, 0))
    assert delta_m([.5, .3], [.25, -.1])==pytest.approx((100, 100, 1)) and np.isnan(delta_m([1.], [0.])[0])

def test_groups_hold_no_pair_that_differs_and_cannot_grow():
    runs = made({m: g for m, g in zip('abcde', (0, .012, .024, .04, .1))}, rows=300, seed=3); order, p = list(ranks(runs).index), pairs(runs)
    differ = {frozenset((r.a, r.b)) for r in p.itertuples() if r.p_holm < .05}; fine = lambda g: not any(frozenset((x, y)) in differ for x in g for y in g)
    found = groups(runs); assert found and all(fine(g) for g in found)
    want = [order[i:j] for i in range(5) for j in range(i+2, 6) if fine(order[i:j]) and not (i and fine(order[i-1:j])) and not (j < 5 and fine(order[i:j+1]))]
    assert found==want and holm([.01, .04, .03]).tolist()==pytest.approx([.03, .06, .06])


# rows

def test_a_curve_stays_with_the_same_tasks():
    runs = pd.concat([made(dict(a=0, b=.1/(1 + c/50)), seed=c).assign(cap=c, train_rows=lambda d, c=c: np.minimum(d.train_rows, c)) for c in (50, 150)] + [made(dict(a=0, b=0))])
    c = curve(runs, 'a'); assert c.tasks.unique().tolist()==[17] and c.rows.tolist()==['50', '150', 'all'] and c['mean'].iloc[0] > c['mean'].iloc[2] and (c.low <= c['mean']).all()
    assert len(curve(runs))==6 and len(by_task(runs))==30
    s = by_rows(made(dict(a=0, b=np.r_[np.full(10, .1), np.zeros(20)])), 'b', 'a'); assert s.tasks.tolist()==[10, 10, 10] and s.low[0] > 0 and s.difference[0]==pytest.approx(.1, abs=.04)

def test_incomplete_runs_are_told():
    runs = made(dict(a=0, b=.02)); runs = runs[~((runs.model=='b') & runs.task.isin(['t3', 't4']))]
    with pytest.warns(UserWarning, match="2 of 30 tasks are left out.*'t3', 't4'"): assert verdicts(runs, 'a').tasks.item()==28
    one = runs[~((runs.model=='b') & (runs.seed > 0))]
    with pytest.warns(UserWarning): assert verdicts(one, 'a').seeds.item()==1


# pictures

def test_pictures_take_any_name():
    runs = made(dict(zip(HOSTILE, (0, .02, .05, -.03, 0, .01))), tasks=8); runs = runs.assign(task=runs.task.map(dict(zip(runs.task.unique(), HOSTILE))).fillna(runs.task))
    capped = pd.concat([runs.assign(cap=5, train_rows=5), runs]); charts = [difference_chart(runs, HOSTILE[1], HOSTILE[0]), rank_chart(runs), posterior_chart(runs, HOSTILE[0]), curve_chart(capped, HOSTILE[0])]
    specs = [c.to_dict() for c in charts]; assert all(s['config']['background']=='#ffffff' for s in specs) and rank_chart(runs, theme='dark').to_dict()['config']['background']=='#111111'
    from vl_convert import vegalite_to_svg
    svg = vegalite_to_svg(specs[0]); assert '<script' not in svg and '</script>' not in svg and '&lt;/script&gt;&lt;b&gt;' in svg and '(no name)' in svg and '🏥' in svg

def test_pictures_say_their_numbers():
    runs = made(dict(a=0, b=.06)); v = verdicts(runs, 'a').loc['b']; told = json.dumps(difference_chart(runs, 'b', 'a').to_dict(), ensure_ascii=False)
    assert f'Mean over 30 tasks +{v.difference:.3f}' in told and f'better on {round(v.share_better*30)}, worse on {round(v.share_worse*30)}' in told
    assert '±0.01' in json.dumps(posterior_chart(runs, 'a').to_dict(), ensure_ascii=False)


# bad input

def test_bad_input_is_named():
    runs = made(dict(a=0, b=.02), tasks=4)
    for bad, said in [(lambda: verdicts(runs.drop(columns='seed'), 'a'), "no column 'seed'"), (lambda: verdicts(runs, 'a', 'AUC'), "no column 'AUC'"), (lambda: verdicts(runs, 'c'), "against='c' is not among the models 'a', 'b'"),
                      (lambda: differences(runs, 'c', 'a'), "no model 'c'"), (lambda: verdicts(pd.concat([runs, runs]), 'a'), "model 'a', seed 0, task 't0', outcome 'y' twice"), (lambda: verdicts(runs[runs.model=='a'], 'a'), "no model beside 'a'"),
                      (lambda: pairs(runs[runs.model=='a']), 'one model only'), (lambda: curve(runs), 'no two caps'), (lambda: by_task(runs.assign(cap=np.arange(len(runs)) % 2 + 1)), 'say which with cap='), (lambda: by_task(runs, cap=7), 'nothing with cap=7'),
                      (lambda: by_task(runs[:0]), 'runs is empty'), (lambda: rank_chart(runs, theme='blue'), "theme='blue'"), (lambda: verdicts(runs.assign(value=np.nan), 'a'), "no task has 'value'"),
                      (lambda: mean_difference([]), 'one or more tasks'), (lambda: wilcoxon_p([.1, np.nan]), 'gain of task 1 is nan'), (lambda: mean_difference([.1], ['a', 'b']), '2 families for 1 tasks'), (lambda: signed_rank([.1], -1), 'rope=-1')]:
        with pytest.raises(ValueError, match=said): bad()
    with pytest.raises(TypeError, match='must be a data frame'): verdicts([1], 'a')
    other = runs.assign(each=[e if m=='a' else e[:50] for e, m in zip(runs['each'], runs.model)])
    with pytest.raises(ValueError, match="task 't0': the runs were judged on different test rows"): differences(other, 'b', 'a')
