"""What computes: backbones, singular values, training, estimates. The one part that loads torch.

What the numeric libraries read once, when they are loaded, is set here, before any of them is.
"""

import os

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# How long threads of libgomp spin before they sleep while they wait for one another. The library's own choice
# made steps up to ten times slower beside one other busy process; sleeping at once made them 1.5 times slower
# on a quiet machine. This loses little in either case.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")
