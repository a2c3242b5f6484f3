import tomllib
from dataclasses import replace

import numpyro.distributions as dist
import pytest

from bayesmix import laws, modelfile
from bayesmix.errors import BayesmixError, InputError, WouldOverwriteError
from bayesmix.law import prior, reference
from bayesmix.model import Model
from bayesmix.noise import NOISES
from bayesmix.pooling import Pooling

EVERYTHING = """
law = "chinchilla"
noise = "log_normal"
name = "mine"
description = "A \\"quoted\\" word."
targets = ["loss.web", "loss.code"]

[priors]
alpha = 0.5
sigma = { HalfNormal = [0.02] }
E = { LogNormal = [-0.4, 0.3] }

[pooling]
E = { by = "family" }
beta = { by = "family", kind = "none" }

[covariates]
D = "tokens seen"

[published."a fit"]
source = "somewhere"
E = 1
A = 2
B = 3
alpha = 0.1
beta = 0.2
N0 = 1
D0 = 1
"""


def test_everything_that_a_file_can_say_is_read():
    model = modelfile.loads(EVERYTHING)
    assert model.name == "mine"
    assert model.description == 'A "quoted" word.'
    assert model.noise.name == "log_normal"
    assert model.targets == ("loss.web", "loss.code")
    assert model.quantities["alpha"] == 0.5
    assert isinstance(model.quantities["sigma"].distribution, dist.HalfNormal)
    assert model.quantities["E"].relative
    assert model.pooling == {"E": Pooling("family", "partial"), "beta": Pooling("family", "none")}
    assert model.columns["D"] == "tokens seen"
    assert model.published["a fit"]["B"] == 3


def test_everything_is_written_again():
    model = modelfile.loads(EVERYTHING)
    text = modelfile.dumps(model)
    again = modelfile.loads(text)
    assert modelfile.dumps(again) == text
    assert (again.pooling, again.targets, again.covariates) == (model.pooling, model.targets, model.covariates)
    assert again.published == model.published
    assert again.description == model.description
    assert again.quantities["alpha"] == 0.5
    assert '[priors]\nE = { "LogNormal" = ' not in text, "bare keys need no quotes"
    assert "sigma = { HalfNormal = [0.02] }" in text


def test_a_complete_file_has_every_prior_and_is_the_same_model():
    model = Model(laws.get("chinchilla"), NOISES["log_normal"], name="m").given(beta=0.37)
    text = modelfile.dumps(model, complete=True)
    assert set(tomllib.loads(text)["priors"]) == {"E", "A", "B", "alpha", "beta", "sigma"}
    assert modelfile.dumps(modelfile.loads(text)) == modelfile.dumps(model)


@pytest.mark.parametrize("text", ["a\x7fb", 'a "quoted" \\ name', "two\nlines", "ü", ""])
def test_any_text_is_written_so_that_it_is_read_again(text):
    model = Model(laws.get("chinchilla"), NOISES["log_normal"], name="m", covariates={"D": text or "D"})
    model = replace(model, description=text, pooling={"E": Pooling("family\x7f", "none")}, published={text: {"A": 1.0}})
    again = tomllib.loads(modelfile.dumps(model))
    assert again.get("description", "") == text
    assert again["covariates"] == {"D": text or "D"}
    assert again["pooling"]["E"]["by"] == "family\x7f"
    assert again["published"] == {text: {"A": 1.0}}


def test_a_file_is_written_whole_and_never_over_another(tmp_path):
    model = modelfile.loads(EVERYTHING)
    path = model.write(tmp_path / "m.toml")
    assert modelfile.dumps(Model.read(path)) == modelfile.dumps(model)
    with pytest.raises(WouldOverwriteError):
        model.write(path)


def test_a_name_is_a_ready_model_and_a_path_is_a_file(tmp_path):
    assert Model.read("chinchilla").name == "chinchilla"
    (tmp_path / "own.toml").write_text('law = "constant"')
    assert Model.read(tmp_path / "own.toml").name == "own"
    with pytest.raises(BayesmixError) as caught:
        Model.read("chinchila")
    assert str(caught.value) == "there is no model file or ready model 'chinchila'. Did you mean 'chinchilla'?"


def test_every_fault_is_listed_at_once():
    bad = """
law = "chinchilla"
noise = "log_normla"
lwa = 1
targets = "loss"

[priors]
E = { LogNormla = [0, 1] }
A = "big"
B = { Normal = [0] }

[pooling]
alpha = { by = "family", kind = "some" }
beta = 3

[published.x]
source = "y"
E = 1
A = 1
B = 1
alpah = 1
beta = 1
N0 = 1
D0 = 1
"""
    with pytest.raises(InputError) as caught:
        modelfile.loads(bad, source="bad.toml")
    assert str(caught.value).startswith("bad.toml: 10 faults\n  unknown key 'lwa'. Did you mean 'law'?\n  targets is")
    assert [f.what for f in caught.value.faults] == [
        "unknown key 'lwa'",
        "targets is 'loss'",
        "there is no noise 'log_normla'",
        "pooling of 'alpha': its kind is 'some'",
        "pooling of 'beta' is 3",
        "prior of 'E': unknown prior family 'LogNormla'",
        "prior of 'A' is 'big'",
        "prior of 'B': Normal takes [loc, scale], not [0]",
        "published.x has 'alpah'",
        "published.x lacks alpha",
    ]


