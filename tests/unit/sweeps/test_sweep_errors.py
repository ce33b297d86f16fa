"""What is said about the settings of a sweep that are wrong: by place, all together."""

from __future__ import annotations

import pytest
from helpers.sweeps import BASE, sweep_errors, sweep_of

from kavg.config import load_config, parse_config
from kavg.errors import KavgError
from kavg.storage.limits import MemoryLimit
from kavg.sweeps import load_sweep, parse_sweep

GRID = "[sweep.grid]\n"
TUNE = "[sweep.tune]\n"
SAID = {
    "a misspelled key": (
        f'{TUNE}"algorithm.M-AVG.gama" = [0.1]',
        "sweep.tune.'algorithm.M-AVG.gama': there is no key 'gama' here; did you mean 'gamma'?",
    ),
    "the name of another program": (
        f'{GRID}"algorithm.*.lr" = [0.1]',
        "sweep.grid.'algorithm.*.lr': there is no key 'lr' here; use 'gamma'",
    ),
    "a misspelled table": (
        f'{GRID}"objectve.omega" = [0.1]',
        "sweep.grid.'objectve.omega': there is no key 'objectve' here; did you mean 'objective'?",
    ),
    "a key of other kinds": (
        f'{GRID}"algorithm.K-AVG.outer.mu" = [0.1]',
        "sweep.grid.'algorithm.K-AVG.outer.mu': kind 'averaging' has no key 'mu'; use kind ",
    ),
    "a key that no algorithm has": (
        f'{GRID}"algorithm.*.outer.tau" = [0.1]',
        "sweep.grid.'algorithm.*.outer.tau': kind 'averaging' has no key 'tau'; use kind ",
    ),
    "a misspelled algorithm": (
        f'{GRID}"algorithm.MAVG.K" = [1]',
        "sweep.grid.'algorithm.MAVG.K': there is no algorithm 'MAVG'; did you mean 'M-AVG'?",
    ),
    "a number too large": (
        f'{GRID}"algorithm.2.K" = [1]',
        "sweep.grid.'algorithm.2.K': there is no algorithm '2'; use * for all, a number below 2, "
        "or a name: 'K-AVG', 'M-AVG'",
    ),
    "an algorithm as a whole": (
        f'{GRID}"algorithm.0" = [1]',
        "sweep.grid.'algorithm.0': needs a key of an algorithm; as in algorithm.*.K",
    ),
    "no place": (
        f'{GRID}"a=b" = [1]',
        "sweep.grid.'a=b': needs a place such as algorithm.*.K, got 'a=b'",
    ),
    "a place inside a number": (
        f'{GRID}"algorithm.*.gamma.then" = [1]',
        "sweep.grid.'algorithm.*.gamma.then': there is no place 'then' inside 0.1",
    ),
    "a place inside what is not there": (
        f'{GRID}"start.scale" = [1.0]',
        "sweep.grid.'start.scale': there is no 'start' in these settings that could have it; add ",
    ),
    "a place in a table that is replaced": (
        f'{GRID}"algorithm.M-AVG.outer" = [{{ kind = "averaging" }}]\n'
        '"algorithm.M-AVG.outer.mu" = [0.1]',
        "sweep.grid.'algorithm.M-AVG.outer.mu': no point has this setting, as another place sets ",
    ),
    "tables that set one another": (
        '[sweep.zip]\nobjective = [{ kind = "cosine", dim = 2 }]\n"oracle.sigma2" = [1.0]\n'
        '[sweep.tune.zip]\noracle = [{ kind = "gaussian" }]\n"objective.omega" = [1.0]',
        "sweep: sweep.tune.zip.'objective.omega', sweep.tune.zip.oracle, sweep.zip.'oracle.sigma2'"
        ", sweep.zip.objective set tables of one another; put them into one zip",
    ),
    "the seed": (
        f"{GRID}seed = [1, 2]",
        "sweep.grid.seed: seed cannot be varied: all points share the noise of one seed",
    ),
    "a name": (
        f'{GRID}"algorithm.0.name" = ["a"]',
        "sweep.grid.'algorithm.0.name': name cannot be varied: algorithms are told apart by it",
    ),
    "no values": (
        f'{GRID}"algorithm.*.K" = []',
        "sweep.grid.'algorithm.*.K': needs at least one value, got []",
    ),
    "a value twice": (
        f'{GRID}"algorithm.*.gamma" = [1, 0.5, 1.0]',
        "sweep.grid.'algorithm.*.gamma': has 1.0 twice",
    ),
    "a number for a list": (
        f'{GRID}"algorithm.*.K" = 4',
        "sweep.grid.'algorithm.*.K': needs a list or a table, got 4; as in ",
    ),
    "a misspelled form": (
        f'{GRID}"algorithm.*.gamma" = {{ lg2 = [-3, 0] }}',
        "sweep.grid.'algorithm.*.gamma'.lg2: there is no key 'lg2' here; did you mean 'log2'?",
    ),
    "a number for a spacing": (
        f'{GRID}"algorithm.*.gamma" = {{ log2 = -3, per = "two" }}',
        "sweep.grid.'algorithm.*.gamma'.log2: needs a list, got -3; as in log2 = [-3]",
        "sweep.grid.'algorithm.*.gamma'.per: needs a whole number, got 'two'; as in per = 2",
    ),
    "a law in a grid": (
        f'{GRID}"algorithm.*.gamma" = {{ uniform = [0.1, 0.2] }}',
        "sweep.grid.'algorithm.*.gamma': uniform is a law of [sweep.random]; use linear = ",
    ),
    "no whole number of octaves": (
        f'{GRID}"algorithm.*.gamma" = {{ log2 = [-3.5, 0] }}',
        "sweep.grid.'algorithm.*.gamma': log2 = [-3.5, 0.0] is no whole number of steps with per=1",
    ),
    "lists of unlike lengths": (
        '[sweep.zip]\n"algorithm.*.K" = [1, 2]\n"algorithm.*.P" = [1, 2, 4]',
        "sweep.zip: needs lists of one length; sweep.zip.'algorithm.*.K' has 2, "
        "sweep.zip.'algorithm.*.P' has 3",
    ),
    "one setting varied twice": (
        f'{GRID}"algorithm.*.K" = [1]\n[sweep.zip]\n"algorithm.M-AVG.K" = [2]',
        "sweep.zip.'algorithm.M-AVG.K': varies what sweep.grid.'algorithm.*.K' varies already; ",
    ),
    "a kind varied twice": (
        f'{GRID}"algorithm.*.outer.kind" = ["averaging"]\n[sweep.tune]\n'
        '"algorithm.0.outer.kind" = ["averaging"]',
        "sweep.tune.'algorithm.0.outer.kind': varies what sweep.grid.'algorithm.*.outer.kind' ",
    ),
    "a setting of the problem varied twice": (
        f"{GRID}start = [1.0]\n[sweep.tune]\nstart = [2.0]",
        "sweep.tune.start: varies what sweep.grid.start varies already; leave one of them out",
    ),
    "a kind without what it needs": (
        f'{GRID}"algorithm.*.outer.kind" = ["averaging", "slowmo"]',
        'algorithm.0.outer.mu: is missing; as in mu = 0.5 (at K-AVG rule="slowmo")',
        "algorithm.1.outer.mu: kind 'averaging' has no key 'mu'; use kind ",
    ),
    "gamma and the effective step": (
        f'{TUNE}"algorithm.*.effective_step" = [0.1]\n"algorithm.M-AVG.gamma" = [0.2]',
        "sweep.tune.'algorithm.M-AVG.gamma': varies what sweep.tune.'algorithm.*.effective_step' ",
    ),
    "the step inside a schedule and the effective step": (
        f'{TUNE}"algorithm.0.gamma" = [{{ kind = "constant" }}]\n"algorithm.0.gamma.gamma" = [0.2]'
        '\n[sweep.grid]\n"algorithm.*.effective_step" = [0.1]',
        "sweep.tune.'algorithm.0.gamma': varies what sweep.grid.'algorithm.*.effective_step'",
        "sweep.tune.'algorithm.0.gamma.gamma': varies what sweep.grid.'algorithm.*.effective_step'",
    ),
    "effective steps that are no steps": (
        f'{TUNE}"algorithm.*.effective_step" = [0.1, -0.5]\n[sweep.tune.random]\ntrials = 2\n'
        '"algorithm.*.effective_step" = ["big"]',
        "sweep.tune.'algorithm.*.effective_step': needs finite numbers above 0, got -0.5",
        "sweep.tune.random.'algorithm.*.effective_step': needs finite numbers above 0, got 'big'",
    ),
    "a value in a table that has it": (
        f'{GRID}"algorithm.0.outer" = [{{ kind = "slowmo", mu = 0.1 }}]\n'
        '"algorithm.0.outer.mu" = [0.3]',
        "sweep.grid.'algorithm.0.outer.mu': sets a value that {'kind': 'slowmo', 'mu': 0.1} of "
        "sweep.grid.'algorithm.0.outer' has already; leave it out of one of them",
    ),
    "a table twice in two orders": (
        f'{GRID}"algorithm.0.outer" = [{{ kind = "slowmo", mu = 1 }}, '
        '{ mu = 1.0, kind = "slowmo" }]',
        "sweep.grid.'algorithm.0.outer': has {'mu': 1.0, 'kind': 'slowmo'} twice",
    ),
    "random without trials": (
        '[sweep.random]\n"algorithm.*.K" = [1, 2]',
        "sweep.random.trials: is missing; as in trials = 40",
    ),
    "random without places": (
        "[sweep.random]\ntrials = 3",
        "sweep.random: needs a place and its law or list of values",
    ),
    "nothing varied": (
        "[sweep.target]\nquantity = 'F'\nbelow = 0.1",
        "sweep: varies nothing; add [sweep.grid], [sweep.zip] or [sweep.random]",
    ),
    "a value of the wrong type": (
        f'{GRID}"algorithm.*.K" = [1, "many", 2.5]',
        "sweep.grid.'algorithm.*.K': needs a number or a table, got 'many'; as in K = 8",
        "sweep.grid.'algorithm.*.K': needs a whole number, got 2.5; as in K = 8",
    ),
    "a value out of range": (
        f'{TUNE}"algorithm.M-AVG.outer.mu" = [0.5, 1.5, -1.0]',
        "sweep.tune.'algorithm.M-AVG.outer.mu': mu must be a number of at least 0 and below 1, "
        "got mu=1.5; use 0 for averaging",
        "sweep.tune.'algorithm.M-AVG.outer.mu': mu must be a number of at least 0 and below 1, "
        "got mu=-1.0; use 0 for averaging",
    ),
    "an error of the file itself": (
        f'{GRID}"algorithm.*.K" = [1, 2]\n[record]\nevery = 0',
        "record.every: every must be a whole number of at least 1, got every=0; use every=1 ",
    ),
    "errors of both": (
        f'{GRID}"algorithm.*.KK" = [1, 2]\n"algorithm.*.P" = []\n[record]\nevery = 0',
        "sweep.grid.'algorithm.*.P': needs at least one value, got []",
        "sweep.grid.'algorithm.*.KK': there is no key 'KK' here; did you mean 'K'?",
        "record.every: every must be a whole number of at least 1",
    ),
    "two targets": (
        f"{GRID}rounds = [1, 2]\n[sweep.target]\nquantity = 'F'\nbelow = 0.1\nfraction = 0.1",
        "sweep.target: a target must have exactly one of below, above, fraction, floor",
    ),
    "a series that no run records": (
        f"{GRID}rounds = [1, 2]\n[sweep.target]\nquantity = 'loss'\nbelow = 0.1",
        "sweep.target.quantity: needs one of F, grad_norm2, dispersion, got 'loss'",
    ),
    "rounds beside a budget": (
        f'{GRID}"algorithm.*.K" = [1]\n[sweep.budget]\ngradients = 1000',
        "rounds: rounds follow from [sweep.budget]; leave one of them out",
    ),
    "two budgets": (
        f'{GRID}"algorithm.*.K" = [1]\n[sweep.budget]\ngradients = 1000\ntime = 3.0',
        "sweep.budget: a budget must be exactly one of gradients, communications, time, "
        "got gradients and time",
    ),
    "stages of nothing": (
        f'{GRID}"algorithm.*.K" = [1]\n[[sweep.stage]]\nreplicas = 3',
        "sweep.stage: stages choose among what [sweep.tune] varies; add it",
    ),
    "stages that do not fit": (
        f'{TUNE}"algorithm.*.K" = [1]\n[[sweep.stage]]\nkeep = 3\n[[sweep.stage]]\n'
        "[[sweep.stage]]\nkeep = 4\n[[sweep.stage]]\nkeep = 5",
        "sweep.stage.0: the first stage runs all points; leave keep out",
        "sweep.stage.1: needs keep, the number of the best that go on, as in keep = 1",
        "sweep.stage.3: keep must be at most that of the stage before, 4, got keep=5",
    ),
    "a stage in single brackets": (
        f'{TUNE}"algorithm.*.K" = [1]\n[sweep.stage]\nkeep = 3',
        "sweep.stage: needs a list, got {'keep': 3}; write [[sweep.stage]], in double brackets, ",
    ),
    "more replicas in a stage than there is memory": (
        f'{TUNE}"algorithm.*.K" = [1]\n[[sweep.stage]]\nreplicas = 1_000_000_000_000',
        "sweep.stage.0: is too large: 1000000000000 replicas of 2 coordinates would take about ",
    ),
    "more rounds in a stage than there is memory": (
        f'{TUNE}"algorithm.*.K" = [1]\n[[sweep.stage]]\n[[sweep.stage]]\nkeep = 1\n'
        "rounds = 1_000_000_000_000",
        "sweep.stage.1: is too large: 1000000000002 recorded rounds of 1 algorithms and 2 repl",
    ),
    "both shares and rounds": (
        f'{TUNE}"algorithm.*.K" = [1]\n[[sweep.stage]]\nrounds = 3\nshare = 0.5',
        "sweep.stage.0: a stage needs one of rounds and share, got both",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_said(name):
    more, *wanted = SAID[name]
    found = sweep_errors(more)
    assert len(found) == len(wanted), found
    for line, beginning in zip(found, wanted, strict=True):
        assert line.startswith(beginning), line


def test_values_that_do_not_fit_together_name_the_point():
    objective = '[sweep.grid]\n"objective.kind" = ["cosine", "rosenbrock"]'
    (line,) = sweep_errors(objective)
    assert line.startswith("objective.dim: kind 'rosenbrock' has no key 'dim' (its dim is 2)")
    assert line.endswith(' (at K-AVG objective="rosenbrock")')
    start = "[sweep.grid]\nstart = [1.0, [1.0, 2.0], [1.0, 2.0, 3.0]]"
    (line,) = sweep_errors(start)
    assert line.startswith("start: start must be one finite number or 2 of them")
    assert line.endswith(" (at K-AVG start=[1.0, 2.0, 3.0])")


def test_runs_that_are_only_tuned_need_no_memory_together(monkeypatch):
    """Two runs take 40 MB of the 1 GB that there is, and all 200 of them 4 GB."""
    limits = [MemoryLimit(1e9, "a test")]
    place = "kavg.config.sizes.memory_estimates.list_memory_limits"
    monkeypatch.setattr(place, lambda ranks: limits)
    large = BASE.replace("rounds = 8", "rounds = 400").replace("replicas = 2", "replicas = 1000")
    tune = '[sweep.tune]\n"algorithm.*.gamma" = { linear = [0.1, 0.2], count = 100 }'
    assert len(sweep_of(tune, base=large).points) == 200
    (line,) = sweep_errors(tune.replace("tune", "grid"), base=large)
    assert line.startswith("sweep: is too large: 402 recorded rounds of 200 algorithms and 1000")


def test_an_error_of_the_file_has_its_place_in_the_file():
    wrong = BASE.replace("mu = 0.5", "mu = 1.5")
    (line,) = sweep_errors('[sweep.grid]\n"algorithm.*.K" = [1, 2, 4]', base=wrong)
    assert line.startswith("algorithm.1.outer.mu: mu must be ")


def test_what_the_sweep_gives_need_not_be_in_the_file():
    tune = '[sweep.tune]\n"algorithm.*.gamma" = '
    assert len(sweep_of(f"{tune}[0.1, 0.2]", without="gamma").points) == 4
    found = sweep_errors(f"{tune}[]", without="gamma")
    assert found == ["sweep.tune.'algorithm.*.gamma': needs at least one value, got []"]


def test_a_budget_below_one_round_names_the_point():
    budget = '[sweep.grid]\n"algorithm.*.P" = [1, 64]\n[sweep.budget]\ngradients = 100'
    found = sweep_errors(budget, without="rounds")
    assert found == [
        "sweep.budget: gradients = 100 is less than one round with P=64, K=2 and B=1; raise it "
        "(at K-AVG P=64)"
    ]


def test_a_budget_without_end_is_refused_in_few_digits():
    budget = '[sweep.grid]\n"algorithm.*.K" = [1]\n[sweep.budget]\ngradients = 1e300'
    first, *_ = sweep_errors(budget, without="rounds")
    assert first.startswith("sweep.budget: gradients = 1e+300 is 2.5e+299 rounds, and a run has at")


def test_a_name_with_control_characters_stays_in_its_line():
    odd = BASE.replace('"K-AVG"', '"a\\u001b\\nb"')
    (line,) = sweep_errors('[sweep.grid]\n"algorithm.*.K" = [1, 2]', base=odd)
    assert line.isprintable()


UNQUOTED = {
    "algorithm.M-AVG.K = [1]": '"algorithm.M-AVG.K" = [1]',
    "algorithm.K = [1, 4]": '"algorithm.*.K" = [1, 4]',
    "objective.spectrum.low = [0.1]": '"objective.spectrum.low" = [0.1]',
    "oracle.sigma2 = { linear = [1, 2], count = 2 }": '"oracle.sigma2" = { linear = [1, 2], count',
}


@pytest.mark.parametrize("written", UNQUOTED)
def test_a_place_without_quotes_is_shown_with_them(written):
    (line,) = sweep_errors(f"[sweep.grid]\n{written}")
    assert f": a place needs quotes: {UNQUOTED[written]}" in line


def test_rounds_of_a_stage_do_not_replace_those_of_a_budget():
    stages = "[[sweep.stage]]\nshare = 0.5\n[[sweep.stage]]\nkeep = 1\nrounds = 900"
    budget = f'[sweep.tune]\n"algorithm.*.K" = [1]\n[sweep.budget]\ngradients = 100\n{stages}'
    (line,) = sweep_errors(budget, without="rounds")
    assert line.startswith("sweep.stage.1.rounds: rounds follow from [sweep.budget]; use share")


def test_the_seed_of_a_stage_is_one_that_a_run_may_have():
    last = BASE.replace("seed = 5", f"seed = {2**63 - 1}")
    (line,) = sweep_errors('[sweep.tune]\n"algorithm.*.K" = [1]', base=last)
    assert line.startswith("sweep.stage.1: needs a seed of at most 2^63 - 1, got 92233720")


def test_too_many_points_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr("kavg.sweeps.parser.MOST_POINTS", 100)
    many = '"algorithm.*.K" = { range = [1, 1000] }\n"algorithm.*.P" = { range = [1, 1000] }'
    (line,) = sweep_errors(f'[sweep.grid]\n{many}\n"objective.omega" = {{ range = [1, 1000] }}')
    assert line.startswith("sweep: needs at most 100 points, got more; take fewer values")


def test_too_many_cells_are_refused_and_many_trials_are_not(monkeypatch):
    monkeypatch.setattr("kavg.sweeps.designs.checks.LAST_POINTS", 20)
    grid = '"algorithm.*.K" = { range = [1, 4] }\n"algorithm.*.P" = { range = [1, 3] }'
    (line,) = sweep_errors(f"[sweep.grid]\n{grid}")
    assert line.startswith("sweep: needs at most 20 points in the last stage, got 24; vary less in")
    assert len(sweep_of(f"[sweep.tune]\n{grid}").points) == 24


def test_records_that_do_not_fit_in_memory_are_refused():
    grid = '[sweep.grid]\nrounds = [8, 1_000_000_000_000]\n"algorithm.*.K" = [1, 2, 3]'
    line = sweep_errors(grid)[0]
    assert line.startswith("record: is too large: 1000000000002 recorded rounds of 3 algorithms")


def test_names_must_differ():
    same = BASE.replace("M-AVG", "K-AVG")
    found = sweep_errors('[sweep.grid]\n"algorithm.*.K" = [1, 2]', base=same)
    assert found == ["algorithm: algorithms must have different names, got 'K-AVG' twice"]


@pytest.mark.parametrize(
    "algorithms", ["", "algorithm = 3", "algorithm = []", "[algorithm]\nP = 3"]
)
def test_a_sweep_without_algorithms_is_refused(algorithms):
    base = "\n".join(BASE.split("\n")[:6])
    found = sweep_errors('[sweep.grid]\n"algorithm.*.K" = [1]', base=f"{base}\n{algorithms}")
    assert len(found) == 1
    assert found[0].startswith("algorithm: ")


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ("algorithm.*.K", "--grid algorithm.*.K: needs place=values, got 'algorithm.*.K'; as in "),
        ("algorithm.*.K=", "sweep.grid.'algorithm.*.K': needs at least one value, got []"),
        ("algorithm.*.KK=1", "sweep.grid.'algorithm.*.KK': there is no key 'KK' here; "),
        (
            "algorithm.*.K=1,many",
            "sweep.grid.'algorithm.*.K': needs a number or a table, got 'many'",
        ),
        ("algorithm.*.K={log2=[0]}", "sweep.grid.'algorithm.*.K': log2 must be [low, high] "),
        ("algorithm.*.K=0x" + "f" * 5000, "--grid algorithm.*.K=0xff"),
    ],
)
def test_wrong_grids_of_the_command_line_are_refused(grid, words):
    (line,) = sweep_errors(grids=[grid])
    assert line.startswith(words)


