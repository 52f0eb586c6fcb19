use serde::{Deserialize, Serialize};

use crate::Error;
use crate::catalogue::{self, Extension};

/// What is asked of a record. Written as JSON, so that a repository can define its own and share it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(into = "File", try_from = "File")]
pub struct Policy {
    /// Name, for reports.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Highest tier asked for, 1 to 3.
    pub tier: u8,
    /// Extensions asked for, sorted; Core is always one.
    pub extensions: Vec<Extension>,
    /// Whether SHOULD fields are demanded too.
    pub level: Level,
    /// What becomes of fields without a tier (R6).
    pub untiered: Untiered,
    /// Which of the two published tables holds where they differ (R9).
    pub tables: Tables,
    /// Whether a field also waits for the tier of its element (R5).
    pub element_tier: bool,
    /// Demanded besides: `Class@Attribute`, or `Class` for at least one object of it.
    pub require: Vec<String>,
    /// Not demanded: `Class@Attribute` or `Class`.
    pub waive: Vec<String>,
    /// Demands on quality control, as for [`crate::qc::Requirement`].
    pub qc: Vec<String>,
    /// What a conversion does with a record that falls short.
    pub enforce: Enforce,
}

/// Requirement level asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// MUST fields; SHOULD fields are warnings.
    #[default]
    Must,
    /// MUST and SHOULD fields.
    Should,
}

/// What becomes of fields without a tier.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Untiered {
    /// They are outside the matrix: form and integrity only.
    #[default]
    Out,
    /// They count as Tier 1.
    Tier1,
}

/// The two published tables of tiers and requirements.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tables {
    /// The XML schema.
    #[default]
    Schema,
    /// The spreadsheet.
    Spreadsheet,
}

/// What a conversion does with a record that falls short.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Enforce {
    /// Says so and goes on.
    #[default]
    Warn,
    /// Writes nothing.
    Refuse,
}

/// The file form.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct File {
    name: String,
    #[serde(default)]
    description: String,
    tier: u8,
    extensions: Vec<String>,
    #[serde(default)]
    level: Level,
    #[serde(default)]
    untiered: Untiered,
    #[serde(default)]
    tables: Tables,
    #[serde(default)]
    element_tier: bool,
    #[serde(default)]
    require: Vec<String>,
    #[serde(default)]
    waive: Vec<String>,
    #[serde(default)]
    qc: Vec<String>,
    #[serde(default)]
    enforce: Enforce,
}

impl Policy {
    /// A policy that is nothing but a place on the three axes.
    ///
    /// # Errors
    /// [`Error::Argument`] for a tier other than 1, 2 and 3.
    pub fn new(tier: u8, extensions: &[Extension], level: Level) -> Result<Self, Error> {
        let mut extensions = [&[Extension::Core], extensions].concat();
        extensions.sort();
        extensions.dedup();
        let names: Vec<_> = extensions.iter().map(|e| e.name()).collect();
        let level_name = if level == Level::Must { "MUST" } else { "MUST+SHOULD" };
        let policy = Self {
            name: format!("Tier {tier}, {}, {level_name}", names.join("+")),
            description: String::new(),
            tier,
            extensions,
            level,
            untiered: Untiered::Out,
            tables: Tables::Schema,
            element_tier: false,
            require: Vec::new(),
            waive: Vec::new(),
            qc: Vec::new(),
            enforce: Enforce::Warn,
        };
        policy.checked()
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// [`Error::Syntax`] if it is not JSON of that form, [`Error::Argument`] for a tier, extension,
    /// class, attribute or quality-control demand that does not exist.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let file: File =
            serde_json::from_str(text).map_err(|e| Error::Syntax { form: "policy", why: e.to_string() })?;
        Self::try_from(file)
    }

    /// The policies that come with the program, by file name without ending.
    pub fn builtin(name: &str) -> Option<Self> {
        let (_, text) = BUILTIN.iter().find(|(n, _)| *n == name)?;
        Self::from_json(text).ok()
    }

    /// The names of the policies that come with the program.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    fn checked(self) -> Result<Self, Error> {
        if !(1..=3).contains(&self.tier) {
            let found = self.tier.to_string();
            return Err(Error::Argument { what: "tier", found, expected: "1, 2 or 3" });
        }
        for demand in self.require.iter().chain(&self.waive) {
            let (class, attribute) = split(demand);
            let class = catalogue::class(class);
            if class.is_none_or(|c| attribute.is_some_and(|a| c.attribute(a).is_none())) {
                let found = demand.clone();
                return Err(Error::Argument {
                    what: "policy",
                    found,
                    expected: "Class or Class@Attribute of NBO",
                });
            }
        }
        for demand in &self.qc {
            // A record says nothing of samples, so a policy that asked for them could never be satisfied.
            if demand.parse::<crate::qc::Requirement>()?.kind == crate::qc::IMAGE_QUALITY {
                return Err(Error::Argument {
                    what: "demand on quality control in a policy",
                    found: demand.clone(),
                    expected: "a calibration: image quality is asked of a store, by qc",
                });
            }
        }
        Ok(self)
    }
}

impl TryFrom<File> for Policy {
    type Error = Error;

    fn try_from(file: File) -> Result<Self, Error> {
        let policy = Self {
            name: file.name,
            description: file.description,
            tier: file.tier,
            extensions: extensions(file.extensions.iter().map(String::as_str))?,
            level: file.level,
            untiered: file.untiered,
            tables: file.tables,
            element_tier: file.element_tier,
            require: file.require,
            waive: file.waive,
            qc: file.qc,
            enforce: file.enforce,
        };
        policy.checked()
    }
}

impl From<Policy> for File {
    fn from(policy: Policy) -> Self {
        Self {
            name: policy.name,
            description: policy.description,
            tier: policy.tier,
            extensions: policy.extensions.iter().map(|extension| extension.name().to_owned()).collect(),
            level: policy.level,
            untiered: policy.untiered,
            tables: policy.tables,
            element_tier: policy.element_tier,
            require: policy.require,
            waive: policy.waive,
            qc: policy.qc,
            enforce: policy.enforce,
        }
    }
}

/// The set of extensions of a list of names, Core always included.
///
/// # Errors
/// [`Error::Argument`] for a name that is none of the four.
pub fn extensions<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<Extension>, Error> {
    let mut found = vec![Extension::Core];
    for name in names {
        let all = name.trim().eq_ignore_ascii_case("all");
        let one = Extension::from_name(name);
        match (all, one) {
            (true, _) => found.extend(Extension::ALL),
            (_, Some(extension)) => found.push(extension),
            (false, None) => {
                return Err(Error::Argument {
                    what: "extension",
                    found: name.to_owned(),
                    expected: "core, basic, advanced, calibration or all",
                });
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// `Class@Attribute` in its two parts.
pub(super) fn split(demand: &str) -> (&str, Option<&str>) {
    match demand.split_once('@') {
        Some((class, attribute)) => (class, Some(attribute)),
        None => (demand, None),
    }
}

macro_rules! builtin {
    ($($name:literal),*) => { [$(($name, include_str!(concat!("../../policies/", $name, ".json")))),*] };
}

static BUILTIN: [(&str, &str); 8] = builtin!(
    "baseline",
    "materials-and-methods",
    "bioimage-archive",
    "table-3-experiment-1",
    "table-3-experiment-2",
    "table-3-experiment-3",
    "table-3-experiment-4",
    "quality-controlled"
);
