"""The frame of the window: rail, pages, menus, notices, status; it knows no page and no project."""
