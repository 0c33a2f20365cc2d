"""CLIP-SVD Studio: teach a biomedical vision-language model from a handful of labelled images."""

import os

__version__ = "0.1.0"

# Read once by the hub's libraries when they are loaded, in this process and its children. Nothing here looks
# for models on the network, except clipsvd_app.network.fetching, which takes this back in its own process.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
