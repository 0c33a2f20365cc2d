"""How the embedded demo backbone is made: phantoms, captions, distillation, matching, figures, card.

Run ``python packaging/demo_backbone/train.py --help``. The installed program never imports this package.
"""
