//! The released versions of the OME schema, and which namespaces are OME's.

use std::fmt;

/// A version of the OME schema.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum SchemaVersion {
    V2003Fc,
    V2007_06,
    V2008_02,
    V2008_09,
    V2009_09,
    V2010_04,
    V2010_06,
    V2011_06,
    V2012_06,
    V2013_06,
    V2015_01,
    V2016_06,
    /// No namespace, or one that is not released; read as 2016-06.
    Unknown,
}

impl SchemaVersion {
    /// The version as the schema's address spells it, `2016-06`.
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(v, _)| *v == self).map_or("unknown", |(_, n)| n)
    }

    /// The version that a namespace of the OME schema family names.
    pub(crate) fn of_namespace(uri: &str) -> Self {
        NAMES.iter().find(|(_, n)| family_version(uri) == Some(*n)).map_or(Self::Unknown, |(v, _)| *v)
    }
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Namespace of the 2016-06 schema.
pub const NAMESPACE_2016_06: &str = "http://www.openmicroscopy.org/Schemas/OME/2016-06";

/// True for the namespaces that together make the OME schema of some version (`OME`, `SPW`, `SA`, `ROI`, `BinaryFile`
/// and older ones), false for others, OME's additions such as Modulo among them.
pub(crate) fn is_ome_family(uri: &str) -> bool {
    family_version(uri).is_some()
}

/// `2010-06` of `http://www.openmicroscopy.org/Schemas/SA/2010-06`, `FC` as `2003-FC`.
fn family_version(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://"))?;
    let rest = rest.strip_prefix("www.").unwrap_or(rest).strip_prefix("openmicroscopy.org/")?;
    if let Some(rest) = rest.strip_prefix("XMLschemas/") {
        let version = rest.split('/').nth(1)?;
        return Some(if version == "FC" { "2003-FC" } else { version });
    }
    let (part, version) = rest.strip_prefix("Schemas/")?.split_once('/')?;
    let part_known = FAMILY.iter().any(|known| part.eq_ignore_ascii_case(known));
    part_known.then(|| version.trim_end_matches('/').trim_end_matches("/ome.xsd"))
}

const FAMILY: [&str; 12] = [
    "OME",
    "SPW",
    "SA",
    "ROI",
    "BinaryFile",
    "STD",
    "CLI",
    "MLI",
    "CA",
    "AnalysisModule",
    "AnalysisChain",
    "DataHistory",
];

const NAMES: [(SchemaVersion, &str); 12] = [
    (SchemaVersion::V2003Fc, "2003-FC"),
    (SchemaVersion::V2007_06, "2007-06"),
    (SchemaVersion::V2008_02, "2008-02"),
    (SchemaVersion::V2008_09, "2008-09"),
    (SchemaVersion::V2009_09, "2009-09"),
    (SchemaVersion::V2010_04, "2010-04"),
    (SchemaVersion::V2010_06, "2010-06"),
    (SchemaVersion::V2011_06, "2011-06"),
    (SchemaVersion::V2012_06, "2012-06"),
    (SchemaVersion::V2013_06, "2013-06"),
    (SchemaVersion::V2015_01, "2015-01"),
    (SchemaVersion::V2016_06, "2016-06"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_come_from_namespaces() {
        assert_eq!(SchemaVersion::of_namespace(NAMESPACE_2016_06), SchemaVersion::V2016_06);
        assert_eq!(
            SchemaVersion::of_namespace("http://www.openmicroscopy.org/Schemas/SPW/2008-09"),
            SchemaVersion::V2008_09
        );
        assert_eq!(
            SchemaVersion::of_namespace("http://www.openmicroscopy.org/XMLschemas/OME/FC/ome.xsd"),
            SchemaVersion::V2003Fc
        );
        assert_eq!(
            SchemaVersion::of_namespace("http://www.openmicroscopy.org/Schemas/OME/2099-01"),
            SchemaVersion::Unknown
        );
        assert!(!is_ome_family("http://www.openmicroscopy.org/Schemas/Additions/2011-09"));
        assert!(!is_ome_family("http://www.w3.org/2000/svg"));
    }
}
