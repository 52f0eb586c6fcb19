//! `fairzarr methods`: a paragraph for Materials and Methods.

use fairzarr_nbo::methods::{Markup, methods};

use super::provenance::{Planes, record_with};
use crate::args::{Methods, MethodsAs};
use crate::exit::{Code, Failure};
use crate::print;

pub(crate) fn run(args: &Methods) -> Result<Code, Failure> {
    let said = methods(&record_with(&args.path, &args.store, Planes::Exposures)?);
    let form = if args.markdown { MethodsAs::Markdown } else { args.form };
    match form {
        MethodsAs::Plain => print::result(format_args!("{}", said.text(Markup::Plain).trim_end()))?,
        MethodsAs::Markdown => print::result(format_args!("{}", said.text(Markup::Markdown).trim_end()))?,
        MethodsAs::Json => print::result(format_args!("{:#}", said.to_json()))?,
    }
    Ok(Code::Done)
}
