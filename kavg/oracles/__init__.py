"""Oracles: stochastic gradients with additive or state-dependent noise, or from mini-batches.

To add one, write a module with a frozen dataclass (an additive law: ``kavg.oracles.additive``) and
import it below.  Settings, ``kavg list`` and the contract tests follow from ``KINDS``.
"""

from kavg.families import collect_kinds
from kavg.oracles.gaussian import Gaussian as Gaussian
from kavg.oracles.minibatch import MiniBatch as MiniBatch
from kavg.oracles.noiseless import Noiseless as Noiseless
from kavg.oracles.partition import Partition as Partition
from kavg.oracles.rademacher import Rademacher as Rademacher
from kavg.oracles.regression.label_noise import LabelNoise as LabelNoise
from kavg.oracles.regression.random_design import RandomDesign as RandomDesign
from kavg.oracles.shifted import Shifted as Shifted
from kavg.oracles.sphere import Sphere as Sphere
from kavg.oracles.state_dependent import StateDependent as StateDependent
from kavg.oracles.student_t import StudentT as StudentT
from kavg.oracles.unlike.scaled import Scaled as Scaled
from kavg.oracles.unlike.unlike_functions import UnlikeFunctions as UnlikeFunctions

KINDS = collect_kinds(vars())
"""The classes by the ``kind`` of ``[oracle]`` in a settings file."""
