"""Protocols of the parts of a problem and of an algorithm, and the constants that theory needs.

It imports ``errors`` and ``ranges`` alone, so almost every module may import it.  The letters are
the papers': ``P`` learners take ``K`` local steps of size ``gamma`` on mini-batches of ``B``; ``R``
replicas of the whole run are computed side by side; ``d`` is the dimension; ``n = 1..N`` counts
rounds; ``w`` is the meta-iterate, ``v`` the block momentum and ``x`` the learners' own iterates.
"""

from kavg.base.aggregations import Aggregation as Aggregation
from kavg.base.aggregations import Asynchronous as Asynchronous
from kavg.base.aggregations import AveragesGroups as AveragesGroups
from kavg.base.aggregations import KeepsIterates as KeepsIterates
from kavg.base.aggregations import KeepsLastIterates as KeepsLastIterates
from kavg.base.aggregations import MixesIterates as MixesIterates
from kavg.base.aggregations import RoundDraw as RoundDraw
from kavg.base.aggregations import RoundShares as RoundShares
from kavg.base.aggregations import WeighsLearners as WeighsLearners
from kavg.base.algorithms import AdaptivePeriod as AdaptivePeriod
from kavg.base.algorithms import AtAverage as AtAverage
from kavg.base.algorithms import LocalOptimizer as LocalOptimizer
from kavg.base.algorithms import LocalUpdate as LocalUpdate
from kavg.base.algorithms import Outer as Outer
from kavg.base.algorithms import Period as Period
from kavg.base.algorithms import Schedule as Schedule
from kavg.base.communicators import CanSplit as CanSplit
from kavg.base.communicators import Communicator as Communicator
from kavg.base.measures import LearnerPoint as LearnerPoint
from kavg.base.measures import PlannedMeasure as PlannedMeasure
from kavg.base.measures import ReadsLearners as ReadsLearners
from kavg.base.measures import RoundMeasure as RoundMeasure
from kavg.base.measures import RoundView as RoundView
from kavg.base.objectives import AnalyticObjective as AnalyticObjective
from kavg.base.objectives import BatchGradient as BatchGradient
from kavg.base.objectives import FiniteSum as FiniteSum
from kavg.base.objectives import HasGradientPlan as HasGradientPlan
from kavg.base.objectives import HasLabels as HasLabels
from kavg.base.objectives import HasMeasures as HasMeasures
from kavg.base.objectives import HasMinimiser as HasMinimiser
from kavg.base.objectives import LabelGradient as LabelGradient
from kavg.base.objectives import Objective as Objective
from kavg.base.objectives import PlannedGradient as PlannedGradient
from kavg.base.objectives import Start as Start
from kavg.base.oracles import Oracle as Oracle
from kavg.base.oracles import StochasticGradient as StochasticGradient
from kavg.base.values import Certainty as Certainty
from kavg.base.values import Constant as Constant
from kavg.base.values import Floats as Floats
from kavg.base.values import Indices as Indices
from kavg.base.values import Measure as Measure
from kavg.base.values import NoiseConstants as NoiseConstants
from kavg.base.values import Precision as Precision
from kavg.base.values import unknown_constant as unknown_constant
