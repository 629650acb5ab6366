"The sum over a table's variables: its own gradient against the plain way."
import copy, pytest, torch
from hypothesis import given, settings, strategies as st
from mtl_explain import film as room
from mtl_explain.film import ACTIVATIONS, FiLM, summed


def both(monkeypatch, variables, rows, tasks, width, blocks, act, dropout, gate, piece=2**19, dtype=torch.float64):
    torch.manual_seed(0); stack = FiLM(1, width, blocks, 5, ACTIVATIONS[act], dropout).to(dtype); monkeypatch.setattr(room, 'PIECE', piece); monkeypatch.setattr(room, 'FEW', 1)
    with torch.no_grad(): stack.gate.fill_(gate)
    z, x, task, way = torch.randn(variables, 5, dtype=dtype), torch.randn(variables, rows, dtype=dtype), torch.randint(tasks, (variables,)).sort().values, torch.randn(tasks, rows, width, dtype=dtype)
    out = []
    for lean in (True, False):
        stack.lean = lean; stack.zero_grad(); torch.manual_seed(1); e = z.clone().requires_grad_()
        total = summed(stack, x, stack.film(e), task, tasks); (total*way).sum().backward()
        out.append([total.detach(), e.grad, *(p.grad for p in stack.parameters() if p.numel())])
    return out


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(1, 7), st.integers(1, 4), st.integers(2, 9), st.integers(0, 3), st.sampled_from(list(ACTIVATIONS)), st.sampled_from([0., .2, .9]), st.sampled_from([0., .7, -1.]), st.sampled_from([1, 40, 2**19]))
def test_sums_and_gradients_are_those_of_the_plain_way(variables, rows, tasks, width, blocks, act, dropout, gate, piece):
    with pytest.MonkeyPatch.context() as m: short, plain = both(m, variables, rows, tasks, width, blocks, act, dropout, gate, piece)
    for a, b in zip(short, plain): torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_where_the_plain_way_is_taken(monkeypatch):
    monkeypatch.setattr(room, 'FEW', 2); stack, x, task = FiLM(1, 4, 1, 3, torch.cos, 0.), torch.randn(3, 2), torch.tensor([0, 0, 1]); z = torch.randn(3, 3)
    assert summed(stack, x, stack.film(z), task, 2).grad_fn.name()!='_SummedBackward'  # no slope is known for the cosine
    stack.act = torch.tanh; assert summed(stack, x, stack.film(z), task, 2).grad_fn.name()=='_SummedBackward'
    asked = x.clone().requires_grad_(); total = summed(stack, asked, stack.film(z), task, 2); g, = torch.autograd.grad(total.sum(), asked, create_graph=True); assert g.requires_grad and g.abs().sum() > 0
    assert summed(stack, x[:, :1], stack.film(z), task, 2).grad_fn.name()!='_SummedBackward'  # too few rows
    with torch.no_grad(): assert summed(stack, x, stack.film(z), task, 2).grad_fn is None


def test_a_second_backward_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(room, 'FEW', 1); stack, x = FiLM(1, 4, 1, 3, torch.tanh, 0.), torch.randn(3, 2); total = summed(stack, x, stack.film(torch.randn(3, 3)), torch.zeros(3, dtype=torch.long), 1).sum()
    total.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match='lean=False'): total.backward()


def test_a_step_works_in_the_memory_of_the_step_before(monkeypatch):
    monkeypatch.setattr(room, 'FEW', 1); torch.manual_seed(0); stack = FiLM(1, 6, 2, 3, torch.tanh, .3).train(); stack.gate.data.fill_(.7)
    def start(variables, rows, seed):
        g = torch.Generator().manual_seed(seed); x, z, task = torch.randn(variables, rows, generator=g), torch.randn(variables, 3, generator=g), torch.arange(variables)//2; torch.manual_seed(seed)
        return summed(stack, x, stack.film(z), task, variables).square().sum()
    def end(total): stack.zero_grad(); total.backward(); return [total.detach(), *(p.grad.clone() for p in stack.parameters())]
    def plain(*a): stack.lean = False; out = end(start(*a)); stack.lean = True; return out
    same = lambda a, b: [torch.testing.assert_close(p, q) for p, q in zip(a, b, strict=True)]
    end(start(5, 4, 0)); first = stack.room.left; first.fill_(torch.nan); assert len(first)==5*4*6*3
    for shape in [(5, 4, 1), (2, 3, 2)]: same(end(start(*shape)), plain(*shape)); assert stack.room.left is first; first.fill_(torch.nan)
    same(end(start(9, 4, 3)), plain(9, 4, 3)); assert len(stack.room.left)==9*4*6*3  # more than there was
    one, other = start(5, 4, 4), start(3, 4, 5); got = end(other), end(one); same(got[0], plain(3, 4, 5)); same(got[1], plain(5, 4, 4))  # two ways forward before one back
    assert copy.deepcopy(stack).room.left is None and stack.room.left is not None  # a copy brings no memory along
    stack.eval(); assert stack.room.left is None
