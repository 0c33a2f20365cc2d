"""An adapter in forms that other programs load: open_clip folder, PEFT LoRA folder, ONNX file."""
