//! Images, their channels and planes.

use fairzarr_nbo::Record;
use fairzarr_nbo::record::Object;
use fairzarr_nbo::summary::{ChannelSaid, Quantity, Said, converted};
use fairzarr_ome_xml::{Planes, Unit};
use fairzarr_ome_zarr::{OmeImages, Subject, Summaries};
use rusqlite::types::Value;
use serde_json::Value as Json;

use crate::documents::Documents;
use crate::hardware::Hardware;
use crate::row::{Writer, real, row, text, whole};

impl Writer<'_> {
    /// All images; their rows in series order.
    pub(crate) fn images(
        &self,
        documents: &Documents,
        record: &Record,
        hardware: &Hardware,
        with_planes: bool,
    ) -> rusqlite::Result<Vec<i64>> {
        let Documents { root, ome, images, metadata, .. } = documents;
        let described = OmeImages::new(metadata.clone(), images.len(), root, ome);
        let summaries = Summaries::new(record, root, ome);
        let objects: Vec<&Object> = record.objects.iter().filter(|object| object.class == "Image").collect();
        let mut rows = Vec::new();
        for (series, image) in images.iter().enumerate() {
            let summary = summaries.whole(&Subject {
                series,
                path: &image.path,
                attributes: &image.attributes,
                shape: &image.shape,
                data_type: &image.data_type,
                in_model: described.in_model(series),
                planes: described.planes(series),
            });
            let said = summaries.said(series).unwrap_or_default();
            let number = record.in_store.as_ref().and_then(|held| held.get(series).copied().flatten());
            let object = number.and_then(|number| objects.get(number).copied());
            let image = self.image((series, &image.path), &summary, &said, object, hardware)?;
            self.channels(image, &summary, &said, object, hardware)?;
            for calibration in &said.calibrations {
                self.add(
                    "image_qc",
                    &[
                        ("image_id", row(Some(image))),
                        ("kind", text(Some(calibration.kind))),
                        ("outcome", text(Some(&calibration.outcome.to_string()))),
                        ("date", text(calibration.date.as_deref())),
                        ("age_days", row(calibration.age_days)),
                        ("reason", text(Some(&calibration.text))),
                    ],
                )?;
            }
            if with_planes && let Some(planes) = described.planes(series) {
                self.planes(image, planes)?;
            }
            rows.push(image);
        }
        Ok(rows)
    }

    fn image(
        &self,
        (series, path): (usize, &str),
        summary: &Json,
        said: &Said,
        object: Option<&Object>,
        hardware: &Hardware,
    ) -> rusqlite::Result<i64> {
        let member = |name: &str| text(summary[name].as_str());
        let size = |axis: &str| whole(summary["size"][axis].as_u64());
        let pixel = |axis: &str, unit: &str| real(quantity(&summary["pixelSize"][axis], unit));
        let tier = |member: &str| {
            let tiers = summary["coverage"][0]["tiers"].as_array().into_iter().flatten();
            whole(tiers.filter(|tier| tier["tier"] == 1).find_map(|tier| tier[member].as_u64()))
        };
        let microscope = said.microscope.as_ref().and_then(|of| hardware.instruments.get(&of.id));
        let objective = said.objective.as_ref().and_then(|of| hardware.objectives.get(&of.id));
        let image = self.add(
            "images",
            &[
                ("store_id", Value::Integer(self.store)),
                ("series", whole(Some(series as u64))),
                ("path", text(Some(path))),
                ("record_id", text(object.and_then(Object::id))),
                ("name", member("name")),
                ("acquisition_date", member("acquisitionDate")),
                ("acquired", member("acquired")),
                ("sample_type", text(summary["type"].as_str().filter(|name| !name.is_empty()))),
                ("size_t", size("t")),
                ("size_c", size("c")),
                ("size_z", size("z")),
                ("size_y", size("y")),
                ("size_x", size("x")),
                ("pixel_size_x_um", pixel("x", "µm")),
                ("pixel_size_y_um", pixel("y", "µm")),
                ("pixel_size_z_um", pixel("z", "µm")),
                ("time_increment_s", pixel("t", "s")),
                ("instrument_id", row(microscope.copied())),
                ("objective_id", row(objective.copied())),
                ("tier_1_filled", tier("filled")),
                ("tier_1_asked", tier("of")),
            ],
        )?;
        let pixels = object.and_then(|object| object.child("Pixels"));
        self.origin(("images", image, "acquisition_date"), object, "AcquisitionDate")?;
        for (column, field) in [
            ("pixel_size_x_um", "PhysicalSizeX"),
            ("pixel_size_y_um", "PhysicalSizeY"),
            ("pixel_size_z_um", "PhysicalSizeZ"),
            ("time_increment_s", "TimeIncrement"),
        ] {
            self.origin(("images", image, column), pixels, field)?;
        }
        Ok(image)
    }

    fn channels(
        &self,
        image: i64,
        summary: &Json,
        said: &Said,
        object: Option<&Object>,
        hardware: &Hardware,
    ) -> rusqlite::Result<()> {
        let channels = summary["channels"].as_array().map(Vec::as_slice).unwrap_or_default();
        let objects: Vec<&Object> = object
            .and_then(|object| object.child("Pixels"))
            .into_iter()
            .flat_map(|pixels| pixels.children_of("Channel"))
            .collect();
        // A pixel of several samples is one channel of the record, and as many of the array.
        let places = said.channels.iter().enumerate();
        let places: Vec<usize> = places
            .flat_map(|(number, of)| std::iter::repeat_n(number, of.samples.min(channels.len())))
            .take(channels.len() + 1)
            .collect();
        let none = ChannelSaid::default();
        for (index, channel) in channels.iter().enumerate() {
            let number = if places.len() == channels.len() {
                places.get(index).copied()
            } else {
                Some(index).filter(|_| said.channels.len() == channels.len())
            };
            let of = number.and_then(|number| said.channels.get(number)).unwrap_or(&none);
            let light = of.light_source_id.as_ref().and_then(|id| hardware.light_sources.get(id));
            let detector = of.detector_id.as_ref().and_then(|id| hardware.detectors.get(id));
            let exposure = |member: &str| {
                let seconds = channel["exposure"][member].as_f64();
                real(seconds.and_then(|seconds| converted(seconds, "s", "ms")))
            };
            let row = self.add(
                "channels",
                &[
                    ("image_id", row(Some(image))),
                    ("channel", whole(Some(index as u64))),
                    ("name", text(channel["name"].as_str())),
                    ("fluorophore", text(channel["fluorophore"].as_str())),
                    ("excitation_nm", real(quantity(&channel["excitation"], "nm"))),
                    ("emission_nm", real(quantity(&channel["emission"], "nm"))),
                    ("exposure_min_ms", exposure("min")),
                    ("exposure_max_ms", exposure("max")),
                    ("light_source_id", row(light.copied())),
                    ("detector_id", row(detector.copied())),
                ],
            )?;
            let object = number.and_then(|number| objects.get(number).copied());
            let dye = object.and_then(|object| object.child("Fluorophore"));
            self.origin(("channels", row, "name"), object, "Name")?;
            for (column, field) in [
                ("fluorophore", "Name"),
                ("excitation_nm", "ExcitationWavelength"),
                ("emission_nm", "EmissionWavelength"),
            ] {
                self.origin(("channels", row, column), dye, field)?;
            }
        }
        Ok(())
    }

    fn planes(&self, image: i64, planes: &Planes) -> rusqlite::Result<()> {
        let value = |of: Option<(f64, Unit)>, unit: &str| {
            real(of.and_then(|(value, from)| Quantity::new(value, from.symbol(), "").in_unit(unit)))
        };
        for plane in 0..planes.len() {
            let index = |column: &[u32]| whole(column.get(plane).map(|index| u64::from(*index)));
            self.add(
                "planes",
                &[
                    ("image_id", row(Some(image))),
                    ("t", index(&planes.the_t)),
                    ("c", index(&planes.the_c)),
                    ("z", index(&planes.the_z)),
                    ("delta_t_s", value(planes.delta_t.get(plane), "s")),
                    ("exposure_ms", value(planes.exposure_time.get(plane), "ms")),
                    ("position_x_um", value(planes.position_x.get(plane), "µm")),
                    ("position_y_um", value(planes.position_y.get(plane), "µm")),
                    ("position_z_um", value(planes.position_z.get(plane), "µm")),
                ],
            )?;
        }
        Ok(())
    }
}

/// A quantity of a summary in a unit.
fn quantity(json: &Json, unit: &str) -> Option<f64> {
    converted(json["value"].as_f64()?, json["unit"].as_str()?, unit)
}
