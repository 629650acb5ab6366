"The explorer: four views of one tree with one state; names that travel; what a page carries."
import json, re

import numpy as np, pytest

from mtl_explain import Attributions, ConceptFlow, ConceptMap, TaskCompare, check, load, save
from mtl_explain.explorer import PARTS, Explorer, pooled
from mtl_explain.schema import example
from mtl_explain.view import View, keep_names, link, traits_of
from trees import answers, hostile, leaves, no_concepts, people, small


@pytest.fixture
def ex(): return people()


def stored(view):
    "The state that a page of this view carries"
    return json.loads(re.search(r'data-mtl-state="[^"]*">(.*?)</script>', view.to_html(), re.S)[1])['state']


def test_what_is_set_reaches_every_view_that_has_it(ex):
    w = Explorer(ex, concepts=['income'], tasks=['vote', 'travel mode'])
    assert w.concepts==['c02'] and all(v.concepts==['c02'] for v in w.parts.values()) and w.parts['compare'].tasks==['vote', 'travel mode']
    w.variables = ['v0']; assert w.parts['flow'].variables==w.parts['person'].variables==['v0']
    w.samples = ['s3']; assert w.parts['person'].samples==['s3']
    w.explainer = 'shapley'; w.rows = True; assert w.parts['person'].rows
    assert set(traits_of(w))=={'concepts', 'tasks', 'variables', 'features', 'targets', 'samples', 'explainer', 'names', 'large', 'rows'}


def test_what_no_view_knows_is_an_error(ex):
    w = Explorer(ex)
    for trait, bad, said in [('concepts', ['c2'], "did you mean 'c12'"), ('tasks', ['vot'], "did you mean 'vote'"), ('samples', ['s999'], 'no '), ('variables', ['nothing'], 'no '), ('explainer', 'lime', "no 'lime'"), ('names', {'c99': 'x'}, "no 'c99'")]:
        with pytest.raises(ValueError, match=re.escape(said)): setattr(w, trait, bad)
    with pytest.raises(TypeError, match="no keyword 'task'; did you mean 'tasks'"): Explorer(ex, task='vote')
    with pytest.raises(TypeError, match='expects an xarray.DataTree'): Explorer({})
    with pytest.raises(ValueError, match="no view 'maps'; did you mean 'map'"): w.table('maps')
    only = Explorer(answers()); assert list(only.parts)==['person']
    with pytest.raises(ValueError, match="no 'c01'; There is: none"): only.names = {'c01': 'x'}


def test_what_one_view_lacks_stays_with_the_others():
    tree = people(explainers=('shapley', 'lime')); w = Explorer(tree); w.explainer = 'lime'
    assert [v.explainer for v in w.parts.values()]==['lime']*4
    w.tasks = ['diabetes']; w.features = []
    assert w.parts['map'].tasks==['diabetes']


def test_views_of_a_page_have_no_channel_of_their_own(ex):
    w = Explorer(ex)
    assert all(v.comm is None for v in w.parts.values()) and all(isinstance(w.parts[k], c) for k, c in PARTS.items())


def test_each_piece_is_sent_once_and_comes_back_whole(ex):
    w = Explorer(ex); info, arrays = w._info, w._arrays
    for k, v in w.parts.items():
        assert {n: info['pool'][i] for n, i in info['views'][k]['info'].items()}==v._info
        assert {n: arrays[i] for n, i in info['views'][k]['arrays'].items()}==v._arrays
    assert len({json.dumps(p, sort_keys=True) for p in info['pool']}) >= len(info['pool'])-3 and len({(a['dtype'], *a['shape'], a['data']) for a in arrays.values()})==len(arrays)
    one, two = pooled({'flow': w.parts['flow']}), pooled({'flow': w.parts['flow'], 'again': w.parts['flow']})
    assert len(one[1])==len(two[1]) and len(one[0]['pool'])==len(two[0]['pool'])


def test_a_row_that_was_not_sent_is_fetched():
    w = Explorer(leaves(samples=120)); labels = [str(x) for x in next(iter(w.tree['attribution/feature'].children.values()))['sample'].values]
    sent = lambda: w._info['pool'][w._info['views']['person']['info']['tasks']][0]['samples']
    missing = next(x for x in labels if x not in sent()); before = w._arrays
    w.samples = [missing]
    assert missing in sent() and w._arrays is not before and w.parts['person']._info['tasks'][0]['samples']==sent()


# ---- what a page carries

