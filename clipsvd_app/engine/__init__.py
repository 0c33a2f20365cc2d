"""What computes: backbones, singular values, training, estimates. The one part that loads torch.

What the numeric libraries read once, when they are loaded, is set here, before any of them is.
"""

import os

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Threads of libgomp spin while they wait for one another; beside any other busy process that made small
# training steps forty times slower than sleeping does.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
