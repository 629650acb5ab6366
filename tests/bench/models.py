"""Fixed models for benchmarks and tests: seeded, untrained, their weights large enough for scores that vary.

    from bench.models import data, sve, trunk        # with tests/ on the path; beside this file: from models import …
"""
import numpy as np, pandas as pd, torch
from torch import nn
from mtl_explain.data import Table, TaskSuite
from mtl_explain.model import MTLModel
from mtl_explain.sharing import Attend

ACTIVATIONS = dict(relu=nn.ReLU, gelu=nn.GELU)


class Trunk(nn.Module):
    "Hard sharing in plain torch: (row, input) -> dict from head to (row, 1)"
    def __init__(self, activation='relu', inputs=30, width=128, heads=20, hidden=32):
        super().__init__()
        act = ACTIVATIONS[activation]
        self.trunk = nn.Sequential(nn.Linear(inputs, width), act(), nn.Linear(width, width), act())
        self.heads = nn.ModuleDict({f't{k+1:02d}': nn.Sequential(nn.Linear(width, hidden), act(), nn.Linear(hidden, 1)) for k in range(heads)})

    def forward(self, x):
        h = self.trunk(x)
        return {t: head(h) for t, head in self.heads.items()}


def trunk(activation='relu', seed=0, **sizes):
    "A trunk 30-128-128 and 20 heads of 32: He's start, biases too, so that every head varies by about 1 over standard normal rows"
    m, g = Trunk(activation, **sizes), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in m.modules():
            if isinstance(layer, nn.Linear):
                layer.weight.normal_(0, (2/layer.in_features)**.5, generator=g)
                layer.bias.normal_(0, .3, generator=g)
    return m.eval()


def data(rows=600, inputs=30, seed=0):
    "Correlated standard rows (row, input), float32"
    rng = np.random.default_rng(seed); shared = rng.normal(size=(rows, 3))
    return (.8*rng.normal(size=(rows, inputs)) + .6*shared[:, np.arange(inputs) % 3]).astype(np.float32)


def lively(model, suite, seed=0):
    "Weights as large as those of a trained model: gates half open; of all targets the median one varies by 1"
    m, g = model.eval(), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in m.named_parameters():
            if name.endswith('gate'): p.fill_(.5)
            elif name in ('output', 'sharing.raw'): p.normal_(0, 1, generator=g)
            elif name.endswith('weight'): p.normal_(0, (2/p.shape[1])**.5, generator=g)
            elif name.endswith('bias'): p.normal_(0, .3, generator=g)
        size = torch.cat([m.scores(t, torch.as_tensor(suite[t].x[:200])).std(0) for t in suite]).median()
        m.readout.film.weight.div_(size); m.readout.film.bias.div_(size)  # a score is linear in these
    return m


def sve(activation='gelu', seed=0, inputs=30, targets=20, rows=600, concepts=12, width=48):
    "Shared variable embeddings and their suite: 30 inputs and 20 outcomes in one table"
    x, rng = data(rows, inputs, seed), np.random.default_rng([seed, 1])
    y = np.tanh(x @ rng.normal(size=(inputs, targets))/inputs**.5) + .1*rng.normal(size=(rows, targets))
    names = [f'y{k+1:02d}' for k in range(targets)]
    frame = pd.DataFrame(np.column_stack([x, y]), columns=[f'x{k+1:02d}' for k in range(inputs)] + names)
    suite = TaskSuite({'table': Table(frame, names)})
    return lively(MTLModel(suite, Attend(concepts), width=width, activation=activation, seed=seed), suite, seed), suite
