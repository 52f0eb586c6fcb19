//! The tables. `docs/catalog.md` says what is in each column; a test compares the two.

/// Version of the tables; another one is not written to.
pub(crate) const VERSION: i32 = 1;

/// Marks an SQLite file as a catalogue of ours: `FZCA`.
pub(crate) const APPLICATION: i32 = 0x465A_4341;

/// Every table with its columns; a table comes after those that it refers to. Rows of a store go with it.
pub(crate) const TABLES: [(&str, &str); 17] = [
    (
        "stores",
        "store_id INTEGER PRIMARY KEY, location TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL, ngff_version TEXT, \
         program TEXT, program_version TEXT, images INTEGER NOT NULL",
    ),
    (
        "sources",
        "source_id INTEGER PRIMARY KEY, store_id INTEGER NOT NULL REFERENCES stores ON DELETE CASCADE, path TEXT, \
         name TEXT, role TEXT, media_type TEXT, sha256 TEXT, size_bytes INTEGER",
    ),
    (
        "instruments",
        "instrument_id INTEGER PRIMARY KEY, store_id INTEGER NOT NULL REFERENCES stores ON DELETE CASCADE, \
         record_id TEXT, name TEXT, manufacturer TEXT, model TEXT, serial_number TEXT, uuid TEXT, instrument_key TEXT",
    ),
    (
        "objectives",
        "objective_id INTEGER PRIMARY KEY, store_id INTEGER NOT NULL REFERENCES stores ON DELETE CASCADE, \
         instrument_id INTEGER NOT NULL REFERENCES instruments ON DELETE CASCADE, record_id TEXT, name TEXT, \
         manufacturer TEXT, model TEXT, catalog_number TEXT, numerical_aperture REAL, magnification REAL, \
         immersion TEXT, correction TEXT, working_distance_mm REAL",
    ),
    (
        "detectors",
        "detector_id INTEGER PRIMARY KEY, store_id INTEGER NOT NULL REFERENCES stores ON DELETE CASCADE, \
         instrument_id INTEGER NOT NULL REFERENCES instruments ON DELETE CASCADE, record_id TEXT, class TEXT, \
         name TEXT, manufacturer TEXT, model TEXT, catalog_number TEXT",
    ),
    (
        "light_sources",
        "light_source_id INTEGER PRIMARY KEY, store_id INTEGER NOT NULL REFERENCES stores ON DELETE CASCADE, \
         instrument_id INTEGER NOT NULL REFERENCES instruments ON DELETE CASCADE, record_id TEXT, class TEXT, \
         name TEXT, manufacturer TEXT, model TEXT, catalog_number TEXT",
    ),
    (
        "filters",
        "filter_id INTEGER PRIMARY KEY, store_id INTEGER NOT NULL REFERENCES stores ON DELETE CASCADE, \
         instrument_id INTEGER NOT NULL REFERENCES instruments ON DELETE CASCADE, record_id TEXT, class TEXT, \
         name TEXT, manufacturer TEXT, model TEXT, catalog_number TEXT",
    ),
    (
        "images",
        "image_id INTEGER PRIMARY KEY, store_id INTEGER NOT NULL REFERENCES stores ON DELETE CASCADE, \
         series INTEGER NOT NULL, path TEXT NOT NULL, record_id TEXT, name TEXT, acquisition_date TEXT, acquired TEXT, \
         sample_type TEXT, size_t INTEGER, size_c INTEGER, size_z INTEGER, size_y INTEGER, size_x INTEGER, \
         pixel_size_x_um REAL, pixel_size_y_um REAL, pixel_size_z_um REAL, time_increment_s REAL, \
         instrument_id INTEGER REFERENCES instruments ON DELETE CASCADE, \
         objective_id INTEGER REFERENCES objectives ON DELETE CASCADE, tier_1_filled INTEGER, tier_1_asked INTEGER",
    ),
    (
        "channels",
        "channel_id INTEGER PRIMARY KEY, image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE, \
         channel INTEGER NOT NULL, name TEXT, fluorophore TEXT, excitation_nm REAL, emission_nm REAL, \
         exposure_min_ms REAL, exposure_max_ms REAL, \
         light_source_id INTEGER REFERENCES light_sources ON DELETE CASCADE, \
         detector_id INTEGER REFERENCES detectors ON DELETE CASCADE",
    ),
    (
        "planes",
        "image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE, t INTEGER NOT NULL, c INTEGER NOT NULL, \
         z INTEGER NOT NULL, delta_t_s REAL, exposure_ms REAL, position_x_um REAL, position_y_um REAL, position_z_um REAL",
    ),
    (
        "qc_events",
        "qc_event_id INTEGER PRIMARY KEY, store_id INTEGER NOT NULL REFERENCES stores ON DELETE CASCADE, \
         kind TEXT NOT NULL, record_id TEXT, date TEXT, instrument_id INTEGER REFERENCES instruments ON DELETE CASCADE, \
         objective_id INTEGER REFERENCES objectives ON DELETE CASCADE, channels TEXT, wavelength_nm REAL, \
         point_spread_function INTEGER, standard TEXT, software TEXT",
    ),
    (
        "qc_metrics",
        "qc_event_id INTEGER NOT NULL REFERENCES qc_events ON DELETE CASCADE, name TEXT NOT NULL, value REAL NOT NULL, \
         unit TEXT, unit_from TEXT, statistic TEXT, n INTEGER, sd REAL",
    ),
    (
        "image_qc",
        "image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE, kind TEXT NOT NULL, outcome TEXT NOT NULL, \
         date TEXT, age_days INTEGER, reason TEXT NOT NULL",
    ),
    (
        "annotations",
        "annotation_id INTEGER PRIMARY KEY, store_id INTEGER NOT NULL REFERENCES stores ON DELETE CASCADE, \
         image_id INTEGER REFERENCES images ON DELETE CASCADE, ome_id TEXT, kind TEXT NOT NULL, namespace TEXT, \
         key TEXT, value TEXT",
    ),
    (
        "rois",
        "roi_id INTEGER PRIMARY KEY, store_id INTEGER NOT NULL REFERENCES stores ON DELETE CASCADE, \
         image_id INTEGER REFERENCES images ON DELETE CASCADE, ome_id TEXT, name TEXT, shapes INTEGER NOT NULL, \
         shape_kinds TEXT",
    ),
    (
        "origins",
        "store_id INTEGER NOT NULL REFERENCES stores ON DELETE CASCADE, table_name TEXT NOT NULL, row_id INTEGER NOT NULL, \
         column_name TEXT NOT NULL, said_as TEXT NOT NULL, kind TEXT NOT NULL, origin TEXT",
    ),
    ("problems", "location TEXT NOT NULL PRIMARY KEY, reason TEXT NOT NULL"),
];

