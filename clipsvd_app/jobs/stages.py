"""The stages of a training that count optimiser steps; each may follow the name of a fold.

Where one of them is not needed it is reported once, as done and without metrics.
"""

from __future__ import annotations

CHOICE_STAGE = "Choosing how much to adapt"
TRAIN_STAGE = "Training"
STEP_STAGES = (CHOICE_STAGE, TRAIN_STAGE)
