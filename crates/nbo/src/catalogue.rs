//! What 4DN-BINA-OME (NBO) 2.01 defines: every element, attribute and value list, with tier,
//! extension and requirement level.
//!
//! The tables are compiled in and looked up by name in constant time; no schema file is read.
//! Names are verbatim, misspellings included (`TheoreticaZSpotSize_FWHM`): they are the standard,
//! and [`errata`] says which ones are meant differently.
//!
//! ```
//! use fairzarr_nbo::catalogue;
//! let objective = catalogue::class("Objective").unwrap();
//! let distance = objective.attribute("WorkingDistance").unwrap();
//! assert_eq!((distance.tier, distance.unit, distance.unit_default), (2, Some("WorkingDistanceUnit"), Some("mm")));
//! ```

mod axes;
mod tables;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use axes::{Base, Content, Extension, Kind, Requirement};

/// The version of the NBO specification that the tables describe.
pub const VERSION: &str = "2.01";

/// The target namespace of the NBO 2.01 schema.
pub const NAMESPACE: &str = "http://www.NamespaceTest.org/Schemas/NBO/2020-11";

/// SHA-256 of the schema file that the tables were extracted from.
pub const SCHEMA_SHA256: &str = tables::SCHEMA_SHA256;

/// The class of this name: a global element of the schema, concrete or abstract.
pub fn class(name: &str) -> Option<&'static Class> {
    INDEX.classes.get(name).copied()
}

/// Every class: global elements, abstract heads and the elements that are local to one parent.
pub fn classes() -> &'static [Class] {
    &tables::CLASSES
}

/// Every attribute declaration, in schema order.
pub fn attributes() -> &'static [Attribute] {
    &tables::ATTRIBUTES
}

/// Every value list.
pub fn enums() -> &'static [EnumList] {
    &tables::ENUMS
}

/// The known defects of the published schema.
pub fn errata() -> &'static [Erratum] {
    &tables::ERRATA
}

/// An attribute declaration.
#[derive(Debug)]
pub struct Attribute {
    /// Name, verbatim.
    pub name: &'static str,
    /// Element or type that declares it; classes inherit.
    pub owner: &'static str,
    /// Line of the declaration in the schema file.
    pub line: u32,
    /// Schema type, for example `ObjectiveID`, `PositiveFloat`, `UnitsLength`.
    pub type_name: &'static str,
    /// Value space.
    pub base: Base,
    /// Requirement level.
    pub requirement: Requirement,
    /// Tier 1 to 3; 0 where the standard gives none; 4 occurs and means 2 (R7).
    pub tier: u8,
    /// Extension of this attribute, which wins over its element's (R2).
    pub extension: Extension,
    /// Name of the attribute that holds the unit.
    pub unit: Option<&'static str>,
    /// Default of that unit attribute. Not OME's: exposure is ms here, working distance mm.
    pub unit_default: Option<&'static str>,
    /// Default value.
    pub default: Option<&'static str>,
    /// Value or unit.
    pub kind: Kind,
    sheet_tier: u8,
    sheet_requirement: Option<Requirement>,
    list: i16,
}

impl Attribute {
    #[allow(clippy::too_many_arguments)]
    const fn new(
        name: &'static str,
        owner: &'static str,
        line: u32,
        type_name: &'static str,
        base: Base,
        requirement: Requirement,
        tier: u8,
        extension: Extension,
        unit: Option<&'static str>,
        unit_default: Option<&'static str>,
        default: Option<&'static str>,
        list: i16,
        kind: Kind,
        sheet_tier: u8,
        sheet_requirement: Option<Requirement>,
    ) -> Self {
        Self {
            name,
            owner,
            line,
            type_name,
            base,
            requirement,
            tier,
            extension,
            unit,
            unit_default,
            default,
            kind,
            sheet_tier,
            sheet_requirement,
            list,
        }
    }

    /// The closed list of values, if there is one.
    pub fn values(&self) -> Option<&'static EnumList> {
        usize::try_from(self.list).ok().and_then(|i| tables::ENUMS.get(i))
    }

    /// Tier by the schema, or by the NBO spreadsheet where the two differ and `sheet` asks for it (R9).
    pub fn tier_by(&self, sheet: bool) -> u8 {
        if sheet && self.sheet_tier != 0 { self.sheet_tier } else { self.tier }
    }

    /// Requirement by the schema, or by the spreadsheet (R9).
    pub fn requirement_by(&self, sheet: bool) -> Requirement {
        self.sheet_requirement.filter(|_| sheet).unwrap_or(self.requirement)
    }

    /// The identifier type, if the attribute is an identifier or points to one.
    pub fn id_type(&self) -> Option<&'static IdType> {
        INDEX.id_types.get(self.type_name).copied()
    }

    /// Whether it holds an identifier of any kind (own or reference).
    pub fn is_id(&self) -> bool {
        self.type_name == "LSID" || self.id_type().is_some()
    }
}

