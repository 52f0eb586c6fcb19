//! `fairzarr nbo fields`: the dictionary.

use fairzarr_nbo::catalogue::{Attribute, Kind, Requirement, attributes};
use fairzarr_nbo::check;
use serde_json::{Value, json};

use super::provenance::axes;
use crate::args::{Fields, Nbo};
use crate::exit::{Code, Failure};
use crate::print;
use crate::telling;

pub(crate) fn run(args: &Nbo) -> Result<Code, Failure> {
    let Nbo::Fields(args) = args;
    fields(args)
}

fn fields(args: &Fields) -> Result<Code, Failure> {
    let chosen = &args.axes;
    let any = chosen.tier.is_some() || chosen.level.is_some() || !chosen.extension.is_empty();
    let mut found: Vec<&Attribute> = if any {
        check::fields(&axes(chosen)?).collect()
    } else {
        attributes().iter().filter(|attribute| attribute.kind != Kind::Unit).collect()
    };
    found.sort_by_key(|attribute| attribute.line);
    if telling::is_json() {
        for field in &found {
            print::event("field", object(field))?;
        }
        return print::outcome("fields", Code::Done, "nbo", json!({"count": found.len()}));
    }
    for field in &found {
        let tier = if field.tier == 0 { "-".into() } else { field.tier.to_string() };
        let unit = field.unit.map_or_else(String::new, |unit| {
            format!("  [{unit}, {} by default]", field.unit_default.unwrap_or("none"))
        });
        print::result(format_args!(
            "{:<62} tier {tier}  {:<11} {:<6}  {}{unit}",
            format!("{}@{}", field.owner, field.name),
            field.extension.name(),
            level(field.requirement),
            field.type_name
        ))?;
    }
    print::result(format_args!("{} fields", found.len()))?;
    Ok(Code::Done)
}

fn object(field: &Attribute) -> Value {
    json!({
        "class": field.owner, "field": field.name, "type": field.type_name, "tier": field.tier,
        "extension": field.extension.name(), "requirement": level(field.requirement), "unit": field.unit,
        "unit_default": field.unit_default, "default": field.default,
        "values": field.values().map(|list| list.values),
    })
}

fn level(requirement: Requirement) -> &'static str {
    match requirement {
        Requirement::Must => "MUST",
        Requirement::Should => "SHOULD",
        Requirement::Choice => "-",
    }
}