def test_a_page_carries_no_rows_unless_asked(tmp_path):
    w = Explorer(example())
    assert w.carries=='It carries labels, shares, routes, and scores and attributions of 72 rows; no values of features, no observed answers, no weights.'
    state = stored(w); names = set(state['_info']['views']['person']['arrays']); tasks = state['_info']['pool'][state['_info']['views']['person']['info']['tasks']]
    assert state['_info']['bare'] and not names & {'value_of', 'rank', 'truth'} and all(t['features']==t['words']==[] for t in tasks)
    w.rows = True
    assert 'values of features and observed answers; no weights' in w.carries
    state = stored(w); tasks = state['_info']['pool'][state['_info']['views']['person']['info']['tasks']]
    assert not state['_info']['bare'] and {'value_of', 'truth'} <= set(state['_info']['views']['person']['arrays']) and any(t['words'] for t in tasks)
    assert w.save_html(tmp_path/'e.html').stat().st_size < 1e6
    assert 'weight' not in ' '.join(k for v in state['_info']['views'].values() for k in v['arrays'])


def test_the_page_button_is_answered_by_python(ex):
    w, sent = Explorer(ex), []
    w.send = lambda content, buffers=None: sent.append(content)
    w._handle_custom_msg({'save': True}, []); w._handle_custom_msg({'other': 1}, [])
    assert len(sent)==1 and sent[0]['name']=='explorer.html' and sent[0]['page'].startswith('<!doctype html>') and w.to_html() in sent[0]['page']


def test_trees_that_lack_something():
    part = Explorer(no_concepts()); assert list(part.parts)==['person'] and set(part._info['missing'])=={'map', 'flow', 'compare'}
    bare = no_concepts(); del bare['attribution']; nothing = Explorer(bare)
    assert 'no concepts' in nothing.trouble and nothing._info['instead']['kind']=='empty' and not nothing.parts
    with pytest.raises(ValueError, match='no concepts'): nothing.table()
    wrong = people(); wrong['concepts'] = wrong['concepts'].to_dataset().rename(task='table'); wrong = Explorer(wrong)
    assert wrong._info['instead']['title']=='Explorer cannot draw this tree'
    assert list(Explorer(small()).parts)==list(PARTS) and list(Explorer(hostile()).parts)==list(PARTS)


def test_tables_are_those_of_the_views(ex):
    w = Explorer(ex, tasks=['vote', 'diabetes'])
    assert w.table().equals(ConceptMap(ex).table()) and set(w.table('compare').task)=={'vote', 'diabetes'} and len(w.table('flow')) and set(w.table('person').task)=={'diabetes'}


# ---- names travel

BAD = 'two\nlines \x07 </script>'


@pytest.mark.parametrize('view', [ConceptMap, ConceptFlow, TaskCompare, Explorer])
def test_a_name_is_kept_in_the_tree_and_found_by_every_view(view):
    tree = small(); w = view(tree); w.names = {**w.names, 'c02': BAD}
    kept = 'two lines   </script>'
    assert tree['concepts'].label.values.tolist()==['', kept, '']
    for other in (ConceptMap, ConceptFlow, TaskCompare, Attributions, Explorer): assert other(tree).names=={'c02': kept}, other
    w.names = {}; assert ConceptMap(tree).names=={} and tree['concepts'].label.values.tolist()==['', '', '']


def test_a_name_is_saved_with_the_tree(tmp_path):
    tree = small(); Explorer(tree).names = {'c02': BAD}; again = load(save(check(tree), tmp_path/'n.nc'))
    assert Explorer(again).names==ConceptFlow(again).names=={'c02': 'two lines   </script>'}


def test_names_are_given_on_construction_and_saved_on_the_page(ex):
    m = ConceptMap(ex, names={'c07': 'prices'}); assert m.names['c02']=='income' and ex['concepts'].label.sel(concept='c07')=='prices'
    for view in (ConceptFlow, TaskCompare, Attributions, Explorer): assert stored(view(ex))['names']['c07']=='prices', view


def test_names_travel_live_through_a_link(ex):
    m, others = ConceptMap(ex), [v(ex) for v in (ConceptFlow, TaskCompare, Attributions, Explorer)]
    for v in others: link(m, v)
    m.names = {**m.names, 'c07': 'prices'}; assert [v.names['c07'] for v in others]==['prices']*4
    others[0].names = {**others[0].names, 'c07': 'costs'}; assert m.names['c07']=='costs' and others[3].parts['compare'].names['c07']=='costs' and ex['concepts'].label.sel(concept='c07')=='costs'


def test_a_name_that_is_no_text_is_refused(ex):
    with pytest.raises(ValueError, match='a name is text'): keep_names(ex, {'c01': 3})
    with pytest.raises(ValueError, match='a name is text'): ConceptMap(ex, names={'c01': 3})
    before = ex['concepts'].label.values.copy()
    with pytest.raises(ValueError, match="no 'c77'"): Explorer(ex, names={'c77': 'x'})
    assert np.array_equal(before, ex['concepts'].label.values)


def test_a_view_without_a_tree_has_nothing_to_keep():
    import traitlets as t
    class Toy(View): names = t.Dict().tag(sync=True)
    assert Toy(names={'c1': 'x'}).names=={'c1': 'x'}
