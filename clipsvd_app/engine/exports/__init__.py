"""An adapter in forms that other programs load: an open_clip folder, a PEFT LoRA folder, an ONNX file."""

from clipsvd_app.engine.jobs.convert import run_convert

__all__ = ["run_convert"]
