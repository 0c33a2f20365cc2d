"""How the embedded demo backbone is made: phantoms, captions, distillation, alignment, measurement, model card.

Run ``python packaging/demo_backbone/train.py --help``. The installed program never imports this package.
"""
