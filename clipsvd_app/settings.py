"""Where the program keeps its own files, and what the user has chosen."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import platformdirs

from clipsvd_app.errors import own_folder_errors
from clipsvd_app.files import write_whole

APP = "clipsvd-studio"
HOME_VARIABLE = "CLIPSVD_HOME"
SETTINGS_VERSION = 1
THUMBNAIL_PX = 86
ThemeName = Literal["dark", "light"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The user's choices. backbones: folder by name. opened: when each recent project was opened last.

    thumbnail_px: the side of the pool's thumbnails.
    """

    theme: ThemeName = "dark"
    device: str = "auto"
    backbones: tuple[tuple[str, str], ...] = ()
    recent_projects: tuple[str, ...] = ()
    opened: tuple[tuple[str, str], ...] = ()
    show_identity: bool = False
    next_after_label: bool = True
    thumbnail_px: int = THUMBNAIL_PX
    show_file_names: bool = False

    def with_backbone(self, name: str, folder: str) -> Settings:
        """Return settings in which ``name`` stands for ``folder``."""
        others = tuple(entry for entry in self.backbones if entry[0] != name)
        return replace(self, backbones=(*others, (name, folder)))

    def with_recent(self, path: str, moment: str = "") -> Settings:
        """Return settings with ``path``, opened at an ISO 8601 moment, first among the last ten projects."""
        recent = (path, *(entry for entry in self.recent_projects if entry != path))[:10]
        opened = {**dict(self.opened), path: moment}
        return replace(self, recent_projects=recent, opened=tuple((p, opened.get(p, "")) for p in recent))

    def without_recent(self, path: str) -> Settings:
        """Return settings that do not list ``path`` among the projects."""
        return replace(
            self,
            recent_projects=tuple(entry for entry in self.recent_projects if entry != path),
            opened=tuple(entry for entry in self.opened if entry[0] != path),
        )


def config_folder() -> Path:
    """Return the folder of the settings file; ``CLIPSVD_HOME`` moves everything elsewhere."""
    return _home("config", platformdirs.user_config_path(APP))


def cache_folder() -> Path:
    """Return the folder whose contents may be deleted at any time."""
    return _home("cache", platformdirs.user_cache_path(APP))


def data_folder() -> Path:
    """Return the folder of demo studies, fetched backbones and run folders."""
    return _home("data", platformdirs.user_data_path(APP))


def load_settings() -> Settings:
    """Read the settings; a missing or damaged file gives the defaults."""
    try:
        stored = json.loads(_settings_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Settings()
    return _from_stored(stored) if isinstance(stored, dict) else Settings()


def save_settings(settings: Settings) -> None:
    """Write the settings whole or not at all; UserError where their folder cannot be written."""
    target = _settings_file()
    stored = {
        "version": SETTINGS_VERSION,
        "theme": settings.theme,
        "device": settings.device,
        "backbones": dict(settings.backbones),
        "recent_projects": list(settings.recent_projects),
        "opened": dict(settings.opened),
        "show_identity": settings.show_identity,
        "next_after_label": settings.next_after_label,
        "thumbnail_px": settings.thumbnail_px,
        "show_file_names": settings.show_file_names,
    }
    with own_folder_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, json.dumps(stored, indent=1).encode())


def _from_stored(stored: dict[str, object]) -> Settings:
    backbones = stored.get("backbones")
    recent, opened = stored.get("recent_projects"), stored.get("opened")
    side = stored.get("thumbnail_px")
    return Settings(
        theme="light" if stored.get("theme") == "light" else "dark",
        device=str(stored.get("device", "auto")),
        backbones=tuple((str(k), str(v)) for k, v in backbones.items())
        if isinstance(backbones, dict)
        else (),
        recent_projects=tuple(str(path) for path in recent) if isinstance(recent, list) else (),
        opened=tuple((str(k), str(v)) for k, v in opened.items()) if isinstance(opened, dict) else (),
        show_identity=stored.get("show_identity") is True,
        show_file_names=stored.get("show_file_names") is True,
        next_after_label=stored.get("next_after_label") is not False,
        thumbnail_px=side if type(side) is int else THUMBNAIL_PX,
    )


def _settings_file() -> Path:
    return config_folder() / "settings.json"


def _home(part: str, default: Path) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    return Path(home) / part if home else default
