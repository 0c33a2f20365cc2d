"""What a hand does on a picture: measuring and drawing without Qt, dragging with it."""
