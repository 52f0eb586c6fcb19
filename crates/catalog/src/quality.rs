//! Quality control: calibrations and what they measured.

use fairzarr_nbo::Record;
use fairzarr_nbo::qc::{self, Wavelength};
use rusqlite::types::Value;

use crate::hardware::Hardware;
use crate::row::{Writer, real, row, text, whole};

impl Writer<'_> {
    pub(crate) fn quality(&self, record: &Record, hardware: &Hardware) -> rusqlite::Result<()> {
        for event in qc::index(record).events {
            let instrument = event.instrument.as_ref().and_then(|id| hardware.instruments.get(id));
            let objective = event.objective.as_ref().and_then(|id| hardware.objectives.get(id));
            let channels = event.channels.join(", ");
            let number = self.add(
                "qc_events",
                &[
                    ("store_id", Value::Integer(self.store)),
                    ("kind", text(Some(&event.kind))),
                    ("record_id", text(event.id.as_deref())),
                    ("date", text(event.date.as_deref())),
                    ("instrument_id", row(instrument.copied())),
                    ("objective_id", row(objective.copied())),
                    ("channels", text(Some(channels.as_str()).filter(|names| !names.is_empty()))),
                    ("wavelength_nm", real(event.wavelength.as_ref().and_then(Wavelength::nanometres))),
                    ("point_spread_function", row(event.point_spread_function.map(i64::from))),
                    ("standard", text(event.standard.as_deref())),
                    ("software", text(event.software.as_deref())),
                ],
            )?;
            for metric in event.metrics.iter().filter(|metric| metric.value.is_finite()) {
                self.add(
                    "qc_metrics",
                    &[
                        ("qc_event_id", row(Some(number))),
                        ("name", text(Some(&metric.name))),
                        ("value", real(Some(metric.value))),
                        ("unit", text(metric.unit.as_deref())),
                        ("unit_from", text(metric.unit_from.as_deref())),
                        ("statistic", text(metric.statistic.as_deref())),
                        ("n", whole(metric.n)),
                        ("sd", real(metric.sd)),
                    ],
                )?;
            }
        }
        Ok(())
    }
}
