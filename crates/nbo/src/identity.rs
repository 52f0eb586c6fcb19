//! Whether two descriptions are of one thing.
//!
//! Only an identifier that identifies makes two descriptions one: a UUID, or a maker with a serial number. An
//! identifier such as `Instrument:1` holds within its document and says nothing outside of it. Maker and model alone
//! never make two microscopes one, because a facility may have two of a model; but different ones keep them apart.
//! They are compared as wholes (`Ti` is not `Ti2-E`), after a short table of other names for the same ([`aliases`]).
//!
//! NBO has one field for "catalog, part or serial number", `CatalogNumber`; of a stand it is taken for the serial
//! number, which is what OME's `SerialNumber` becomes.

mod aliases;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::catalogue;
use crate::record::Object;
use crate::record::value::{is_sentinel, is_uuid};

pub(crate) use aliases::{maker, model};

/// What a document says that identifies a microscope.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Microscope {
    /// UUID of the instrument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// What its people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Maker of the stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// Model of the stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Serial number of the stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
}

/// Whether two descriptions are of one microscope.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sameness {
    /// They are.
    Same,
    /// They cannot be, and why.
    Different(&'static str),
    /// Nothing identifies both, and nothing contradicts.
    Unclear,
}

impl Microscope {
    /// What an `Instrument` object says.
    pub fn of(instrument: &Object) -> Self {
        let stand = instrument.children.iter().find(|child| is_stand(&child.class));
        let said = |object: Option<&Object>, field: &str| said(&object?.field(field)?.value);
        Self {
            uuid: identifiers(instrument).find(|id| is_uuid(id)).map(str::to_lowercase),
            name: said(Some(instrument), "Name"),
            manufacturer: said(stand, "Manufacturer"),
            model: said(stand, "Model"),
            serial_number: said(stand, "CatalogNumber"),
        }
    }

    /// The microscope that results of microscope-metrics name.
    pub fn named(microscope: &Json) -> Self {
        let said = |key: &str| said(&microscope[key]);
        Self {
            uuid: said("id").or_else(|| said("uuid")).filter(|id| is_uuid(id)).map(|id| id.to_lowercase()),
            name: said("name"),
            manufacturer: said("manufacturer"),
            model: said("model"),
            serial_number: said("serial_number"),
        }
    }

    /// Whether `other` is the same microscope, by what identifies one.
    pub fn compare(&self, other: &Self) -> Sameness {
        let makers = both(self.manufacturer.as_deref(), other.manufacturer.as_deref(), maker);
        let models = both(self.model.as_deref(), other.model.as_deref(), model);
        let serials = both(self.serial_number.as_deref(), other.serial_number.as_deref(), str::to_lowercase);
        let uuids = both(self.uuid.as_deref(), other.uuid.as_deref(), str::to_lowercase);
        if makers == Some(false) {
            return Sameness::Different("their makers differ");
        }
        match (serials, uuids) {
            (Some(false), _) => Sameness::Different("their serial numbers differ"),
            (Some(true), _) if makers == Some(true) => Sameness::Same,
            (_, Some(true)) => Sameness::Same,
            (_, Some(false)) => Sameness::Different("their UUIDs differ"),
            _ if models == Some(false) => Sameness::Different("their models differ"),
            _ => Sameness::Unclear,
        }
    }

    /// Whether this is the microscope that a result of quality control names. Such results are about a microscope of
    /// the reader's own facility: without a serial number on both sides they may also give its name, or maker and
    /// model.
    pub fn answers_to(&self, named: &Self) -> Sameness {
        match self.compare(named) {
            Sameness::Unclear => {}
            decided => return decided,
        }
        let fold = |text: &str| text.trim().to_lowercase();
        let equal =
            |a: &Option<String>, b: &Option<String>| both(a.as_deref(), b.as_deref(), fold) == Some(true);
        let maker_and_model = both(self.manufacturer.as_deref(), named.manufacturer.as_deref(), maker)
            == Some(true)
            && both(self.model.as_deref(), named.model.as_deref(), model) == Some(true);
        if maker_and_model
            || equal(&self.name, &named.name)
            || equal(&self.serial_number, &named.serial_number)
        {
            Sameness::Same
        } else {
            Sameness::Unclear
        }
    }

    /// What identifies the microscope in other stores too: its UUID, or else maker, model and serial number.
    pub fn key(&self) -> Option<String> {
        let parts = || {
            let [a, b, c] = [&self.manufacturer, &self.model, &self.serial_number].map(Option::as_deref);
            Some([a?, b?, c?].join(" | "))
        };
        self.uuid.clone().or_else(parts)
    }

