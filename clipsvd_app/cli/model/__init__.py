"""Commands for models: backbones, training, adapters, explanations."""
