"""The look: themes, icons, colours and signs."""