def test_every_value_of_the_wrong_kind_is_listed_at_once():
    bad = """
law = "chinchilla"
[priors]
A = { LogNormal = "01" }
B = { Uniform = [2, 1] }
alpha = nan
beta = inf
[covariates]
N = 3
D = ""
[pooling]
E = { by = 3, spread = "x" }
[published.x]
source = 3
E = "big"
A = nan
B = [1, [2, "x"]]
alpha = true
beta = []
N0 = [1, [2.5]]
D0 = 1
"""
    with pytest.raises(InputError) as caught:
        modelfile.loads(bad)
    assert str(caught.value).splitlines() == [
        "model: 14 faults",
        "  pooling of 'E': it is by 3. Write the name of a label column in quotes",
        "  pooling of 'E': its spread is 'x'. Write a finite number above 0",
        "  prior of 'A': LogNormal takes [loc, scale], not '01'. "
        "Write as many finite numbers, in brackets and without quotes",
        "  prior of 'B': Uniform takes [low, high], not [2, 1]. Write the lower end first",
        "  prior of 'alpha' is nan. Write a finite number, or a prior such as { LogNormal = [0, 1] }",
        "  prior of 'beta' is inf. Write a finite number, or a prior such as { LogNormal = [0, 1] }",
        "  covariates has N = 3. Write the name of a column in quotes",
        "  covariates has D = ''. Write the name of a column in quotes",
        "  source of published.x is 3. Write text in quotes",
        "  published.x has E = 'big'. Write a finite number, or a list of them",
        "  published.x has A = nan. Write a finite number, or a list of them",
        "  published.x has B = [1, [2, 'x']]. Write a finite number, or a list of them",
        "  published.x has alpha = True. Write a finite number, or a list of them",
        "  published.x has beta = []. Write a finite number, or a list of them",
    ]


def test_every_unknown_name_is_listed_at_once():
    bad = """
law = "chinchilla"
[priors]
alhpa = 0.3
nuu = 4
[pooling]
N0 = { by = "family" }
[covariates]
X = "D"
"""
    with pytest.raises(InputError) as caught:
        modelfile.loads(bad)
    assert str(caught.value).splitlines() == [
        "model: 4 faults",
        "  priors has an unknown quantity 'alhpa'. Did you mean 'alpha'?",
        "  priors has an unknown quantity 'nuu'. Did you mean 'nu'?",
        "  pooling has an unknown pooled quantity 'N0'. Known: A, B, E, alpha, beta, nu, sigma",
        "  covariates has an unknown covariate 'X'. Known: D, N",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('noise = "normal"', "there is no law ''. Known: "),
        ("law = 3", "law is 3. Write text in quotes"),
        ('law = "constant"\npriors = 3', "priors is 3. Write a table [priors]"),
        ('law = "constant"\npooling = 3', "pooling is 3. Write a table [pooling]"),
        ('law = "constant"\n[published]\nx = 3', "published is {'x': 3}. Write a table [published.NAME]"),
        ('law = "constant"\n[priors]\nL0 = true', "prior of 'L0' is True. Write a finite number, or a prior such as "),
        ('law = "constant"\n[published.x]\nL0 = 2', "published.x has no source. Say where the numbers come from"),
        ("law = ", "not a TOML file: Invalid value (at end of document). Mend the line named"),
        ('law = "ye_m4"\n[priors]\nt = { LogNormal = [0, 1] }', "zero_sum needs a Normal prior centred on 0"),
        ('law = "chinchilla"\n[pooling]\nE = { by = "target" }', "pooling of 'E': it is by 'target'"),
        ('law = "chinchilla"\n[priors]\nN0 = { Normal = [0, 1] }', "N0 of model chinchilla is a constant"),
    ],
)
def test_a_bad_file_says_what_to_write(text, fault):
    with pytest.raises(InputError) as caught:
        modelfile.loads(text)
    assert str(caught.value).splitlines()[1].strip().startswith(fault)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "m.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BayesmixError, match=r"m.toml cannot be read: 'utf-8' codec"):
        Model.read(tmp_path / "m.toml")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (reference("N"), "alpha of model m was made a reference, which a model file cannot say"),
        (
            prior(dist.LogNormal(-1.4, 0.6), "", "x", relative=True),
            "alpha of model m has other dimensions, or is relative to something else, than the law declares, which a "
            "model file cannot say. Declare a law of its own",
        ),
    ],
)
def test_what_a_file_cannot_say_is_not_written(change, text):
    model = Model(laws.get("chinchilla"), NOISES["log_normal"], name="m").given(alpha=change)
    with pytest.raises(BayesmixError) as caught:
        modelfile.dumps(model)
    assert str(caught.value) == text


def test_law_and_noise_may_not_share_a_name():
    law = laws.get("chinchilla")
    clash = replace(law, quantities={**law.quantities, "sigma": 1.0})
    with pytest.raises(BayesmixError) as caught:
        Model(clash)
    assert str(caught.value) == "law chinchilla and noise log_student_t both have a quantity 'sigma'"
