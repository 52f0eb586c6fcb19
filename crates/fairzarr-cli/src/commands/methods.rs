//! `fairzarr methods`: a paragraph for Materials and Methods.

use fairzarr_nbo::methods::{Markup, methods};

use super::provenance::record;
use crate::args::{Methods, MethodsAs};
use crate::exit::{Code, Failure};
use crate::print;

pub(crate) fn run(args: &Methods) -> Result<Code, Failure> {
    let said = methods(&record(&args.path, &args.store)?);
    let form = if args.markdown { MethodsAs::Markdown } else { args.form };
    match form {
        MethodsAs::Plain => print::result(format_args!("{}", said.text(Markup::Plain).trim_end()))?,
        MethodsAs::Markdown => print::result(format_args!("{}", said.text(Markup::Markdown).trim_end()))?,
        MethodsAs::Json => print::result(format_args!("{:#}", said.to_json()))?,
    }
    Ok(Code::Done)
}
