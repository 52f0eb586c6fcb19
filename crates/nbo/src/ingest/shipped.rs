//! Mappings that come with the program, as data in `mappings/`: reports of MetroloJ and MetroloJ_QC (point spread
//! functions), tables of PSFj, tables of MethodsJ2.

use std::sync::LazyLock;

use super::Form;
use super::report::Report;

const FILES: [(Form, &str); 4] = [
    (Form::MetroloJ, include_str!("../../mappings/metroloj-qc.json")),
    (Form::MetroloJ, include_str!("../../mappings/metroloj.json")),
    (Form::PsfJ, include_str!("../../mappings/psfj.json")),
    (Form::MethodsJ2, include_str!("../../mappings/methodsj2.json")),
];

/// The form and the mapping of a report that one of them fits.
pub(super) fn of(text: &str) -> Option<(Form, &'static Report)> {
    static ALL: LazyLock<Vec<(Form, Report)>> = LazyLock::new(|| {
        let read = |(form, text): &(Form, &str)| Some((*form, serde_json::from_str(text).ok()?));
        FILES.iter().filter_map(read).collect()
    });
    ALL.iter().find(|(_, report)| report.fits(text)).map(|(form, report)| (*form, report))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_mappings_point_to_what_nbo_has() {
        for (form, text) in FILES {
            let report: Report = serde_json::from_str(text).unwrap();
            report.check().unwrap_or_else(|error| panic!("{}: {error}", form.name()));
        }
    }
}
