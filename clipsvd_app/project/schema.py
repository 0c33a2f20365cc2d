"""The tables of a project file. A new version appends a script, and never changes one that was released."""

from __future__ import annotations

APPLICATION_ID = 0x43535644  # "CSVD"
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE patient (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE study (
        id INTEGER PRIMARY KEY,
        patient_id INTEGER NOT NULL REFERENCES patient(id) ON DELETE CASCADE,
        key TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        study_id INTEGER NOT NULL REFERENCES study(id) ON DELETE CASCADE,
        key TEXT NOT NULL UNIQUE,
        modality TEXT NOT NULL,
        body_part TEXT NOT NULL,
        display_window TEXT
    ) STRICT;
    CREATE TABLE series_flag (
        id INTEGER PRIMARY KEY,
        series_id INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
        code TEXT NOT NULL,
        sentence TEXT NOT NULL,
        count INTEGER NOT NULL,
        UNIQUE (series_id, code)
    ) STRICT;
    CREATE TABLE image (
        id INTEGER PRIMARY KEY,
        series_id INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
        sha256 TEXT NOT NULL,
        path TEXT NOT NULL,
        frame INTEGER NOT NULL,
        position REAL NOT NULL,
        rows INTEGER NOT NULL,
        columns INTEGER NOT NULL,
        near_hash TEXT NOT NULL,
        burned_in_text INTEGER NOT NULL,
        display_window TEXT,
        crop TEXT,
        mark TEXT NOT NULL DEFAULT '',
        UNIQUE (sha256, frame)
    ) STRICT;
    CREATE INDEX image_series ON image(series_id);
    CREATE TABLE class (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        prompts TEXT NOT NULL,
        position INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE label (
        image_id INTEGER PRIMARY KEY REFERENCES image(id) ON DELETE CASCADE,
        class_id INTEGER NOT NULL REFERENCES class(id) ON DELETE CASCADE
    ) STRICT;
    CREATE INDEX label_class ON label(class_id);
    CREATE TABLE label_event (
        id INTEGER PRIMARY KEY,
        image_id INTEGER NOT NULL,
        class_name TEXT,
        at TEXT NOT NULL,
        reader TEXT NOT NULL DEFAULT '',
        mark TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE TABLE reading (
        id INTEGER PRIMARY KEY,
        image_id INTEGER NOT NULL REFERENCES image(id) ON DELETE CASCADE,
        reader TEXT NOT NULL,
        class_id INTEGER NOT NULL REFERENCES class(id) ON DELETE CASCADE,
        settled_class_id INTEGER REFERENCES class(id) ON DELETE CASCADE,
        UNIQUE (image_id, reader)
    ) STRICT;
    CREATE INDEX reading_class ON reading(class_id);
    CREATE TABLE measure (
        id INTEGER PRIMARY KEY,
        image_id INTEGER NOT NULL REFERENCES image(id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        points TEXT NOT NULL
    ) STRICT;
    CREATE INDEX measure_image ON measure(image_id);
    -- Lists read the summary of a run; its result holds thousands of predictions.
    CREATE TABLE run (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        created TEXT NOT NULL,
        preset TEXT NOT NULL,
        request TEXT NOT NULL,
        result TEXT NOT NULL,
        adapter BLOB NOT NULL,
        summary TEXT NOT NULL
    ) STRICT;
    CREATE TABLE run_classifier (
        run INTEGER NOT NULL REFERENCES run(number) ON DELETE CASCADE,
        method TEXT NOT NULL,
        file BLOB NOT NULL,
        PRIMARY KEY (run, method)
    ) STRICT;
    """,
)
VERSION = len(MIGRATIONS)
