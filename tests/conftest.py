"`make test` never passes by skipping: with NO_SKIP set a skipped test fails, unless what it lacks is an accelerator."
import os

import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.skipped and os.environ.get('NO_SKIP') and not hasattr(report, 'wasxfail'):
        why = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not any(w in why.lower() for w in ('cuda', 'gpu', 'accelerator')): report.outcome, report.longrepr = 'failed', f'skipped, and that is not allowed here: {why}'