def test_settings_that_vary_nothing_say_how():
    with pytest.raises(KavgError, match=r"^sweep: these settings vary nothing; add \[sweep.grid\]"):
        parse_sweep(BASE)


def test_other_commands_say_what_to_do_with_a_sweep(tmp_path):
    with pytest.raises(KavgError, match=r"^sweep: these settings are many runs; kavg sweep and"):
        parse_config(f"{BASE}\n[sweep.grid]\nrounds = [1]")
    path = tmp_path / "many.toml"
    path.write_text(f"{BASE}\n[sweep.grid]\nrounds = [0]")
    with pytest.raises(KavgError, match=r"many.toml: 1 error\n  sweep: these settings"):
        load_config(path)
    with pytest.raises(KavgError, match=r"many.toml: 1 error\n  sweep.grid.rounds: rounds must"):
        load_sweep(path)


def test_hostile_sweeps_are_refused_in_a_few_short_lines():
    places = "\n".join(f'"objective.key{i}" = [1]' for i in range(5000))
    (line,) = sweep_errors(f"[sweep.grid]\n{places}")
    assert line == "sweep: needs at most 50 places, got 5000"
    (line,) = sweep_errors('[sweep.random]\ntrials = 1_000_000_000\n"algorithm.*.K" = [1]')
    assert line.startswith("sweep.random.trials: trials must be a whole number from 1 to 20000")
    long = ", ".join(map(str, range(100_000)))
    for hostile in (
        f'"objective.omega" = [[{long}]]',
        f'"{"k" * 10**5}" = [1]',
        f"start = [[{long}]]",
    ):
        found = sweep_errors(f"[sweep.grid]\n{hostile}")
        assert all(len(line) < 1000 for line in found)


def test_many_errors_are_counted():
    values = ", ".join(f'"{word}"' for word in map(str, range(100)))
    found = sweep_errors(f'[sweep.grid]\n"algorithm.*.K" = [{values}]')
    assert len(found) <= 21
    assert all(line.startswith("sweep.grid.'algorithm.*.K': needs") for line in found[:20])
