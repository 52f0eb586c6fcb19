//! `fairzarr methods`: a paragraph for Materials and Methods.

use fairzarr_nbo::methods::{Markup, methods};
use serde_json::json;

use super::provenance::{Planes, record_with};
use crate::args::{Methods, MethodsAs};
use crate::exit::{Code, Failure};
use crate::print;
use crate::telling;

pub(crate) fn run(args: &Methods) -> Result<Code, Failure> {
    let said = methods(&record_with(&args.path, &args.store, Planes::Exposures)?);
    let form = if args.markdown { MethodsAs::Markdown } else { args.form };
    let (name, text) = match form {
        MethodsAs::Plain => ("text", said.text(Markup::Plain)),
        MethodsAs::Markdown => ("markdown", said.text(Markup::Markdown)),
        MethodsAs::Json if telling::is_json() => ("json", said.to_json().to_string()),
        MethodsAs::Json => {
            print::json(&said.to_json())?;
            return Ok(Code::Done);
        }
    };
    if telling::is_json() {
        let members = json!({"form": name, "text": text.trim_end(), "output": null});
        return print::outcome("document", Code::Done, &args.path.join(" "), members);
    }
    print::lines(&text)?;
    Ok(Code::Done)
}
