"""The image viewer: one frame, its window, its overlays."""
