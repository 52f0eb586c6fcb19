//! Rules of `image-label`, `labels`, `series` and `bioformats2raw.layout`.

use serde_json::{Map, Value};

use super::{Need, Report};
use crate::Version;

impl Report {
    pub(super) fn image_label(&mut self, at: &str, value: &Value) {
        let Some(object) = self.object(at, LABEL, value) else { return };
        if self.version == Version::V04 {
            self.version_member(at, object, LABEL);
        }
        self.label_values(at, object, "colors", Need::Should(LABEL));
        self.label_values(at, object, "properties", Need::May(LABEL));
        let colors = object.get("colors").and_then(Value::as_array).into_iter().flatten();
        for (index, color) in
            colors.enumerate().filter_map(|(index, color)| Some((index, color.as_object()?)))
        {
            let at = format!("{at}/colors/{index}");
            self.member(&at, color, "rgba", Need::May(LABEL), "four integers from 0 to 255", |value| {
                let rgba = value.as_array()?;
                let byte = |value: &Value| value.as_u64().is_some_and(|value| value <= 255);
                (rgba.len() == 4 && rgba.iter().all(byte)).then_some(())
            });
        }
        if let Some(source) =
            self.member(at, object, "source", Need::May(LABEL), "an object", Value::as_object)
        {
            self.string(&format!("{at}/source"), source, "image", Need::May(LABEL));
        }
    }

    /// A list of objects with a `label-value` each, which no two share.
    fn label_values(&mut self, at: &str, object: &Map<String, Value>, name: &str, need: Need) {
        let Some(items) = self.items(at, object, name, need) else { return };
        let at = format!("{at}/{name}");
        let mut values = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = format!("{at}/{index}");
            let Some(item) = self.object(&at, LABEL, item) else { continue };
            let integer = |value: &Value| {
                value.as_i64().map(|i| i.to_string()).or_else(|| value.as_u64().map(|u| u.to_string()))
            };
            values.extend(self.member(&at, item, "label-value", Need::Must(LABEL), "an integer", integer));
        }
        self.unique(&at, LABEL, "label-value", values.into_iter());
    }

    /// A list of paths: `labels` and `series`.
    pub(super) fn paths(&mut self, at: &str, value: &Value, clause: &'static str) {
        let paths =
            value.as_array().and_then(|items| items.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        match paths {
            Some(paths) => self.unique(at, clause, "path", paths.into_iter().map(str::to_owned)),
            None => self.wrong(at, clause, value, "an array of paths"),
        }
    }

    pub(super) fn bioformats2raw(&mut self, at: &str, value: &Value) {
        if value.as_f64() != Some(3.0) {
            self.wrong(at, "bf2raw", value, "the number 3");
        }
    }
}

const LABEL: &str = "label-md";
