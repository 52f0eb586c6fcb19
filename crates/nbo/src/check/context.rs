//! What the rules share: the policy, the identifiers of the record, and what has been found so far.

use super::hint::hint;
use super::part::{self, Identifiers};
use super::policy::{Level, Policy, Tables, Untiered};
use super::report::{Coverage, Finding, Rule, Severity};
use crate::catalogue::{Attribute, Class, Extension, Kind, Requirement};
use crate::record::{Object, Record};

pub(super) struct Context<'a> {
    pub(super) policy: &'a Policy,
    /// Every object that has an identifier of its own.
    pub(super) ids: Identifiers<'a>,
    pub(super) findings: Vec<Finding>,
    pub(super) coverage: Vec<Coverage>,
    /// How many fields the policy asked for.
    pub(super) asked: usize,
}

/// Where a finding stands.
pub(super) struct Place<'a> {
    pub(super) object: Option<&'a Object>,
    pub(super) at: &'a str,
    pub(super) class: &'a str,
}

/// A finding before it is put in its place.
pub(super) struct Found<'a> {
    pub(super) severity: Severity,
    pub(super) rule: Rule,
    pub(super) field: &'a str,
    pub(super) message: String,
    pub(super) attribute: Option<&'static Attribute>,
    pub(super) nearest: Option<&'static str>,
}

impl<'a> Found<'a> {
    pub(super) fn new(severity: Severity, rule: Rule, field: &'a str, message: impl Into<String>) -> Self {
        Self { severity, rule, field, message: message.into(), attribute: None, nearest: None }
    }

    /// Of a declared attribute, whose tier and extension the finding names.
    pub(super) fn of(severity: Severity, rule: Rule, field: &'static Attribute, message: String) -> Self {
        Self { attribute: Some(field), ..Self::new(severity, rule, field.name, message) }
    }
}

impl<'a> Context<'a> {
    pub(super) fn new(record: &'a Record, policy: &'a Policy) -> Self {
        let mut ids = Identifiers::new();
        for object in record.objects.iter().flat_map(Object::descendants) {
            if let Some(id) = object.id() {
                ids.entry(id).or_default().push(object);
            }
        }
        let coverage = (1..=3).map(|tier| Coverage { tier, ..Coverage::default() }).collect();
        Self { policy, ids, findings: Vec::new(), coverage, asked: 0 }
    }

    pub(super) fn push(&mut self, place: &Place, found: Found) {
        self.findings.push(Finding {
            severity: found.severity,
            rule: found.rule,
            class: place.class.to_owned(),
            field: found.field.to_owned(),
            at: place.at.to_owned(),
            part: place.object.map_or_else(String::new, |object| part::name(&self.ids, object)),
            message: found.message,
            nearest: found.nearest,
            tier: found.attribute.map(|a| a.tier).filter(|t| *t != 0),
            extension: found.attribute.map(|a| a.extension.name()),
        });
    }

    /// Whether the policy asks nothing of this class or this field of it.
    pub(super) fn is_waived(&self, class: &str, field: Option<&str>) -> bool {
        let named = |waived: &str| match waived.split_once('@') {
            Some((c, f)) => c == class && Some(f) == field,
            None => waived == class,
        };
        self.policy.waive.iter().any(|waived| named(waived))
    }

    pub(super) fn is_must(&self, attribute: &Attribute) -> bool {
        attribute.requirement_by(self.policy.tables == Tables::Spreadsheet) == Requirement::Must
    }

    pub(super) fn in_scope(&self, class: &Class, attribute: &Attribute) -> bool {
        let tier = self.tier(class, attribute);
        tier != 0
            && tier <= self.policy.tier
            && self.policy.extensions.contains(&class.extension_of(attribute))
    }

    /// The tier of an attribute in a class; 0 where it is outside the matrix.
    pub(super) fn tier(&self, class: &Class, attribute: &Attribute) -> u8 {
        let own = attribute.tier_by(self.policy.tables == Tables::Spreadsheet);
        let element = if self.policy.element_tier { defined(class.tier) } else { 0 };
        match defined(own) {
            0 if self.policy.untiered == Untiered::Tier1 => 1.max(element),
            0 => 0,
            own => own.max(element),
        }
    }

    /// Counts a field for the coverage of its tier.
    pub(super) fn cover(&mut self, extension: Extension, tier: u8, must: bool, filled: bool) {
        if tier == 0 || !self.policy.extensions.contains(&extension) {
            return;
        }
        for coverage in self.coverage.iter_mut().filter(|c| c.tier >= tier) {
            if must {
                coverage.must += 1;
                coverage.must_filled += usize::from(filled);
            } else {
                coverage.should += 1;
                coverage.should_filled += usize::from(filled);
            }
        }
    }

    /// Counts the fields of a part that is not there, and misses those that are demanded: leaving a part out fills no tier, and
    /// has no fewer errors than describing it badly.
    pub(super) fn cover_absent(&mut self, class: &'static Class, said: &str, at: &str) {
        let place = Place { object: None, at: &format!("{at}/{}", class.name), class: class.name };
        for attribute in class.attributes().filter(|a| a.kind == Kind::Value) {
            let tier = self.tier(class, attribute);
            let must = self.is_must(attribute);
            self.cover(class.extension_of(attribute), tier, must, false);
            let waived = self.is_waived(class.name, Some(attribute.name));
            if !attribute.is_id() && !waived && self.in_scope(class, attribute) && self.demands(must) {
                let message = format!("of the {said} that is not there: {}", hint(attribute));
                self.push(&place, Found::of(Severity::Error, Rule::Missing, attribute, message));
            }
        }
    }

    /// Whether a field of this requirement is demanded, not only advised.
    pub(super) fn demands(&self, must: bool) -> bool {
        must || self.policy.level == Level::Should
    }
}

/// R7: tier 4 occurs in the schema without a definition, where the spreadsheet says 2.
pub(super) fn defined(tier: u8) -> u8 {
    if tier == 4 { 2 } else { tier }
}
