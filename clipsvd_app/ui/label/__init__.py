"""The widgets of the Label page; they show what they are given and say what was asked for."""