/// A value list.
#[derive(Debug)]
pub struct EnumList {
    /// Name of the schema type, or the place of an anonymous one.
    pub name: &'static str,
    /// Values verbatim, stray blanks included.
    pub values: &'static [&'static str],
}

impl EnumList {
    /// Whether these are unit symbols, which are case-sensitive (`Mm`, `mm`).
    pub fn is_units(&self) -> bool {
        self.name.starts_with("Units")
    }
}

/// A place for children in a class.
#[derive(Debug)]
pub struct Slot {
    class: u16,
    /// Element or type that declares it.
    pub owner: &'static str,
    /// Line of the declaration in the schema file.
    pub line: u32,
    /// Least number of children.
    pub min: u8,
    /// Greatest number of children; 0 is without limit.
    pub max: u8,
    /// Requirement level.
    pub requirement: Requirement,
    /// Tier of the slot; 0 where the standard gives none.
    pub tier: u8,
}

impl Slot {
    const fn new(
        class: u16,
        owner: &'static str,
        line: u32,
        min: u8,
        max: u8,
        requirement: Requirement,
        tier: u8,
    ) -> Self {
        Self { class, owner, line, min, max, requirement, tier }
    }

    /// The class that fills it, or the abstract head of the classes that do.
    pub fn class(&self) -> &'static Class {
        &tables::CLASSES[self.class as usize]
    }

    /// The classes that may stand here: the class itself, or the members of its group.
    pub fn members(&self) -> Vec<&'static Class> {
        let head = self.class();
        if head.is_abstract { head.members() } else { vec![head] }
    }
}

/// An element of the schema.
#[derive(Debug)]
pub struct Class {
    index: u16,
    /// Element name.
    pub name: &'static str,
    /// Name, or `Owner/Name` of an element that only one parent has.
    pub path: &'static str,
    /// Line of the declaration in the schema file.
    pub line: u32,
    /// Whether the element is global (may stand for itself).
    pub global: bool,
    /// Whether it is the abstract head of a group.
    pub is_abstract: bool,
    /// The head of the group that it belongs to.
    pub group: Option<&'static str>,
    /// Extension of the element.
    pub extension: Extension,
    /// Tier of the element; 0 where the standard gives none.
    pub tier: u8,
    /// Domain tag.
    pub domain: &'static str,
    /// Category tag.
    pub category: &'static str,
    /// Class of the settings that configure this hardware.
    pub settings: Option<&'static str>,
    /// What it holds.
    pub content: Content,
    attributes: &'static [u16],
    slots: &'static [u16],
}

impl Class {
    #[allow(clippy::too_many_arguments)]
    const fn new(
        index: u16,
        name: &'static str,
        path: &'static str,
        line: u32,
        global: bool,
        is_abstract: bool,
        group: Option<&'static str>,
        extension: Extension,
        tier: u8,
        domain: &'static str,
        category: &'static str,
        settings: Option<&'static str>,
        content: Content,
        attributes: &'static [u16],
        slots: &'static [u16],
    ) -> Self {
        Self {
            index,
            name,
            path,
            line,
            global,
            is_abstract,
            group,
            extension,
            tier,
            domain,
            category,
            settings,
            content,
            attributes,
            slots,
        }
    }

