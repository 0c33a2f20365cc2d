"""Backbones: folders checked and loaded, their towers, tokenizer and prompts."""