    /// Maker, model and serial number, or whatever of them is said; for messages.
    pub fn described(&self) -> Option<String> {
        let words = [&self.manufacturer, &self.model, &self.serial_number];
        let words: Vec<_> = words.into_iter().filter_map(Option::as_deref).collect();
        if words.is_empty() { self.name.clone().or_else(|| self.uuid.clone()) } else { Some(words.join(" ")) }
    }
}

/// The identifiers of an object: its own, and those that earlier merging found for it.
pub(crate) fn identifiers(object: &Object) -> impl Iterator<Item = &str> {
    let also = object.extra.get("sameAs");
    let several = also.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    object.id().into_iter().chain(also.and_then(Json::as_str)).chain(several)
}

/// Whether an identifier means the same outside of its document.
pub(crate) fn identifies(id: &str) -> bool {
    is_uuid(id) || id.starts_with("urn:uuid:")
}

/// The instrument that an image was taken with.
pub(crate) fn instrument_of<'a>(record: &'a [Object], image: &Object) -> Option<&'a Object> {
    let id = image.child("InstrumentRef")?.target()?;
    record.iter().find(|o| o.class == "Instrument" && identifiers(o).any(|own| own == id))
}

/// Whether a class is one of microscope stands.
pub(crate) fn is_stand(class: &str) -> bool {
    catalogue::class(class).is_some_and(|c| c.is_a("MicroscopeStandGroup"))
}

/// The text of a value that says something.
pub(crate) fn said(value: &Json) -> Option<String> {
    let text = crate::record::value::text(value);
    let text = text.trim();
    (!value.is_null() && !text.is_empty() && !is_sentinel(value)).then(|| text.to_owned())
}

/// Whether two values are the same in the spelling that `by` gives; `None` where one of them is not said.
pub(crate) fn both(a: Option<&str>, b: Option<&str>, by: impl Fn(&str) -> String) -> Option<bool> {
    Some(by(a?) == by(b?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(maker: &str, model: &str, serial: &str) -> Microscope {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Microscope {
            manufacturer: said(maker),
            model: said(model),
            serial_number: said(serial),
            ..Microscope::default()
        }
    }

    #[test]
    fn microscopes_are_one_by_maker_and_serial_number_and_never_by_containment() {
        use Sameness::{Different, Same, Unclear};
        for (a, b, expected) in [
            (("Nikon", "Ti2-E", "SN-1"), ("Nikon", "Ti2-E", "SN-1"), Same),
            (("Carl Zeiss", "Axio Observer Z1", "SN-1"), ("ZEISS", "Axio Observer.Z1 / 7", "sn-1"), Same),
            (
                ("Nikon", "Ti2-E", "SN-1"),
                ("Nikon", "Ti2-E", "SN-2"),
                Different("their serial numbers differ"),
            ),
            (("Nikon", "Ti2-E", "SN-1"), ("Leica", "Ti2-E", "SN-1"), Different("their makers differ")),
            (("Nikon", "Ti", ""), ("Nikon", "Ti2-E", ""), Different("their models differ")),
            (("Nikon", "Eclipse Ti2-E", ""), ("Nikon", "Ti2-E", "SN-1"), Unclear),
            (("Nikon", "Ti2-E", ""), ("Nikon", "Ti2-E", ""), Unclear),
            (("", "", "SN-1"), ("Nikon", "Ti2-E", "SN-1"), Unclear),
            (("", "", ""), ("Nikon", "Ti2-E", "SN-1"), Unclear),
        ] {
            let [a, b] = [a, b].map(|(maker, model, serial)| scope(maker, model, serial));
            assert_eq!((a.compare(&b), b.compare(&a)), (expected, expected), "{a:?} {b:?}");
        }
    }

    #[test]
    fn results_name_a_microscope_by_model_only_where_no_serial_number_contradicts() {
        use Sameness::{Different, Same, Unclear};
        let own = scope("Nikon", "Ti2-E", "SN-1");
        for (named, expected) in [
            (scope("Nikon", "Ti2-E", ""), Same),
            (scope("Nikon", "Ti2-E", "SN-2"), Different("their serial numbers differ")),
            (scope("", "", "SN-1"), Same),
            (scope("Nikon", "Ti", ""), Different("their models differ")),
            (scope("Nikon", "", ""), Unclear),
            (Microscope { name: Some("Room B".into()), ..Microscope::default() }, Unclear),
        ] {
            assert_eq!(own.answers_to(&named), expected, "{named:?}");
        }
    }
}