    /// Attributes, own and inherited.
    pub fn attributes(&self) -> impl Iterator<Item = &'static Attribute> {
        self.attributes.iter().map(|&i| &tables::ATTRIBUTES[i as usize])
    }

    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        INDEX.attributes[self.index as usize].get(name).copied()
    }

    /// The value whose unit is the attribute of this name.
    pub fn value_of_unit(&self, unit: &str) -> Option<&'static Attribute> {
        self.attributes().find(|a| a.unit == Some(unit))
    }

    /// The extension of one of its attributes: the attribute's own (R2), but for the identifier that all references to
    /// filters inherit, which is Basic in `FilterRef` under an instrument alone.
    pub fn extension_of(&self, attribute: &Attribute) -> Extension {
        if attribute.owner == "FilterRef" && self.path != attribute.owner {
            Extension::Core
        } else {
            attribute.extension
        }
    }

    /// Slots for children, in the order of the content model.
    pub fn slots(&self) -> impl Iterator<Item = &'static Slot> {
        self.slots.iter().map(|&i| &tables::SLOTS[i as usize])
    }

    /// The slot and class of a child element of this name; groups are resolved.
    pub fn child(&self, name: &str) -> Option<&'static Child> {
        INDEX.children[self.index as usize].get(name)
    }

    /// The concrete classes of the group that this class heads.
    pub fn members(&self) -> Vec<&'static Class> {
        let mut found = Vec::new();
        for class in &tables::CLASSES {
            if class.group == Some(self.name) {
                if class.is_abstract {
                    found.extend(class.members());
                } else {
                    found.push(class);
                }
            }
        }
        found
    }

    /// How this class points to another, if it is a reference or holds settings.
    pub fn reference(&self) -> Option<&'static Reference> {
        INDEX.references.get(self.path).or_else(|| INDEX.references.get(self.name)).copied()
    }

    /// Whether its `ID` is its own, not that of something it points to.
    pub fn owns_id(&self) -> bool {
        self.reference().is_none_or(|r| r.kind == ReferenceKind::Attribute)
    }

    /// Whether the class or one of its heads has this name.
    pub fn is_a(&self, name: &str) -> bool {
        let mut class = Some(self);
        while let Some(c) = class {
            if c.name == name {
                return true;
            }
            class = c.group.and_then(self::class);
        }
        false
    }
}

/// A child that a class may have.
#[derive(Debug)]
pub struct Child {
    /// Position of the slot in the content model.
    pub position: usize,
    /// The slot.
    pub slot: &'static Slot,
    /// The concrete class.
    pub class: &'static Class,
}

/// An identifier type.
#[derive(Debug)]
pub struct IdType {
    /// Name of the schema type.
    pub name: &'static str,
    /// What stands before the colon; without it any `x:y` is valid.
    pub prefix: Option<&'static str>,
}

/// A class that points to another by identifier.
#[derive(Debug)]
pub struct Reference {
    /// The pointing class.
    pub class: &'static str,
    /// The attribute that holds the identifier.
    pub attribute: &'static str,
    /// In which way it points.
    pub kind: ReferenceKind,
    /// Whether the schema demands the identifier.
    pub required: bool,
    /// Classes that the schema's identifier type allows.
    pub targets: &'static [&'static str],
    /// Classes that the reference's own name says.
    pub intended: &'static [&'static str],
}

/// The ways to point to another object.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ReferenceKind {
    /// The class is nothing but the reference (`ObjectiveRef`).
    Ref,
    /// The class holds settings of what it points to, and its `ID` is that of the hardware.
    Settings,
    /// One attribute points; the class has an identifier of its own.
    Attribute,
}

/// A known defect of the published schema.
#[derive(Debug)]
pub struct Erratum {
    /// Kind of finding, for example `E3` for a misspelt name.
    pub code: &'static str,
    /// Line in the schema file; 0 if it has none.
    pub line: u32,
    /// What is affected.
    pub subject: &'static str,
    /// What is wrong.
    pub note: &'static str,
}

struct Index {
    classes: HashMap<&'static str, &'static Class>,
    attributes: Vec<HashMap<&'static str, &'static Attribute>>,
    children: Vec<HashMap<&'static str, Child>>,
    references: HashMap<&'static str, &'static Reference>,
    id_types: HashMap<&'static str, &'static IdType>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| Index {
    classes: tables::CLASSES.iter().filter(|c| c.global).map(|c| (c.name, c)).collect(),
    attributes: tables::CLASSES.iter().map(|c| c.attributes().map(|a| (a.name, a)).collect()).collect(),
    children: tables::CLASSES.iter().map(children).collect(),
    references: tables::REFERENCES.iter().map(|r| (r.class, r)).collect(),
    id_types: tables::ID_TYPES.iter().map(|t| (t.name, t)).collect(),
});

fn children(class: &Class) -> HashMap<&'static str, Child> {
    let mut found = HashMap::new();
    for (position, slot) in class.slots().enumerate() {
        for class in slot.members() {
            found.entry(class.name).or_insert(Child { position, slot, class });
        }
    }
    found
}
