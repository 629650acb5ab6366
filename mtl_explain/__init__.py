"One model for many unlike tables, and what it learnt to share: trained, explained, and looked at in the notebook."
__version__ = "0.0.1"

import sys as _sys
from importlib import import_module as _import_module
from types import ModuleType as _Module

# The names a notebook needs, by the module that holds them. Each is imported when it is first used, so that
# `import mtl_explain` is quick and loads no torch; `from mtl_explain import *` resolves them all.
_names = dict(
    data='Table TaskSuite', suites='people planted', spaces='hyperspheres transposed_gp', uci='uci121', sharing='Own Attend', model='MTLModel load_model', baselines='HardSharing CrossStitch Experts', train='fit calibrate', tune='refit fine_tune', compare='compare', new_task='add_task', interference='Conflicts interference', transfer='transfer', pairs='opposed',
    any_model='Head', game='Groups Sampled Typical Nearest Fixed', attribution='explainer', explain='explain', case='case', counterfactual='counterfactual', schema='check save load example',
    concept_map='ConceptMap', concept_flow='ConceptFlow', task_compare='TaskCompare', attributions='Attributions', what_if='WhatIf', training='TrainingMonitor', explorer='Explorer', view='View link')
_module = {name: module for module, names in _names.items() for name in names.split()}
__all__ = list(_module)


def __getattr__(name):
    if name not in _module: raise AttributeError(f"module 'mtl_explain' has no attribute {name!r}")
    value = globals()[name] = getattr(_import_module('mtl_explain.'+_module[name]), name)
    return value


def __dir__(): return sorted({*globals(), *__all__})


class _Package(_Module):
    "The import of a module sets it as an attribute of its package: where a function has the module's name, the function stays"
    def __setattr__(self, name, value):
        super().__setattr__(name, getattr(value, name) if name in _module and isinstance(value, _Module) else value)


_sys.modules[__name__].__class__ = _Package