/// Columns by which rows are looked for: by those who ask, and where rows go with others.
const INDEXES: [(&str, &str); 26] = [
    ("sources", "store_id"),
    ("instruments", "store_id"),
    ("objectives", "store_id"),
    ("objectives", "instrument_id"),
    ("detectors", "store_id"),
    ("detectors", "instrument_id"),
    ("light_sources", "store_id"),
    ("light_sources", "instrument_id"),
    ("filters", "store_id"),
    ("filters", "instrument_id"),
    ("images", "store_id"),
    ("images", "instrument_id"),
    ("images", "objective_id"),
    ("channels", "image_id"),
    ("channels", "light_source_id"),
    ("channels", "detector_id"),
    ("planes", "image_id"),
    ("qc_events", "store_id"),
    ("qc_events", "instrument_id"),
    ("qc_events", "objective_id"),
    ("qc_metrics", "qc_event_id"),
    ("image_qc", "image_id"),
    ("annotations", "store_id"),
    ("annotations", "image_id"),
    ("rois", "store_id"),
    ("rois", "image_id"),
];

/// What makes an empty file a catalogue.
pub(crate) fn statements() -> String {
    let tables = TABLES.iter().map(|(name, columns)| format!("CREATE TABLE {name} ({columns});"));
    let indexes = INDEXES.iter().chain(&[("origins", "store_id")]);
    let indexes =
        indexes.map(|(table, column)| format!("CREATE INDEX {table}_{column} ON {table} ({column});"));
    let marks =
        [format!("PRAGMA application_id = {APPLICATION};"), format!("PRAGMA user_version = {VERSION};")];
    tables.chain(indexes).chain(marks).collect::<Vec<_>>().join("\n")
}
