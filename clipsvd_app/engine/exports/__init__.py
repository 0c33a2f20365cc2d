"""An adapter in forms that other programs load: an open_clip folder, a PEFT LoRA folder, an ONNX file."""
