"The sum over a table's variables: its own gradient against the plain way."
import pytest, torch
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
