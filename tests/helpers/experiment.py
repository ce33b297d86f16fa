"""The scripts of ``experiments/`` as modules, so that tests can run them small."""

import sys
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).parents[2] / "experiments"


@cache
def experiment(name):
    """``experiment("theory/scaling")``."""
    spec = spec_from_file_location(name.replace("/", "_"), ROOT / f"{name}.py")
    module = module_from_spec(spec)
    # Dataclasses look their own module up while they are made.
    sys.modules[spec.name] = module
    # A script finds the modules beside it.
    sys.path.insert(0, str(Path(spec.origin).parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module
