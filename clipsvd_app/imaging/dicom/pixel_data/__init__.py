"""DICOM pixel data: where they lie, how they are decoded, and what is laid over them."""
