//! The tables of the state. `docs/migrate.md` explains them to whoever wants to query them.

/// The layout of the tables. Raised when a column changes its meaning or goes; a program refuses what is newer.
pub(crate) const LAYOUT: i64 = 1;

/// Times are seconds since 1970, `modified` is nanoseconds, digests are 32 bytes, lists and maps are JSON.
pub(crate) const TABLES: &str = "
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  started INTEGER NOT NULL,
  ended INTEGER,
  program TEXT NOT NULL,
  settings TEXT NOT NULL,
  outcome TEXT
) STRICT;
CREATE TABLE sources (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE files (
  id INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES sources,
  path TEXT NOT NULL,
  role TEXT NOT NULL,
  cause TEXT,
  bytes INTEGER NOT NULL,
  modified INTEGER,
  sha256 BLOB,
  link TEXT,
  run INTEGER NOT NULL REFERENCES runs,
  UNIQUE (source, path)
) STRICT;
CREATE TABLE datasets (
  id INTEGER PRIMARY KEY,
  entry INTEGER NOT NULL UNIQUE REFERENCES files,
  target TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  class TEXT,
  cause TEXT,
  settings TEXT,
  extra TEXT,
  images INTEGER,
  pixel_bytes INTEGER,
  objects INTEGER,
  stored_bytes INTEGER,
  digest BLOB,
  proofs TEXT,
  coverage TEXT,
  quality TEXT,
  not_carried TEXT,
  warnings TEXT,
  seconds REAL,
  finished INTEGER,
  run INTEGER REFERENCES runs
) STRICT;
CREATE TABLE members (
  dataset INTEGER NOT NULL REFERENCES datasets,
  file INTEGER NOT NULL REFERENCES files,
  kind TEXT NOT NULL,
  PRIMARY KEY (dataset, file)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_of_file ON members (file);
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY,
  dataset INTEGER NOT NULL REFERENCES datasets,
  run INTEGER NOT NULL REFERENCES runs,
  finished INTEGER NOT NULL,
  seconds REAL NOT NULL,
  class TEXT,
  cause TEXT
) STRICT;
CREATE INDEX attempts_of_dataset ON attempts (dataset);
";
