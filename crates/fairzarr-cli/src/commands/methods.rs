//! `fairzarr methods`: a paragraph for Materials and Methods.

use fairzarr_nbo::methods::{Markup, methods};
use serde_json::json;

use super::provenance::record;
use crate::args::Methods;
use crate::exit::{Code, Failure};
use crate::print;
use crate::telling;

pub(crate) fn run(args: &Methods) -> Result<Code, Failure> {
    let markup = if args.markdown { Markup::Markdown } else { Markup::Text };
    let text = methods(&record(&args.path, &args.store)?, markup);
    if telling::is_json() {
        let form = if args.markdown { "markdown" } else { "text" };
        let members = json!({"form": form, "text": text.trim_end(), "output": null});
        return print::outcome("document", Code::Done, &args.path.join(" "), members);
    }
    print::lines(&text)?;
    Ok(Code::Done)
}
