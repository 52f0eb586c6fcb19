//! Microscopes and what is in them.

use fairzarr_nbo::Record;
use fairzarr_nbo::catalogue;
use fairzarr_nbo::identity::Microscope;
use fairzarr_nbo::record::Object;
use fairzarr_nbo::record::value::is_sentinel;
use fairzarr_nbo::summary::converted;
use rusqlite::types::Value;
use std::collections::HashMap;

use crate::row::{Cell, Writer, real, row, text};

/// Numbers of rows by identifiers of the record.
#[derive(Default)]
pub(crate) struct Hardware {
    pub(crate) instruments: HashMap<String, i64>,
    pub(crate) objectives: HashMap<String, i64>,
    pub(crate) detectors: HashMap<String, i64>,
    pub(crate) light_sources: HashMap<String, i64>,
}

/// A field in the words of the record, unless it is a placeholder.
pub(crate) fn said(object: &Object, field: &str) -> Option<String> {
    let value = &object.field(field)?.value;
    let text = fairzarr_nbo::record::value::text(value).trim().to_owned();
    (!value.is_null() && !text.is_empty() && !is_sentinel(value)).then_some(text)
}

fn number(object: &Object, field: &str) -> Option<f64> {
    let found = object.field(field)?;
    object.number(field).filter(|number| number.is_finite() && !is_sentinel(&found.value))
}

impl Writer<'_> {
    pub(crate) fn hardware(&self, record: &Record) -> rusqlite::Result<Hardware> {
        let mut hardware = Hardware::default();
        for instrument in record.objects.iter().filter(|object| object.class == "Instrument") {
            let number = self.instrument(instrument)?;
            if let Some(id) = instrument.id() {
                hardware.instruments.entry(id.to_owned()).or_insert(number);
            }
            for part in instrument.descendants().into_iter().skip(1) {
                self.part(part, number, &mut hardware)?;
            }
        }
        Ok(hardware)
    }

    fn instrument(&self, instrument: &Object) -> rusqlite::Result<i64> {
        let known = Microscope::of(instrument);
        self.add(
            "instruments",
            &[
                ("store_id", Value::Integer(self.store)),
                ("record_id", text(instrument.id())),
                ("name", text(known.name.as_deref())),
                ("manufacturer", text(known.manufacturer.as_deref())),
                ("model", text(known.model.as_deref())),
                ("serial_number", text(known.serial_number.as_deref())),
                ("uuid", text(known.uuid.as_deref())),
                ("instrument_key", text(known.key().as_deref())),
            ],
        )
    }

    /// Parts that have a table; what of others there is, the record has.
    fn part(&self, part: &Object, instrument: i64, hardware: &mut Hardware) -> rusqlite::Result<()> {
        let is_a = |group: &str| catalogue::class(&part.class).is_some_and(|class| class.is_a(group));
        if part.class == "Objective" {
            let number = self.objective(part, instrument)?;
            if let Some(id) = part.id() {
                hardware.objectives.entry(id.to_owned()).or_insert(number);
            }
            return Ok(());
        }
        let (table, known) = if is_a("DetectorGroup") {
            ("detectors", Some(&mut hardware.detectors))
        } else if is_a("LightSourceGroup") {
            ("light_sources", Some(&mut hardware.light_sources))
        } else if is_a("FilterGroup")
            || ["StandardDichroic", "GenericDichroic"].contains(&part.class.as_str())
        {
            ("filters", None)
        } else {
            return Ok(());
        };
        let mut cells = self.of_part(part, instrument);
        cells.push(("class", text(Some(&part.class))));
        let number = self.add(table, &cells)?;
        self.origins_of_part(table, number, part)?;
        if let (Some(known), Some(id)) = (known, part.id()) {
            known.entry(id.to_owned()).or_insert(number);
        }
        Ok(())
    }

    fn objective(&self, objective: &Object, instrument: i64) -> rusqlite::Result<i64> {
        let distance = number(objective, "WorkingDistance")
            .and_then(|distance| converted(distance, objective.str("WorkingDistanceUnit")?, "mm"));
        let mut cells = self.of_part(objective, instrument);
        let immersion = fairzarr_nbo::summary::immersion(objective);
        cells.extend([
            ("numerical_aperture", real(number(objective, "LensNA"))),
            ("magnification", real(number(objective, "Magnification"))),
            ("immersion", text(immersion.as_deref())),
            ("correction", text(said(objective, "Correction").as_deref())),
            ("working_distance_mm", real(distance)),
        ]);
        let row = self.add("objectives", &cells)?;
        self.origins_of_part("objectives", row, objective)?;
        for (column, field) in [
            ("numerical_aperture", "LensNA"),
            ("magnification", "Magnification"),
            ("immersion", "ImmersionType"),
            ("correction", "Correction"),
            ("working_distance_mm", "WorkingDistance"),
        ] {
            self.origin(("objectives", row, column), Some(objective), field)?;
        }
        Ok(row)
    }

    fn of_part<'c>(&self, part: &Object, instrument: i64) -> Vec<Cell<'c>> {
        let field = |name: &str| text(said(part, name).as_deref());
        vec![
            ("store_id", Value::Integer(self.store)),
            ("instrument_id", row(Some(instrument))),
            ("record_id", text(part.id())),
            ("name", field("Name")),
            ("manufacturer", field("Manufacturer")),
            ("model", field("Model")),
            ("catalog_number", field("CatalogNumber")),
        ]
    }

    fn origins_of_part(&self, table: &str, row: i64, part: &Object) -> rusqlite::Result<()> {
        for (column, field) in [
            ("name", "Name"),
            ("manufacturer", "Manufacturer"),
            ("model", "Model"),
            ("catalog_number", "CatalogNumber"),
        ] {
            self.origin((table, row, column), Some(part), field)?;
        }
        Ok(())
    }
}
