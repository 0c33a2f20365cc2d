"""The Settings page: backbones, prompts, device, look, privacy and caches."""
