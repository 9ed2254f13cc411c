"""The registered objective."""

from dataclasses import asdict

import pytest
import spacy
from thinc.api import Config

from spacy_datnet.training.losses import configure_DualAdversarialLoss

SETTINGS = {
    "discriminator": "ad",
    "alpha": 0.35,
    "gamma": 1.5,
    "reversal": 0.7,
    "adversarial_training": False,
    "epsilon_source": 3.0,
    "epsilon_target": 4.0,
    "epsilon_characters": 0.1,
}


def test_settings_of_a_config_reach_the_objective():
    block = Config({"loss": {"@losses": "spacy-datnet.DualAdversarialLoss.v1", **SETTINGS}})
    resolved = spacy.registry.resolve(Config().from_str(block.to_str()))["loss"]
    assert asdict(resolved) == SETTINGS


def test_the_default_is_grad_with_adversarial_training():
    objective = configure_DualAdversarialLoss()
    assert objective.discriminator == "grad"
    assert objective.gamma == 2.0
    assert objective.adversarial_training


@pytest.mark.parametrize(
    "settings, code",
    [
        ({"discriminator": "wasserstein"}, r"DN101.*wasserstein.*grad, ad, none"),
        ({"alpha": -0.1}, r"DN102.*-0\.1"),
        ({"alpha": 1.1}, "DN102"),
        ({"gamma": -1.0}, r"DN103.*gamma is -1\.0"),
        ({"reversal": -1.0}, "DN103.*reversal"),
        ({"epsilon_source": -1.0}, "DN103.*epsilon_source"),
        ({"epsilon_target": -1.0}, "DN103.*epsilon_target"),
        ({"epsilon_characters": -1.0}, "DN103.*epsilon_characters"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, code):
    with pytest.raises(ValueError, match=code):
        configure_DualAdversarialLoss(**settings)


@pytest.mark.parametrize("settings", [{"alpha": 0.0}, {"alpha": 1.0}, {"gamma": 0.0}, {"epsilon_source": 0.0}])
def test_limits_are_allowed(settings):
    objective = asdict(configure_DualAdversarialLoss(**settings))
    assert settings.items() <= objective.items()
