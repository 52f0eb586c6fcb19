//! Every table as a CSV file, for whoever has no SQLite.

use rusqlite::types::ValueRef;
use std::fs;
use std::io;
use std::path::Path;

use crate::schema::TABLES;
use crate::{Catalog, Error};

impl Catalog {
    /// Writes each table to `TABLE.csv` in a directory, in UTF-8 with a header; what is not known is an empty field. A file is
    /// replaced when the new one is whole.
    ///
    /// # Errors
    /// When the catalogue cannot be read or a file cannot be written.
    pub fn export(&self, directory: &Path) -> Result<(), Error> {
        for (table, _) in TABLES {
            let path = directory.join(format!("{table}.csv"));
            let place = path.display().to_string();
            let cannot = |source: io::Error| Error::Write { place: place.clone(), source };
            let new = directory.join(format!(".{table}.csv.new"));
            let mut writer = csv::Writer::from_writer(fs::File::create(&new).map_err(cannot)?);
            self.table(table, &mut writer)?.map_err(|error| cannot(error.into()))?;
            writer.flush().map_err(cannot)?;
            drop(writer);
            fs::rename(&new, &path).map_err(cannot)?;
        }
        Ok(())
    }

    /// The outer error is the database's, the inner one the file's.
    fn table(&self, table: &str, writer: &mut csv::Writer<fs::File>) -> Result<csv::Result<()>, Error> {
        let of = |source| Error::of(&self.place, source);
        let mut statement = self.db.prepare(&format!("SELECT * FROM {table} ORDER BY rowid")).map_err(of)?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        if let Err(error) = writer.write_record(&names) {
            return Ok(Err(error));
        }
        let mut rows = statement.query([]).map_err(of)?;
        while let Some(row) = rows.next().map_err(of)? {
            let mut fields = Vec::with_capacity(names.len());
            for column in 0..names.len() {
                fields.push(match row.get_ref(column).map_err(of)? {
                    ValueRef::Null => String::new(),
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Real(number) => number.to_string(),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                        String::from_utf8_lossy(bytes).into_owned()
                    }
                });
            }
            if let Err(error) = writer.write_record(&fields) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }
}
